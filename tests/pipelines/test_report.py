"""A decision card says who was heard beside the columns, and how far that moved the answer."""

from __future__ import annotations

from typing import Any

import pytest

from models.band import NOTHING
from models.decision import Decision, FeatureReason, Route, RouteReason
from models.routing import RoutingPolicy
from models.verdict import Verdict, VerdictSource
from pipelines.report import show_decision
from service.schemas import answer_tree
from tests.small_release import small_release

VERDICT = Verdict(0.9, VerdictSource.LOGPROBS, None, 80, 1, None, 0.4, None, ())
READ: dict[str, Any] = {"route": Route.TEXT, "text_log_odds": -1.5}
HEARD: dict[str, Any] = {"route": Route.LLM, "verdict": VERDICT}


@pytest.mark.parametrize(
    ("heard", "who"),
    [
        (READ, "what the lead wrote, read by the text model, moved"),
        (HEARD, "the LLM moved"),
        (READ | HEARD, "what the lead wrote, read by the text model and the LLM, moved"),
    ],
)
def test_who_was_heard_beside_the_columns_is_said_with_how_far_that_moved_the_answer(
    heard: dict[str, Any],
    who: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    card = shown(heard, monkeypatch, capsys)
    assert f"classifier 0.500; {who} the log-odds by -1.10" in card
    assert "for: Employees = 45 (+0.50)" in card
    assert ("the LLM saw it" in card) is ("verdict" in heard)
    each = "by itself the text model said 0.182, the LLM 0.900"
    assert (each in card) is (heard == READ | HEARD)


def test_where_the_columns_settled_it_nobody_else_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "moved" not in shown({"route": Route.CLASSIFIER}, monkeypatch, capsys)


def shown(
    heard: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> str:
    """The card of a lead whose columns say 0.5, and which got 0.25."""
    monkeypatch.setenv("COLUMNS", "200")
    reasons = (FeatureReason("Employees", 45.0, 0.5),)
    decision = Decision(0.25, 0.5, reason=RouteReason.AMBIGUOUS, reasons=reasons, **heard)
    release = small_release(RoutingPolicy(NOTHING, NOTHING, frozenset()))
    versions = {"versions": {"release": "7"}}
    show_decision(answer_tree(decision, release, {}) | versions | {"decision_id": "an id"})
    return capsys.readouterr().out
