"""Log: appends entries to the ledger, inside a transaction of its caller.

Writers take turns at the one row of `log_head`, in all workers and replicas: no gap, no fork. The
row holds what the next writer needs (the frontier of the Merkle tree), and the signed checkpoint
of all that is in the log; so an entry has its proof as soon as it is durable.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, insert, select, update

from service.ledger.canonical_json import canonical
from service.ledger.checkpoint import SigningKey, sign_checkpoint
from service.ledger.errors import ForeignLog
from service.ledger.merkle import Frontier
from service.ledger.verify import InvalidNote, leaf_hash, open_checkpoint
from service.storage.database import iso
from service.storage.direct_sql import BulkInsert, DirectStatement
from service.storage.tables import entries, log_head, subtrees

SCHEMA = 1  # version of what entries hold; each one names its own
HEAD = 1  # id of the one row

HEAD_IN_TURN = DirectStatement(
    select(log_head.c.size, log_head.c.at, log_head.c.frontier, log_head.c.note)
    .where(log_head.c.id == bindparam("head"))
    .with_for_update()
)
MOVE_HEAD = DirectStatement(
    update(log_head)
    .where(log_head.c.id == bindparam("head"))
    .values({name: bindparam(name) for name in ("size", "at", "frontier", "note")})
)
ADD_ENTRIES = BulkInsert(entries)
ADD_SUBTREES = BulkInsert(subtrees)


class Draft(NamedTuple):
    """An entry that is not in the log yet.

    about: id of the decision, or of the question to an LLM, that it belongs to.
    fields: what it says: no personal data, but for what is sealed. Names come after "at" in the
    alphabet: each entry begins with its time.
    """

    kind: str
    about: str | None
    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry in the log.

    seq: its place, from 0. at: when it got there, never earlier than the one before.
    """

    seq: int
    at: str
    draft: Draft
    body: bytes


class Log:
    """Appends as the holder of one signing key."""

    def __init__(self, key: SigningKey, *, clock: Callable[[], datetime] | None = None) -> None:
        self._key = key
        self._clock = clock or (lambda: datetime.now(UTC))
        self._is_ours = False

    def append(self, connection: Connection, drafts: Sequence[Draft]) -> list[Entry]:
        """The drafts as entries, in order. They are in the log once the caller commits.

        Raises:
            ForeignLog: the log was signed with another key.
        """
        if not drafts:
            return []
        size, before, packed, note = HEAD_IN_TURN(connection, {"head": HEAD}).fetchone()
        self._require_ours(note)
        at = max(iso(self._clock()), before)
        written = [
            Entry(size + place, at, draft, _body(at, draft)) for place, draft in enumerate(drafts)
        ]
        leaves = [leaf_hash(entry.body) for entry in written]
        frontier = Frontier(size, bytes(packed))
        complete = [subtree for leaf in leaves for subtree in frontier.append(leaf)]
        rows = [
            {
                "seq": entry.seq,
                "at": at,
                "kind": entry.draft.kind,
                "about": entry.draft.about,
                "leaf": leaf,
                "body": entry.body,
            }
            for entry, leaf in zip(written, leaves, strict=True)
        ]
        ADD_ENTRIES(connection, rows)
        named = ("level", "place", "hash")
        ADD_SUBTREES(connection, [dict(zip(named, row, strict=True)) for row in complete])
        moved = {
            "head": HEAD,
            "size": frontier.size,
            "at": at,
            "frontier": frontier.packed,
            "note": sign_checkpoint(self._key, frontier.size, frontier.root()),
        }
        MOVE_HEAD(connection, moved)
        return written

    def _require_ours(self, note: str) -> None:
        """Once per process: two keys for one log would look like a fork to any verifier."""
        if self._is_ours or not note:  # nobody has signed an empty log: ask again
            return
        try:
            open_checkpoint(note, self._key.verifier)
        except InvalidNote as error:
            raise ForeignLog(
                "The ledger in this database was signed with another key. Restore that one "
                "(TIEBREAK_LEDGER_KEY), or use another database."
            ) from error
        self._is_ours = True


def begin_log(connection: Connection) -> None:
    """The head of an empty log, where there is none yet."""
    if connection.execute(select(log_head)).first() is None:
        empty = {"id": HEAD, "size": 0, "at": "", "frontier": b"", "note": ""}
        connection.execute(insert(log_head), empty)


def _body(at: str, draft: Draft) -> bytes:
    return canonical({"at": at, "kind": draft.kind, "v": SCHEMA, **draft.fields})
