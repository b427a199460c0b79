"""A small ledger with every kind of entry in it, made by the real service."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from service_fakes import (
    BY_BROKEN_LLM,
    BY_TEXT,
    FakeDecider,
    small_release,
    store_at,
    subjects_beside,
)

from features.fingerprint import SubjectKey
from models.cascade import Leaving
from models.decision import Redaction
from models.prompt import EvidenceKind
from models.registry import Move
from models.verdict import LlmCall
from service.audit.auditor import Auditor, Reader
from service.recording import entry
from service.recording.entry import Because, ErasedBecause, MovedBecause, Purpose
from service.recording.erasing import Erasing
from service.recording.outcomes import record_outcomes
from service.recording.overriding import Override, record_override
from service.recording.record import new_decision_id
from service.recording.recorder import Recorder
from service.recording.release_change import record_promotion, record_release
from service.schemas import DecideRequest, ReportedOutcome
from service.storage.store import Store
from service.storage.subject_keys import StoredKeys
from service.storage.unit import Unit

JANE = {"Email": "jane@acme.com"}
KEY_ID = "0a1b2c3d"


@dataclass
class Filled:
    """ids: of decisions, by what became of the lead."""

    store: Store
    keys: StoredKeys
    auditor: Auditor
    ids: dict[str, str] = field(default_factory=dict)

    def forget(self, decision_id: str) -> None:
        erasing = Erasing(self.store, self.keys)
        subjects = erasing.of_decision(decision_id)
        erasing.erase(subjects, because=ErasedBecause.REQUEST, key_id=KEY_ID)


@asynccontextmanager
async def filled_ledger(url: str) -> AsyncIterator[Filled]:
    """Four decisions, one erased; an outcome, an override, a question of training."""
    store, keys = store_at(url), subjects_beside(url)
    filled = Filled(store, keys, Auditor(store, keys, Reader.at_the_machine()))
    try:
        await _fill(filled)
        yield filled
    finally:
        store.close()
        keys.close()


async def _fill(filled: Filled) -> None:
    store, keys, release = filled.store, filled.keys, small_release()
    record_promotion(store, Move(None, release.version), MovedBecause.TRAINING)
    record_release(store, release)
    recorder, decider = Recorder(store, keys, is_priced=True), FakeDecider(release)
    for name, lead in {
        "sure": {"Visits": 3, **JANE},
        "asked": {"Message": BY_TEXT, **JANE},
        "down": {"Message": BY_BROKEN_LLM, "Email": "joe@acme.com"},
        "gone": {"Message": BY_TEXT, "Email": "gone@acme.com"},
    }.items():
        record = await recorder.decide(release, decider, DecideRequest(lead))
        await recorder.keep([record], key_id=KEY_ID)
        filled.ids[name] = record.id
    await _question_of_training(filled)
    with store.writing() as writing:
        record_outcomes(writing, [ReportedOutcome(filled.ids["asked"], won=True)], KEY_ID)
        override = Override(filled.ids["asked"], pursue=False, because=Because.KNOWS_MORE)
        record_override(writing, override, KEY_ID)
    filled.forget(filled.ids["gone"])


async def _question_of_training(filled: Filled) -> None:
    key: SubjectKey = await filled.keys.key({"Email": "old@acme.com"})
    question = new_decision_id()
    redaction = Redaction("policy-1", key.subject, ())
    leaving = Leaving("an old lead", "p1", EvidenceKind.TEXT, redaction)
    asked = entry.redaction(leaving, key, question, Purpose.TRAINING)
    call = LlmCall(new_decision_id(), 200, None, "req-1")
    draft = entry.llm_call(call, small_release().llm, question, Purpose.TRAINING)
    await filled.store.append(Unit([asked, draft]))
    filled.ids["training"] = question
