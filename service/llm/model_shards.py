"""The embedded model as two files that llama.cpp loads as one: its layers, and its words.

An adapter that was tuned on eight of eighteen layers needs no more of them: an answer costs half
(what is cut off above, and why less is enough once it was tuned: docs/tuning.md). But it needs each
of the 262,144 words, and these are 178 of 253 MB. So processes that load different layers load the
same file of words, which is in memory once.
"""

from __future__ import annotations

import errno
import filecmp
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from models.errors import LlmUnavailable
from service.llm.embedded_model import LAYERS, MODEL_ID, model_digest, model_file, only_one
from service.llm.gguf_layout import GgufLayout, GgufShard, GgufTensor, is_written

WORDS = "token_embd.weight"
LAYER = re.compile(r"blk\.(\d+)\.")
FULL = {errno.ENOSPC, errno.EFBIG, errno.EDQUOT}
SHARDS = 2  # llama.cpp knows the second by the name of the first


def model_shards(cache_dir: Path, depth: int | None = None) -> Path:
    """The first shard, for llama.cpp, with the lowest `depth` layers; all unless given.

    Both are written where they are not there yet, and compared each time with the model's own file,
    whose digest is checked (0.5 s together). A crash half-way leaves no file that looks whole; of
    another model they have other names.

    Raises:
        LlmUnavailable: they cannot be written, or the model has fewer layers.
    """
    if depth is not None and not 0 < depth < LAYERS:
        message = (
            f"A shallow model has fewer than the {LAYERS} layers of the embedded one: 1 at least."
        )
        raise LlmUnavailable("start", f"{message} {depth} were asked for.")
    layers = depth or LAYERS
    stem = f"{MODEL_ID}.{model_digest()[:16]}"
    words = cache_dir / f"{stem}.words.gguf"
    first, second = (
        cache_dir / f"{stem}.{layers}-layers-{number:05}-of-{SHARDS:05}.gguf"
        for number in range(1, SHARDS + 1)
    )
    whole = model_file(cache_dir)
    try:
        with only_one(cache_dir, "shards"), whole.open("rb") as file:
            layers_shard, words_shard = _cut(GgufLayout.of(file), layers)
            _keep(first, lambda: layers_shard.content(file))
            _keep(words, lambda: words_shard.content(file))
            _point(second, words.name)
    except (OSError, ValueError) as error:
        message = f"The embedded model cannot be cut to {layers} layers in {cache_dir}: {error}."
        if isinstance(error, OSError) and error.errno in FULL:
            message += f" Make room for {'250' if depth is None else '40'} MB there."
        raise LlmUnavailable("start", message) from error
    return first


def _cut(layout: GgufLayout, layers: int) -> tuple[GgufShard, GgufShard]:
    words = tuple(t for t in layout.tensors if t.name == WORDS)
    lowest = tuple(t for t in layout.tensors if t.name != WORDS and _layer(t) < layers)
    in_all = len(words) + len(lowest)
    settings = layout.settings_with_layers(layers)
    return (
        GgufShard(lowest, 0, SHARDS, in_all, layout.settings_count, settings),
        # No shard of another depth may differ from it, so it does not say how many there are.
        GgufShard(words, 1, SHARDS, len(words)),
    )


def _layer(tensor: GgufTensor) -> int:
    """Which one it belongs to; what belongs to none is needed by each."""
    layer = LAYER.match(tensor.name)
    return int(layer[1]) if layer else -1


def _keep(file: Path, content: Callable[[], Iterator[bytes]]) -> None:
    """Have `file` hold that. What holds it already is left alone: processes share its memory."""
    if file.exists():
        with file.open("rb") as there:
            if is_written(there, content()):
                return
    part = file.with_suffix(".part")
    try:
        with part.open("wb") as written:
            written.writelines(content())
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)


def _point(link: Path, target: str) -> None:
    """Have `link` lead to `target`, which lies beside it.

    Where a disk has no such links it is another name of the same file, or a copy, which each
    process then has in memory by itself.
    """
    whole = link.with_name(target)
    if link.exists() and (link.samefile(whole) or filecmp.cmp(link, whole, shallow=False)):
        return
    part = link.with_suffix(".part")
    part.unlink(missing_ok=True)
    try:
        try:
            part.symlink_to(target)
        except OSError:
            _copy(whole, part)
        part.replace(link)
    finally:
        part.unlink(missing_ok=True)


def _copy(file: Path, copy: Path) -> None:
    try:
        copy.hardlink_to(file)
    except OSError:
        shutil.copyfile(file, copy)
