"""Checkpoint: how far a tuning has come, in a file that survives a kill at any moment."""

from __future__ import annotations

import hashlib
import io
import logging
import os
import pickle
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.errors import TrainingRefused

log = logging.getLogger("tiebreak.tuning")

DIGEST_SIZE = hashlib.sha256().digest_size


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """path: names what is tuned on what; another table, seed or recipe is another file.

    It begins with the SHA-256 of the rest: torch takes tensors of which a byte has changed as they
    are.
    """

    path: Path

    def save(self, tree: dict[str, Any]) -> None:
        """Numbers, strings and tensors. A kill half-way leaves the file before it.

        Raises:
            TrainingRefused: it cannot be written; the file before it is there still.
        """
        import torch

        content = io.BytesIO()
        torch.save(tree, content)
        part = self.path.with_suffix(f".{os.getpid()}.part")  # another process may tune the same
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with part.open("wb") as file:
                file.write(hashlib.sha256(content.getbuffer()).digest())
                file.write(content.getbuffer())
                file.flush()
                os.fsync(file.fileno())
            part.replace(self.path)
        except OSError as error:
            with suppress(OSError):
                part.unlink(missing_ok=True)
            raise TrainingRefused(
                f"The checkpoint of the tuning cannot be written ({error.strerror}). Make room in "
                "TIEBREAK_HOME; the same command goes on from the one before."
            ) from error

    def load(self) -> dict[str, Any] | None:
        """What was saved last; None where nothing was, or what there is is damaged."""
        import torch

        if not self.path.exists():
            return None
        try:
            content = io.BytesIO(_whole(self.path.read_bytes()))
            tree: dict[str, Any] = torch.load(content, weights_only=True, map_location="cpu")
        except (RuntimeError, EOFError, OSError, ValueError, pickle.UnpicklingError):
            log.warning("The checkpoint %s is damaged: tuning begins anew.", self.path.name)
            return None
        return tree

    def remove(self) -> None:
        """It is not needed any more."""
        self.path.unlink(missing_ok=True)


def _whole(file: bytes) -> bytes:
    """What is behind the digest. Raises ValueError where it is another's."""
    digest, content = file[:DIGEST_SIZE], file[DIGEST_SIZE:]
    if hashlib.sha256(content).digest() != digest:
        raise ValueError("It is not what was written.")
    return content
