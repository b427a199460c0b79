"""SecretFile: bytes that are made once, and that only their owner may read."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path


def read_or_make(path: Path, make: Callable[[], bytes]) -> bytes:
    """The file's bytes; where there is no file, what `make` returns is kept in it first.

    Fit for several processes at once: all of them get the same bytes.

    Raises:
        OSError: it can be neither read nor made.
    """
    with suppress(FileNotFoundError):
        return path.read_bytes()
    make_once(path, make())
    return path.read_bytes()


def sync_folder(folder: Path) -> None:
    """Make the folder's own entries durable: a file's name is not part of the file."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def make_once(path: Path, content: bytes) -> None:
    """Whole or not at all, durable, and never over another process's. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(part, path)
    finally:
        part.unlink()
    sync_folder(path.parent)
