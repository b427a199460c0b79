"""Classifier: XGBoost + calibration. Win probability of a lead in [0, 1], and its reasons."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from features.encoding import Encoder
from features.lead import Lead
from models.calibration import Calibrator
from models.decision import FeatureReason
from models.log_odds import log_odds

if TYPE_CHECKING:
    import xgboost


class Classifier:
    """The cheap first opinion. Safe to share between threads: nothing in it changes."""

    def __init__(self, booster: xgboost.Booster, encoder: Encoder, calibrator: Calibrator) -> None:
        booster.set_param({"nthread": 1})  # one row never pays for a thread pool
        self.booster = booster
        self.encoder = encoder
        self.calibrator = calibrator

    def win_probability(self, lead: Lead) -> float:
        """Calibrated win probability of one lead, in [0, 1]."""
        return float(self.win_probabilities([lead])[0])

    def win_probabilities(self, leads: Sequence[Lead]) -> NDArray[np.float64]:
        """Calibrated win probabilities, shape (number of leads,)."""
        return self.probabilities(self.encoder.encode(leads))

    def probabilities(self, rows: NDArray[np.float32]) -> NDArray[np.float64]:
        """Calibrated win probabilities of encoded rows, shape (number of rows,)."""
        return self.calibrator(self.margins(rows))

    def margins(self, rows: NDArray[np.float32]) -> NDArray[np.float64]:
        """Uncalibrated log-odds of encoded rows, shape (number of rows,)."""
        margins = self.booster.inplace_predict(rows, predict_type="margin", validate_features=False)
        return np.asarray(margins, dtype=np.float64)

    def reasons(self, lead: Lead, most: int) -> tuple[FeatureReason, ...]:
        """The `most` strongest pushes of this lead's columns, strongest first.

        TreeSHAP values (Lundberg et al. 2020), scaled so that together they make up the step from
        the average lead's calibrated log-odds to this lead's.
        """
        row = self.encoder.encode([lead])
        pushes, base = self._contributions(row)
        strongest = np.argsort(-np.abs(pushes[0]), kind="stable")[:most]
        slope = self._calibration_slope(base, base + float(pushes[0].sum()))
        features = self.encoder.features
        return tuple(
            FeatureReason(
                features[i].name,
                self.encoder.shown(features[i], lead),
                round(slope * float(pushes[0, i]), 4),
            )
            for i in strongest
            if pushes[0, i] != 0
        )

    def contributions(self, rows: NDArray[np.float32]) -> NDArray[np.float64]:
        """TreeSHAP values in uncalibrated log-odds, shape (rows, features)."""
        return self._contributions(rows)[0]

    @cached_property
    def columns_by_gain(self) -> tuple[str, ...]:
        """Columns the booster uses, the most informative first (total gain)."""
        gain = self.booster.get_score(importance_type="total_gain")
        ranked = sorted(gain, key=lambda name: (-float(gain[name]), name))
        column = {f.name: f.column for f in self.encoder.features}
        return tuple(column[name] for name in ranked)

    def _contributions(self, rows: NDArray[np.float32]) -> tuple[NDArray[np.float64], float]:
        import xgboost

        encoder = self.encoder
        matrix = xgboost.DMatrix(
            rows, feature_names=encoder.names, feature_types=encoder.types, nthread=1
        )
        values = np.asarray(self.booster.predict(matrix, pred_contribs=True), dtype=np.float64)
        return values[:, :-1], float(values[0, -1])

    def _calibration_slope(self, start: float, end: float) -> float:
        if abs(end - start) < 1e-9:
            return 1.0
        low, high = log_odds(self.calibrator(np.array([start, end])))
        return float((high - low) / (end - start))
