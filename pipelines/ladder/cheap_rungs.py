"""The rungs without an LLM: words, sentence embeddings, and both together."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from features.redaction import RedactedText
from models.text_model import TextModel, Weighting
from pipelines.fitting import FittedClassifier
from pipelines.ladder.remembering import Remembering
from pipelines.ladder.rung import Absent, Cost, Opinions, Rows, Rung
from pipelines.text_fitting import FittedText, fit_linear, fit_meaning, fit_text
from pipelines.training_data import TrainingData

WORDS, RATIOS = "TF-IDF + logistic regression", "log-count ratios + logistic regression"
EMBEDDINGS, BOTH = "sentence embeddings + logistic regression", "words and sentence embeddings"
TOO_FEW = "Too few training leads of each outcome wrote anything, or the same words."
INSTALL = "Install the extra `ladder`."
Texts = Mapping[int, RedactedText]
TIMED = 50  # texts, one at a time


@dataclass(frozen=True)
class CheapRungs:
    """texts: of the table's leads, by row. sentences: None without the extra `ladder`."""

    data: TrainingData
    fitted: FittedClassifier
    texts: Texts
    sentences: Remembering | None
    seed: int

    def words(self) -> Rung | Absent:
        """TF-IDF of words and pairs of words."""
        return self._of_words(WORDS, Weighting.IDF)

    def ratios(self) -> Rung | Absent:
        """The same words and pairs, weighed by how far apart won and lost leads use them."""
        return self._of_words(RATIOS, Weighting.RATIO)

    def meanings(self) -> Rung | Absent:
        """MiniLM as int8 ONNX, without torch."""
        sentences = self.sentences
        if sentences is None:
            return Absent(EMBEDDINGS, INSTALL)
        started = time.perf_counter()
        train = with_text(self.fitted.split.train, self.texts)
        vectors = sentences.embed([self.texts[row] for row in train])
        linear = fit_linear(vectors, train, self.data, seed=self.seed)
        if linear is None:
            return Absent(EMBEDDINGS, TOO_FEW)
        regression, _ = linear
        took = time.perf_counter() - started

        def said(rows: Rows) -> ArrayLike:
            read = sentences.embed([self.texts[row] for row in rows])
            return np.asarray(regression.decision_function(read))

        ms = self._ms_each(lambda text: sentences.fresh.embed([text]))
        return self._rung(EMBEDDINGS, said, Cost(ms, fit_s=took, memory_mib=sentences.mib))

    def both(self) -> Rung | Absent:
        """Words beside what they mean, as `tiebreak train --embeddings` reads them."""
        sentences, (words, took) = self.sentences, self._learned
        if sentences is None:
            return Absent(BOTH, INSTALL)
        if words is None:
            return Absent(BOTH, TOO_FEW)
        started = time.perf_counter()
        read = sentences.embed(list(self.texts.values()))
        vectors = dict(zip(self.texts, read, strict=True))
        learned = fit_meaning(words, vectors, self.data)
        took += time.perf_counter() - started
        model, said = learned.model, learned.said(self.texts, vectors)
        ms = self._ms_each(
            lambda text: model.log_odds(text, sentences.fresh.embed([text])[0].tolist())
        )
        cost = Cost(ms, fit_s=took, memory_mib=sentences.mib + _mib(model))
        return self._rung(BOTH, lambda rows: [said[row] for row in rows], cost)

    def _of_words(self, name: str, weighting: Weighting) -> Rung | Absent:
        learned, took = self._weighed[weighting]
        if learned is None:
            return Absent(name, TOO_FEW)
        model = learned.model
        notes = (
            f"{len(model.scales):,} terms of {model.examples:,} texts, each written by "
            f"{model.fewest_writers} leads or more.",
        )
        ms = self._ms_each(model.log_odds)
        cost = Cost(ms, fit_s=took, memory_mib=_mib(model))
        return self._rung(
            name, lambda rows: [model.log_odds(self.texts[row]) for row in rows], cost, notes
        )

    @cached_property
    def _learned(self) -> tuple[FittedText | None, float]:
        """What words teach by the better weighting, and the seconds that both took."""
        learned, seconds = zip(*self._weighed.values(), strict=True)
        fitted = [one for one in learned if one is not None]
        better = min(fitted, key=lambda one: one.loss(self.data.won), default=None)
        return better, sum(seconds)

    @cached_property
    def _weighed(self) -> dict[Weighting, tuple[FittedText | None, float]]:
        """What words teach by each weighting, and the seconds that took."""
        return {weighting: self._learn(weighting) for weighting in Weighting}

    def _learn(self, weighting: Weighting) -> tuple[FittedText | None, float]:
        started = time.perf_counter()
        train = self.fitted.split.train
        learned = fit_text(self.data, self.texts, train, seed=self.seed, weightings=[weighting])
        return learned, time.perf_counter() - started

    def _rung(
        self, name: str, said: Callable[[Rows], ArrayLike], cost: Cost, notes: Sequence[str] = ()
    ) -> Rung:
        """said: the log-odds of rows."""
        parts = (self.fitted.split.calibration, self.fitted.split.test)
        asked = [with_text(part, self.texts) for part in parts]
        calibration, test = (
            Opinions(rows, np.asarray(said(rows), dtype=np.float64)) for rows in asked
        )
        return Rung(name, calibration, test, cost, notes=notes)

    def _ms_each(self, read: Callable[[RedactedText], object]) -> float:
        """Milliseconds to read one text, one at a time."""
        rows = with_text(self.fitted.split.test, self.texts)[:TIMED]
        started = time.perf_counter()
        for row in rows:
            read(self.texts[row])
        return 1000 * (time.perf_counter() - started) / max(len(rows), 1)


def _mib(model: TextModel) -> float:
    return len(json.dumps(model.to_json())) / 2**20


def with_text(rows: Rows, texts: Texts) -> Rows:
    """Those of the rows that have a redacted text."""
    return np.array([row for row in rows if row in texts], dtype=np.intp)
