"""Checkpoint: how far a tuning has come, in a file that survives a kill at any moment."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """path: names what is tuned on what; another table, seed or recipe is another file."""

    path: Path

    def save(self, tree: dict[str, Any]) -> None:
        """Numbers, strings and tensors. A kill half-way leaves the file before it."""
        import torch

        self.path.parent.mkdir(parents=True, exist_ok=True)
        part = self.path.with_suffix(".part")
        with part.open("wb") as file:
            torch.save(tree, file)
            file.flush()
            os.fsync(file.fileno())
        part.replace(self.path)

    def load(self) -> dict[str, Any] | None:
        """What was saved last; None where nothing was."""
        import torch

        if not self.path.exists():
            return None
        tree: dict[str, Any] = torch.load(self.path, weights_only=True, map_location="cpu")
        return tree

    def remove(self) -> None:
        """It is not needed any more."""
        self.path.unlink(missing_ok=True)
