"""Recommendation: the smallest rung that no other one beats.

One rung beats another where its log loss, combined with the classifier, is lower on the calibration
leads that both have an opinion on, and the paired 95 % interval excludes zero. Rungs whose gate did
not pass are not candidates. Test leads choose nothing: their figures stay honest.
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
    chosen = next(name for name in names if not _beaten_by(name, duels))
    return Recommendation(
        chosen, _reason(chosen, names, duels), _enough(chosen, names, duels), duels
    )


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
        return "none passed its gate"
    best = min(larger, key=lambda duel: duel.difference.value)
    return f"the best of them, {best.larger}, changes it by {_shown(best)}"


def _enough(chosen: str, names: Sequence[str], duels: Sequence[Duel]) -> str:
    """What the best of the smaller rungs would cost."""
    if chosen == names[0]:
        return "No rung that reads texts is needed on this table, as far as these leads can tell."
    lost = _best_smaller(chosen, duels)
    return (
        f"{lost.smaller} is enough where {abs(lost.difference.value):.3f} nats of log loss per "
        "lead are worth less than what the larger rung costs."
    )


def _best_smaller(chosen: str, duels: Sequence[Duel]) -> Duel:
    """Against the smaller rung that comes nearest; of equals the smallest."""
    return max((d for d in duels if d.larger == chosen), key=lambda d: d.difference.value)


def _shown(duel: Duel) -> str:
    gap = duel.difference
    return f"{gap.value:+.3f} [{gap.low:+.3f}, {gap.high:+.3f}] ({duel.leads:,} leads)"
