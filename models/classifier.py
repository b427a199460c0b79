"""Classifier: XGBoost + calibration. Win probability of a lead in [0, 1], and its reasons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Opinion:
    """What the classifier says of one lead.

    probability: of winning, calibrated. row: what it read, float32, little-endian.
    """

    probability: float
    reasons: tuple[FeatureReason, ...]
    row: bytes


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

    def opinion(self, lead: Lead, most: int) -> Opinion:
        """Probability of one lead, bit for bit that of `probabilities`, and its strongest reasons.

        Both are read off one matrix, which takes longer to make than either of them. Reasons are
        the `most` strongest TreeSHAP values (Lundberg et al. 2020), scaled so that together all
        make up the step from the average lead's calibrated log-odds to this lead's.
        """
        row = self.encoder.encode([lead])
        read = row.astype("<f4").tobytes()
        if not most:
            return Opinion(float(self.probabilities(row)[0]), (), read)
        matrix = self._matrix(row)
        margin = self.booster.predict(matrix, output_margin=True, validate_features=False)
        probability = self.calibrator(np.asarray(margin, dtype=np.float64))
        return Opinion(float(probability[0]), self._reasons(lead, matrix, most), read)

    def contributions(self, rows: NDArray[np.float32]) -> NDArray[np.float64]:
        """TreeSHAP values in uncalibrated log-odds, shape (rows, features)."""
        return self._contributions(self._matrix(rows))[0]

    @cached_property
    def columns_by_gain(self) -> tuple[str, ...]:
        """Columns the booster uses, the most informative first (total gain)."""
        gain = self.booster.get_score(importance_type="total_gain")
        ranked = sorted(gain, key=lambda name: (-float(gain[name]), name))
        columns = (feature.column for feature in self.encoder.features)
        column = dict(zip(self.encoder.booster_names, columns, strict=True))
        return tuple(column[name] for name in ranked)

    def _reasons(self, lead: Lead, matrix: xgboost.DMatrix, most: int) -> tuple[FeatureReason, ...]:
        pushes, base = self._contributions(matrix)
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

    def _matrix(self, rows: NDArray[np.float32]) -> xgboost.DMatrix:
        """Without names and types: the encoder fixes both, and giving them costs as much again."""
        import xgboost

        return xgboost.DMatrix(rows, nthread=1)

    def _contributions(self, matrix: xgboost.DMatrix) -> tuple[NDArray[np.float64], float]:
        said = self.booster.predict(matrix, pred_contribs=True, validate_features=False)
        values = np.asarray(said, dtype=np.float64)
        return values[:, :-1], float(values[0, -1])

    def _calibration_slope(self, start: float, end: float) -> float:
        if abs(end - start) < 1e-9:
            return 1.0
        low, high = log_odds(self.calibrator(np.array([start, end])))
        return float((high - low) / (end - start))
