"""Proofs: that an entry is in the log, and that the log only grew. Reads a few rows each.

Most hashes that a proof needs are of complete subtrees of 256, 65,536... entries, which are kept;
the rest is folded from at most 128 of the level below.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select

from service.ledger.checkpoint import tlog_proof
from service.ledger.errors import LedgerDamaged
from service.ledger.log import HEAD
from service.ledger.merkle import TILE_HEIGHT, Subtree, consistency_path, inclusion_path
from service.ledger.verify import node_hash
from service.storage.tables import checkpoints, entries, log_head, subtrees


@dataclass(frozen=True, slots=True)
class Head:
    """What the log says of itself. note: its signed checkpoint, empty for an empty log."""

    size: int
    at: str
    note: str


def head(connection: Connection) -> Head:
    """The newest checkpoint, signed by the log alone."""
    query = select(log_head.c.size, log_head.c.at, log_head.c.note).where(log_head.c.id == HEAD)
    return Head(*connection.execute(query).one())


def witnessed(connection: Connection) -> Head | None:
    """The newest checkpoint that a witness has cosigned; None where there is none."""
    query = select(checkpoints.c.size, checkpoints.c.at, checkpoints.c.note)
    row = connection.execute(query.order_by(checkpoints.c.size.desc()).limit(1)).first()
    return Head(*row) if row else None


def proof_of(connection: Connection, seq: int) -> str:
    """A file that proves the entry at `seq` by itself (C2SP tlog-proof).

    Against the newest cosigned checkpoint that has the entry; until there is one, against the
    newest that the log signed: an entry has a proof as soon as it is durable.
    """
    cosigned = witnessed(connection)
    chosen = cosigned if cosigned and cosigned.size > seq else head(connection)
    path = inclusion_path(seq, chosen.size, subtree_of(connection))
    return tlog_proof(seq, path, chosen.note)


def consistency(connection: Connection, old: int, new: int) -> list[bytes]:
    """That the first `old` entries of `new` are what they were (RFC 6962, section 2.1.2)."""
    return consistency_path(old, new, subtree_of(connection))


def subtree_of(connection: Connection) -> Subtree:
    """Hashes of perfect subtrees, read from the database."""

    def subtree(level: int, place: int) -> bytes:
        kept = level - level % TILE_HEIGHT
        width = 1 << (level - kept)
        hashes = _kept(kept, place * width, width)
        if len(hashes) != width:
            raise LedgerDamaged("The ledger has gaps. Run `tiebreak audit verify`.")
        while len(hashes) > 1:
            pairs = zip(hashes[::2], hashes[1::2], strict=True)
            hashes = [node_hash(left, right) for left, right in pairs]
        return hashes[0]

    def _kept(level: int, first: int, count: int) -> list[bytes]:
        if level == 0:
            place, value = entries.c.seq, entries.c.leaf
            query = select(value)
        else:
            place, value = subtrees.c.place, subtrees.c.hash
            query = select(value).where(subtrees.c.level == level)
        query = query.where(place.between(first, first + count - 1)).order_by(place)
        return [bytes(found) for found in connection.scalars(query)]

    return subtree
