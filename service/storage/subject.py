"""Subject: whom one decision is about. Their key is asked for when it is needed, and not before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from features.fingerprint import SubjectKey
from service.ledger.log import Draft
from service.storage.subject_keys import StoredKeys
from service.storage.unit import Late, Unsealed


class Subject:
    """Of one decision.

    What leaves is marked with their key, so it is needed at once. Where nothing leaves it is needed
    when the decision is written: many have theirs in one commit, right before the entries' own.
    """

    def __init__(self, keys: StoredKeys, contacts: Mapping[str, str]) -> None:
        self._keys = keys
        self._contacts = contacts
        self._key: SubjectKey | None = None

    async def key(self) -> SubjectKey:
        """Durable. Raises StorageUnavailable."""
        if self._key is None:
            self._key = await self._keys.key(self._contacts)
        return self._key

    def late(self, drafts: Sequence[Draft | Unsealed]) -> Late:
        """Entries about them, with all that finds or makes their key."""
        if self._key is not None:
            return Late(drafts, None, self._key)
        return Late(drafts, self._keys.tag(self._contacts))
