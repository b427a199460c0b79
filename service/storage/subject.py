"""Subject: whom one decision is about. Their key is asked for when it is needed, and not before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from features.fingerprint import SubjectKey
from service.ledger.draft import Draft
from service.storage.subject_keys import StoredKeys
from service.storage.unit import Expected, Late, Unsealed


class Subject:
    """Of one decision, under whose id they are expected.

    What leaves is marked with their key, so it is needed at once. Where nothing leaves it is needed
    when the decision is written: whoever writes it may make it durable before, while it is made.
    """

    def __init__(self, keys: StoredKeys, contacts: Mapping[str, str], decision_id: str) -> None:
        self._keys = keys
        self._contacts = contacts
        self._key: SubjectKey | None = None
        self.expected = Expected(decision_id, keys.tag(contacts))

    async def key(self) -> SubjectKey:
        """Durable. Raises StorageUnavailable."""
        if self._key is None:
            self._key = await self._keys.key(self._contacts)
        return self._key

    def late(self, drafts: Sequence[Draft | Unsealed]) -> Late:
        """Entries about them, with all that finds or makes their key."""
        return Late(drafts, self.expected.tag, self._key, self.expected.name)
