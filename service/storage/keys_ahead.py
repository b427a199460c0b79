"""KeysAhead: the keys of subjects for whoever writes of them; of those expected, made before."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from features.errors import ScoringError
from features.fingerprint import SubjectKey
from service.storage.unit import Expected, Late

MOST_WAITING = 1_024  # of whom no unit has told yet: it never will of those whose decision failed

KeysOf = Callable[[Sequence[str | None]], Sequence[SubjectKey]]


class KeysAhead:
    """For one thread. `keys_of`: the durable keys of subjects, by their tags."""

    def __init__(self, keys_of: KeysOf) -> None:
        self._keys_of = keys_of
        self._made: dict[str, SubjectKey] = {}

    def expect(self, expected: Sequence[Expected]) -> None:
        """Make their keys durable, in one commit. Where that fails, `of` tries again."""
        if not expected:
            return
        try:
            keys = self._keys_of([one.tag for one in expected])
        except ScoringError:
            return
        self._made.update((one.name, key) for one, key in zip(expected, keys, strict=True))
        while len(self._made) > MOST_WAITING:
            del self._made[next(iter(self._made))]

    def of(self, late: Sequence[Late]) -> list[SubjectKey]:
        """The durable keys of whom these are about.

        Raises:
            StorageUnavailable
        """
        ahead = [self._made.pop(one.expected or "", None) for one in late]
        known = [one.key or key for one, key in zip(late, ahead, strict=True)]
        tags = [one.tag for one, key in zip(late, known, strict=True) if key is None]
        made = iter(self._keys_of(tags) if tags else ())
        return [key or next(made) for key in known]
