"""GgufLayout: where the settings and tensors of a GGUF file lie, and files made of some of them.

GGUF, version 3: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md. The package `gguf` reads
it too, but makes an object of each of the 262,144 words that the model knows: 8 s of CPU, and this
is read at every start.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

ALIGNMENT = 32  # of data, unless a file says otherwise, which those written by llama.cpp do not
CHUNK = 1 << 20  # bytes read at a time
UINT16, UINT32, INT32, STRING, ARRAY = 2, 4, 5, 8, 9
# Bytes of a value, by its type: 8, 16, 32-bit integers, float, bool, 64-bit integers, double.
WIDTHS = {0: 1, 1: 1, UINT16: 2, 3: 2, UINT32: 4, INT32: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}


@dataclass(frozen=True, slots=True)
class GgufTensor:
    """One tensor: its name, its shape and type as the file says them, and where its data lie."""

    name: str
    shape: bytes
    begins: int  # bytes from the beginning of the file
    size: int  # bytes, up to where the next one begins

    def info(self, offset: int) -> bytes:
        """What a file says of it whose data have it at `offset`."""
        return _string(self.name) + self.shape + struct.pack("<Q", offset)


@dataclass(frozen=True, slots=True)
class GgufLayout:
    """What a file holds. `layers_at`: where in `settings` the number of layers stands, in bytes."""

    settings_count: int
    settings: bytes
    layers_at: int
    tensors: tuple[GgufTensor, ...]

    @classmethod
    def of(cls, file: BinaryIO) -> GgufLayout:
        """Read the beginning of a file; its data are not read."""
        reading = _Reading(file)
        file.seek(0)
        magic, version, tensor_count, settings_count = struct.unpack("<4sIQQ", file.read(24))
        if (magic, version) != (b"GGUF", 3):
            raise ValueError("this is no GGUF file of version 3")
        first = file.tell()
        layers_at = -1
        for _ in range(settings_count):
            name, kind = reading.string(), reading.number("I")
            if name.endswith(".block_count"):
                layers_at = file.tell() - first
            reading.skip(kind)
        if layers_at < 0:
            raise ValueError("this GGUF file does not say how many layers it has")
        last = file.tell()
        infos = [_info(reading) for _ in range(tensor_count)]
        data = file.tell() + _padding(file.tell())
        end = file.seek(0, 2)
        begins = sorted(data + offset for _, _, offset in infos)
        ends = dict(zip(begins, [*begins[1:], end], strict=True))
        tensors = tuple(
            GgufTensor(name, shape, data + offset, ends[data + offset] - data - offset)
            for name, shape, offset in infos
        )
        file.seek(first)
        return cls(settings_count, file.read(last - first), layers_at, tensors)

    def settings_with_layers(self, layers: int) -> bytes:
        """The settings, of a model of so many layers."""
        value = struct.pack("<I", layers)
        return self.settings[: self.layers_at] + value + self.settings[self.layers_at + 4 :]


@dataclass(frozen=True, slots=True)
class GgufShard:
    """One of the files that a model is loaded from: some of its tensors.

    The first holds the settings, the others none. `number` counts from 0; `tensors_in_all`: those
    of all `shards` together.
    """

    tensors: tuple[GgufTensor, ...]
    number: int
    shards: int
    tensors_in_all: int
    settings_count: int = 0
    settings: bytes = b""

    def content(self, whole: BinaryIO) -> Iterator[bytes]:
        """What its file holds, in pieces; `whole` is the file that its tensors lie in."""
        head = self._head()
        yield head + bytes(_padding(len(head)))
        for tensor in self.tensors:
            yield from _pieces(whole, tensor.begins, tensor.size)
            yield bytes(_padding(tensor.size))

    def _head(self) -> bytes:
        split = (
            _setting("split.no", UINT16, struct.pack("<H", self.number)),
            _setting("split.count", UINT16, struct.pack("<H", self.shards)),
            _setting("split.tensors.count", INT32, struct.pack("<i", self.tensors_in_all)),
        )
        said = self.settings_count + len(split)
        head = struct.pack("<4sIQQ", b"GGUF", 3, len(self.tensors), said)
        return head + self.settings + b"".join(split) + b"".join(self._infos())

    def _infos(self) -> Iterator[bytes]:
        offset = 0
        for tensor in self.tensors:
            yield tensor.info(offset)
            offset += tensor.size + _padding(tensor.size)


def is_written(file: BinaryIO, content: Iterable[bytes]) -> bool:
    """Whether a file holds just that."""
    return all(file.read(len(piece)) == piece for piece in content) and not file.read(1)


class _Reading:
    """Reads values one after the other."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def number(self, code: str) -> int:
        (value,) = struct.unpack("<" + code, self._file.read(struct.calcsize("<" + code)))
        return int(value)

    def string(self) -> str:
        return self._file.read(self.number("Q")).decode()

    def skip(self, kind: int) -> None:
        if kind == ARRAY:
            kind, count = self.number("I"), self.number("Q")
            if kind in WIDTHS:
                self._file.seek(count * WIDTHS[kind], 1)
            else:
                for _ in range(count):
                    self.skip(kind)
        elif kind == STRING:
            self._file.read(self.number("Q"))
        else:
            self._file.read(WIDTHS[kind])


def _info(reading: _Reading) -> tuple[str, bytes, int]:
    """Of one tensor: name, shape and type as they stand there, and its offset in the data."""
    name, dimensions = reading.string(), reading.number("I")
    sizes = [reading.number("Q") for _ in range(dimensions)]
    shape = struct.pack(f"<I{dimensions}QI", dimensions, *sizes, reading.number("I"))
    return name, shape, reading.number("Q")


def _pieces(file: BinaryIO, begins: int, size: int) -> Iterator[bytes]:
    file.seek(begins)
    while size > 0:
        piece = file.read(min(size, CHUNK))
        if not piece:
            raise ValueError("the GGUF file ends too soon")
        yield piece
        size -= len(piece)


def _padding(size: int) -> int:
    return -size % ALIGNMENT


def _string(text: str) -> bytes:
    return struct.pack("<Q", len(text.encode())) + text.encode()


def _setting(name: str, kind: int, value: bytes) -> bytes:
    return _string(name) + struct.pack("<I", kind) + value
