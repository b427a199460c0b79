"""Rungs on a table: what they gain, that dealt texts gain nothing, and what the report says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from features.redaction import RedactedText
from models.combiner import DEFAULT_BOUND
from models.llm_version import Api, LlmVersion
from models.prompt import EvidenceKind
from models.sentence_embedding import SentenceEmbedding, is_available
from models.verdict import LlmCall, Prices, Verdict, VerdictSource
from pipelines.display import Display
from pipelines.finetuning.proof import with_texts_dealt_anew
from pipelines.ladder.asking import Asked, Asker
from pipelines.ladder.cheap_rungs import BOTH, EMBEDDINGS, RATIOS, WORDS, CheapRungs
from pipelines.ladder.llm_rungs import OPTIMISED, LlmRungs, Llms
from pipelines.ladder.money import monthly
from pipelines.ladder.remembering import Remembering
from pipelines.ladder.rung import Absent, Cost, Place, Rows, Rung
from pipelines.ladder.standing import Standing, standing
from pipelines.ladder.worked_examples import (
    BLOCKS,
    DRAWS,
    FEWEST_TRIED_ON,
    nearest_examples,
    search_prompt,
)
from pipelines.training_data import TrainingData
from pipelines.verdicts import Verdicts
from service.llm.endpoint import LlmEndpoint
from service.settings import Settings
from tests.fakes import llm_version, prompt, redacted
from tests.pipelines.test_text_fitting import texts, texts_of
from tests.small_release import sample_data, small_fit

needs_embeddings = pytest.mark.skipif(not is_available(), reason="needs the extra `ladder`")
MAKERS = [
    pytest.param(CheapRungs.words, id=WORDS),
    pytest.param(CheapRungs.ratios, id=RATIOS),
    pytest.param(CheapRungs.meanings, id=EMBEDDINGS, marks=needs_embeddings),
    pytest.param(CheapRungs.both, id=BOTH, marks=needs_embeddings),
]


@cache
def sentences() -> Remembering | None:
    return Remembering(SentenceEmbedding()) if is_available() else None


def cheap_rungs(data: TrainingData) -> CheapRungs:
    return CheapRungs(data, small_fit(), texts_of(data), sentences(), seed=0)


def stood(make: Callable[..., object], data: TrainingData) -> Standing:
    rung = make(cheap_rungs(data))
    assert isinstance(rung, Rung)
    found = standing(rung, small_fit(), data, bound=DEFAULT_BOUND, seed=0)
    assert found is not None
    return found


@pytest.mark.xdist_group("rungs")  # they share what the same sentences mean
@pytest.mark.parametrize("make", MAKERS)
def test_a_rung_that_reads_gains_on_leads_that_taught_it_nothing(make: Callable[..., Rung]) -> None:
    found = stood(make, sample_data())
    assert found.is_passed
    assert found.change.high < 0
    assert found.rung.cost.ms_per_lead > 0
    assert found.rung.cost.memory_mib


@pytest.mark.xdist_group("rungs")
@pytest.mark.parametrize("make", MAKERS)
def test_with_texts_dealt_to_other_leads_it_is_refused_by_its_gate(
    make: Callable[..., Rung],
) -> None:
    assert not stood(make, with_texts_dealt_anew(sample_data(), seed=1)).is_passed


def test_a_rung_that_too_few_leads_tell_of_neither_passes_nor_seems_to_gain() -> None:
    rung = cheap_rungs(sample_data()).words()
    assert isinstance(rung, Rung)
    said = rung.calibration
    few = replace(rung, calibration=replace(said, rows=said.rows[:9], log_odds=said.log_odds[:9]))
    found = standing(few, small_fit(), sample_data(), bound=DEFAULT_BOUND, seed=0)
    assert found is not None
    assert (found.trial, found.is_passed) == (None, False)
    assert (found.change.low, found.change.value, found.change.high) == (0, 0, 0)


@needs_embeddings
def test_sentences_that_mean_the_same_are_near_each_other_and_raw_ones_are_refused() -> None:
    said = ("how much does it cost", "could you tell me the price", "my cat sleeps all day")
    vectors = SentenceEmbedding().embed([redacted(text) for text in said])
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(3), abs=1e-5)
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2] + 0.2
    with pytest.raises(TypeError, match="RedactedText"):
        SentenceEmbedding().embed(["my name is Jane"])  # type: ignore[list-item]


class ByLength:
    """An embedding that knows nothing of a text but its length."""

    def embed(self, texts: Sequence[RedactedText]) -> NDArray[np.float32]:
        angles = [len(text.text) / 50 for text in texts]
        return np.array([[np.cos(a), np.sin(a)] for a in angles], dtype=np.float32)


def test_the_most_similar_past_leads_are_shown_the_most_similar_one_last() -> None:
    past = {row: redacted("x" * row) for row in range(1, 20)}
    won = np.array([row % 2 for row in range(20)], dtype=np.int8)
    train = np.arange(1, 19)
    prompt_of = nearest_examples(ByLength(), past, train, won, prompt())
    shown = [(len(example.text), example.won) for example in prompt_of(19).examples]
    assert shown == [(n, bool(n % 2)) for n in range(13, 19)]


@pytest.mark.parametrize("most", [100, None], ids=["few leads", "all"])
def test_the_search_finds_the_prompt_that_answers_best_and_judges_it_on_no_worked_example(
    most: int | None,
) -> None:
    data, llm = sample_data(), replace(llm_version(), prompts={EvidenceKind.TEXT: prompt()})
    train = np.array([row for row in small_fit().split.train if row in texts()], dtype=np.intp)
    train = train[:most]
    asked_about: set[int] = set()
    shown: set[str] = set()
    noise = np.random.default_rng(0)

    def ask(version: LlmVersion, rows: Rows, _: str) -> Asked:
        """An LLM that understands leads in one way of showing them only."""
        one = version.prompts[EvidenceKind.TEXT]
        understands = "Message:" in one.template
        asked_about.update(int(row) for row in rows)
        shown.update(example.text for example in one.examples)
        said = (2.0 * data.won[rows] - 1) * understands + noise.normal(0, 0.5, len(rows))
        kinds = (EvidenceKind.TEXT,) * len(rows)
        return Asked(Verdicts(rows, kinds, said, (None,) * len(rows), {}), 1)

    found = search_prompt(ask, llm, texts(), train, data.won, calls=200, seed=0)
    assert "Message:" in found.prompt.template
    assert found.tried == len(BLOCKS) * DRAWS
    assert shown
    assert not {texts()[row].text for row in asked_about} & shown


@pytest.mark.parametrize("written", [0, 1, FEWEST_TRIED_ON - 1])
def test_where_hardly_a_training_lead_wrote_anything_no_prompt_is_searched(written: int) -> None:
    rows = [int(row) for row in small_fit().split.train if row in texts()]
    asking = LlmRungs(
        data=sample_data(),
        fitted=small_fit(),
        texts={row: texts()[row] for row in rows[:written]},
        witness=None,  # type: ignore[arg-type]  (nobody is asked about)
        llm=llm_version(),
        sentences=None,
        calls=5,
        seed=0,
        settings=Settings(),
        record=None,  # type: ignore[arg-type]
        display=Display(),
    )
    nobody = LlmEndpoint("embedded", "m", Api.COMPLETION, "http://127.0.0.1:1/v1")
    found = {one.name: one for one in asking.rungs(Llms(embedded=nobody))}
    absent = found[OPTIMISED]
    assert isinstance(absent, Absent)
    assert f"Fewer than {FEWEST_TRIED_ON} leads" in absent.why


@cache
def small_cost() -> Cost:
    return Cost(ms_per_lead=360.0, calls=10, tokens_per_lead=(200.0, 1.0), usd=None)


@pytest.mark.parametrize(
    ("place", "hour_usd", "tokens", "expected"),
    [
        pytest.param(Place.HERE, None, None, (50_000, 5.0, None, None), id="no price is known"),
        pytest.param(Place.HERE, 0.1, None, (50_000, 5.0, 0.5, None), id="the machine's is"),
        pytest.param(
            Place.HERE, 0.1, Prices(1.0, 2.0), (50_000, 5.0, 0.5, 10.1), id="beside a provider's"
        ),
        pytest.param(
            Place.MANAGED, 0.1, Prices(1.0, 2.0), (50_000, 0.0, None, 10.1), id="a provider's alone"
        ),
    ],
)
def test_a_price_that_is_not_set_is_unknown_and_never_nothing(
    place: Place, hour_usd: float | None, tokens: Prices | None, expected: tuple[object, ...]
) -> None:
    bill = monthly(small_cost(), place, 0.05, hour_usd=hour_usd, tokens=tokens)
    found = (bill.reads, bill.machine_hours, bill.self_hosted_usd, bill.managed_usd)
    assert found == pytest.approx(expected)
    assert bill.tokens_millions == pytest.approx(10.05)


Tokens = tuple[int, int] | None
PROVIDER = LlmEndpoint("llm.test", "m", Api.CHAT, "http://llm.test/v1")
PRICED = Settings(
    llm_price_usd_per_million_prompt_tokens=10, llm_price_usd_per_million_completion_tokens=30
)


class Answered(Asker):
    """Nobody is asked: of ten leads eight are answered, in two seconds each, two at a time."""

    tokens: Tokens = None

    def ask(self, llm: LlmVersion, rows: Rows, what: str, prompt_of: object = None) -> Asked:  # noqa: ARG002
        prompt_tokens, completion_tokens = self.tokens or (None, None)
        call = LlmCall("id", 200, None, None, prompt_tokens, completion_tokens, latency_s=2.0)
        said = (0.5, VerdictSource.STATED, None, 0, 0, None, 2.0, None, (call,))
        answers = (*[Verdict(*said)] * 8, None, None)
        kinds = (EvidenceKind.TEXT,) * len(rows)
        malformed = {"no_answer": 2}
        return Asked(Verdicts(rows, kinds, np.zeros(10), answers, malformed, (call, call)), 2)


@pytest.mark.parametrize(
    ("tokens", "usd", "a_lead"),
    [
        pytest.param((1000, 50), 20 * (0.01 + 0.0015), (1000, 50), id="said"),
        pytest.param(None, None, None, id="not said"),
    ],
)
def test_what_a_provider_charges_counts_answers_without_a_verdict_and_is_unknown_unless_said(
    tokens: Tokens, usd: float | None, a_lead: tuple[float, float] | None
) -> None:
    asker = Answered(sample_data(), None, PROVIDER, PRICED, None, Display())  # type: ignore[arg-type]
    object.__setattr__(asker, "tokens", tokens)
    rows = np.arange(10)
    cost = asker.rung("managed", llm_version(Api.CHAT), (rows, rows)).cost
    assert (cost.calls, cost.tokens_per_lead) == (20, a_lead)
    assert cost.usd == (usd and pytest.approx(usd))
    assert cost.ms_per_lead == 1000  # as the LLM took, whatever redaction did
    bill = monthly(cost, Place.MANAGED, 0.5, hour_usd=None, tokens=Prices(10, 30))
    assert bill.managed_usd == (usd and pytest.approx(usd * 500_000 / 20))
