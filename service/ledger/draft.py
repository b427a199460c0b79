"""Draft: an entry that is not in the log yet, written down but for its time.

What can be written by whoever has something to say is written there: those who append to the log
take turns, so what they need not do makes all of them faster.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from service.ledger.canonical_json import canonical
from service.storage.projection import ReadOff, read_off

SCHEMA = 1  # version of what entries hold; each one names its own
TIME = "at"  # the first name of each entry


class Draft(NamedTuple):
    """A tuple, since it goes to another process, and comes out there, in half the time.

    about: id of the decision, or of the question to an LLM, that it belongs to.
    said: canonical JSON (RFC 8785) of what it says, without its time.
    rows: what is read off it.
    """

    kind: str
    about: str | None
    said: bytes
    rows: tuple[ReadOff, ...]

    @classmethod
    def of(cls, kind: str, about: str | None, fields: Mapping[str, Any]) -> Draft:
        """fields: what it says: no personal data, but for what is sealed.

        Raises:
            ValueError: a name that would come before its time, or what JSON cannot say exactly.
        """
        return cls(str(kind), about, canonical(tree_of(kind, fields)), read_off(kind, fields))

    def body(self, at: str) -> bytes:
        """The canonical JSON of the entry, at this time."""
        return b'{"at":"%b",%b' % (at.encode(), self.said[1:])


def tree_of(kind: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """What an entry says, without its time. Raises ValueError as Draft.of does."""
    tree = {"kind": str(kind), "v": SCHEMA, **fields}
    if min(tree) <= TIME:
        raise ValueError(f'"{min(tree)}" comes before "{TIME}". Call it otherwise.')
    return tree
