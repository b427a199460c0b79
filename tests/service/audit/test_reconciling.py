"""What does not pair is found, and what pairs raises no alarm."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from filled_ledger import KEY_ID, Filled
from service_fakes import BY_TEXT, LEDGER_KEY, FakeDecider, small_release
from sqlalchemy import delete, select, update

from service.audit.filters import Filters
from service.errors import AlreadyAnswered
from service.ledger.draft import Draft
from service.only_once import answered_row, claim
from service.recording.recorder import Recorder
from service.schemas import DecideRequest
from service.storage.database import iso
from service.storage.tables import decisions, entries, llm_calls, redacted_spans, redactions


def findings(filled: Filled, provider_log: Path | None = None) -> list[str]:
    return filled.auditor.reconcile(provider_log, Filters()).findings


def call_ids(filled: Filled) -> list[tuple[str, str | None]]:
    with filled.store.reading() as connection:
        rows = connection.execute(select(llm_calls.c.call_id, llm_calls.c.cause))
        return [(row.call_id, row.cause) for row in rows]


async def test_a_whole_ledger_pairs(filled: Filled) -> None:
    report = filled.auditor.reconcile(None, Filters())
    assert (report.findings, report.pairs) == ([], True)
    assert report.counts["decision"] == 4
    assert report.counts["read"] == 1


async def test_what_left_pairs_though_another_worker_was_first_with_the_answer(
    filled: Filled,
) -> None:
    release, recorder = small_release(), Recorder(filled.store, filled.keys)
    request = DecideRequest({"Message": BY_TEXT})
    first, second = [
        await recorder.decide(release, FakeDecider(release), request) for _ in range(2)
    ]
    row = answered_row(claim(KEY_ID, "k", "/decide", b""), b"{}", iso(datetime.now(UTC)))
    await recorder.keep([first], key_id=KEY_ID, answered=row)
    with pytest.raises(AlreadyAnswered):
        await recorder.keep([second], key_id=KEY_ID, answered=row)
    report = filled.auditor.reconcile(None, Filters())
    assert (report.findings, report.notes) == ([], [])
    assert report.counts["decision"] == 6


async def test_progress_adds_up_to_all_entries_and_the_question_itself(filled: Filled) -> None:
    steps: list[int] = []
    for ask in (
        lambda: filled.auditor.reconcile(None, Filters(), steps.append),
        lambda: filled.auditor.verify(LEDGER_KEY.verifier, None, step=steps.append),
    ):
        all_of_them = filled.auditor.size() + 1
        steps.clear()
        ask()
        assert sum(steps) == all_of_them


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("decision", "interrupted"),
        ("redaction", "should have"),
        ("llm_call", "calls to the LLM"),
        ("outcome", ""),
    ],
)
async def test_an_entry_taken_away_leaves_its_pair_alone(
    filled: Filled, kind: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.audit.reconciling.IN_FLIGHT", timedelta(0))
    with filled.store.writing() as writing:
        gone = (entries.c.about == filled.ids["asked"]) & (entries.c.kind == kind)
        writing.connection.execute(delete(entries).where(gone))
        for table in (decisions, llm_calls, redactions):
            if kind == table.name.removesuffix("s"):
                mine = table.c.id if table is decisions else table.c.about
                writing.connection.execute(delete(table).where(mine == filled.ids["asked"]))
    found = findings(filled)
    assert found
    assert any(said in sentence for sentence in found), found


async def test_a_table_that_says_something_else_than_the_entries_is_found(filled: Filled) -> None:
    with filled.store.writing() as writing:
        writing.connection.execute(update(decisions).values(probability=0.123))
        writing.connection.execute(delete(redacted_spans))
    found = findings(filled)
    assert sum("table decisions" in sentence for sentence in found) == 4
    assert sum("table redacted_spans" in sentence for sentence in found) == 3


async def test_an_erasure_whose_key_is_back_is_found(filled: Filled) -> None:
    (subject,) = filled.keys.subjects({"Email": "joe@acme.com"})
    fields = {"subject": subject, "because": "request", "key": "k"}
    with filled.store.writing() as writing:
        writing.append([Draft.of("erasure", None, fields)])
    assert ["still there" in sentence for sentence in findings(filled)] == [True]


async def test_a_key_that_went_without_an_entry_is_found(filled: Filled) -> None:
    filled.keys.destroy(filled.keys.subjects({"Email": "joe@acme.com"}))
    assert ["no entry says" in sentence for sentence in findings(filled)] == [True]


@pytest.mark.parametrize("form", ["csv", "jsonl"])
async def test_the_providers_log_is_compared_both_ways(
    filled: Filled, tmp_path: Path, form: str
) -> None:
    log = tmp_path / f"log.{form}"

    def write(ids: list[str]) -> None:
        if form == "csv":
            rows = "".join(f",{i}\n" for i in ids)
            log.write_text(f"X-Request-Id,X-Client-Request-Id\n{rows}")  # one of them is empty
        else:
            lines = (f'{{"request_id": null, "client_request_id": "{i}"}}\n' for i in ids)
            log.write_text("\n" + "".join(lines))

    answered = [call for call, cause in call_ids(filled) if cause is None]
    write(answered)
    assert findings(filled, log) == []
    write([*answered[1:], "someone-elses"])
    assert [sentence.split()[3] for sentence in findings(filled, log)] == ["does", "has"]
