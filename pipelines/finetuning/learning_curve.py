"""LearningCurve: how well a model that is being tuned judges leads that it does not learn from."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from models.calibration import CalibrationMethod, fit_calibrator
from models.log_odds import probability
from pipelines.metrics import auc, log_loss

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
    def of(cls, examples: int, log_odds: NDArray[np.float64], won: NDArray[np.int8]) -> Self:
        settled = fit_calibrator(CalibrationMethod.PLATT, log_odds, won)(log_odds)
        raw = probability(log_odds)
        return cls(examples, auc(raw, won), log_loss(raw, won), log_loss(settled, won))

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


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
