"""Recorder: decides leads so that each decision, and all that left for it, is in the ledger."""

from __future__ import annotations

import time
from collections.abc import Sequence

from features.lead import Lead
from models.release import Release
from service.errors import AlreadyAnswered
from service.live_release import Decider
from service.recording.outbox import DurableOutbox
from service.recording.record import Record, new_decision_id
from service.schemas import DecideRequest
from service.storage.store import Store
from service.storage.subject import Subject
from service.storage.subject_keys import StoredKeys
from service.storage.tables import Row
from service.storage.unit import Unit


class Recorder:
    """Of one process. `is_priced`: what the LLM's tokens cost is configured."""

    def __init__(self, store: Store, subjects: StoredKeys, *, is_priced: bool = False) -> None:
        self._store = store
        self._subjects = subjects
        self._is_priced = is_priced

    async def decide(self, release: Release, decider: Decider, request: DecideRequest) -> Record:
        """The decision on one lead. What left for it is durable; `keep` makes the rest so.

        Raises:
            InvalidLead, StorageUnavailable
        """
        started = time.perf_counter()
        lead = Lead.parse(release.spec, request.fields)
        decision_id = new_decision_id()
        subject = Subject(self._subjects, lead.contacts, decision_id)
        # What leaves needs their key at once, and by no tag the one made ahead would not be found.
        is_found = subject.expected.tag is not None
        if is_found or not release.policy.may_ask(has_text=lead.has_text):
            self._store.expect(subject.expected)
        outbox = DurableOutbox(self._store, subject, decision_id)
        decision = await decider.decide(lead, outbox=outbox, reasons=request.reasons)
        return Record.of(
            decision,
            release,
            decision_id=decision_id,
            subject=subject,
            is_priced=self._is_priced,
            latency_ms=1000 * (time.perf_counter() - started),
        )

    async def keep(
        self, records: Sequence[Record], *, key_id: str, answered: Row | None = None
    ) -> None:
        """Returns once the decisions are durable, together with the row of `answered`.

        Raises:
            StorageUnavailable, AlreadyAnswered
        """
        late = [record.entries(key_id) for record in records]
        if not late and answered is None:
            return
        try:
            await self._store.append(Unit(late=late, answered=answered))
        except AlreadyAnswered:
            # Nobody gets these answers, but what left for them has left: calls and decision too.
            left = [one for one, r in zip(late, records, strict=True) if r.decision.redaction]
            if left:
                await self._store.append(Unit(late=left))
            raise
