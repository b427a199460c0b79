"""Looks for planted values in bytes, however they may have been written."""

from __future__ import annotations

import base64
import contextlib
import urllib.parse
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

LEAST = 6  # bytes of an encoded value that cannot stand there by chance
MOST_SEARCHED = 2_000_000  # bytes: two bytes that look like a zlib stream are in any big file
MOST_UNPACKED = 1_000_000  # bytes of one stream
GZIP, ZLIB = b"\x1f\x8b\x08", (b"\x78\x01", b"\x78\x9c", b"\x78\xda")


def found_in(data: bytes, values: Iterable[str]) -> list[tuple[str, str]]:
    """(value, writing) for each value that `data` holds, also packed within it."""
    exact = [data, *_unpacked(data)]
    layers = [layer.lower() for layer in exact]
    return [
        (value, writing)
        for value in values
        for writing, needle, any_case in _writings(value)
        if any(needle in layer for layer in (layers if any_case else exact))
    ]


def found_under(
    folder: Path, values: Iterable[str], *, but_not: Sequence[Path] = ()
) -> list[tuple[str, str, str]]:
    """(file, value, writing) for each file under a folder that holds a value."""
    listed = list(values)
    return [
        (str(path.relative_to(folder)), *hit)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.is_symlink()
        if not any(path.is_relative_to(known) for known in but_not)
        for hit in found_in(path.read_bytes() + path.name.encode(), listed)
    ]


def _writings(value: str) -> Iterator[tuple[str, bytes, bool]]:
    raw = value.encode()
    yield "plain", raw.lower(), True
    yield "utf-16", value.lower().encode("utf-16-le"), True
    yield "json", value.lower().encode("ascii", "backslashreplace"), True
    yield "hex", raw.hex().encode(), True
    yield "url", urllib.parse.quote(value, safe="").lower().encode(), True
    yield "form", urllib.parse.quote_plus(value).lower().encode(), True
    for skipped in range(3):  # base64 reads three bytes at a time: where they start is not known
        whole = base64.b64encode(b"\0" * skipped + raw)
        inner = whole[4 if skipped else 0 :].rstrip(b"=")[:-1]
        if len(inner) >= LEAST:
            yield f"base64+{skipped}", inner, False
            yield f"base64url+{skipped}", inner.translate(bytes.maketrans(b"+/", b"-_")), False


def _unpacked(data: bytes) -> Iterator[bytes]:
    """What is packed in `data`: gzip streams, and zlib streams where it is no big file."""
    magics = [(GZIP, 31), *((magic, 15) for magic in ZLIB if len(data) < MOST_SEARCHED)]
    view = memoryview(data)
    for magic, bits in magics:
        at = data.find(magic)
        while at >= 0:
            with contextlib.suppress(zlib.error):
                part = view[at : at + MOST_UNPACKED]
                yield zlib.decompressobj(bits).decompress(part, MOST_UNPACKED)
            at = data.find(magic, at + 1)
