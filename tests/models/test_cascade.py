"""The cascade: who is asked, what leaves, and what stands when anything goes wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.fingerprint import SubjectKey, fingerprint
from features.lead import Lead
from features.redaction import RedactedText
from features.redaction_policy import RedactionPolicy
from models.band import EVERYTHING, NOTHING
from models.budget import CallBudget
from models.cascade import (
    Cascade,
    ExampleOutbox,
    Judge,
    Leaving,
    Outbox,
    TextRedactor,
    UnavailableJudge,
)
from models.combiner import Combiner
from models.decision import CUT, Decision, Route, RouteReason
from models.log_odds import log_odds
from models.prompt import EvidenceKind
from models.routing import RoutingPolicy
from tests.fakes import BrokenRedactor, Wire, completion, judge, redacted
from tests.small_release import sample_data, small_release

BOTH = frozenset(EvidenceKind)
ALWAYS_ASK = RoutingPolicy(EVERYTHING, EVERYTHING, BOTH)
NEVER_ASK = RoutingPolicy(NOTHING, NOTHING, BOTH)
KEY = SubjectKey("s1", b"k" * 32)
YES = completion({" yes": 0.9, " no": 0.1})
WRITTEN = {"Message": "call me at jane@acme.com", "Email": "jane@acme.com", "Employees": 45}
SILENT = {"Full name": "Jane Miller", "Email": "jane@acme.com", "Employees": 45}


class EmailRedactor:
    def redact(self, text: str, contacts: Mapping[str, str], key: SubjectKey) -> RedactedText:  # noqa: ARG002
        return redacted(text, key)


class OfOne(ExampleOutbox):
    async def key(self) -> SubjectKey:
        return KEY


def decide(
    fields: Mapping[str, object],
    policy: RoutingPolicy,
    *,
    wire: Wire | None = None,
    judge_: Judge | None = None,
    redactor: TextRedactor | None = None,
    budget: CallBudget | None = None,
    combiner: Combiner | None = None,
    outbox: Outbox | None = None,
) -> Decision:
    async def run() -> Decision:
        with ThreadPoolExecutor(1) as threads:
            cascade = Cascade(
                small_release(policy, combiner=combiner),
                redactor=redactor or EmailRedactor(),
                judge=judge_ or judge(wire or Wire(YES)),
                budget=budget or CallBudget(None),
                threads=threads,
            )
            try:
                lead = Lead.parse(sample_data().spec, fields)
                return await cascade.decide(lead, outbox=outbox or OfOne())
            finally:
                await cascade.close()

    return asyncio.run(run())


@pytest.mark.parametrize("asks", [True, False])
def test_a_rehearsal_spends_no_budget_and_asks_only_where_it_may(asks: bool) -> None:
    async def run() -> Decision:
        with ThreadPoolExecutor(1) as threads:
            cascade = Cascade(
                small_release(RoutingPolicy(EVERYTHING, EVERYTHING, frozenset(EvidenceKind))),
                redactor=EmailRedactor(),
                judge=judge(wire),
                budget=budget,
                threads=threads,
            )
            lead = Lead.parse(sample_data().spec, {"Message": "How much is it?"})
            return await cascade.rehearsing(asks=asks).decide(lead, outbox=OfOne())

    wire, budget = Wire(YES), CallBudget(1)
    assert 0 <= asyncio.run(run()).probability <= 1
    assert len(wire.requests) == asks
    assert budget.take()


def test_a_sure_lead_is_decided_without_the_llm() -> None:
    wire = Wire(YES)
    decision = decide(SILENT, NEVER_ASK, wire=wire)
    assert (decision.route, decision.reason) == (Route.CLASSIFIER, RouteReason.CONFIDENT)
    assert decision.probability == decision.classifier_probability
    assert wire.requests == []


def test_an_ambiguous_lead_is_shown_to_the_llm_by_its_redacted_text() -> None:
    wire = Wire(YES)
    decision = decide(WRITTEN, ALWAYS_ASK, wire=wire)
    (sent,) = wire.bodies
    assert (decision.route, decision.reason) == (Route.LLM, RouteReason.AMBIGUOUS)
    assert decision.redacted == {"EMAIL_ADDRESS": 1}
    assert "call me at" in sent["prompt"]
    assert "jane" not in sent["prompt"]


def test_an_ambiguous_lead_without_text_is_judged_by_its_fields_and_never_by_its_contacts() -> None:
    wire = Wire(YES)
    decision = decide(SILENT, ALWAYS_ASK, wire=wire)
    (sent,) = wire.bodies
    assert decision.route is Route.LLM
    assert "Employees: 45" in sent["prompt"]
    assert "Jane" not in sent["prompt"]
    assert "acme" not in sent["prompt"]


def test_a_confident_lead_whose_text_could_change_the_answer_is_asked_about() -> None:
    decision = decide(WRITTEN, RoutingPolicy(NOTHING, EVERYTHING, BOTH))
    assert (decision.route, decision.reason) == (Route.LLM, RouteReason.FREE_TEXT)


def test_nothing_is_sent_when_redaction_fails() -> None:
    wire = Wire(YES)
    decision = decide(WRITTEN, ALWAYS_ASK, wire=wire, redactor=BrokenRedactor())
    assert decision.reason is RouteReason.REDACTION_FAILED
    assert decision.degraded
    assert decision.probability == decision.classifier_probability
    assert wire.requests == []


def test_a_decision_keeps_what_went_marked_with_the_subjects_key() -> None:
    redaction = decide(WRITTEN, ALWAYS_ASK).redaction
    assert redaction is not None
    assert (redaction.subject, redaction.policy) == ("s1", RedactionPolicy.shipped().version)
    (event,) = redaction.events
    text = WRITTEN["Message"]
    assert isinstance(text, str)
    assert text[event.start : event.end] == "jane@acme.com"
    assert event.fingerprint == fingerprint(KEY, "EMAIL_ADDRESS", "jane@acme.com")


class Written(OfOne):
    """An outbox that looks at the wire when it is told what is about to leave."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self.told: list[Leaving] = []
        self.sent_before: list[int] = []

    async def leaving(self, leaving: Leaving) -> None:
        self.told.append(leaving)
        self.sent_before.append(len(self._wire.requests))


class FullOutbox(OfOne):
    async def leaving(self, leaving: Leaving) -> None:  # noqa: ARG002
        raise OSError("disk full")


def test_what_leaves_is_written_down_before_it_leaves_and_exactly() -> None:
    wire = Wire(YES)
    outbox = Written(wire)
    decide(WRITTEN, ALWAYS_ASK, wire=wire, outbox=outbox)
    (told,), (sent,) = outbox.told, wire.bodies
    assert outbox.sent_before == [0]
    assert told.shown in sent["prompt"]
    assert "jane" not in told.shown


def test_nothing_is_sent_that_cannot_be_written_down() -> None:
    wire = Wire(YES)
    with pytest.raises(OSError, match="disk full"):
        decide(WRITTEN, ALWAYS_ASK, wire=wire, outbox=FullOutbox())
    assert wire.requests == []


class KeylessOutbox(ExampleOutbox):
    async def key(self) -> SubjectKey:
        raise OSError("no key")


def test_nothing_is_sent_about_somebody_whose_key_cannot_be_kept() -> None:
    wire = Wire(YES)
    with pytest.raises(OSError, match="no key"):
        decide(WRITTEN, ALWAYS_ASK, wire=wire, outbox=KeylessOutbox())
    assert wire.requests == []


def test_each_request_that_left_is_on_the_decision_with_the_id_it_was_sent_with() -> None:
    wire = Wire(YES)
    decision = decide(WRITTEN, ALWAYS_ASK, wire=wire)
    (call,) = decision.llm_calls
    (request,) = wire.requests
    assert request.headers["x-client-request-id"] == call.id
    assert (call.status, call.cause) == (200, None)


@pytest.mark.parametrize(
    "answer",
    [
        httpx2.ConnectError("refused"),
        httpx2.Response(500),
        httpx2.Response(401),
        httpx2.Response(200, content=b"<html>"),
        completion({" maybe": 1.0}),
    ],
    ids=["refused", "500", "401", "no JSON", "no answer"],
)
def test_the_classifiers_answer_stands_when_the_llm_fails(
    answer: httpx2.Response | Exception,
) -> None:
    decision = decide(WRITTEN, ALWAYS_ASK, wire=Wire(answer))
    assert decision.reason is RouteReason.LLM_UNAVAILABLE
    assert decision.degraded
    assert decision.llm_failure
    assert decision.probability == decision.classifier_probability


def test_an_llm_that_is_not_configured_is_said_by_name() -> None:
    decision = decide(WRITTEN, ALWAYS_ASK, judge_=UnavailableJudge("not_installed"))
    assert decision.llm_failure == "not_installed"


def test_a_spent_budget_keeps_the_classifiers_answer_and_redacts_nothing() -> None:
    decision = decide(WRITTEN, ALWAYS_ASK, budget=CallBudget(0), redactor=BrokenRedactor())
    assert decision.reason is RouteReason.BUDGET_EXHAUSTED


@pytest.mark.parametrize("limit", [1, 2])
def test_each_attempt_takes_from_the_budget_and_no_more_leave_than_it_allows(limit: int) -> None:
    wire, budget = Wire(httpx2.Response(503)), CallBudget(limit)
    decision = decide(WRITTEN, ALWAYS_ASK, judge_=judge(wire, budget=budget), budget=budget)
    assert decision.reason is RouteReason.BUDGET_EXHAUSTED
    assert len(wire.requests) == len(decision.llm_calls) == limit


@settings(max_examples=25, deadline=None)
@given(yes=st.floats(0, 1), no=st.floats(0, 1), bound=st.floats(0, 4))
def test_no_llm_answer_moves_a_decision_further_than_the_bound(
    yes: float, no: float, bound: float
) -> None:
    wire = Wire(completion({" yes": max(yes, 1e-9), " no": max(no, 1e-9)}))
    pulls = small_release(ALWAYS_ASK).combiner.pulls
    decision = decide(WRITTEN, ALWAYS_ASK, wire=wire, combiner=Combiner(bound, pulls))
    moved = log_odds(decision.probability) - log_odds(decision.classifier_probability)
    assert abs(moved) <= bound + 1e-6


def test_outside_band_and_reach_no_text_flips_an_answer() -> None:
    decision = decide(WRITTEN, NEVER_ASK, wire=Wire(completion({" yes": 0.999, " no": 0.001})))
    assert (decision.probability > CUT) == (decision.classifier_probability > CUT)


async def test_a_raw_text_is_refused_before_anything_is_sent() -> None:
    wire = Wire(YES)
    with pytest.raises(TypeError, match="redact it first"):
        await judge(wire).ask("raw text", EvidenceKind.TEXT)  # type: ignore[arg-type]
    assert wire.requests == []


def test_reasons_name_columns_and_values_and_add_up_on_the_log_odds() -> None:
    release = small_release(NEVER_ASK)
    classifier, spec = release.classifier, release.spec
    leads = [Lead.parse(spec, {"Employees": n, "Demo requested": "yes"}) for n in (1, 45, 9_000)]
    everything = [classifier.opinion(lead, 20).reasons for lead in leads]
    steps = [sum(reason.log_odds for reason in reasons) for reasons in everything]
    odds = [log_odds(classifier.win_probability(lead)) for lead in leads]
    assert steps[0] - steps[1] == pytest.approx(odds[0] - odds[1], abs=0.01)
    assert steps[1] - steps[2] == pytest.approx(odds[1] - odds[2], abs=0.01)
    assert {r.column: r.value for r in everything[1]}["Employees"] == 45


def test_the_probability_is_bit_for_bit_the_same_with_and_without_reasons() -> None:
    release = small_release(NEVER_ASK)
    for employees in (0, 1, 45, 9_000, None):
        for source in ("Referral", "Carrier pigeon"):
            lead = Lead.parse(release.spec, {"Employees": employees, "Lead source": source})
            with_reasons, without = (release.classifier.opinion(lead, most) for most in (3, 0))
            assert with_reasons.probability == without.probability
            assert with_reasons.probability == release.classifier.win_probability(lead)
            assert with_reasons.row == without.row
            assert without.reasons == ()


def test_a_lead_that_says_nothing_is_not_asked_about() -> None:
    wire = Wire(YES)
    decision = decide({"Email": "jane@acme.com"}, ALWAYS_ASK, wire=wire)
    assert (decision.route, decision.reason) == (Route.CLASSIFIER, RouteReason.AMBIGUOUS)
    assert wire.requests == []


def test_missing_and_unknown_data_is_counted_and_decided_all_the_same() -> None:
    decision = decide({"Lead source": "Carrier pigeon", "Sorce": "typo"}, NEVER_ASK)
    assert decision.unknown_categories == ("Lead source",)
    assert decision.unknown_fields == 1
    assert "Employees" in decision.missing


def test_the_call_budget_is_a_sliding_minute() -> None:
    now = [0.0]
    budget = CallBudget(2, clock=lambda: now[0])
    taken = []
    for at in (0, 1, 2, 59.9, 60.1, 60.2, 61.1):
        now[0] = at
        taken.append(budget.take())
    assert taken == [True, True, False, False, True, False, True]
