"""Unit: what becomes durable together, or not at all. Plain data: another process may write it.

Tuples, since they go to that process, and come out of it, in half the time of other classes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from features.fingerprint import SubjectKey
from service.ledger.log import Draft
from service.storage.sealing import bound_to, seal
from service.storage.tables import Row


class Unsealed(NamedTuple):
    """An entry about somebody, without `subject` and `sealed`: their key is not at hand yet.

    within: what is to be sealed; None: nothing.
    """

    draft: Draft
    within: Mapping[str, Any] | None

    def sealed_by(self, key: SubjectKey) -> Draft:
        """The entry about the holder of this key."""
        draft, sealed = self.draft, None
        if self.within is not None:
            place = bound_to(draft.kind, draft.about or "")
            sealed = seal(key.secret, place, self.within)
        fields = {**draft.fields, "subject": key.subject, "sealed": sealed}
        return Draft(draft.kind, draft.about, fields)


class Late(NamedTuple):
    """Entries about somebody whose key is asked for when they are written, right before them.

    tag: under what it is found, or else made; None: nobody will be found by it.
    key: theirs, where it was needed before.
    expected: the name under which they were expected, where they were.
    """

    drafts: Sequence[Draft | Unsealed]
    tag: str | None
    key: SubjectKey | None = None
    expected: str | None = None

    def sealed_by(self, key: SubjectKey) -> list[Draft]:
        return [d.sealed_by(key) if isinstance(d, Unsealed) else d for d in self.drafts]


class Expected(NamedTuple):
    """Somebody of whom a unit will tell soon: their key can be made durable meanwhile.

    name: what that unit calls them by; no other does. tag: as that of `Late`.
    """

    name: str
    tag: str | None


class Unit(NamedTuple):
    """Entries, and the answer that is kept with them under its idempotency key."""

    drafts: Sequence[Draft] = ()
    late: Sequence[Late] = ()
    answered: Row | None = None
