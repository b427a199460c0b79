"""A text model is learned from redacted texts, keeps nobody's name, and must earn its place."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from features.redaction import RedactedText
from models.combiner import DEFAULT_BOUND
from models.prompt import EvidenceKind
from models.sentence_embedding import VERSION, Embedding
from models.text_model import Weighting, terms_of
from pipelines.display import Display
from pipelines.finetuning.proof import with_texts_dealt_anew
from pipelines.fitting import FittedClassifier
from pipelines.left_open import left_open
from pipelines.metrics import Measure, difference
from pipelines.reading import NotRead, Reading, fit_reading
from pipelines.table_texts import embedded_texts
from pipelines.text_fitting import FEWEST_WRITERS, FittedText, fit_linear, fit_text
from pipelines.training_data import TrainingData
from pipelines.verdicts import Verdicts
from tests.fakes import redacted
from tests.small_release import sample_data, small_fit

NAME = "Quillfeather"


redacted_once = cache(redacted)


def texts_of(data: TrainingData) -> Mapping[int, RedactedText]:
    return {
        row: redacted_once(" ".join(lead.texts.values()))
        for row, lead in enumerate(data.leads)
        if lead.has_text
    }


@cache
def texts() -> Mapping[int, RedactedText]:
    return texts_of(sample_data())


def read(
    data: TrainingData, fitted: FittedClassifier, embedding: Embedding | None = None
) -> Reading | NotRead:
    texts = texts_of(data)
    vectors = embedded_texts(texts, embedding, Display()) if embedding else {}
    return fit_reading(
        data,
        fitted,
        texts,
        vectors=vectors,
        bound=DEFAULT_BOUND,
        max_error=0.2,
        confidence=0.8,
        seed=0,
    )


@cache
def sample_reading() -> Reading:
    return read_with(None)


def read_with(embedding: Embedding | None) -> Reading:
    found = read(sample_data(), small_fit(), embedding)
    assert isinstance(found, Reading)
    return found


def with_name_in(rows: list[int], *, by_one: bool = False) -> TrainingData:
    """The sample, with a name that redaction missed in these leads' texts."""
    data = sample_data()
    leads = list(data.leads)
    for row in rows:
        lead = leads[row]
        told = {name: f"{NAME} 0170 5550199 {text}" for name, text in lead.texts.items()}
        contacts = {"Email": "q@example.com"} if by_one else lead.contacts
        leads[row] = replace(lead, texts=told, contacts=contacts)
    return replace(data, leads=leads)


@pytest.mark.parametrize(
    ("leads", "by_one", "is_kept"),
    [(FEWEST_WRITERS - 1, False, False), (40, True, False), (FEWEST_WRITERS, False, True)],
    ids=["by nine leads", "by one lead, forty times", "by ten: no longer one person's"],
)
def test_what_few_leads_wrote_is_in_no_model_file(leads: int, by_one: bool, is_kept: bool) -> None:
    rows = [row for row in small_fit().split.train if sample_data().leads[row].has_text][:leads]
    data = with_name_in(rows, by_one=by_one)
    learned = fit_text(data, texts_of(data), small_fit().split.train, seed=0)
    assert learned is not None
    file = json.dumps(learned.model.to_json())
    assert (NAME.casefold() in file) == is_kept
    assert not any(c.isdigit() for term in learned.model.scales for c in term)


def test_what_it_says_out_of_fold_comes_from_models_that_never_met_the_lead() -> None:
    learned = fit_text(sample_data(), texts(), small_fit().split.train, seed=0)
    assert learned is not None
    inside = np.array([learned.model.log_odds(texts()[row]) for row in learned.rows])
    won = sample_data().won[learned.rows] == 1
    assert (np.where(won, 1, -1) * (inside - learned.held_out)).mean() > 0.1  # it knows its own


def log_loss(learned: FittedText) -> float:
    won = sample_data().won[learned.rows] == 1
    return float(np.logaddexp(0, np.where(won, -1, 1) * learned.held_out).mean())


def test_terms_are_weighed_the_way_that_does_better_out_of_fold() -> None:
    train = small_fit().split.train
    alone = [fit_text(sample_data(), texts(), train, seed=0, weightings=[one]) for one in Weighting]
    chosen = fit_text(sample_data(), texts(), train, seed=0)
    better = min((one for one in alone if one), key=log_loss)
    assert chosen is not None
    assert chosen.model == better.model
    assert len({log_loss(one) for one in alone if one}) == len(Weighting)


def test_a_log_count_ratio_says_how_far_apart_won_and_lost_leads_use_a_term() -> None:
    train = small_fit().split.train
    learned = fit_text(sample_data(), texts(), train, seed=0, weightings=[Weighting.RATIO])
    assert learned is not None
    won = sample_data().won[learned.rows] == 1
    for term, scale in list(learned.model.scales.items())[:20]:
        has = np.array([term in terms_of(texts()[row]) for row in learned.rows])
        shares = [(1 + has[part].sum()) / part.sum() for part in (won, ~won)]
        assert scale == pytest.approx(abs(np.log(shares[0] / shares[1])))


def hinting(strength: float) -> Embedding:
    """Vectors whose first number hints at how the lead ended; the others say nothing."""
    of = {text.text: bool(sample_data().won[row]) for row, text in texts().items()}
    rng = np.random.default_rng(4)

    class Hinting:
        def embed(self, texts: Sequence[RedactedText]) -> NDArray[np.float32]:
            # Not five: OpenBLAS 0.3.31's AVX-512 kernel for that width reads past the last row, and
            # what lies there may raise numpy's warning of a number that is none.
            vectors = rng.normal(size=(len(texts), 6)).astype(np.float32)
            vectors[:, 0] += [strength * (2 * of[text.text] - 1) for text in texts]
            return vectors

    return Hinting()


def test_what_texts_mean_is_read_where_it_helps_and_nowhere_else() -> None:
    told, silent = (read_with(hinting(strength)) for strength in (1.5, 0.0))
    assert silent.model == sample_reading().model  # words alone: the smaller thing is enough
    assert told.model.meaning is not None
    assert told.model.meaning.embedding == VERSION
    assert told.trial.gain > sample_reading().trial.gain
    rows, won = small_fit().split.test, sample_data().won[small_fit().split.test]
    better, before = told.probabilities[rows], sample_reading().probabilities[rows]
    assert difference(Measure.LOG_LOSS, better, before, won).high < 0


def test_it_helps_on_leads_that_taught_it_nothing() -> None:
    rows, reading = small_fit().split.test, sample_reading()
    prior, won = small_fit().probabilities[rows], sample_data().won[rows]
    assert difference(Measure.LOG_LOSS, reading.probabilities[rows], prior, won).high < 0


@pytest.mark.parametrize("seed", range(3))
def test_texts_dealt_to_other_leads_teach_nothing_and_are_refused(seed: int) -> None:
    found = read(with_texts_dealt_anew(sample_data(), seed=seed), small_fit())
    assert isinstance(found, NotRead)
    assert "left out" in found.note


def verdicts(strength: float) -> Verdicts:
    """An LLM that knows so much about how calibration leads end, in log-odds."""
    rows = np.array([r for r in small_fit().split.calibration if r in texts()], dtype=np.intp)
    won = sample_data().won[rows]
    noise = np.random.default_rng(1).normal(0, 1, len(rows))
    kinds = (EvidenceKind.TEXT,) * len(rows)
    return Verdicts(rows, kinds, strength * (2.0 * won - 1) + noise, (None,) * len(rows), {})


@pytest.mark.parametrize("strength", [0.5, 2.0])
def test_a_text_model_leaves_open_what_the_llm_adds_most_to(strength: float) -> None:
    reading, fit = sample_reading(), small_fit()
    band = left_open(reading, fit, verdicts(strength), sample_data().won, DEFAULT_BOUND)
    assert band.low <= min(0.5, reading.sure.low)
    assert band.high >= max(0.5, reading.sure.high)
    rows = [row for row in fit.split.test if row in texts()]
    left = band.covers(reading.probabilities[rows])
    assert 0.1 < left.mean() < 0.9  # it settles some, and not all


def told(text: str | None, *, won_too: bool = True) -> TrainingData:
    """The sample, each lead with this text instead of its own, or with none."""
    data = sample_data()
    leads = [
        replace(lead, texts={"Message": text} if text and (won_too or not won) else {})
        for lead, won in zip(data.leads, data.won, strict=True)
    ]
    return replace(data, leads=leads)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(told("I would like to know more."), id="a stock phrase"),
        pytest.param(told("Lost: too dear.", won_too=False), id="only lost leads wrote"),
        pytest.param(told(None), id="nobody wrote"),
    ],
)
def test_texts_that_cannot_tell_make_no_text_model(data: TrainingData) -> None:
    assert isinstance(read(data, small_fit()), NotRead)
    embedded = np.zeros((len(texts_of(data)), 3), dtype=np.float32)
    rows = np.array(sorted(texts_of(data)), dtype=np.intp)
    linear = fit_linear(embedded, rows, data, seed=0)
    assert (linear is None) == (len(np.unique(data.won[rows])) < 2)
