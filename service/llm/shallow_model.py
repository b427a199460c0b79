"""The embedded model with only its lowest layers, as a GGUF file made of its own.

    python -m service.llm.shallow_model --cache-dir var/llm --depth 8

An adapter that was tuned on eight of eighteen layers needs no more of them: an answer costs half.
What is cut off above, and why less is enough once it was tuned: docs/tuning.md. Cutting takes 20 s
of CPU and some memory, so it is done in a process of its own, before one serves.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import sys
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.errors import LlmUnavailable
from service.llm.embedded_model import (
    LAYERS,
    MODEL_ID,
    file_sha256,
    model_digest,
    model_file,
    only_one,
)
from service.llm.parent_watch import end_with_parent

if TYPE_CHECKING:
    from gguf import GGUFReader

LAYER = re.compile(r"blk\.(\d+)\.")
ARCHITECTURE = "general.architecture"  # said by whoever writes a GGUF file
CUT_DEADLINE = timedelta(minutes=5)


async def cut_shallow_model(cache_dir: Path, depth: int) -> None:
    """Have `shallow_model_file` find it. Raises LlmUnavailable: it cannot be cut."""
    if _target(cache_dir, depth).exists():  # whoever loads it looks if it is whole
        return
    command = [sys.executable, "-m", "service.llm.shallow_model", "--cache-dir", str(cache_dir)]
    command += ["--depth", str(depth)]
    message = (
        f"The embedded model cannot be cut to {depth} layers: standard error says why. Make room "
        f"for 200 MB in {cache_dir}, or tune with --depth {LAYERS}."
    )
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            start_new_session=True,  # as `Engine` has its process
        )
    except OSError as error:
        raise LlmUnavailable("start", message) from error
    try:
        async with asyncio.timeout(CUT_DEADLINE.total_seconds()):
            status = await process.wait()
    except TimeoutError:
        status = -1
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if status != 0:
        raise LlmUnavailable("start", message)


def shallow_model_file(cache_dir: Path, depth: int) -> Path:
    """The lowest `depth` layers, embedding and norm; written where it is not there yet.

    Its digest is kept beside it and checked each time. A crash half-way leaves no file that looks
    whole; of another model it has another name.

    Raises:
        LlmUnavailable: it cannot be written, or the model has fewer layers.
    """
    if not 0 < depth < LAYERS:
        raise LlmUnavailable("start", f"The embedded model has {LAYERS} layers, not {depth}.")
    target = _target(cache_dir, depth)
    digest_file, part = target.with_suffix(".sha256"), target.with_suffix(".part")
    try:
        with only_one(cache_dir, target.stem):
            if not _is_whole(target, digest_file):
                _write(model_file(cache_dir), part, depth)
                digest_file.write_bytes(file_sha256(part).encode())
                part.replace(target)
    except (OSError, ValueError, ImportError) as error:
        part.unlink(missing_ok=True)
        message = f"The embedded model cannot be cut to {depth} layers in {cache_dir}: {error}."
        raise LlmUnavailable("start", message) from error
    return target


def _target(cache_dir: Path, depth: int) -> Path:
    return cache_dir / f"{MODEL_ID}.{model_digest()[:16]}.{depth}-layers.gguf"


def _is_whole(target: Path, digest_file: Path) -> bool:
    if not (target.exists() and digest_file.exists()):
        return False
    return file_sha256(target).encode() == digest_file.read_bytes()


def _write(whole: Path, part: Path, depth: int) -> None:
    from gguf import GGUFReader, GGUFWriter

    reader = GGUFReader(whole)
    architecture = str(reader.fields[ARCHITECTURE].contents())
    layers_key = f"{architecture}.block_count"
    writer = GGUFWriter(part, architecture)
    for name, value, kinds in _settings(reader):
        said = depth if name == layers_key else value
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
        if not name.startswith("GGUF.") and name != ARCHITECTURE:
            yield name, field.contents(), field.types


def main(arguments: Sequence[str] | None = None) -> int:
    """Cut it, where it is not there."""
    parser = argparse.ArgumentParser(prog="python -m service.llm.shallow_model")
    parser.add_argument("--cache-dir", type=Path, required=True)
    parser.add_argument("--depth", type=int, required=True)
    options = parser.parse_args(arguments)
    end_with_parent()
    try:
        shallow_model_file(options.cache_dir, options.depth)
    except LlmUnavailable as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
