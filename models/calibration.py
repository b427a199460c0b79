"""Calibrator: the booster's margin becomes a win probability that means what it says."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from models.log_odds import probability

Floats = NDArray[np.float64]


class CalibrationMethod(StrEnum):
    """How margins are mapped. The choice is made on data, see `choose_calibrator`."""

    IDENTITY = "identity"  # the booster's own sigmoid
    PLATT = "platt"  # Platt 1999: log-odds = a * margin + b
    BETA = "beta"  # Kull et al. 2017: log-odds = a * ln(s) - b * ln(1 - s) + c
    ISOTONIC = "isotonic"  # Zadrozny & Elkan 2002: any non-decreasing map


@dataclass(frozen=True)
class Calibrator:
    """A non-decreasing map from margin (log-odds) to probability in (0, 1).

    params: platt (a, b); beta (a, b, c); isotonic the knots' margins, then their probabilities.
    """

    method: CalibrationMethod
    params: tuple[float, ...] = ()

    def __call__(self, margins: Floats) -> Floats:
        """Win probabilities, same shape as `margins`."""
        if self.method is CalibrationMethod.ISOTONIC:
            half = len(self.params) // 2
            return np.interp(margins, self.params[:half], self.params[half:])
        return probability(self._calibrated_log_odds(margins))

    def _calibrated_log_odds(self, margins: Floats) -> Floats:
        if self.method is CalibrationMethod.PLATT:
            slope, intercept = self.params
            return slope * margins + intercept
        if self.method is CalibrationMethod.BETA:
            a, b, c = self.params
            # ln(s) and ln(1 - s) of the sigmoid, written so that neither overflows
            return -a * np.logaddexp(0, -margins) + b * np.logaddexp(0, margins) + c
        return margins

    def to_json(self) -> dict[str, Any]:
        return {"method": self.method.value, "params": list(self.params)}

    @classmethod
    def from_json(cls, tree: dict[str, Any]) -> Self:
        return cls(CalibrationMethod(tree["method"]), tuple(tree["params"]))


def fit_calibrator(method: CalibrationMethod, margins: Floats, won: NDArray[np.int8]) -> Calibrator:
    """Fit one method on margins that the booster did not learn from; won is 0 or 1."""
    if method is CalibrationMethod.IDENTITY:
        return Calibrator(method)
    if method is CalibrationMethod.ISOTONIC:
        return _fit_isotonic(margins, won)
    columns = [margins] if method is CalibrationMethod.PLATT else _beta_columns(margins)
    weights, intercept = _fit_logistic(np.column_stack(columns), won)
    if method is CalibrationMethod.PLATT and weights[0] < 0:  # it would turn the order round
        share = (won.sum() + 1) / (len(won) + 2)
        weights, intercept = [0.0], float(np.log(share / (1 - share)))
    if method is CalibrationMethod.BETA and min(weights) < 0:
        return fit_calibrator(CalibrationMethod.PLATT, margins, won)  # would not be monotone
    return Calibrator(method, (*weights, intercept))


def choose_calibrator(margins: Floats, won: NDArray[np.int8], *, seed: int) -> Calibrator:
    """The method with the lowest cross-validated log loss, refitted on everything."""
    from sklearn.metrics import log_loss
    from sklearn.model_selection import StratifiedKFold

    folds = list(StratifiedKFold(5, shuffle=True, random_state=seed).split(margins, won))

    def loss(method: CalibrationMethod) -> float:
        predicted = np.empty_like(margins)
        for fit, held in folds:
            predicted[held] = fit_calibrator(method, margins[fit], won[fit])(margins[held])
        return float(log_loss(won, predicted))

    return fit_calibrator(min(CalibrationMethod, key=loss), margins, won)


def _beta_columns(margins: Floats) -> list[Floats]:
    return [-np.logaddexp(0, -margins), np.logaddexp(0, margins)]


def _fit_logistic(columns: Floats, won: NDArray[np.int8]) -> tuple[list[float], float]:
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=1e4, max_iter=1000).fit(columns, won)
    return [float(w) for w in model.coef_[0]], float(model.intercept_[0])


def _fit_isotonic(margins: Floats, won: NDArray[np.int8]) -> Calibrator:
    from sklearn.isotonic import IsotonicRegression

    edge = 1 / (len(won) + 2)  # Laplace: n leads never prove a probability of 0 or 1
    model = IsotonicRegression(y_min=edge, y_max=1 - edge, out_of_bounds="clip").fit(margins, won)
    knots = (*model.X_thresholds_.tolist(), *model.y_thresholds_.tolist())
    return Calibrator(CalibrationMethod.ISOTONIC, knots)
