"""Fitting: from the training part to a calibrated classifier, and its band."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.encoding import Encoder
from models.band import Band, fit_band
from models.calibration import choose_calibrator
from models.classifier import Classifier
from pipelines.split import Split, split, text_groups
from pipelines.training_data import TrainingData
from pipelines.tuning import tune


@dataclass(frozen=True)
class FittedClassifier:
    """The classifier and what it says about every lead of the table, in [0, 1].

    Only `probabilities` of rows outside split.train were given by a booster that had not seen them;
    `held_out` are such ones for split.train, in its order.
    """

    classifier: Classifier
    split: Split
    band: Band
    probabilities: NDArray[np.float64]
    held_out: NDArray[np.float64]
    rows: NDArray[np.float32]
    params: dict[str, Any]
    rounds: int


def fit_classifier(
    data: TrainingData,
    *,
    trials: int,
    max_error: float,
    confidence: float,
    seed: int,
    on_trial: Callable[[], None] = lambda: None,
) -> FittedClassifier:
    """Split, search, fit, calibrate, and find the band. The same seed gives the same bits.

    The calibrator learns from out-of-fold margins of the training part, so that the calibration
    part is fresh when the band is fitted on it: its guarantee asks for that.
    """
    parts = split(data.leads, data.won, data.dates, seed=seed)
    learners = data.part(parts.train)
    encoder = Encoder.fit(data.spec, learners)
    rows = encoder.encode(data.leads)
    tuned = tune(
        rows[parts.train],
        data.won[parts.train],
        text_groups(learners),
        encoder,
        trials=trials,
        seed=seed,
        on_trial=on_trial,
    )
    calibrator = choose_calibrator(tuned.held_out_margins, data.won[parts.train], seed=seed)
    classifier = Classifier(tuned.booster, encoder, calibrator)
    probabilities = calibrator(classifier.margins(rows))
    witnesses = data.one_of_each(parts.calibration, seed)
    band = fit_band(
        probabilities[witnesses],
        data.won[witnesses],
        max_error=max_error,
        confidence=confidence,
    )
    return FittedClassifier(
        classifier=classifier,
        split=parts,
        band=band,
        probabilities=probabilities,
        held_out=calibrator(tuned.held_out_margins),
        rows=rows,
        params=tuned.params,
        rounds=tuned.rounds,
    )
