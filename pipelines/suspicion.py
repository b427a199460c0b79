"""Suspicion: does a column know more of the outcome than anybody knew when the lead came in?

Two degrees. A *leak* copies the outcome, is filled in only for one outcome, or alone tells won
from lost better than honest columns do. Worth a *look* is a column whose values are nearly pure,
that alone does suspiciously well, or whose name speaks of what came after.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from features.lead_spec import STRUCTURED, Kind
from pipelines.column_facts import MISSING, ColumnFacts

LEAK_AUC = 0.90  # honest columns of lead tables stay below 0.80 alone, copies of the outcome above
LEAK_AUC_SURELY = 0.85  # and its lower 95 % bound must pass this, so that small tables cry no wolf
LOOK_AUC = 0.80
COPY = 0.995  # rows in which the column alone names the outcome
PURE = 0.97  # share of one outcome among the rows of a value
PURE_ROWS = 0.05  # of all rows, for pure values to be worth a look
UNCOMMON = 0.8  # an outcome more common than this makes nearly pure values by itself
PURE_PRESENCE = 0.99
FAR_FEWER = 0.05  # of the leads of the other outcome that chance would have put there
SURPRISE = 10.0  # leads of the other outcome that chance would have put among pure rows
LEAST_ROWS = 20  # of a value before its share says anything, and before its name may be shown
FOLDS = 5
PRIOR_ROWS = 10.0
BINS = 32


@dataclass(frozen=True, slots=True)
class Suspicion:
    """What speaks against a column, in words; `auc` is its own, out of fold, where it was asked."""

    leak: str | None = None
    look: str | None = None
    auc: float | None = None


@dataclass(frozen=True)
class Outcomes:
    """The outcome of each row (1 won, 0 lost), and the fold that judges it."""

    y: NDArray[np.int8]
    fold: NDArray[np.intp]

    @classmethod
    def of(cls, y: NDArray[np.int8]) -> Outcomes:
        """Folds hold the same share of won leads, and are the same every time."""
        fold = np.empty(len(y), dtype=np.intp)
        random = np.random.default_rng(0)
        for outcome in (0, 1):
            rows = random.permutation(np.flatnonzero(y == outcome))
            fold[rows] = np.arange(len(rows)) % FOLDS
        return cls(y, fold)

    @property
    def base(self) -> float:
        """Share of won leads."""
        return float(self.y.mean())


def suspicion(column: ColumnFacts, kind: Kind, outcomes: Outcomes) -> Suspicion:
    """What the values betray. Texts, contact details, dates and ids only by being there or not."""
    presence = _presence(column, outcomes)
    if kind not in STRUCTURED:
        return Suspicion(leak=presence)
    codes, names = _groups(column, kind)
    auc = _auc(_encoded(codes, outcomes), outcomes.y)
    found = Suspicion(auc=auc)
    leak = _copy(codes, outcomes) or presence or _too_good(auc, outcomes)
    if leak:
        return replace(found, leak=leak)
    return replace(found, look=_nearly_pure(codes, names, outcomes) or _suspiciously_good(auc))


def _groups(column: ColumnFacts, kind: Kind) -> tuple[NDArray[np.intp], tuple[str, ...]]:
    """A group for each row (0 is missing), and the group's names where they may be shown."""
    numbers = column.numbers
    if kind is not Kind.NUMERIC or numbers is None or len(numbers) <= BINS:
        return column.codes + 1, ("", *column.words)
    known = numbers[column.codes[column.codes != MISSING]]
    edges = np.unique(np.quantile(known, np.linspace(0, 1, BINS + 1)[1:-1]))
    # each edge has a bin of its own: zeros and other frequent values are not mixed with the rest
    bins = np.searchsorted(edges, numbers, side="left") + np.searchsorted(edges, numbers, "right")
    return np.where(column.codes == MISSING, 0, bins[column.codes] + 1), ()


def _encoded(codes: NDArray[np.intp], outcomes: Outcomes) -> NDArray[np.float64]:
    """Smoothed win share of each row's group among the other folds."""
    size = int(codes.max()) + 1
    cell = outcomes.fold * size + codes
    n = np.bincount(cell, minlength=FOLDS * size).reshape(FOLDS, size).astype(np.float64)
    won = np.bincount(cell, weights=outcomes.y, minlength=FOLDS * size).reshape(FOLDS, size)
    rest_n, rest_won = n.sum(axis=0) - n, won.sum(axis=0) - won
    share = (rest_won + PRIOR_ROWS * outcomes.base) / (rest_n + PRIOR_ROWS)
    encoded: NDArray[np.float64] = share[outcomes.fold, codes]
    return encoded


def _auc(score: NDArray[np.float64], y: NDArray[np.int8]) -> float:
    """Probability that a won lead scores above a lost one, ties counting half."""
    _, place, count = np.unique(score, return_inverse=True, return_counts=True)
    rank = (np.cumsum(count) - (count - 1) / 2)[place]
    n_won = int(y.sum())
    n_lost = len(y) - n_won
    return float((rank[y == 1].sum() - n_won * (n_won + 1) / 2) / (n_won * n_lost))


def _standard_error(auc: float, outcomes: Outcomes) -> float:
    """Of an AUC (Hanley and McNeil 1982, equation 1)."""
    n_won = int(outcomes.y.sum())
    n_lost = len(outcomes.y) - n_won
    q1, q2 = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    spread = (n_won - 1) * (q1 - auc**2) + (n_lost - 1) * (q2 - auc**2)
    return float(np.sqrt((auc * (1 - auc) + spread) / (n_won * n_lost)))


def _copy(codes: NDArray[np.intp], outcomes: Outcomes) -> str | None:
    told = (_encoded(codes, outcomes) > 0.5) == outcomes.y
    majority = max(outcomes.base, 1 - outcomes.base)
    if told.mean() < COPY or told.mean() - majority < 0.5 * (1 - majority):
        return None
    return f"copies the outcome: alone it tells {_percent(told.mean())} of the rows right"


def _presence(column: ColumnFacts, outcomes: Outcomes) -> str | None:
    filled = column.codes != MISSING
    n = int(filled.sum())
    if n < LEAST_ROWS or n == column.rows:
        return None
    share = float(outcomes.y[filled].mean())
    for outcome, pure, chance in (
        ("won", share, n * (1 - outcomes.base)),
        ("lost", 1 - share, n * outcomes.base),
    ):
        few = (1 - pure) * n <= FAR_FEWER * chance
        if pure >= PURE_PRESENCE and chance >= SURPRISE and few:
            return (
                f"filled in for {n:,} leads, {_percent(pure)} of them {outcome} "
                f"({_percent(outcomes.base if outcome == 'won' else 1 - outcomes.base)} overall)"
            )
    return None


def _too_good(auc: float, outcomes: Outcomes) -> str | None:
    surely = auc - 1.96 * _standard_error(auc, outcomes)
    if auc < LEAK_AUC or surely < LEAK_AUC_SURELY:
        return None
    return f"alone it reaches an AUC of {auc:.2f}, more than honest columns do"


def _suspiciously_good(auc: float) -> str | None:
    return f"alone it reaches an AUC of {auc:.2f}" if auc >= LOOK_AUC else None


def _nearly_pure(codes: NDArray[np.intp], names: tuple[str, ...], outcomes: Outcomes) -> str | None:
    n = np.bincount(codes)
    won = np.bincount(codes, weights=outcomes.y) / np.maximum(n, 1)
    lost_base = 1 - outcomes.base
    all_won = (won >= PURE) & (n * lost_base >= SURPRISE) & (outcomes.base <= UNCOMMON)
    all_lost = (won <= 1 - PURE) & (n * outcomes.base >= SURPRISE) & (lost_base <= UNCOMMON)
    pure = (all_won | all_lost) & (n >= LEAST_ROWS)
    pure_rows = int(n[pure].sum())
    if pure_rows < PURE_ROWS * len(codes):
        return None
    largest = int(np.argmax(np.where(pure, n, 0)))
    outcome, share = ("won", won) if all_won[largest] else ("lost", 1 - won)
    name = f"{_shown(names[largest])}: " if names else ""
    return (
        f"{pure_rows:,} rows have nearly pure values (the largest, {name}{n[largest]:,} rows, "
        f"{_percent(float(share[largest]))} {outcome})"
    )


def _shown(word: str) -> str:
    return f"`{word if len(word) <= 40 else word[:37] + '...'}`" if word else "no value"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %".replace(".0 %", " %")
