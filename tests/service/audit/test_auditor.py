"""What an auditor is told, and that the asking is on the record first."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from filled_ledger import JANE, KEY_ID, Filled
from sqlalchemy import select

from service.audit import counting
from service.audit.auditor import Reader
from service.audit.counting import SOURCES, Counting
from service.audit.filters import Filters
from service.errors import KeyDestroyed, MalformedRequest, NoSuchEntry, NotAllowed
from service.keys import ApiKey, Role
from service.storage.tables import entries

SOMETIME = {"since": "2000-01-01", "until": "2999-01-01T00:00:00Z"}


def reads(filled: Filled) -> list[dict[str, Any]]:
    query = select(entries.c.body).where(entries.c.kind == "read").order_by(entries.c.seq)
    with filled.store.reading() as connection:
        return [orjson.loads(body) for body in connection.scalars(query)]


def found(filled: Filled, most: int = 100, **filters: str) -> list[dict[str, Any]]:
    page = filled.auditor.entries(Filters.parse(filters), after=None, most=most, newest_first=False)
    return [one.tree for one in page.entries]


@pytest.mark.parametrize(
    ("filters", "kinds"),
    [
        ({"kind": "release"}, ["release"]),
        ({"kind": "release", "release": "8"}, []),
        ({"route": "llm"}, ["decision", "decision"]),
        ({"reason": "llm_unavailable"}, ["decision"]),
        ({"reason": "llm_unavailable", "kind": "llm_call"}, ["llm_call"]),
        ({"entity_type": "PERSON"}, ["redaction"]),
        ({"entity_type": "PERSON", "kind": "decision"}, ["decision"]),
        ({"entity_type": "EMAIL_ADDRESS", "route": "classifier"}, []),
        ({"recognizer": "Test", "policy": "policy-1"}, ["redaction"] * 3),
        ({"entity_type": "IBAN_CODE"}, []),
        ({"cause": "timeout"}, ["llm_call"]),
        ({"kind": "outcome", "release": "7"}, ["outcome"]),
        ({"key": KEY_ID, "kind": "override"}, ["override"]),
        ({"release": "7", **SOMETIME}, ["promotion", "release", *["decision"] * 4]),
        ({"release": "8"}, []),
        ({"release": "7", "key": "command"}, ["promotion"]),
        ({"release": "7", "route": "llm"}, ["decision"] * 2),
        ({"release": "7", "entity_type": "PERSON"}, ["decision"]),
        ({"release": "7", "policy": "policy-1", "latest": "true"}, ["decision"] * 2),
        ({"until": "2000-01-01"}, []),
        ({"since": "2999-01-01"}, []),
    ],
)
async def test_entries_are_found_by_what_they_or_their_decision_say(
    filled: Filled, filters: dict[str, str], kinds: list[str]
) -> None:
    assert [tree["kind"] for tree in found(filled, **filters)] == kinds


async def test_a_subject_finds_all_that_is_about_them(filled: Filled) -> None:
    (subject,) = filled.keys.subjects(JANE)
    kinds = [tree["kind"] for tree in found(filled, subject=subject)]
    assert kinds == ["decision", "redaction", "llm_call", "decision", "outcome", "override"]


async def test_what_a_key_did_is_all_found(filled: Filled) -> None:
    kinds = {tree["kind"] for tree in found(filled, key=KEY_ID)}
    assert kinds >= {"decision", "outcome", "override", "erasure"}


async def test_more_rows_than_one_answer_holds_are_refused_and_not_cut(
    filled: Filled, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "MOST_ROWS", 2)
    with pytest.raises(MalformedRequest, match="Narrow it"):
        filled.auditor.counts(Counting.parse("entries", "kind", None, Filters()))


@pytest.mark.parametrize(
    ("by", "fix"),
    [
        ("jane", "Name some of these, with commas between: release, route, reason, policy, key."),
        ("entity_type,policy", "What is counted by this: spans."),
    ],
)
def test_what_can_be_counted_by_is_said_to_who_names_something_else(by: str, fix: str) -> None:
    with pytest.raises(MalformedRequest, match=r"Decisions are not counted by this\.") as refused:
        Counting.parse("decisions", by, None, Filters())
    assert refused.value.fix.endswith(fix)
    assert "jane" not in str(refused.value)


async def test_the_latest_entry_of_each_decision_can_be_asked_for(filled: Filled) -> None:
    latest = found(filled, latest="true")
    by_id = {t.get("decision_id") or t["question_id"]: t["kind"] for t in latest}
    assert len(latest) == len(by_id) == 5
    assert by_id[filled.ids["asked"]] == "override"


async def test_pages_skip_nothing_and_repeat_nothing(filled: Filled) -> None:
    for newest_first in (False, True):
        seen: list[int] = []
        after: int | None = None
        while True:
            page = filled.auditor.entries(
                Filters(key=KEY_ID), after=after, most=2, newest_first=newest_first
            )
            seen += [one.seq for one in page.entries]
            after = page.after
            if after is None:
                break
        assert len(seen) == 7
        assert seen == sorted(set(seen), reverse=newest_first)


async def test_every_question_is_an_entry_before_its_answer(filled: Filled) -> None:
    filled.auditor.sent(filled.ids["asked"])
    found(filled, kind="decision", release="7")
    filled.auditor.counts(Counting.parse("decisions", "route", "day", Filters()))
    first, second, third = reads(filled)
    assert (first["question"], first["decision_id"]) == ("sent", filled.ids["asked"])
    assert second["filters"] == {"kind": "decision", "release": "7"}
    assert third["filters"] == {"of": "decisions", "by": ["route"], "per": "day"}
    assert {read["key"] for read in (first, second, third)} == {"command"}


async def test_what_cannot_be_written_down_is_not_answered(
    filled: Filled, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("service.storage.writing.project", broken)
    with pytest.raises(Exception, match="cannot be used"):
        filled.auditor.sent(filled.ids["asked"])
    assert reads(filled) == []


async def test_an_auditor_sees_what_the_llm_was_shown(filled: Filled) -> None:
    opened = filled.auditor.sent(filled.ids["asked"])
    (text,), (call,) = opened["sent"], opened["calls"]
    assert (text["shown"], text["prompt"], text["policy"]) == ("redacted", "p1", "policy-1")
    assert (call["provider"], call["model"], call["status"]) == ("embedded", "m", 200)
    decision = opened["decision"]
    assert decision["evidence"] == "asks for the price"
    assert decision["versions"]["llm"] == "4"
    assert len(decision["row"]) == 4
    assert filled.auditor.sent(filled.ids["sure"])["sent"] == []
    assert filled.auditor.sent(filled.ids["training"])["decision"] is None


async def test_what_was_erased_cannot_be_opened_and_the_attempt_is_on_record(
    filled: Filled,
) -> None:
    with pytest.raises(KeyDestroyed):
        filled.auditor.sent(filled.ids["gone"])
    assert reads(filled)[-1]["decision_id"] == filled.ids["gone"]
    (erased,) = filled.auditor.about_decision(filled.ids["gone"], opens=True)["subjects"]
    assert not erased["can_be_opened"]
    assert erased["counts"] == {"decision": 1, "erasure": 1, "llm_call": 1, "redaction": 1}


async def test_all_about_a_person_is_found_by_their_address(filled: Filled) -> None:
    filled.auditor.sent(filled.ids["asked"])
    (jane,) = filled.auditor.about_contacts(JANE, opens=True)["subjects"]
    assert jane["counts"] == {
        "decision": 2,
        "llm_call": 1,
        "outcome": 1,
        "override": 1,
        "redaction": 1,
    }
    assert jane["recipients"] == [{"provider": "embedded", "model": "m", "calls": 1}]
    assert [e["opened"] for e in jane["entries"] if e["kind"] == "redaction"] == [
        {"shown": "redacted"}
    ]
    assert [read["question"] for read in jane["read_by"]] == ["sent", "about"]
    assert filled.auditor.about_contacts({"Email": "nobody@acme.com"}) == {"subjects": []}


async def test_no_contact_value_gets_into_the_ledger_by_a_question(filled: Filled) -> None:
    filled.auditor.about_contacts(JANE)
    for name in ("subject", "release", "recognizer", "provider", "key", "decision_id", "reason"):
        with pytest.raises(MalformedRequest) as refused:
            Filters.parse({name: "jane@acme.com"})
        assert "jane" not in str(refused.value)
    with filled.store.reading() as connection:
        bodies = b"".join(connection.scalars(select(entries.c.body)))
    assert b"acme" not in bodies


async def test_counts_and_trends(filled: Filled) -> None:
    def count(of: str, by: str = "", per: str | None = None) -> list[dict[str, Any]]:
        return filled.auditor.counts(Counting.parse(of, by, per, Filters.parse(SOMETIME)))

    assert count("decisions", "route") == [
        {"route": "classifier", "decisions": 2},
        {"route": "llm", "decisions": 2},
    ]
    (today,) = count("spans", "entity_type", "month")[:1]
    assert (today["entity_type"], today["spans"], today["texts"]) == ("EMAIL_ADDRESS", 4, 2)
    (costs,) = count("costs", "release")
    assert (costs["prompt_tokens"], costs["of_unknown_cost"]) == (420, 3)
    (override,) = count("overrides", "because,release")
    assert (override["because"], override["against_the_score"]) == ("knows_more", 1)
    (outcome,) = count("outcomes", "route")
    assert (outcome["share_won"], outcome["brier"]) == (1, pytest.approx(0.0625))
    reads = count("reads", "key,question")
    assert reads == [{"key": "command", "question": "counts", "reads": 6}]


@pytest.mark.parametrize("of", list(SOURCES))
async def test_everything_can_be_counted_by_everything_that_is_offered(
    filled: Filled, of: Any
) -> None:
    names = (*SOURCES[of].by, *SOURCES[of].also)
    for per in ("hour", "day", None):
        rows = filled.auditor.counts(Counting.parse(of, ",".join(names), per, Filters()))
        assert all(set(names) <= row.keys() for row in rows)
    with pytest.raises(MalformedRequest):
        Counting.parse(of, "shoe_size", None, Filters())


async def test_only_auditors_and_admins_may_ask() -> None:
    for role in Role:
        key = ApiKey("0a1b2c3d", "n", role, "2026-01-01T00:00:00.000Z")
        if role in (Role.AUDIT, Role.ADMIN):
            assert Reader.with_key(key).key_id == key.id
        else:
            with pytest.raises(NotAllowed):
                Reader.with_key(key)


async def test_an_unknown_decision_is_said_to_be_unknown(filled: Filled) -> None:
    for ask in (filled.auditor.sent, filled.auditor.decision, filled.auditor.about_decision):
        with pytest.raises(NoSuchEntry):
            ask("00000000-0000-4000-8000-000000000000")
        with pytest.raises(MalformedRequest):
            ask("jane@acme.com")
