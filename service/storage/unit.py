"""Unit: what becomes durable together, or not at all. Plain data: another process may write it.

Tuples, since they go to that process, and come out of it, in half the time of other classes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from features.fingerprint import SubjectKey
from service.ledger.canonical_json import canonical
from service.ledger.draft import Draft, tree_of
from service.storage.projection import ReadOff, read_off, rows_about
from service.storage.sealing import bound_to, seal_json
from service.storage.tables import Row

SEALED, SUBJECT = "sealed", "subject"  # names of what a key adds to an entry


class Unsealed(NamedTuple):
    """A draft about somebody, without `sealed` and `subject`: their key is not at hand yet.

    said: what it says before `sealed`, between it and `subject`, and after that: the members of an
    object in canonical JSON. within: the JSON that is to be sealed; None: nothing.
    """

    kind: str
    about: str | None
    said: tuple[bytes, bytes, bytes]
    rows: tuple[ReadOff, ...]
    within: bytes | None

    @classmethod
    def of(
        cls,
        kind: str,
        about: str | None,
        fields: Mapping[str, Any],
        within: Mapping[str, Any] | None,
    ) -> Unsealed:
        """fields: as those of a draft. within: what is to be sealed. Raises ValueError."""
        tree = tree_of(kind, fields)
        said = (
            _members({name: tree[name] for name in tree if name < SEALED}),
            _members({name: tree[name] for name in tree if SEALED < name < SUBJECT}),
            _members({name: tree[name] for name in tree if name > SUBJECT}),
        )
        rows = read_off(kind, {**fields, SUBJECT: None})
        sealing = orjson.dumps(within) if within is not None else None
        return cls(str(kind), about, said, rows, sealing)

    def sealed_by(self, key: SubjectKey) -> Draft:
        """The draft about the holder of this key."""
        sealed = b"null"
        if self.within is not None:
            place = bound_to(self.kind, self.about or "")
            sealed = b'"%b"' % seal_json(key.secret, place, self.within)
        first, between, after = self.said
        subject = canonical(key.subject)
        members = (first, b'"sealed":' + sealed, between, b'"subject":' + subject, after)
        said = b"{%b}" % b",".join(filter(None, members))
        return Draft(self.kind, self.about, said, rows_about(self.rows, key.subject))


def _members(tree: Mapping[str, Any]) -> bytes:
    return canonical(tree)[1:-1]


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
