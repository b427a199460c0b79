"""LearningCurve: how well a model that is being tuned judges leads that it does not learn from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from models.calibration import CalibrationMethod, fit_calibrator
from models.log_odds import probability
from models.pull_fitting import TWO_SIDED_95
from pipelines.metrics import auc, lead_losses, log_loss

Floats = NDArray[np.float64]
FIRST_LOOK = 250  # examples; then at twice as many each time


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """On the validation part after `examples` lessons.

    log_loss: of P(yes) as it stands. settled_log_loss: after Platt's two numbers were fitted to the
    same leads, which is what counts: a combiner will fit two numbers too. It decides when to stop.
    """

    examples: int
    auc: float
    log_loss: float
    settled_log_loss: float

    @classmethod
    def of(cls, examples: int, log_odds: Floats, won: NDArray[np.int8], losses: Floats) -> Self:
        """losses: what `settled_losses` says of these leads."""
        raw = probability(log_odds)
        return cls(examples, auc(raw, won), log_loss(raw, won), float(losses.mean()))

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def settled_losses(log_odds: Floats, won: NDArray[np.int8]) -> Floats:
    """Log loss of each lead, once Platt's two numbers were fitted to all of them."""
    return lead_losses(fit_calibrator(CalibrationMethod.PLATT, log_odds, won)(log_odds), won)


def is_surely_better(earlier: Sequence[float], last: Sequence[float]) -> bool:
    """Whether an earlier look is to be preferred to the last, by losses on the same leads.

    Only where the 95 % interval of the mean difference is above zero: with some two hundred leads
    chance alone makes an earlier one seem better, and the falling rate makes the last one so.
    """
    worse = np.asarray(last) - np.asarray(earlier)
    return bool(worse.mean() > TWO_SIDED_95 * worse.std(ddof=1) / np.sqrt(len(worse)))


def best_of(curve: tuple[CurvePoint, ...]) -> int:
    """Place of the best point; of equals the first."""
    return min(range(len(curve)), key=lambda i: curve[i].settled_log_loss)


def is_due(seen: int, curve: tuple[CurvePoint, ...]) -> bool:
    """Whether to look after `seen` examples: FIRST_LOOK, then twice as many, and so on."""
    return seen >= _next_look(curve)


def looks_to_come(curve: tuple[CurvePoint, ...], total: int) -> int:
    """How many looks are due before `total` examples; the one at the end is not counted."""
    due, looks = _next_look(curve), 0
    while due < total:
        due, looks = 2 * due, looks + 1
    return looks


def _next_look(curve: tuple[CurvePoint, ...]) -> int:
    return 2 * curve[-1].examples if curve else FIRST_LOOK


def has_stalled(curve: tuple[CurvePoint, ...], patience: int) -> bool:
    """No new best among the last `patience` looks."""
    return len(curve) > patience and best_of(curve) < len(curve) - patience
