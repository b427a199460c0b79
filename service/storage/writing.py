"""Writing: one transaction of the ledger's database; and who writes units in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import Connection, insert

from features.fingerprint import SubjectKey
from service.ledger.log import Draft, Entry, Log
from service.storage.database import Database
from service.storage.projection import project
from service.storage.tables import answered
from service.storage.unit import Late, Unit

KeysOf = Callable[[Sequence[str | None]], Sequence[SubjectKey]]


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


class UnitWriter(Protocol):
    """Whoever makes units durable in a store's place."""

    async def write(self, unit: Unit) -> None:
        """Returns once it is durable. Raises as DirectWriter.write does."""

    def close(self) -> None:
        """Write what is waiting, then end."""


class DirectWriter:
    """Writes in the thread that asks.

    Args:
        keys_of: the durable keys of subjects, by their tags. It must not be needed where all
            entries are sealed already.
    """

    def __init__(self, database: Database, log: Log, keys_of: KeysOf) -> None:
        self._database = database
        self._log = log
        self._keys_of = keys_of

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
        unasked = [one.tag for one in late if one.key is None]
        asked: Iterator[Any] = iter(self._keys_of(unasked) if unasked else ())
        return [draft for one in late for draft in one.sealed_by(one.key or next(asked))]


def no_keys(tags: Sequence[str | None]) -> Sequence[SubjectKey]:
    """Of a store that is only given entries that are sealed already."""
    raise ValueError(f"This store was opened without the keys of subjects: {len(tags)} are needed.")
