"""DurableOutbox: what is about to leave for an LLM is in the ledger before it leaves."""

from __future__ import annotations

from features.fingerprint import SubjectKey
from models.cascade import Leaving
from service.recording import entry
from service.recording.entry import Purpose
from service.storage.store import Store
from service.storage.subject import Subject
from service.storage.unit import Unit


class DurableOutbox:
    """For one decision."""

    def __init__(self, store: Store, subject: Subject, decision_id: str) -> None:
        self._store = store
        self._subject = subject
        self._decision_id = decision_id

    async def key(self) -> SubjectKey:
        """Raises StorageUnavailable: then nothing must leave."""
        return await self._subject.key()

    async def leaving(self, leaving: Leaving) -> None:
        """Returns once it is durable. Raises StorageUnavailable: then it must not leave."""
        draft = entry.redaction(leaving, await self.key(), self._decision_id, Purpose.DECISION)
        await self._store.append(Unit([draft]))
