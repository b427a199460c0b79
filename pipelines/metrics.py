"""Metrics: how good a set of win probabilities is, with intervals.

Every interval is a percentile bootstrap over rows, or over groups of rows that stand or fall
together: leads with the same text. Draws depend only on the number of rows and the
seed, so two sets of probabilities on the same rows meet the same draws: comparisons are paired.
Intervals cover the choice of the test rows, not of the training rows; of a few hundred rows they
hold the truth in some 93 of 100 cases rather than 95.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.pull_fitting import FEWEST_GROUPS

Floats = NDArray[np.float64]

DRAWS = 1_000
LEVEL = 0.95
ECE_BINS = 10
CELLS_AT_ONCE = 4_000_000  # draws x rows held in memory: 32 MB an array


class Measure(StrEnum):
    """What `with_interval` and `difference` can measure."""

    AUC = "auc"
    LOG_LOSS = "log_loss"
    BRIER = "brier"
    ECE = "ece"

    @property
    def higher_is_better(self) -> bool:
        return self is Measure.AUC


@dataclass(frozen=True, slots=True)
class Interval:
    """A value on all rows, and where it would lie in 95 of 100 draws of as many rows."""

    value: float
    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        """Of a difference: it is there, at the level of the interval."""
        return self.low > 0 or self.high < 0

    def to_json(self) -> dict[str, float]:
        return {"value": self.value, "low": self.low, "high": self.high}

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


def auc(probabilities: ArrayLike, won: ArrayLike) -> float:
    """Area under the ROC curve: how often a won lead ranks above a lost one; ties count half.

    NaN where only one outcome is there.
    """
    p, y = _checked(probabilities, won)
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(y, p)) if 0 < y.sum() < len(y) else float("nan")


def log_loss(probabilities: ArrayLike, won: ArrayLike) -> float:
    """Mean of -ln(probability of what happened), in nats; 0 and 1 are cut to what float64 holds."""
    p, y = _checked(probabilities, won)
    from sklearn.metrics import log_loss as sklearn_log_loss

    return float(sklearn_log_loss(y, p, labels=[0, 1]))


def lead_losses(p: Floats, won: NDArray[Any]) -> Floats:
    """The log loss of each lead, whose mean `log_loss` is. p: probabilities."""
    eps = np.finfo(np.float64).eps  # as scikit-learn cuts them
    happened = np.where(won == 1, p, 1 - p)
    losses: Floats = -np.log(np.clip(happened, eps, 1 - eps))
    return losses


def brier(probabilities: ArrayLike, won: ArrayLike) -> float:
    """Mean squared error of the probabilities, in [0, 1]."""
    p, y = _checked(probabilities, won)
    return float(np.mean((p - y) ** 2))


def ece(probabilities: ArrayLike, won: ArrayLike, *, bins: int = ECE_BINS) -> float:
    """Expected calibration error over `bins` bins of equal width on [0, 1], in [0, 1].

    The gap between the mean probability and the share won in each bin, weighted by its leads
    (Naeini et al. 2015). Even perfect probabilities score above 0 on a finite number of leads.
    """
    p, y = _checked(probabilities, won)
    return float(_ece(p, y, bins)(np.ones((1, len(y))))[0])


def ece_by_chance(probabilities: ArrayLike, *, draws: int = DRAWS, seed: int = 0) -> float:
    """What the ECE of these probabilities stays below in 95 of 100 cases where they are honest.

    Outcomes are drawn from them again and again. Of 80 leads that is some 0.16, of 1,000 some 0.05.
    """
    p = np.asarray(probabilities, dtype=np.float64)
    places, rng = _in_bins(np.ones(len(p)), p, ECE_BINS), np.random.default_rng(seed)
    block = max(1, CELLS_AT_ONCE // len(p))
    sizes = [min(block, draws - done) for done in range(0, draws, block)]
    won = ((rng.random((size, len(p))) < p).astype(np.float64) for size in sizes)
    gaps = np.concatenate([drawn @ places for drawn in won]) - p @ places
    return float(np.quantile(np.abs(gaps).sum(axis=1) / len(p), LEVEL))


def measure(which: Measure, probabilities: ArrayLike, won: ArrayLike) -> float:
    """The value on all rows."""
    return POINT[which](probabilities, won)


def with_interval(
    which: Measure,
    probabilities: ArrayLike,
    won: ArrayLike,
    *,
    groups: NDArray[np.intp] | None = None,
    draws: int = DRAWS,
    seed: int = 0,
) -> Interval:
    """The value on all rows and its 95 % interval; NaN where it is not defined.

    groups: the number of each row's group; each row by itself unless given. The interval is NaN
    where rows share fewer than FEWEST_GROUPS. Resampling adds noise,
    which lifts the ECE: its interval lies too high rather than too low.
    """
    p, y = _checked(probabilities, won)
    everybody, place = np.unique(_each(len(y), groups), return_inverse=True)
    if _are_few(everybody, p):
        return Interval(measure(which, p, y), float("nan"), float("nan"))
    drawn = RESAMPLED[which](p, y)
    values = _bootstrap(lambda weights: drawn(weights[:, place]), len(everybody), draws, seed)
    return _interval(measure(which, p, y), values)


def difference(
    which: Measure,
    first: ArrayLike,
    second: ArrayLike,
    won: ArrayLike,
    *,
    groups: NDArray[np.intp] | None = None,
    draws: int = DRAWS,
    seed: int = 0,
) -> Interval:
    """first - second on the same rows, paired, with its 95 % interval.

    For AUC more than 0 means that the first is better, for the losses less than 0. groups: as of
    `with_interval`.
    """
    (p, y), (q, _) = _checked(first, won), _checked(second, won)
    everybody = Paired(_each(len(y), groups), p, q, y)
    return mean_difference(which, [everybody], draws=draws, seed=seed)


def _are_few(groups: NDArray[Any], rows: NDArray[Any]) -> bool:
    return len(groups) < min(FEWEST_GROUPS, len(rows))


def _each(rows: int, groups: NDArray[np.intp] | None) -> NDArray[np.intp]:
    return np.arange(rows) if groups is None else groups


@dataclass(frozen=True)
class Paired:
    """Two sets of probabilities on the same leads of a table.

    rows: which of its leads, or which group of leads that stand or fall together.
    """

    rows: NDArray[np.intp]
    first: Floats
    second: Floats
    won: Floats | NDArray[np.int8]


def mean_difference(
    which: Measure, parts: Sequence[Paired], *, draws: int = DRAWS, seed: int = 0
) -> Interval:
    """first - second, averaged over several samples of one table, with its 95 % interval.

    The samples may share leads. What is resampled is leads: one drawn k times counts k times in
    each sample that it is in (a cluster bootstrap: Cameron, Gelbach & Miller 2008).
    """
    everybody, places = np.unique(np.concatenate([p.rows for p in parts]), return_inverse=True)
    place = np.split(places, np.cumsum([len(p.rows) for p in parts])[:-1])
    checked = [(*_checked(p.first, p.won), _checked(p.second, p.won)[0]) for p in parts]
    pairs = [(RESAMPLED[which](p, y), RESAMPLED[which](q, y)) for p, y, q in checked]

    def drawn(weights: Floats) -> Floats:
        gaps = [
            f(weights[:, at]) - s(weights[:, at]) for (f, s), at in zip(pairs, place, strict=True)
        ]
        return np.asarray(np.mean(gaps, axis=0))

    value = float(np.mean([measure(which, p, y) - measure(which, q, y) for p, y, q in checked]))
    if any(_are_few(np.unique(p.rows), p.rows) for p in parts):
        return Interval(value, float("nan"), float("nan"))
    return _interval(value, _bootstrap(drawn, len(everybody), draws, seed))


def _checked(probabilities: ArrayLike, won: ArrayLike) -> tuple[Floats, Floats]:
    p, y = np.asarray(probabilities, dtype=np.float64), np.asarray(won, dtype=np.float64)
    if p.ndim != 1 or p.shape != y.shape or not len(p):
        raise ValueError(f"One probability per outcome, at least one: got {p.shape} and {y.shape}.")
    if not ((p >= 0) & (p <= 1)).all():
        raise ValueError("Probabilities must lie in [0, 1].")
    if not np.isin(y, (0, 1)).all():
        raise ValueError("Outcomes must be 0 (lost) or 1 (won).")
    return p, y


# A row drawn k times weighs k. Each measure below is prepared once, then takes all draws' weights
# at a time, shape (draws, rows), and gives one value a draw.
Weighted = Callable[[Floats], Floats]


def _auc(p: Floats, y: Floats) -> Weighted:
    order = np.argsort(p, kind="stable")
    is_won = y[order] == 1
    starts = np.flatnonzero(np.append(True, np.diff(p[order]) != 0))  # of each group of ties

    def drawn(weights: Floats) -> Floats:
        ranked = weights[:, order]
        won = np.add.reduceat(np.where(is_won, ranked, 0.0), starts, axis=1)
        lost = np.add.reduceat(np.where(is_won, 0.0, ranked), starts, axis=1)
        beaten = np.cumsum(lost, axis=1) - lost / 2
        pairs = won.sum(axis=1) * lost.sum(axis=1)
        wins = (won * beaten).sum(axis=1)
        values: Floats = np.divide(wins, pairs, out=np.full(len(pairs), np.nan), where=pairs > 0)
        return values

    return drawn


def _mean_of(losses: Floats) -> Weighted:
    return lambda weights: weights @ losses / weights.sum(axis=1)


def _log_loss(p: Floats, y: Floats) -> Weighted:
    return _mean_of(lead_losses(p, y))


def _brier(p: Floats, y: Floats) -> Weighted:
    return _mean_of((p - y) ** 2)


def _ece(p: Floats, y: Floats, bins: int = ECE_BINS) -> Weighted:
    gaps = _in_bins(p - y, p, bins)
    return lambda weights: np.abs(weights @ gaps).sum(axis=1) / weights.sum(axis=1)


def _in_bins(values: Floats, p: Floats, bins: int) -> Floats:
    """Each value in the column of its probability's bin, shape (values, bins); 0 elsewhere."""
    bin_of = np.minimum((p * bins).astype(np.intp), bins - 1)
    placed = np.zeros((len(p), bins))
    placed[np.arange(len(p)), bin_of] = values
    return placed


POINT: dict[Measure, Callable[[ArrayLike, ArrayLike], float]] = {
    Measure.AUC: auc,
    Measure.LOG_LOSS: log_loss,
    Measure.BRIER: brier,
    Measure.ECE: ece,
}
RESAMPLED: dict[Measure, Callable[[Floats, Floats], Weighted]] = {
    Measure.AUC: _auc,
    Measure.LOG_LOSS: _log_loss,
    Measure.BRIER: _brier,
    Measure.ECE: _ece,
}


def _bootstrap(value: Weighted, rows: int, draws: int, seed: int) -> Floats:
    return np.concatenate([value(weights) for weights in _weights(rows, draws, seed)])


def _weights(rows: int, draws: int, seed: int) -> Iterator[Floats]:
    """How often each draw took each row, shape (draws, rows), in blocks that fit in memory."""
    rng = np.random.default_rng(seed)
    block = max(1, CELLS_AT_ONCE // rows)
    for done in range(0, draws, block):
        size = min(block, draws - done)
        taken = rng.integers(0, rows, (size, rows)) + np.arange(size)[:, None] * rows
        counts = np.bincount(taken.ravel(), minlength=size * rows)
        yield counts.reshape(size, rows).astype(np.float64)


def _interval(value: float, draws: Floats) -> Interval:
    known = draws[~np.isnan(draws)]  # a draw without one of the outcomes has no AUC
    if not len(known):
        return Interval(value, float("nan"), float("nan"))
    low, high = np.quantile(known, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(value, float(low), float(high))
