"""DurableOutbox: what is about to leave for an LLM is in the ledger before it leaves."""

from __future__ import annotations

from features.fingerprint import SubjectKey
from models.cascade import Leaving
from service import entry
from service.entry import Purpose
from service.store import Store, Unit


class DurableOutbox:
    """For one question to an LLM.

    question_id: the decision's id, or that of a question asked in training.
    """

    def __init__(self, store: Store, key: SubjectKey, question_id: str, purpose: Purpose) -> None:
        self._store = store
        self._key = key
        self._question_id = question_id
        self._purpose = purpose

    async def leaving(self, leaving: Leaving) -> None:
        """Returns once it is durable. Raises StorageUnavailable: then it must not leave."""
        draft = entry.redaction(leaving, self._key, self._question_id, self._purpose)
        await self._store.append(Unit([draft]))
