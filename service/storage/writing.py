"""Writing: one transaction of the ledger's database; and who writes units in it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import Connection, insert

from features.fingerprint import SubjectKey
from service.ledger.draft import Draft
from service.ledger.log import Entry, Log
from service.storage.database import Database
from service.storage.direct_sql import SelectAmong
from service.storage.keys_ahead import KeysAhead
from service.storage.projection import ADD
from service.storage.tables import answered
from service.storage.unit import Expected, Late, Unit

TRIES, PAUSE_S = 10, 0.02  # for a key that another process has said to destroy, and destroys next
ERASED = SelectAmong("SELECT 1 FROM erasures WHERE subject IN ({}) LIMIT 1")


@dataclass(frozen=True, slots=True)
class Writing:
    """A write transaction of the store."""

    connection: Connection
    log: Log

    def take_turn(self) -> None:
        """Nobody else writes to the ledger from now on: what is read next is so until the end.

        For whoever looks first and then appends; `append` itself takes its turn.
        """
        self.log.take_turn(self.connection)

    def append(self, drafts: Sequence[Draft]) -> list[Entry]:
        """Entries in the ledger, and what is read off them."""
        written = self.log.append(self.connection, drafts)
        project(self.connection, written)
        return written


def project(connection: Connection, written: Sequence[Entry]) -> None:
    """Insert what is read off these entries."""
    rows: dict[str, list[Sequence[Any]]] = {}
    for entry in written:
        for table, values in entry.rows:
            rows.setdefault(table, []).append((entry.seq, entry.at, *values))
    for table, made in rows.items():
        ADD[table](connection, made)


class UnitWriter(Protocol):
    """Whoever makes units durable in a store's place."""

    def expect(self, somebody: Expected) -> None:
        """Their key may be made durable ahead. Never waits, never raises."""

    async def write(self, unit: Unit) -> None:
        """Returns once it is durable. Raises as DirectWriter.write does."""

    def close(self) -> None:
        """Write what is waiting, then end."""


class DirectWriter:
    """Writes in the thread that asks.

    Args:
        keys: of subjects. They must not be needed where all entries are sealed already.
    """

    def __init__(self, database: Database, log: Log, keys: KeysAhead) -> None:
        self._database = database
        self._log = log
        self._keys = keys

    @contextmanager
    def writing(self) -> Iterator[Writing]:
        """A write transaction. Raises StorageUnavailable."""
        with self._database.writing() as connection:
            yield Writing(connection, self._log)

    def write(self, units: Sequence[Unit]) -> None:
        """Units, durable, in one transaction.

        Raises:
            StorageUnavailable
            IntegrityError: one of them clashes with what is there; none was written.
        """
        claims = [unit.answered for unit in units if unit.answered is not None]
        early = [draft for unit in units for draft in unit.drafts]
        late = [one for unit in units for one in unit.late]
        for left in reversed(range(TRIES)):
            keys = self._keys.of(late)
            sealed = [d for one, key in zip(late, keys, strict=True) for d in one.sealed_by(key)]
            try:
                with self.writing() as writing:
                    # The log first: writers take turns there, and nowhere else.
                    writing.append([*early, *sealed])
                    if left:
                        _require_kept(writing.connection, late, keys)
                    if claims:
                        writing.connection.execute(insert(answered), claims)
            except _ErasedMeanwhileError:
                time.sleep(PAUSE_S)
            else:
                return


class _ErasedMeanwhileError(Exception):
    """Nothing was written."""


def _require_kept(connection: Connection, late: Sequence[Late], keys: Sequence[SubjectKey]) -> None:
    """None of these keys was destroyed, or is about to be, since it was asked for.

    Nobody could read what it seals. A key that something was sealed with before is not looked at:
    what was sent and what was decided are about one subject.

    Raises:
        _ErasedMeanwhileError
    """
    fresh = {key.subject for one, key in zip(late, keys, strict=True) if one.key is None}
    if fresh and ERASED(connection, tuple(fresh)).fetchone() is not None:
        raise _ErasedMeanwhileError


def no_keys(tags: Sequence[str | None]) -> Sequence[SubjectKey]:
    """Of a store that is only given entries that are sealed already."""
    raise ValueError(f"This store was opened without the keys of subjects: {len(tags)} are needed.")
