"""Recommendation: the smallest rung that no larger one beats, and better than the beaten ones.

One rung beats another where its log loss, combined with the classifier, is lower on the calibration
leads that both have an opinion on, and the paired 95 % interval excludes zero. Rungs whose gate did
not pass are not candidates. Test leads choose nothing: their figures stay honest.

Not every two rungs are compared on the same leads. A rung that a larger one beats makes room for
one that is better than it, not for one that merely was not beaten on the few leads that count.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipelines.ladder.standing import Candidate
from pipelines.metrics import Interval, Measure, difference


@dataclass(frozen=True, slots=True)
class Duel:
    """Log loss of `larger` minus that of `smaller` on the leads of both, paired."""

    smaller: str
    larger: str
    leads: int
    difference: Interval

    @property
    def is_larger_better(self) -> bool:
        return self.difference.high < 0


@dataclass(frozen=True, slots=True)
class Recommendation:
    """rung: its name. reason: why; enough: when the smaller thing is enough; a sentence each."""

    rung: str
    reason: str
    enough: str
    duels: tuple[Duel, ...]


def recommend(
    candidates: Sequence[Candidate],
    won: NDArray[np.int8],
    *,
    groups: NDArray[np.intp] | None = None,
    seed: int,
) -> Recommendation:
    """candidates: from the smallest to the largest, the first is always there ("no text").

    groups: the same number for all leads of the table with the same text.
    """
    groups = np.arange(len(won)) if groups is None else groups
    duels = tuple(
        _duel(small, large, won, groups, seed)
        for i, small in enumerate(candidates)
        for large in candidates[i + 1 :]
    )
    names = [candidate.name for candidate in candidates]
    chosen = _chosen(names, duels)
    return Recommendation(
        chosen, _reason(chosen, names, duels), _enough(chosen, names, duels), duels
    )


def _chosen(names: Sequence[str], duels: Sequence[Duel]) -> str:
    beaten = [name for name in names if _beaten_by(name, duels)]
    for name in names:
        over = [d for d in duels if d.larger == name and d.smaller in beaten]
        if name not in beaten and all(d.difference.value < 0 for d in over):
            return name
    return _beaten_by(beaten[-1], duels)[0].larger  # whom nothing beats, or it were the last


def _duel(
    small: Candidate,
    large: Candidate,
    won: NDArray[np.int8],
    groups: NDArray[np.intp],
    seed: int,
) -> Duel:
    rows, ours, theirs = np.intersect1d(small.rows, large.rows, return_indices=True)
    gap = difference(
        Measure.LOG_LOSS,
        large.held_out[theirs],
        small.held_out[ours],
        won[rows],
        groups=groups[rows],
        seed=seed,
    )
    return Duel(small.name, large.name, len(rows), gap)


def _beaten_by(name: str, duels: Sequence[Duel]) -> list[Duel]:
    """The duels with larger rungs that `name` lost, the worst first."""
    lost = [duel for duel in duels if duel.smaller == name and duel.is_larger_better]
    return sorted(lost, key=lambda duel: duel.difference.value)


def _reason(chosen: str, names: Sequence[str], duels: Sequence[Duel]) -> str:
    if chosen == names[0]:
        return f"Nothing beats the smallest rung: {_nearest(chosen, duels)}."
    beaten = _best_smaller(chosen, duels)
    first = next(d for d in duels if d.larger == chosen and d.smaller == names[0])
    said = f"{chosen} changes the log loss by {_shown(first)} against {names[0]}"
    if beaten is not first:
        said += f", by {_shown(beaten)} against {beaten.smaller}"
    return f"{said}, and no larger rung beats it: {_nearest(chosen, duels)}."


def _nearest(chosen: str, duels: Sequence[Duel]) -> str:
    larger = [duel for duel in duels if duel.smaller == chosen]
    if not larger:
        return "of those that were measured none passed its gate"
    best = min(larger, key=lambda duel: duel.difference.value)
    return f"the best of them, {best.larger}, changes it by {_shown(best)}"


def _enough(chosen: str, names: Sequence[str], duels: Sequence[Duel]) -> str:
    """What the best of the smaller rungs that are worse would cost."""
    if chosen == names[0]:
        return "No rung that reads texts is needed on this table, as far as these leads can tell."
    lost = _best_smaller(chosen, duels)
    return (
        f"{lost.smaller} is enough where {-lost.difference.value:.3f} nats of log loss per "
        "lead are worth less than what the larger rung costs."
    )


def _best_smaller(chosen: str, duels: Sequence[Duel]) -> Duel:
    """Against the smaller rung that comes nearest and is worse; of equals the smallest."""
    worse = (d for d in duels if d.larger == chosen and d.difference.value < 0)
    return max(worse, key=lambda d: d.difference.value)


def _shown(duel: Duel) -> str:
    gap = duel.difference
    return f"{gap.value:+.3f} [{gap.low:+.3f}, {gap.high:+.3f}] ({duel.leads:,} calibration leads)"
