"""Log: appends entries to the ledger, inside a transaction of its caller.

Writers take turns at the one row of `log_head`, in all workers and replicas: no gap, no fork. The
row holds what the next writer needs (the frontier of the Merkle tree), and the signed checkpoint
of all that is in the log; so an entry has its proof as soon as it is durable.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import count
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, insert, select, update

from service.ledger.checkpoint import SigningKey, sign_checkpoint
from service.ledger.draft import Draft
from service.ledger.errors import ForeignLog
from service.ledger.merkle import Frontier
from service.ledger.verify import InvalidNote, leaf_hash, open_checkpoint
from service.storage.database import iso
from service.storage.direct_sql import BulkInsert, DirectStatement
from service.storage.projection import ReadOff
from service.storage.tables import entries, log_head, subtrees

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
ADD_ENTRIES = BulkInsert(entries, ("seq", "at", "kind", "about", "leaf", "body"))
ADD_SUBTREES = BulkInsert(subtrees, ("level", "place", "hash"))


class Entry(NamedTuple):
    """An entry in the log.

    seq: its place, from 0. at: when it got there, never earlier than the one before. rows: what
    is read off it.
    """

    seq: int
    at: str
    rows: tuple[ReadOff, ...]


class Log:
    """Appends as the holder of one signing key."""

    def __init__(self, key: SigningKey, *, clock: Callable[[], datetime] | None = None) -> None:
        self._key = key
        self._clock = clock or (lambda: datetime.now(UTC))
        self._is_ours = False

    def take_turn(self, connection: Connection) -> None:
        """Whoever appends waits from now on, until the caller's transaction ends."""
        HEAD_IN_TURN(connection, {"head": HEAD}).fetchone()

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
        bodies = [draft.body(at) for draft in drafts]
        leaves = [leaf_hash(body) for body in bodies]
        frontier = Frontier(size, bytes(packed))
        complete = [subtree for leaf in leaves for subtree in frontier.append(leaf)]
        rows = [
            (seq, at, draft.kind, draft.about, leaf, body)
            for seq, draft, leaf, body in zip(count(size), drafts, leaves, bodies, strict=False)
        ]
        ADD_ENTRIES(connection, rows)
        ADD_SUBTREES(connection, complete)
        moved = {
            "head": HEAD,
            "size": frontier.size,
            "at": at,
            "frontier": frontier.packed,
            "note": sign_checkpoint(self._key, frontier.size, frontier.root()),
        }
        MOVE_HEAD(connection, moved)
        return [Entry(seq, at, draft.rows) for seq, draft in enumerate(drafts, size)]

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
