"""The embedded model with only its lowest layers, as a GGUF file made of its own.

An adapter that was tuned on nine of eighteen layers needs no more of them: an answer costs half.
What is cut off above, and why less is enough once it was tuned: docs/tuning.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.errors import LlmUnavailable
from service.llm.embedded_model import MODEL_ID, file_sha256, model_file, only_one

if TYPE_CHECKING:
    from gguf import GGUFReader

LAYER = re.compile(r"blk\.(\d+)\.")
DEPTH_KEY = "{arch}.block_count"
WRITTEN_ANEW = frozenset({"general.architecture"})  # by whoever writes a GGUF file


def shallow_model_file(cache_dir: Path, depth: int) -> Path:
    """The lowest `depth` layers, embedding and norm; written where it is not there yet (15 s).

    Its digest is kept beside it and checked each time. A crash half-way leaves no file that looks
    whole.

    Raises:
        LlmUnavailable: it cannot be written, or the model has fewer layers.
    """
    whole = model_file(cache_dir)
    target = cache_dir / f"{MODEL_ID}.{depth}-layers.gguf"
    digest_file = target.with_suffix(".sha256")
    try:
        with only_one(cache_dir):
            if not _is_whole(target, digest_file):
                part = target.with_suffix(".part")
                _write(whole, part, depth)
                digest_file.write_text(file_sha256(part), encoding="ascii")
                part.replace(target)
    except (OSError, ValueError, ImportError) as error:
        message = f"The embedded model cannot be cut to {depth} layers in {cache_dir}: {error}."
        raise LlmUnavailable("start", message) from error
    return target


def _is_whole(target: Path, digest_file: Path) -> bool:
    if not (target.exists() and digest_file.exists()):
        return False
    return file_sha256(target) == digest_file.read_text(encoding="ascii")


def _write(whole: Path, part: Path, depth: int) -> None:
    from gguf import GGUFReader, GGUFWriter

    reader = GGUFReader(whole)
    arch = str(reader.fields["general.architecture"].contents())
    layers = int(reader.fields[DEPTH_KEY.format(arch=arch)].contents())
    if not 0 < depth < layers:
        raise ValueError(f"it has {layers}")
    writer = GGUFWriter(part, arch)
    for name, value, kinds in _settings(reader):
        said = depth if name == DEPTH_KEY.format(arch=arch) else value
        writer.add_key_value(name, said, kinds[0], sub_type=kinds[-1] if kinds[1:] else None)
    for tensor in reader.tensors:
        layer = LAYER.match(tensor.name)
        if layer is None or int(layer[1]) < depth:
            writer.add_tensor(tensor.name, tensor.data, raw_dtype=tensor.tensor_type)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _settings(reader: GGUFReader) -> Iterator[tuple[str, Any, list[Any]]]:
    """Name, value and types of each, without what the writer says itself."""
    for name, field in reader.fields.items():
        if not name.startswith("GGUF.") and name not in WRITTEN_ANEW:
            yield name, field.contents(), field.types
