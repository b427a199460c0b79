"""DurableOutbox: what is about to leave for an LLM is in the ledger before it leaves."""

from __future__ import annotations

from asyncio import Future

from features.fingerprint import SubjectKey
from models.cascade import Leaving
from service import entry
from service.entry import Purpose
from service.store import Store, Unit


class DurableOutbox:
    """For one decision. key: of whom it is about, done once that is durable."""

    def __init__(self, store: Store, key: Future[SubjectKey], decision_id: str) -> None:
        self._store = store
        self._key = key
        self._decision_id = decision_id

    async def key(self) -> SubjectKey:
        """Raises StorageUnavailable: then nothing must leave."""
        return await self._key

    async def leaving(self, leaving: Leaving) -> None:
        """Returns once it is durable. Raises StorageUnavailable: then it must not leave."""
        draft = entry.redaction(leaving, await self._key, self._decision_id, Purpose.DECISION)
        await self._store.append(Unit([draft]))
