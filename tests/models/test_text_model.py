"""The text model: what it reads, what it keeps, and what it can do in the cascade."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer

from features.lead import Lead
from features.redaction import RedactedText
from models.band import EVERYTHING, NOTHING, Band
from models.budget import CallBudget
from models.cascade import Cascade, ExampleOutbox, Leaving, UnavailableJudge
from models.combiner import Combiner, Pull
from models.decision import Decision, Route, RouteReason
from models.errors import ReleaseNotFound
from models.log_odds import log_odds
from models.prompt import EvidenceKind
from models.release import Release
from models.routing import RoutingPolicy, TextRouting
from models.sentence_embedding import Embedding
from models.text_model import Meaning, TextModel, Weighting, terms_of
from tests.fakes import Wire, completion, judge, redacted
from tests.models.test_cascade import EmailRedactor
from tests.small_release import sample_data, small_release

BOTH = frozenset(EvidenceKind)
PULLS = Combiner(3.0, dict.fromkeys(EvidenceKind, Pull(0.0, 1.0)), text=Pull(0.0, 1.0))
YES = completion({" yes": 0.9, " no": 0.1})
MODEL = TextModel(
    scales={"price": 1.5, "please": 1.0, "please call": 2.0},
    weights={"price": 3.0, "please": -0.5, "please call": 1.0},
    intercept=-0.25,
    examples=100,
    fewest_writers=10,
)
MEANING = Meaning("test", weights=(3.0, -1.0), intercept=0.25, words=0.5, usual=-0.75)
LEAD = {"Message": "price? please call jane@acme.com", "Email": "jane@acme.com", "Employees": 45}


def test_words_and_pairs_count_digits_never_and_what_was_taken_out_by_its_type() -> None:
    terms = terms_of(redacted("Call me, call ME: jane@acme.com 555 0199 don't"))
    assert terms["call"] == terms["me"] == terms["call me"] == 2
    assert terms["<EMAIL_ADDRESS>"] == terms["don't"] == 1
    assert not any(c.isdigit() for term in terms for c in term)
    assert not any("jane" in term for term in terms)


def test_a_text_that_was_never_redacted_is_refused() -> None:
    with pytest.raises(TypeError, match="RedactedText"):
        MODEL.log_odds("call me")  # type: ignore[arg-type]


def test_it_says_what_scikit_learn_would_say() -> None:
    texts = ["price price please", "please call", "nothing known here"]
    terms = list(MODEL.scales)
    vectorizer = TfidfVectorizer(vocabulary=terms, ngram_range=(1, 2), sublinear_tf=True)
    vectorizer.idf_ = np.array([MODEL.scales[term] for term in terms])
    weights = np.array([MODEL.weights[term] for term in terms])
    expected = vectorizer.transform(texts) @ weights + MODEL.intercept
    assert [MODEL.log_odds(redacted(text)) for text in texts] == pytest.approx(expected)


@pytest.mark.parametrize(
    "model",
    [MODEL, replace(MODEL, meaning=MEANING), replace(MODEL, weighting=Weighting.RATIO)],
    ids=["words", "both", "ratios"],
)
def test_it_survives_json_to_the_last_bit(model: TextModel) -> None:
    again = TextModel.from_json(json.loads(json.dumps(model.to_json())))
    assert (again, again.version) == (model, model.version)
    assert replace(model, intercept=0.0).version != model.version
    assert replace(model, meaning=None, weighting=Weighting.IDF).version == MODEL.version


def test_what_a_text_means_counts_beside_its_words() -> None:
    both, text = replace(MODEL, meaning=MEANING), redacted("price price please")
    words = MODEL.log_odds(text)
    assert both.log_odds(text, [1.0, 2.0]) == pytest.approx(0.25 + 0.5 * words + 3.0 - 2.0)
    assert both.log_odds(text) == pytest.approx(0.25 + 0.5 * words - 0.75)  # the usual meaning
    assert MODEL.log_odds(text, [1.0, 2.0]) == words


class Written(ExampleOutbox):
    def __init__(self) -> None:
        self.told: list[Leaving] = []

    async def leaving(self, leaving: Leaving) -> None:
        self.told.append(leaving)


def reading(
    left_open: Band, *, asks: frozenset[EvidenceKind] = BOTH, text: TextModel = MODEL
) -> Release:
    policy = RoutingPolicy(EVERYTHING, NOTHING, asks, TextRouting(NOTHING, left_open))
    return small_release(policy, combiner=PULLS, text=text)


def decide(
    release: Release,
    *,
    wire: Wire | None = None,
    calls: int | None = None,
    embedding: Embedding | None = None,
) -> tuple[Decision, Written]:
    outbox = Written()

    async def run() -> Decision:
        with ThreadPoolExecutor(1) as threads:
            cascade = Cascade(
                release,
                redactor=EmailRedactor(),
                judge=judge(wire) if wire else UnavailableJudge("timeout"),
                budget=CallBudget(calls),
                threads=threads,
                embedding=embedding,
            )
            lead = Lead.parse(sample_data().spec, LEAD)
            decision = await cascade.decide(lead, outbox=outbox)
            await cascade.close()
            return decision

    return asyncio.run(run()), outbox


SAID = MODEL.log_odds(redacted(LEAD["Message"]))  # type: ignore[arg-type]


def test_what_the_text_model_settles_never_leaves_and_leaves_no_redaction() -> None:
    wire = Wire(YES)
    decision, outbox = decide(reading(NOTHING), wire=wire)
    assert (decision.route, decision.reason) == (Route.TEXT, RouteReason.AMBIGUOUS)
    assert decision.text_log_odds == SAID
    moved = log_odds(decision.probability) - log_odds(decision.classifier_probability)
    assert moved == pytest.approx(SAID)
    assert (wire.requests, outbox.told, decision.redaction) == ([], [], None)


def test_what_it_leaves_open_goes_to_the_llm_and_both_pulls_add_up() -> None:
    wire = Wire(YES)
    decision, outbox = decide(reading(EVERYTHING), wire=wire)
    assert (decision.route, len(wire.requests), len(outbox.told)) == (Route.LLM, 1, 1)
    assert decision.verdict is not None
    moved = log_odds(decision.probability) - log_odds(decision.classifier_probability)
    assert moved == pytest.approx(min(SAID + decision.verdict.log_odds, 3.0))


@pytest.mark.parametrize(
    ("calls", "reason"),
    [(0, RouteReason.BUDGET_EXHAUSTED), (None, RouteReason.LLM_UNAVAILABLE)],
)
def test_without_an_llm_the_text_models_answer_stands(
    calls: int | None, reason: RouteReason
) -> None:
    decision, _ = decide(reading(EVERYTHING), calls=calls)
    assert (decision.route, decision.reason, decision.degraded) == (Route.TEXT, reason, True)
    moved = log_odds(decision.probability) - log_odds(decision.classifier_probability)
    assert moved == pytest.approx(SAID)


class OneVector:
    """Says the same of every text, None: fails; remembers from which thread it was asked."""

    def __init__(self, vector: tuple[float, float] | None = (1.0, 2.0)) -> None:
        self.vector = vector
        self.threads: list[threading.Thread] = []

    def embed(self, texts: Sequence[RedactedText]) -> NDArray[np.float32]:
        self.threads.append(threading.current_thread())
        if self.vector is None:
            raise RuntimeError("call me at jane@acme.com")
        return np.array([self.vector] * len(texts), dtype=np.float32)


def test_what_it_means_is_told_in_a_thread_and_recorded_with_the_decision() -> None:
    embedding, both = OneVector(), replace(MODEL, meaning=MEANING)
    decision, _ = decide(reading(NOTHING, text=both), embedding=embedding)
    assert decision.text_log_odds == pytest.approx(0.25 + 0.5 * SAID + 1.0)
    (thread,) = embedding.threads
    assert thread is not threading.main_thread()


@pytest.mark.parametrize("vector", [None, (float("nan"), 1.0)], ids=["it fails", "no number"])
def test_where_a_meaning_cannot_be_told_the_words_decide_and_no_text_is_logged(
    vector: tuple[float, float] | None, caplog: pytest.LogCaptureFixture
) -> None:
    both = replace(MODEL, meaning=MEANING)
    decision, _ = decide(reading(NOTHING, text=both), embedding=OneVector(vector))
    assert decision.text_log_odds == pytest.approx(0.25 + 0.5 * SAID - 0.75)
    if vector:
        return
    (logged,) = caplog.messages
    assert "RuntimeError" in logged
    assert "acme" not in logged


def test_it_goes_with_its_release_and_no_release_does_without_the_one_it_needs(
    tmp_path: Path,
) -> None:
    release = reading(NOTHING)
    release.save(tmp_path)
    again = Release.load(tmp_path)
    assert (again.text, again.policy, again.combiner) == (MODEL, release.policy, PULLS)
    with pytest.raises(ReleaseNotFound, match="text model"):
        replace(release, text=None)
