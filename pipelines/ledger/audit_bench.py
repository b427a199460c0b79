"""`tiebreak bench audit`: an audit's twenty questions, to a ledger of a million entries.

And how fast an auditor's own program checks an export of it, in each format.
"""

from __future__ import annotations

import asyncio
import random
import secrets
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from features.fingerprint import SubjectKey
from pipelines.audit_questions import QUESTIONS, AuditQuestion
from pipelines.display import Display
from pipelines.figure import Figure
from pipelines.ledger.appending import KEY
from pipelines.ledger.contenders import decision_fields
from pipelines.ledger.temporary_postgres import temporary_postgres
from service.audit.audit_api import PATHS, Asked
from service.audit.auditor import Auditor, Reader
from service.audit.exporting import Format
from service.audit.filters import Filters
from service.gateway import template
from service.ledger.draft import Draft
from service.ledger.log import Log
from service.ledger.proofs import head, proof_of
from service.ledger.verify import Auditor as Trusted
from service.ledger.verify import verify_export
from service.recording import entry
from service.recording.entry import Because, ErasedBecause, Kind, Purpose
from service.recording.erasing import Erasing
from service.recording.record import new_decision_id
from service.storage.sealing import bound_to, seal
from service.storage.store import Store
from service.storage.subject_keys import StoredKeys

BATCH = 2_000  # entries in one commit of the filling
DAYS = 90  # that the ledger covers
TRIES = 3  # of each question; the slowest counts
MOST_S = 1.0
VERIFIED_PER_S = 100_000
PERSON = {"email": "jane@acme.example"}
SECRET = b"s" * 32
RECOGNIZERS = ("NamedEntities", "Phones", "EmailRecognizer", "PostalAddresses")
TYPES = ("PERSON", "PHONE_NUMBER", "EMAIL_ADDRESS", "STREET_ADDRESS")


def bench_audit(display: Display, count: int, *, folder: Path, postgres: bool) -> list[Figure]:
    """How long each question takes, a proof, forgetting a person; and checking it all."""
    with ExitStack() as opened:
        scratch = opened.enter_context(tempfile.TemporaryDirectory(dir=folder))
        clock = _Clock(count)
        url, keys_url = f"sqlite:///{scratch}/ledger.db", f"sqlite:///{scratch}/keys.db"
        if postgres:
            server = opened.enter_context(temporary_postgres())
            url, keys_url = server.new_database(), server.new_database()
        log = Log(KEY, clock=clock)
        with closing(Store(url, log)) as store, closing(StoredKeys(keys_url, SECRET)) as keys:
            person = asyncio.run(keys.key(PERSON))
            asked = _fill(display, store, count, person, clock)
            figures = list(_ask(display, store, keys, asked, person))
            figures += _verify(display, store, keys, Path(scratch))
            return figures


class _Clock:
    """Runs through `DAYS` days while the ledger is filled, and is right at its end."""

    def __init__(self, count: int) -> None:
        self._start = datetime.now(UTC) - timedelta(days=DAYS)
        self._step = timedelta(days=DAYS) / count
        self.entries = 0

    def __call__(self) -> datetime:
        return min(self._start + self.entries * self._step, datetime.now(UTC))


def _fill(display: Display, store: Store, count: int, person: SubjectKey, clock: _Clock) -> str:
    """Fills the ledger; returns a decision about `person` for which an LLM was asked."""
    chance, cases = random.Random(0), _Cases()  # noqa: S311
    about_person = ""
    with display.bar("Filling the ledger", count) as advance:
        while clock.entries < count:
            drafts: list[Draft] = []
            while len(drafts) < min(BATCH, count - clock.entries):
                drafts += cases.next(chance)
            if not about_person and clock.entries > count // 2:
                asked = cases.asked(chance, person)
                about_person = str(asked[-1].about)
                drafts += asked
            with store.writing() as writing:
                writing.append(drafts)
            clock.entries += len(drafts)
            for _ in drafts:
                advance()
    return about_person


class _Cases:
    """Entries in the shares that a busy service has."""

    def __init__(self) -> None:
        self._plain = decision_fields()
        self._recent: list[str] = []

    def next(self, chance: random.Random) -> list[Draft]:
        draw = chance.random()
        if draw < 0.12 and self._recent:
            won = chance.random() < 0.3
            return [entry.outcome(chance.choice(self._recent), won=won, key_id="0a1b2c3d")]
        if draw < 0.13 and self._recent:
            named, because = chance.choice(self._recent), chance.choice(list(Because))
            return [entry.override(named, pursue=True, because=because, key_id="0a1b2c3d")]
        if draw < 0.135:
            return [entry.read("counts", "audit-key", filters={"of": "decisions"})]
        if draw < 0.137:
            return [
                entry.erasure(
                    secrets.token_hex(16), because=ErasedBecause.REQUEST, key_id="0a1b2c3d"
                )
            ]
        if draw < 0.3:
            return self.asked(chance, SubjectKey(secrets.token_hex(16), bytes(32)))
        return self._sure(chance, SubjectKey(secrets.token_hex(16), bytes(32)))

    def _sure(self, chance: random.Random, person: SubjectKey) -> list[Draft]:
        reason = "redaction_failed" if chance.random() < 0.001 else "confident"
        decided = self._decision(chance, reason, person)
        if reason == "confident":
            return [decided]
        failed = entry.failed_redaction(str(decided.about), Purpose.DECISION)
        return [failed.sealed_by(person), decided]

    def asked(self, chance: random.Random, person: SubjectKey) -> list[Draft]:
        """A redaction, a call and the decision that they were for."""
        decided = self._decision(chance, "ambiguous", person)
        named = str(decided.about)
        shown = {"shown": "Hello, (PERSON_1) here. Please send me a price list."}
        sealed = seal(person.secret, bound_to(Kind.REDACTION, named), shown)
        spans = [
            {
                "type": chance.choice(TYPES),
                "start": 10,
                "end": 20,
                "score": 0.85,
                "recognizer": chance.choice(RECOGNIZERS),
                "version": "1",
                "operator": "replace",
                "fingerprint": secrets.token_hex(16),
            }
            for _ in range(2)
        ]
        fields = {
            "question_id": named,
            "purpose": "decision",
            "subject": person.subject,
            "failed": False,
            "policy": "2026-11.3",
            "evidence": "text",
            "prompt": "5b5844cca41c",
            "spans": spans,
            "sealed": sealed,
        }
        call = {
            "question_id": named,
            "purpose": "decision",
            "call_id": new_decision_id(),
            "request_id": secrets.token_hex(8),
            "provider": "llm.example.com",
            "model": "small",
            "llm": "553c35816087",
            "status": 200,
            "cause": None if chance.random() < 0.98 else "timeout",
            "prompt_tokens": 300,
            "completion_tokens": 1,
            "latency_ms": 412.5,
        }
        return [
            Draft.of(Kind.REDACTION, named, fields),
            Draft.of(Kind.LLM_CALL, named, call),
            decided,
        ]

    def _decision(self, chance: random.Random, reason: str, person: SubjectKey) -> Draft:
        named = new_decision_id()
        asked = reason == "ambiguous"
        self._recent = [*self._recent[-200:], named]
        fields = self._plain | {
            "decision_id": named,
            "subject": person.subject,
            "release": str(1 + chance.randrange(6)),
            "reason": reason,
            "route": "llm" if asked else "classifier",
            "policy": "2026-11.3" if asked else None,
            "probability": chance.random(),
            "usage": {"prompt_tokens": 300, "completion_tokens": 1, "cost_usd": 0.0001},
        }
        if asked:
            said = {"win_probability": 0.7, "source": "logprobs", "latency_ms": 412.5}
            fields["llm"] = said | {"failure": None, "calls": 1}
            read: dict[str, Any] = {"row": "", "reasons": {"for": [], "against": []}}
            place = bound_to(Kind.DECISION, named)
            fields["sealed"] = seal(person.secret, place, read | {"evidence": None})
        return Draft.of(Kind.DECISION, named, fields)


def _ask(
    display: Display, store: Store, keys: StoredKeys, decided: str, person: SubjectKey
) -> Iterator[Figure]:
    auditor = Auditor(store, keys, Reader.at_the_machine())
    stand_ins = {"DECISION": decided, "SUBJECT": person.subject, "RECOGNIZER": RECOGNIZERS[0]}
    with display.bar("Asking", len(QUESTIONS) + 2) as advance:
        for number, question in enumerate(QUESTIONS, start=1):
            work = _answering(auditor, question, decided, stand_ins)
            yield _slowest(f"{number}. {question.asks}", work)
            advance()

        def prove() -> None:
            with store.reading() as connection:
                proof_of(connection, 123_456 % head(connection).size)

        yield replace(_slowest("proof of one entry", prove), target=0.2)
        advance()
        erasing = Erasing(store, keys)
        because = ErasedBecause.REQUEST

        def forget() -> None:
            erasing.erase(erasing.about(PERSON), because=because, key_id="bench")

        yield _slowest("forgetting one person", forget)
        advance()


def _answering(
    auditor: Auditor, question: AuditQuestion, decided: str, stand_ins: dict[str, str]
) -> Callable[[], object]:
    if not question.endpoint:
        return lambda: auditor.verify(KEY.verifier, None, quickly=True)
    endpoint = question.endpoint
    for name, value in stand_ins.items():
        endpoint = endpoint.replace(name, value)
    path, _, query = endpoint.partition("?")
    name, _ = template(path)
    body = b'{"decision_id": "%s", "open": true}' % decided.encode()
    asked = Asked(decided, query, body if PATHS[name].max_bytes else b"")
    return lambda: PATHS[name].answer(auditor, asked)


def _verify(display: Display, store: Store, keys: StoredKeys, scratch: Path) -> Iterator[Figure]:
    auditor = Auditor(store, keys, Reader.at_the_machine())
    for form in Format:
        folder = scratch / form
        with display.stage(f"Exporting and verifying {form}"):
            done = auditor.export(folder, Filters(), form)
            started, worked = time.perf_counter(), time.process_time()
            report = verify_export(folder, Trusted(KEY.verifier))
            took, work = time.perf_counter() - started, time.process_time() - worked
        if not report.holds:
            raise AssertionError(report.text())
        yield Figure(f"verification, {form}", done.entries / took, "entries/s", VERIFIED_PER_S)
        yield Figure(f"verification, {form}, own CPU", done.entries / work, "entries/s of CPU")


def _slowest(name: str, work: Callable[[], object]) -> Figure:
    took = []
    for _ in range(TRIES):
        started = time.perf_counter()
        work()
        took.append(time.perf_counter() - started)
    return Figure(name, max(took), "s", MOST_S, at_most=True)
