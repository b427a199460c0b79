"""What is asked of an LLM in training leaves as much of a record as for a decision."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from typing import Any

import httpx2
import orjson
import pytest
from held_database import held_database
from service_fakes import SPEC, classifier, store_at, subjects_beside
from sqlalchemy import select

from features.fingerprint import SubjectKey
from features.lead import Lead
from features.redaction import RedactedText
from models.errors import LlmUnavailable
from models.prompt import EvidenceKind
from pipelines.verdicts import Witness, ask_about
from service.audit.auditor import Auditor, Reader
from service.audit.filters import Filters
from service.errors import StorageUnavailable
from service.recording.entry import Kind, Purpose
from service.recording.question_record import QuestionRecord
from service.storage.sealing import bound_to, open_sealed
from service.storage.store import Store
from service.storage.subject_keys import StoredKeys
from service.storage.tables import entries
from tests.fakes import BrokenRedactor, Wire, completion, judge, redacted

SOON = timedelta(milliseconds=50)
JANE = {"Email": "jane@acme.com"}
YES = completion({" yes": 0.9, " no": 0.1})


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    with closing(store_at(database_url, busy_timeout=SOON)) as opened:
        yield opened


@pytest.fixture
def subjects(database_url: str) -> Iterator[StoredKeys]:
    with closing(subjects_beside(database_url)) as opened:
        yield opened


def ask(store: Store, subjects: StoredKeys, wire: Wire) -> None:
    async def run() -> None:
        record, llm = QuestionRecord(store, subjects), judge(wire)
        try:
            key = await record.key(JANE)
            evidence = redacted("call me at jane@acme.com", key)
            await record.asked(llm, evidence, EvidenceKind.TEXT, key)
        finally:
            await llm.close()

    asyncio.run(run())


def written(store: Store) -> list[dict[str, Any]]:
    with store.reading() as connection:
        bodies = connection.scalars(select(entries.c.body).order_by(entries.c.seq))
        return [orjson.loads(body) for body in bodies]


def test_what_leaves_in_training_is_in_the_log_exactly(store: Store, subjects: StoredKeys) -> None:
    wire = Wire(YES)
    ask(store, subjects, wire)
    redaction, call = written(store)
    assert (redaction["kind"], call["kind"]) == (Kind.REDACTION, Kind.LLM_CALL)
    assert redaction["question_id"] == call["question_id"]
    assert (redaction["purpose"], call["purpose"]) == (Purpose.TRAINING, Purpose.TRAINING)
    assert [span["type"] for span in redaction["spans"]] == ["EMAIL_ADDRESS"]
    key = subjects.find(redaction["subject"])
    assert key is not None
    place = bound_to(Kind.REDACTION, redaction["question_id"])
    shown = open_sealed(key.secret, place, redaction["sealed"])["shown"]
    assert shown in wire.bodies[0]["prompt"]
    assert "jane" not in shown
    assert wire.requests[0].headers["x-client-request-id"] == call["call_id"]


def test_a_call_that_failed_is_in_the_log_too(store: Store, subjects: StoredKeys) -> None:
    with pytest.raises(LlmUnavailable):
        ask(store, subjects, Wire(httpx2.Response(401)))
    redaction, call = written(store)
    assert (call["status"], call["cause"]) == (401, "http_401")
    assert redaction["question_id"] == call["question_id"]


def test_nothing_leaves_in_training_that_cannot_be_written_down(
    store: Store, subjects: StoredKeys, database_url: str
) -> None:
    assert written(store) == []
    wire = Wire(YES)
    with held_database(database_url), pytest.raises(StorageUnavailable):
        ask(store, subjects, wire)
    assert wire.requests == []


def test_a_text_of_training_that_cannot_be_redacted_stays_here_and_is_on_record(
    store: Store, subjects: StoredKeys
) -> None:
    wire = Wire(YES)
    lead = Lead.parse(SPEC, {"Message": "call me at jane@acme.com", **JANE})
    asked = ask_about(
        [lead, Lead.parse(SPEC, JANE)],
        [(0, EvidenceKind.TEXT), (1, EvidenceKind.TEXT)],
        witness=Witness(BrokenRedactor(), classifier().encoder, ()),  # type: ignore[arg-type]
        open_judge=lambda: judge(wire),
        record=QuestionRecord(store, subjects),
        concurrency=1,
    )
    assert asked.failures == {"redaction_failed": 1, "no_evidence": 1}
    assert wire.requests == []
    (entry,) = written(store)  # what says nothing was never to be shown: no entry
    assert (entry["kind"], entry["failed"], entry["purpose"]) == ("redaction", True, "training")
    assert [entry["subject"]] == subjects.subjects(JANE)
    assert (entry["sealed"], entry["spans"]) == (None, [])
    auditor = Auditor(store, subjects, Reader.at_the_machine())
    page = auditor.entries(Filters(failed=True), after=None, most=9, newest_first=False)
    assert [found.tree for found in page.entries] == [entry]
    assert auditor.reconcile(None, Filters()).pairs


class EmailRedactor:
    def redact(self, text: str, contacts: object, key: SubjectKey | None) -> RedactedText:  # noqa: ARG002
        return redacted(text, key)


def test_a_question_without_a_verdict_is_still_one_that_was_sent_and_billed(
    store: Store, subjects: StoredKeys
) -> None:
    lead = Lead.parse(SPEC, {"Message": "call me at jane@acme.com", **JANE})
    asked = ask_about(
        [lead],
        [(0, EvidenceKind.TEXT)],
        witness=Witness(EmailRedactor(), classifier().encoder, ()),  # type: ignore[arg-type]
        open_judge=lambda: judge(Wire(completion({" maybe": 1.0}))),
        record=QuestionRecord(store, subjects),
        concurrency=1,
    )
    assert sum(asked.failures.values()) == 1
    (call,) = asked.lost
    assert (call.status, call.prompt_tokens, call.completion_tokens) == (200, 100, 10)
