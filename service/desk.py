"""Desk: what one worker does with a request, whoever brought it: parse, decide, record, reply."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

import orjson

from features.errors import ScoringError
from features.redaction_policy import RedactionPolicy
from models.errors import ReleaseNotFound
from service.audit.audit_api import AuditApi
from service.errors import MalformedRequest, StorageUnavailable, error_tree
from service.every import Every
from service.keys import KeyRing
from service.ledger_desk import LedgerDesk
from service.live_release import Live, LiveRelease
from service.metrics import Metrics
from service.only_once import OnlyOnce, answered_row
from service.openapi import lead_schema
from service.privacy import Keeping, privacy_notice
from service.recording.erasing import Erasing
from service.recording.outcomes import record_outcomes
from service.recording.record import Record, compact
from service.recording.recorder import Recorder
from service.schemas import BatchRequest, DecideRequest, ReportedOutcome, release_tree
from service.storage.database import iso
from service.storage.store import Claim, Store
from service.storage.subject_keys import StoredKeys
from service.witnessing import Witnessing

log = logging.getLogger("tiebreak.desk")

BATCH_AT_ONCE = 8  # leads of one batch in work at a time: the others' requests come in between


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: the id of an API key, and the idempotency key they named."""

    key_id: str
    claim: Claim | None = None


class Desk:
    """Everything one worker needs. Nothing here blocks the event loop."""

    def __init__(
        self,
        *,
        live: LiveRelease,
        store: Store,
        subjects: StoredKeys,
        keys: KeyRing,
        metrics: Metrics,
        witnessing: Witnessing | None = None,
        retention: Every | None = None,
        keeping: Keeping = Keeping(None),  # noqa: B008 it never changes
        is_priced: bool = False,
    ) -> None:
        self.live = live
        self.keys = keys
        self.metrics = metrics
        self._store = store
        self._subjects = subjects
        self._recorder = Recorder(store, subjects, is_priced=is_priced)
        self._only_once = OnlyOnce(store)
        self._witnessing = witnessing
        self._retention = retention
        self._keeping = keeping
        self.audit = AuditApi(store, subjects)
        self.ledger = LedgerDesk(store, Erasing(store, subjects))

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        self.keys.start()
        self.live.start(loop)
        for work in (self._witnessing, self._retention):
            if work is not None:
                work.start()

    async def close(self) -> None:
        await self.live.close()
        for part in (self._witnessing, self._retention, self.keys, self._store, self._subjects):
            if part is not None:
                await asyncio.to_thread(part.close)

    # -- decisions --------------------------------------------------------------------------

    async def decide(self, request: DecideRequest, caller: Caller) -> bytes:
        """The answer to one lead: JSON as in DecisionAnswer, durable.

        Raises:
            InvalidLead, ReleaseNotFound, StorageUnavailable, IdempotencyMismatch
        """
        if caller.claim is None:
            return await self._decide(request, caller)
        return await self._only_once.answer(caller.claim, lambda: self._decide(request, caller))

    async def decide_batch(self, request: BatchRequest, caller: Caller) -> bytes:
        """The answers to many leads, all on one release: JSON as in BatchAnswer, durable.

        Raises:
            ReleaseNotFound, StorageUnavailable, IdempotencyMismatch
        """
        if caller.claim is None:
            return await self._decide_batch(request, caller)
        work = lambda: self._decide_batch(request, caller)  # noqa: E731 read as in decide
        return await self._only_once.answer(caller.claim, work)

    async def _decide(self, request: DecideRequest, caller: Caller) -> bytes:
        with self._counted():
            record = await self._decided(self.live.current(), request)
            await self._keep([record], record.answer_bytes, caller)
        return record.answer_bytes

    async def _decide_batch(self, request: BatchRequest, caller: Caller) -> bytes:
        live = self.live.current()
        results: list[Record | ScoringError] = [MalformedRequest("", "")] * len(request.leads)
        places = iter(range(len(request.leads)))
        async with asyncio.TaskGroup() as group:
            for _ in range(BATCH_AT_ONCE):
                group.create_task(self._work_off(live, request, places, results))
        records = [result for result in results if isinstance(result, Record)]
        answer = compact(_batch_tree(results))
        with self._counted():
            for result in results:
                if isinstance(result, StorageUnavailable):
                    raise result
            await self._keep(records, answer, caller)
        return answer

    async def _work_off(
        self,
        live: Live,
        request: BatchRequest,
        places: Iterator[int],
        results: list[Record | ScoringError],
    ) -> None:
        for place in places:
            try:
                one = DecideRequest.of({"lead": request.leads[place], "reasons": request.reasons})
                results[place] = await self._decided(live, one)
            except ScoringError as error:
                results[place] = error
            await asyncio.sleep(0)  # other requests first

    async def _decided(self, live: Live, request: DecideRequest) -> Record:
        return await self._recorder.decide(live.release, live.decider, request)

    async def _keep(self, records: list[Record], answer: bytes, caller: Caller) -> None:
        now = iso(datetime.now(UTC))
        answered = answered_row(caller.claim, answer, now) if caller.claim else None
        await self._recorder.keep(records, key_id=caller.key_id, answered=answered)
        for record in records:
            seconds = record.latency_ms / 1000
            self.metrics.decided(record.decision, record.usage, seconds=seconds)

    @contextmanager
    def _counted(self) -> Iterator[None]:
        try:
            yield
        except StorageUnavailable:
            self.metrics.not_stored()
            raise

    # -- outcomes ---------------------------------------------------------------------------

    async def outcomes(self, items: list[object], caller: Caller) -> bytes:
        """What became of each outcome: JSON as in OutcomesAnswer, durable.

        Raises:
            StorageUnavailable
        """
        reported: dict[int, ReportedOutcome] = {}
        errors: dict[int, ScoringError] = {}
        for index, item in enumerate(items):
            try:
                reported[index] = ReportedOutcome.of(item)
            except MalformedRequest as error:
                errors[index] = error
        good = list(reported.values())
        record = partial(record_outcomes, reported=good, key_id=caller.key_id)
        result = await self._store.run(record)
        indices = list(reported)
        for place in result.unknown:
            fix = "Send the decision_id of an answer of this service."
            unknown = MalformedRequest("There is no such decision.", fix, field="decision_id")
            errors[indices[place]] = unknown
        for place in result.recorded:
            self.metrics.outcome(won=good[place].won)
        return compact(
            {
                "recorded": len(result.recorded),
                "unchanged": len(result.unchanged),
                "errors": [_item_error(index, errors[index]) for index in sorted(errors)],
            }
        )

    # -- what is live -----------------------------------------------------------------------

    def release(self) -> bytes:
        """Raises ReleaseNotFound."""
        live = self.live.current()
        return compact(release_tree(live.release, iso(live.since)))

    def privacy(self) -> bytes:
        """What is processed, where it goes, how long it stays. Raises ReleaseNotFound."""
        release = self.live.current().release
        policy = RedactionPolicy.shipped().allowing(release.spec.allow_list)
        return compact(privacy_notice(release, policy, self._keeping))

    def lead_schema(self) -> bytes:
        """JSON Schema of a lead of the live release. Raises ReleaseNotFound."""
        return orjson.dumps(lead_schema(self.live.current().release))

    def readiness(self) -> tuple[bool, dict[str, Any]]:
        """Whether a real lead was decided here, on which release, and what is wrong if anything.

        confirmed: MLflow says that it is the one; after a restart what was live last goes before.
        Until the API keys could be read, everybody would be refused: not ready either.
        """
        try:
            self.keys.known()
            live = self.live.current()
        except (ReleaseNotFound, StorageUnavailable) as error:
            return False, {"ready": False, "error": error_tree(error)}
        since = iso(live.since)
        problem = self.live.problem or (self._witnessing.problem if self._witnessing else None)
        tree = {"release": live.release.version, "live_since": since, "problem": problem}
        return True, {"ready": True, "confirmed": self.live.is_confirmed} | tree


def _batch_tree(results: list[Record | ScoringError]) -> dict[str, Any]:
    fragments = [
        orjson.Fragment(r.answer_bytes) if isinstance(r, Record) else None for r in results
    ]
    errors = [_item_error(i, r) for i, r in enumerate(results) if isinstance(r, ScoringError)]
    return {"decisions": fragments, "errors": errors}


def _item_error(index: int, error: ScoringError) -> dict[str, Any]:
    return {"index": index, **error_tree(error)}
