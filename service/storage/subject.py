"""Subject: whom one decision is about. Their key is asked for when it is needed, and not before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from features.fingerprint import SubjectKey
from service.storage.subject_keys import StoredKeys


class Subject:
    """Of one decision.

    What leaves is marked with their key, so it is needed at once. Where nothing leaves it is needed
    when the decision is written: `keys_of` has many in one commit, right before the entries' own.
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

    @staticmethod
    def keys_of(subjects: Sequence[Subject]) -> list[SubjectKey]:
        """Their keys, durable. From any thread; all of one keeper. Raises StorageUnavailable."""
        unasked = [subject for subject in subjects if subject._key is None]
        if unasked:
            keeper = unasked[0]._keys
            tags = [keeper.tag(subject._contacts) for subject in unasked]
            for subject, key in zip(unasked, keeper.make(tags), strict=True):
                subject._key = key
        return [subject._key for subject in subjects if subject._key is not None]
