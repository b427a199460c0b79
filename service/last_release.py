"""LastRelease: the release that was live last, on disk. A restart does not wait for MLflow.

Availability fails open: while MLflow is slow to import, or down, the service answers with what it
knew; it asks MLflow which release is live as soon as it can, and follows that.
"""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from models.release import Release

log = logging.getLogger("tiebreak.release")

POINTER = "last"


class LastRelease:
    """A folder that several workers may share: what they read is always whole."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._pointer = folder / POINTER

    @property
    def is_there(self) -> bool:
        """Whether any release was ever live here."""
        return self._pointer.exists()

    def keep(self, release: Release) -> None:
        """Remember this release. A disk that is full costs the next start some seconds, no more."""
        kept = None
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            kept = Path(tempfile.mkdtemp(prefix=f"{release.version}-", dir=self._folder))
            release.save(kept)
            before = self._kept()
            pointer = kept / POINTER
            pointer.write_text(kept.name, encoding="utf-8")
            os.replace(pointer, self._pointer)  # noqa: PTH105  (the atomic one)
        except Exception as error:  # XGBoost's own, too, where it cannot write its file
            why = (isinstance(error, OSError) and error.strerror) or type(error).__name__
            log.warning("The live release was not kept for the next start: %s.", why)
            if kept is not None:
                shutil.rmtree(kept, ignore_errors=True)
            return
        if before is not None and before != kept:
            shutil.rmtree(before, ignore_errors=True)

    def load(self) -> Release | None:
        """The release that was kept; None where there is none that can be read."""
        kept = self._kept()
        if kept is None:
            return None
        with suppress(Exception):  # whatever is wrong with it: MLflow has the original
            return Release.load(kept)
        return None

    def _kept(self) -> Path | None:
        try:
            return self._folder / self._pointer.read_text(encoding="utf-8")
        except OSError:
            return None
