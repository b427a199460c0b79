"""Writing: one transaction of the ledger's database; and who writes units in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import Connection, insert

from features.fingerprint import SubjectKey
from service.ledger.draft import Draft
from service.ledger.log import Entry, Log
from service.storage.database import Database
from service.storage.keys_ahead import KeysAhead
from service.storage.projection import ADD
from service.storage.tables import answered
from service.storage.unit import Expected, Late, Unit


@dataclass(frozen=True, slots=True)
class Writing:
    """A write transaction of the store."""

    connection: Connection
    log: Log

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
        drafts = [draft for unit in units for draft in unit.drafts]
        drafts += self._sealed([one for unit in units for one in unit.late])
        with self.writing() as writing:
            # The log first: writers take turns there, and nowhere else.
            writing.append(drafts)
            if claims:
                writing.connection.execute(insert(answered), claims)

    def _sealed(self, late: Sequence[Late]) -> list[Draft]:
        keys = self._keys.of(late)
        return [d for one, key in zip(late, keys, strict=True) for d in one.sealed_by(key)]


def no_keys(tags: Sequence[str | None]) -> Sequence[SubjectKey]:
    """Of a store that is only given entries that are sealed already."""
    raise ValueError(f"This store was opened without the keys of subjects: {len(tags)} are needed.")
