"""What was read of a lead is shown to an auditor in words, or as what it is."""

from __future__ import annotations

from typing import Any

import pytest
from filled_ledger import Filled
from service_fakes import small_release

from pipelines.audit_report import show_person, show_sent

IN_NO_ENTRY = "neither it nor its redaction is on record"
pytestmark = pytest.mark.usefixtures("wide")


@pytest.fixture
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")


async def test_a_row_is_shown_by_the_columns_of_its_release(
    filled: Filled, capsys: pytest.CaptureFixture[str]
) -> None:
    encoder = small_release().classifier.encoder
    show_sent(filled.auditor.sent(filled.ids["sure"]), lambda _: encoder)
    about = filled.auditor.about_decision(filled.ids["sure"], opens=True)
    sent = capsys.readouterr().out
    assert "  Visits = 3\n" in sent
    assert "classifier probability: 0." in sent
    show_person(about, lambda _: encoder)
    person = capsys.readouterr().out
    assert "what was read of the lead:" in person
    assert "    Visits = 3\n" in person
    assert "redaction, shown: redacted" in person
    assert not [row for row in _rows(about) if row in person]  # base64 says nothing to a reader


async def test_a_typical_value_is_never_taken_for_what_the_lead_said(
    filled: Filled, capsys: pytest.CaptureFixture[str]
) -> None:
    encoder = small_release().classifier.encoder
    opened = filled.auditor.sent(filled.ids["sure"])

    def shown(**data: list[str]) -> str:
        opened["decision"]["data"] |= data
        show_sent(opened, lambda _: encoder)
        return capsys.readouterr().out

    first = encoder.features[encoder.names.index("Lead Source")].categories[0]
    sent = shown()
    assert "  Visits = 3\n" in sent
    assert f"  Lead Source = not given, so the typical {first} stands in\n" in sent
    sent = shown(missing=[], unknown_categories=["Lead Source"])
    assert f"  Lead Source = not known to training, so the typical {first} stands in\n" in sent
    assert f"  Lead Source = {first}\n" in shown(unknown_categories=[])
    show_person(filled.auditor.about_decision(filled.ids["asked"], opens=True), lambda _: encoder)
    assert "    Visits = not given, so the typical 9 stands in\n" in capsys.readouterr().out


async def test_that_a_text_model_read_a_text_is_said_with_where_its_redaction_is(
    filled: Filled, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("sure", "asked"):
        sent = filled.auditor.sent(filled.ids[name])
        about = filled.auditor.about_decision(filled.ids[name])
        (decided,) = (
            tree
            for tree in _entries(about)
            if (tree["kind"], tree.get("decision_id")) == ("decision", sent["decision_id"])
        )
        for decision in (sent["decision"], decided):
            assert decision["text_log_odds"] is None
        show_sent(sent, lambda _: None)
        show_person(about, lambda _: None)
        assert "text model" not in capsys.readouterr().out
        for decision in (sent["decision"], decided):
            decision["text_log_odds"] = -0.81
        left = [text["at"] for text in sent["sent"]]
        says = f"as far as its prompt has room: redaction of {left[0]}" if left else IN_NO_ENTRY
        line = "read by the text model here, redacted: it said log-odds -0.810; "
        show_sent(sent, lambda _: None)
        assert f"\n{line}" in (shown := capsys.readouterr().out)
        assert says in shown
        show_person(about, lambda _: None)
        assert f"\n{decided['at']} decision, {line}" in (shown := capsys.readouterr().out)
        assert says in shown


async def test_a_row_of_a_release_that_is_gone_is_said_to_be_numbers_without_names(
    filled: Filled, capsys: pytest.CaptureFixture[str]
) -> None:
    show_sent(filled.auditor.sent(filled.ids["sure"]), lambda _: None)
    sent = capsys.readouterr().out
    assert "row: 3, " in sent
    assert "their columns are not named, for MLflow does not give release 7" in sent


async def test_what_is_sealed_stays_so_unless_it_was_opened(
    filled: Filled, capsys: pytest.CaptureFixture[str]
) -> None:
    show_person(filled.auditor.about_decision(filled.ids["sure"]), lambda _: None)
    assert "row" not in capsys.readouterr().out


def _entries(about: dict[str, Any]) -> list[dict[str, Any]]:
    return [entry for subject in about["subjects"] for entry in subject["entries"]]


def _rows(about: dict[str, Any]) -> list[str]:
    return [
        opened["row"] for entry in _entries(about) if "row" in (opened := entry.get("opened", {}))
    ]
