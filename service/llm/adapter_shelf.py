"""AdapterShelf: the adapters of the releases that were live here last, as files by name.

The embedded LLM serves whatever lies here, also after a restart. A file's name holds its digest.
"""

from __future__ import annotations

import logging
import os
import tempfile
import time
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from models.adapter import Adapter, adapter_name, depth_in, file_digest
from models.errors import WrongAdapter

log = logging.getLogger("tiebreak.adapters")

KEPT = 3  # the live release's, that of the one before, and one more for a worker that is late
MOST_BYTES = 64 * 1024 * 1024  # of one file; rank 8 on six layers has 1.3 MB
SUFFIX = ".gguf"
WRONG_ADAPTER = "wrong_adapter"  # how the embedded LLM's HTTP API says so
# Of the LLM's folder: where those of releases lie, and those that a command tries out.
KEPT_FOLDER, PASSING_FOLDER = "adapters", "passing"


class AdapterShelf:
    """A folder that several processes share: what they find there is whole."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, adapter: Adapter, content: bytes | None) -> Path:
        """Keep an adapter; the one that was put longest ago makes room. Returns its file.

        Raises:
            WrongAdapter: the content is not that adapter's.
            OSError: the folder cannot be written.
        """
        file = self._write(adapter.name, adapter.checked(content))
        for old in self._by_age()[KEPT:]:
            old.unlink(missing_ok=True)
        return file

    def copy(self, name: str, source: Path) -> Path:
        """Keep a file under the name that its content must have.

        Raises:
            WrongAdapter: it is another adapter, none, or cannot be read.
        """
        return self._write(name, checked_content(name, source))

    def has(self, name: str) -> bool:
        """Whether there is one of that name."""
        file = self.folder / f"{name}{SUFFIX}"
        return file.parent == self.folder and file.exists()

    def drop(self, name: str) -> bool:
        """Whether there was one of that name, which is gone now."""
        was_there = self.has(name)
        if was_there:
            (self.folder / f"{name}{SUFFIX}").unlink(missing_ok=True)
        return was_there

    def drop_older_than(self, age: timedelta) -> None:
        """Those that were put longer ago; what another process drops, or nobody may, is left."""
        for file in self._by_age():
            with suppress(OSError):
                if time.time() - file.stat().st_mtime > age.total_seconds():
                    file.unlink()

    def files(self) -> dict[str, Path]:
        """All that is whole, by name, newest first. What is not is said so and left out."""
        found: dict[str, Path] = {}
        for file in self._by_age():
            try:
                checked_content(file.stem, file)
            except WrongAdapter as error:
                log.warning("%s", error)
            else:
                found[file.stem] = file
        return found

    def _write(self, name: str, content: bytes) -> Path:
        self.folder.mkdir(parents=True, exist_ok=True)
        target = self.folder / f"{name}{SUFFIX}"
        handle, made = tempfile.mkstemp(dir=self.folder)
        part = Path(made)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            return part.replace(target)
        except BaseException:  # the disk is full: what is half there would take what is left of it
            part.unlink(missing_ok=True)
            raise

    def _by_age(self) -> list[Path]:
        dated = []
        for file in self.folder.glob(f"*{SUFFIX}"):
            with suppress(FileNotFoundError):  # another process has just made room
                dated.append((-file.stat().st_mtime_ns, file))
        return [file for _, file in sorted(dated)]


def checked_content(name: str, file: Path) -> bytes:
    """The content of an adapter's file.

    Raises:
        WrongAdapter: it cannot be read, is too large, or its digest is not the one in `name`.
    """
    try:
        is_usual = file.is_file() and file.stat().st_size <= MOST_BYTES
        content = file.read_bytes() if is_usual else b""
    except OSError as error:
        raise WrongAdapter(f"The file of {name} cannot be read ({error.strerror}).") from error
    if adapter_name(file_digest(content), depth_in(name)) != name:
        raise WrongAdapter(f"The file for {name} is another: its SHA-256 does not begin so.")
    return content
