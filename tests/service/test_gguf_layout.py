"""A GGUF file cut into shards: the package gguf reads in them what it reads in the whole file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.llm.gguf_layout import GgufLayout, GgufShard, is_written

gguf = pytest.importorskip("gguf", reason="needs the extra bench")
KIND = gguf.GGUFValueType


def written(path: Path, sizes: list[tuple[int, int]], words: list[str]) -> Path:
    """A file with a setting of each kind, and tensors of these sizes."""
    writer = gguf.GGUFWriter(path, "gemma3")
    writer.add_uint32("gemma3.block_count", 18)
    writer.add_array("tokenizer.ggml.tokens", words)
    writer.add_array("tokenizer.ggml.scores", [0.5] * len(words))
    for value, kind in (
        (1, KIND.UINT8), (-1, KIND.INT8), (1, KIND.UINT16), (-1, KIND.INT16), (-1, KIND.INT32),
        (0.5, KIND.FLOAT32), (True, KIND.BOOL), ("héllo", KIND.STRING), (1, KIND.UINT64),
        (-1, KIND.INT64), (0.1, KIND.FLOAT64),
    ):  # fmt: skip
        writer.add_key_value(f"some.{kind.name}", value, kind)
    for i, (rows, columns) in enumerate(sizes):
        kind = np.float32 if i % 2 else np.float16
        writer.add_tensor(f"blk.{i}.w", np.arange(rows * columns, dtype=kind).reshape(rows, -1))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def said(path: Path) -> dict[str, Any]:
    fields = gguf.GGUFReader(path).fields
    return {n: f.contents() for n, f in fields.items() if not n.startswith("GGUF.")}


def tensors(path: Path) -> dict[str, tuple[Any, bytes]]:
    return {
        t.name: (t.tensor_type, tuple(t.shape), t.data.tobytes())
        for t in gguf.GGUFReader(path).tensors
    }


@given(
    sizes=st.lists(st.tuples(st.integers(1, 5), st.integers(1, 40)), min_size=2, max_size=5),
    words=st.lists(st.text(max_size=8), min_size=1, max_size=5),
    data=st.data(),
)
@settings(max_examples=25, deadline=None)
def test_shards_hold_together_what_the_whole_file_holds(
    tmp_path_factory: pytest.TempPathFactory,
    sizes: list[tuple[int, int]],
    words: list[str],
    data: st.DataObject,
) -> None:
    folder = tmp_path_factory.mktemp("gguf")
    whole = written(folder / "whole.gguf", sizes, words)
    with whole.open("rb") as file:
        layout = GgufLayout.of(file)
        picked = set(data.draw(st.sets(st.sampled_from([t.name for t in layout.tensors]))))
        parts = [tuple(t for t in layout.tensors if (t.name in picked) is p) for p in (True, False)]
        in_all, settings_of_3 = len(layout.tensors), layout.settings_with_layers(3)
        first = GgufShard(parts[0], 0, 2, in_all, layout.settings_count, settings_of_3)
        second = GgufShard(parts[1], 1, 2, in_all)
        files = [folder / "first.gguf", folder / "second.gguf"]
        for shard, path in zip((first, second), files, strict=True):
            path.write_bytes(b"".join(shard.content(file)))
            with path.open("rb") as there:
                assert is_written(there, shard.content(file))
    split = {"split.no": 0, "split.count": 2, "split.tensors.count": in_all}
    assert said(files[0]) == {**said(whole), "gemma3.block_count": 3, **split}
    assert said(files[1]) == {**split, "split.no": 1}
    assert tensors(files[0]) | tensors(files[1]) == tensors(whole)
    assert tensors(files[0]).keys() == picked


def test_a_file_that_is_shorter_or_longer_or_other_is_not_what_was_written(tmp_path: Path) -> None:
    path = tmp_path / "a"
    for held, same in ((b"abcd", True), (b"abc", False), (b"abcde", False), (b"abce", False)):
        path.write_bytes(held)
        with path.open("rb") as file:
            assert is_written(file, [b"ab", b"cd"]) is same


@pytest.mark.parametrize("content", [b"GGUF" + bytes(20), b"GGML" + bytes(20)])
def test_another_format_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.gguf"
    path.write_bytes(content)
    with path.open("rb") as file, pytest.raises(ValueError, match="no GGUF file"):
        GgufLayout.of(file)
