"""Standing: how good a rung is, alone and combined with the classifier."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.combiner import Pull
from models.log_odds import log_odds, probability
from models.prompt import EvidenceKind
from models.pull_fitting import (
    TWO_SIDED_95,
    PullTrial,
    bounded_pulls,
    held_out_pulls,
    put_right,
    putting_right,
    try_pull,
)
from pipelines.evaluation import said_alone
from pipelines.fitting import FittedClassifier
from pipelines.ladder.rung import Floats, Opinions, Rows, Rung
from pipelines.metrics import Interval, Measure, difference, with_interval
from pipelines.training_data import TrainingData

MEASURES = (Measure.AUC, Measure.LOG_LOSS)
NO_TEXT = "no text"


@dataclass(frozen=True)
class Candidate:
    """What may be recommended: probabilities of calibration leads `rows`, none learned from them.

    Of a rung these are combined with the classifier, out of fold.
    """

    name: str
    rows: Rows
    held_out: Floats


@dataclass(frozen=True)
class Standing:
    """One line of the ladder's table. Measures are on test leads; the gate is on calibration.

    leads: test leads that the rung has an opinion on; all measures of the line are on these.
    alone: its opinion by itself, calibrated; combined: with the classifier.
    in_band: log loss combined, of the leads that are ambiguous to the classifier.
    change, change_in_band: log loss combined minus the classifier's, paired: below 0 is better.
    The classifier's is that of one calibrated anew, which takes no reading.
    trial: the pull, and the gate: None where there were too few leads to fit one.
    """

    rung: Rung
    leads: int
    alone: dict[Measure, Interval]
    combined: dict[Measure, Interval]
    in_band: Interval | None
    change: Interval
    change_in_band: Interval | None
    trial: PullTrial | None
    candidate: Candidate | None

    @property
    def is_passed(self) -> bool:
        """Its gate: combined, it lowers the log loss out of fold, 95 % interval above zero."""
        return self.trial is not None and self.trial.is_worth_it


def standing(
    rung: Rung, fitted: FittedClassifier, data: TrainingData, *, bound: float, seed: int
) -> Standing | None:
    """Measure a rung. None where it has no opinion on any test lead, or meets one outcome only."""
    calibration, test = rung.calibration.answered, rung.test.answered
    y, groups = data.won[test.rows], data.groups[test.rows]
    if len(np.unique(y)) < 2:
        return None
    prior = fitted.probabilities[test.rows]
    before = _put_right(prior, calibration, fitted, data.won)
    trial = _trial(calibration, fitted, data, bound)
    combined = _pulled(prior, trial.pull, test.log_odds, bound) if trial else before
    alone = said_alone(calibration.log_odds, data.won[calibration.rows])(test.log_odds)
    band = fitted.band.covers(prior)
    is_split = len(np.unique(y[band])) == 2
    loss = Measure.LOG_LOSS
    among: dict[str, Any] = {"groups": groups, "seed": seed}
    inside: dict[str, Any] = {"groups": groups[band], "seed": seed}
    return Standing(
        rung=rung,
        leads=len(y),
        alone={m: with_interval(m, alone, y, **among) for m in MEASURES},
        combined={m: with_interval(m, combined, y, **among) for m in MEASURES},
        in_band=with_interval(loss, combined[band], y[band], **inside) if is_split else None,
        change=difference(loss, combined, before, y, **among),
        change_in_band=difference(loss, combined[band], before[band], y[band], **inside)
        if is_split
        else None,
        trial=trial,
        candidate=_candidate(rung.name, calibration, fitted, data, bound) if trial else None,
    )


def no_text_candidate(fitted: FittedClassifier, won: NDArray[np.int8], rows: Rows) -> Candidate:
    """The classifier alone, calibrated anew, on calibration leads."""
    return Candidate(NO_TEXT, rows, put_right(fitted.probabilities[rows], won[rows]))


def _put_right(
    prior: Floats, calibration: Opinions, fitted: FittedClassifier, won: NDArray[np.int8]
) -> Floats:
    """By what the calibration leads say of the classifier."""
    rows = calibration.rows
    if not len(rows):
        return prior
    return _pulled(prior, putting_right(fitted.probabilities[rows], won[rows]))


def _trial(
    said: Opinions, fitted: FittedClassifier, data: TrainingData, bound: float
) -> PullTrial | None:
    return try_pull(
        EvidenceKind.TEXT,
        fitted.probabilities[said.rows],
        said.log_odds,
        data.won[said.rows],
        bound=bound,
        errors_below=TWO_SIDED_95,
        groups=data.groups[said.rows],
    )


def _candidate(
    name: str, said: Opinions, fitted: FittedClassifier, data: TrainingData, bound: float
) -> Candidate:
    prior, groups = fitted.probabilities[said.rows], data.groups[said.rows]
    pulls = held_out_pulls(prior, said.log_odds, data.won[said.rows], bound=bound, groups=groups)
    return Candidate(name, said.rows, probability(log_odds(prior) + pulls))


def _pulled(
    prior: Floats, pull: Pull, said: Floats | None = None, bound: float = math.inf
) -> Floats:
    """said: the rung's opinions, in log-odds."""
    x = log_odds(prior)
    said = np.zeros(len(x)) if said is None else said
    return probability(x + bounded_pulls(pull, x, said, bound))
