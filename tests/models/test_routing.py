"""Who decides, and why: one row a case."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.band import EVERYTHING, NOTHING, Band
from models.decision import Route, RouteReason
from models.prompt import EvidenceKind
from models.routing import Routing, RoutingPolicy, TextRouting

TEXT, FIELDS = EvidenceKind.TEXT, EvidenceKind.FIELDS
BOTH = frozenset({TEXT, FIELDS})
LLM, CLASSIFIER = Route.LLM, Route.CLASSIFIER
CONFIDENT, AMBIGUOUS, FREE_TEXT = (
    RouteReason.CONFIDENT,
    RouteReason.AMBIGUOUS,
    RouteReason.FREE_TEXT,
)


@pytest.mark.parametrize(
    ("probability", "has_text", "asks", "expected"),
    [
        pytest.param(0.97, False, BOTH, Routing(CLASSIFIER, CONFIDENT), id="sure, no text"),
        pytest.param(0.97, True, BOTH, Routing(CLASSIFIER, CONFIDENT), id="text out of reach"),
        pytest.param(0.85, False, BOTH, Routing(CLASSIFIER, CONFIDENT), id="in reach, no text"),
        pytest.param(0.85, True, BOTH, Routing(LLM, FREE_TEXT, TEXT), id="text could change it"),
        pytest.param(0.50, True, BOTH, Routing(LLM, AMBIGUOUS, TEXT), id="ambiguous with text"),
        pytest.param(0.50, False, BOTH, Routing(LLM, AMBIGUOUS, FIELDS), id="ambiguous, no text"),
        pytest.param(0.50, True, {FIELDS}, Routing(CLASSIFIER, AMBIGUOUS), id="text not worth it"),
        pytest.param(0.50, False, {TEXT}, Routing(CLASSIFIER, AMBIGUOUS), id="fields not worth it"),
        pytest.param(0.85, True, {FIELDS}, Routing(CLASSIFIER, CONFIDENT), id="mute text"),
        pytest.param(0.50, True, set(), Routing(CLASSIFIER, AMBIGUOUS), id="nobody to ask"),
    ],
)
def test_route(
    probability: float, has_text: bool, asks: set[EvidenceKind], expected: Routing
) -> None:
    policy = RoutingPolicy(Band(0.3, 0.7), Band(0.1, 0.9), frozenset(asks))
    assert policy.route(probability, has_text=has_text) == expected


@pytest.mark.parametrize("asks", [BOTH, {TEXT}, {FIELDS}, set()])
@pytest.mark.parametrize("has_text", [True, False])
@pytest.mark.parametrize("reads", [True, False])
def test_whoever_may_be_asked_about_a_lead_is_known_before_it_is_decided(
    asks: set[EvidenceKind], has_text: bool, reads: bool
) -> None:
    text = TextRouting(EVERYTHING, EVERYTHING) if reads else None
    policy = RoutingPolicy(EVERYTHING, EVERYTHING, frozenset(asks), text)
    is_asked = policy.route(0.5, has_text=has_text).evidence is not None
    assert policy.may_ask(has_text=has_text) == is_asked


@given(st.floats(0, 1))
def test_without_a_text_the_reach_does_not_matter(p: float) -> None:
    near, far = (RoutingPolicy(Band(0.3, 0.7), reach, BOTH) for reach in (NOTHING, EVERYTHING))
    assert near.route(p, has_text=False) == far.route(p, has_text=False)


READS = TextRouting(reach=Band(0.1, 0.9), open=Band(0.4, 0.6))
READ = Routing(Route.TEXT, AMBIGUOUS, TEXT)


@pytest.mark.parametrize(
    ("probability", "has_text", "expected"),
    [
        pytest.param(0.50, True, READ, id="ambiguous with text"),
        pytest.param(0.85, True, Routing(Route.TEXT, FREE_TEXT, TEXT), id="text could change it"),
        pytest.param(0.97, True, Routing(CLASSIFIER, CONFIDENT), id="text out of reach"),
        pytest.param(0.50, False, Routing(LLM, AMBIGUOUS, FIELDS), id="nothing to read"),
    ],
)
def test_where_there_is_a_text_model_it_reads_before_any_llm(
    probability: float, has_text: bool, expected: Routing
) -> None:
    policy = RoutingPolicy(Band(0.3, 0.7), NOTHING, BOTH, READS)
    assert policy.route(probability, has_text=has_text) == expected


@pytest.mark.parametrize(
    ("probability", "asks", "expected"),
    [
        pytest.param(0.50, BOTH, Routing(LLM, AMBIGUOUS, TEXT), id="left open"),
        pytest.param(0.70, BOTH, Routing(Route.TEXT, AMBIGUOUS), id="settled"),
        pytest.param(0.50, {FIELDS}, Routing(Route.TEXT, AMBIGUOUS), id="no LLM for texts"),
    ],
)
def test_only_what_the_text_model_leaves_open_goes_on_to_the_llm(
    probability: float, asks: set[EvidenceKind], expected: Routing
) -> None:
    policy = RoutingPolicy(Band(0.3, 0.7), EVERYTHING, frozenset(asks), READS)
    assert policy.after_reading(probability, READ) == expected


def test_a_policy_that_reads_survives_json() -> None:
    policy = RoutingPolicy(Band(0.2, 0.8), Band(0.1, 0.9), BOTH, READS)
    assert RoutingPolicy.from_json(policy.to_json()) == policy


def test_a_policy_survives_json() -> None:
    policy = RoutingPolicy(Band(0.3, 0.7), NOTHING, BOTH)
    assert RoutingPolicy.from_json(policy.to_json()) == policy
