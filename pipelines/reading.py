"""Reading: a text model between classifier and LLM, where it has proven to help on this table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from features.redaction import RedactedText
from models.band import Band, fit_band
from models.combiner import Combiner
from models.log_odds import log_odds, probability
from models.prompt import EvidenceKind
from models.pull_fitting import TWO_SIDED_95, PullTrial, try_pull
from models.text_model import TextModel
from pipelines.fitting import FittedClassifier
from pipelines.metrics import Measure, difference
from pipelines.text_fitting import FittedText, Vectors, fit_meaning, fit_text
from pipelines.training_data import TrainingData

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Reading:
    """A text model, and what it makes of this table.

    trial: its pull, and its gate: on the training part, both opinions out of fold.
    said: its log-odds by row, for leads of the calibration and the test part that have a text.
    probabilities: of every lead of the table once its text, if any, was read; NaN in training.
    sure: the narrowest band outside which these err rarely enough, fitted on the calibration part,
        which taught neither model, nor the pull.
    """

    model: TextModel
    trial: PullTrial
    said: Mapping[int, float]
    probabilities: Floats
    sure: Band

    @property
    def reach(self) -> Band:
        """Of the classifier's probability: a usual text can move the answer across the cut."""
        return self.trial.reach

    def reads(self, band: Band, prior: Floats) -> NDArray[np.bool_]:
        """Where the cascade gives it a text to read. prior: the classifier's probabilities."""
        return band.covers(prior) | self.reach.covers(prior)

    def decided(self, fitted: FittedClassifier, rows: NDArray[np.intp]) -> Floats:
        """The probabilities of these leads, none of them in training, where no LLM is asked."""
        prior = fitted.probabilities[rows]
        return np.where(self.reads(fitted.band, prior), self.probabilities[rows], prior)

    def pulls(self, rows: NDArray[np.intp], prior: Floats) -> Floats:
        """What it adds by itself to the log-odds of these leads; 0 without a text.

        prior: the classifier's probabilities of them.
        """
        own = self.trial.pull
        said = zip(log_odds(prior), (self.said.get(int(row)) for row in rows), strict=True)
        return np.array([0.0 if s is None else own.of(float(x), s) for x, s in said])

    @property
    def note(self) -> str:
        """Why texts are read, in words."""
        trial = self.trial
        return (
            f"Text model: worth having, {trial.gain:+.3f} log loss gained per lead (at least "
            f"{trial.gain_low:+.3f}), {trial.leads:,} leads; {len(self.model.scales):,} terms, "
            f"weighed by {self.model.weighting}"
            f"{'' if self.model.meaning is None else ', and sentence embeddings'}."
        )


@dataclass(frozen=True, slots=True)
class NotRead:
    """Why there is no text model, in words."""

    note: str


def fit_reading(
    data: TrainingData,
    fitted: FittedClassifier,
    texts: Mapping[int, RedactedText],
    *,
    vectors: Vectors = MappingProxyType({}),
    bound: float,
    max_error: float,
    confidence: float,
    seed: int,
) -> Reading | NotRead:
    """Fit a text model on the training part, and keep it if its gate passes.

    The gate: combined with the classifier it lowers the log loss out of fold, and the 95 % interval
    of that is above zero. vectors: what texts mean is read, too, where words alone do worse by the
    same measure; none: words alone.
    """
    learned = fit_text(data, texts, fitted.split.train, seed=seed)
    if learned and vectors:
        learned = _better(learned, fit_meaning(learned, vectors, data), data, seed)
    trial = _trial(learned, fitted, data, bound) if learned else None
    if learned is None or trial is None:
        return NotRead("Text model: too few texts to fit one.")
    if not trial.is_worth_it:
        gain = f"{trial.gain:+.3f} log loss gained per lead (at least {trial.gain_low:+.3f})"
        return NotRead(f"Text model: no proven gain, {gain}, {trial.leads:,} leads; left out.")
    later = (*fitted.split.calibration, *fitted.split.test)
    said = learned.said({int(row): texts[row] for row in later if row in texts}, vectors)
    read = _read(Combiner(bound, text=trial.pull), fitted.probabilities, said, later)
    witnesses = data.one_of_each(fitted.split.calibration, seed)
    sure = fit_band(
        read[witnesses], data.won[witnesses], max_error=max_error, confidence=confidence
    )
    return Reading(learned.model, trial, said, read, sure)


def _better(words: FittedText, both: FittedText, data: TrainingData, seed: int) -> FittedText:
    """Words and meaning where these are certainly better, out of fold; else the smaller model."""
    said = probability(both.held_out), probability(words.held_out)
    won, groups = data.won[words.rows], data.groups[words.rows]
    gained = difference(Measure.LOG_LOSS, *said, won, groups=groups, seed=seed)
    meaning = both.model.meaning
    return both if meaning and meaning.words >= 0 and gained.high < 0 else words


def _trial(
    learned: FittedText, fitted: FittedClassifier, data: TrainingData, bound: float
) -> PullTrial | None:
    return try_pull(
        EvidenceKind.TEXT,
        fitted.held_out[np.searchsorted(fitted.split.train, learned.rows)],
        learned.held_out,
        data.won[learned.rows],
        bound=bound,
        errors_below=TWO_SIDED_95,
        groups=data.groups[learned.rows],
    )


def _read(
    combiner: Combiner, prior: Floats, said: Mapping[int, float], rows: Sequence[int]
) -> Floats:
    read = np.full(len(prior), np.nan)
    for row in rows:
        p = float(prior[row])
        read[row] = combiner.read(p, said[row]) if row in said else p
    return read
