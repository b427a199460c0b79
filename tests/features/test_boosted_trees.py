from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.boosted_trees import DEPTH, LEAVES, SPLITS, BoostedTrees

# One tree: by the first column first, then by the second, and so on.
ONE = BoostedTrees(
    columns=np.concatenate([[level] * 2**level for level in range(DEPTH)])[None],
    thresholds=np.array([[1, 10, 20, *[0] * (SPLITS - 3)]], dtype=np.float32),
    leaves=np.arange(LEAVES, dtype=np.float32)[None],
    base=100.0,
)


@pytest.mark.parametrize(
    ("row", "way"),
    [
        ((0, 9, -1), "000"),
        ((0, 9, 0), "001"),  # what equals a threshold goes right
        ((0, 10, -1), "010"),
        ((1, 19, -1), "100"),
        ((2, 20, 5), "111"),
    ],
)
def test_each_row_falls_into_its_leaf(row: tuple[float, ...], way: str) -> None:
    whole = np.array([(*row, *[-1] * (DEPTH - 3))], dtype=np.float32)
    leaf = int(way.ljust(DEPTH, "0"), 2)
    assert ONE.margins(whole).tolist() == [100 + leaf]


@given(st.integers(0, 2**32 - 1), st.integers(1, 40))
def test_trees_add_up_and_rows_do_not_mix(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    trees = BoostedTrees(
        rng.integers(0, 5, (count, SPLITS)),
        rng.integers(-3, 3, (count, SPLITS)).astype(np.float32),
        rng.integers(-9, 9, (count, LEAVES)).astype(np.float32),
        base=0.5,
    )
    rows = rng.integers(-4, 4, (7, 5)).astype(np.float32)
    apart = [
        sum(
            BoostedTrees(trees.columns[[i]], trees.thresholds[[i]], trees.leaves[[i]], 0.0)
            .margins(row[None])
            .item()
            for i in range(count)
        )
        for row in rows
    ]
    assert trees.margins(rows).tolist() == [0.5 + one for one in apart]


def test_what_is_written_is_read(tmp_path: Path) -> None:
    names = list("abcde")
    ONE.write(tmp_path / "trees.json", names)
    read, said = BoostedTrees.read(tmp_path / "trees.json")
    assert said == names
    assert read.base == ONE.base
    for field in ("columns", "thresholds", "leaves"):
        assert np.array_equal(getattr(read, field), getattr(ONE, field))
