"""BoostedTrees: gradient-boosted decision trees of one depth, read in NumPy.

XGBoost learns them (Chen and Guestrin, 2016). Here they are a few arrays, so that what redacts need
not load it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

DEPTH = 5
SPLITS, LEAVES = 2**DEPTH - 1, 2**DEPTH


@dataclass(frozen=True)
class BoostedTrees:
    """Trees in which each way down passes DEPTH splits; where XGBoost ended one sooner, all leaves
    below are alike.

    columns, thresholds: of each tree's splits, shape (trees, SPLITS), level by level: left where
    the column's value is less than the threshold. leaves: shape (trees, LEAVES), from left to
    right. base: what all of them start from.
    """

    columns: NDArray[np.intp]
    thresholds: NDArray[np.float32]
    leaves: NDArray[np.float32]
    base: float

    @classmethod
    def read(cls, path: Path) -> tuple[Self, list[str]]:
        """What `write` wrote, and the names of the columns."""
        said = json.loads(path.read_text(encoding="utf-8"))
        trees = cls(
            np.array(said["columns"], dtype=np.intp),
            np.array(said["thresholds"], dtype=np.float32),
            np.array(said["leaves"], dtype=np.float32),
            said["base"],
        )
        return trees, said["names"]

    def write(self, path: Path, names: list[str]) -> None:
        """Write them, one tree a line, to be read by eyes and by `diff` too."""
        tables = {
            "names": names,
            "columns": self.columns.tolist(),
            "thresholds": [[round(x, 4) for x in row] for row in self.thresholds.tolist()],
            "leaves": [[round(x, 5) for x in row] for row in self.leaves.tolist()],
        }
        parts = [f'"base": {round(self.base, 5)}']
        parts += (
            f"{json.dumps(key)}: [\n" + ",\n".join(map(json.dumps, rows)) + "\n]"
            for key, rows in tables.items()
        )
        path.write_text("{\n" + ",\n".join(parts) + "\n}\n", encoding="utf-8", newline="\n")

    def margins(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """The log-odds of each row, shape (rows, columns)."""
        values, first = rows.ravel(), np.arange(len(rows))[:, None] * rows.shape[1]
        (columns, thresholds), *below = self._levels
        # Tree by tree: at which split of its level each row is.
        at = 2 * np.arange(len(columns)) + (rows.take(columns, axis=1) >= thresholds)
        for columns, thresholds in below:
            right = values.take(columns.take(at) + first) >= thresholds.take(at)
            at += at
            at += right
        sums: NDArray[np.float32] = self.leaves.ravel().take(at).sum(axis=1)
        return sums + np.float32(self.base)

    @cached_property
    def _levels(self) -> list[tuple[NDArray[np.intp], NDArray[np.float32]]]:
        """Of each level: columns and thresholds of all its splits, tree by tree."""
        parts = [slice(2**level - 1, 2 ** (level + 1) - 1) for level in range(DEPTH)]
        return [(self.columns[:, p].ravel(), self.thresholds[:, p].ravel()) for p in parts]
