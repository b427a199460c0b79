"""Store: what must outlive the process. Nothing is acknowledged before it is on disk."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar

from sqlalchemy import Connection, select
from sqlalchemy.exc import IntegrityError

from service.errors import AlreadyAnswered
from service.ledger.errors import LedgerDamaged
from service.ledger.log import Log
from service.storage.database import BUSY_TIMEOUT, Database
from service.storage.group_commit import GroupCommit
from service.storage.keys_ahead import KeysAhead, KeysOf
from service.storage.migrations import upgrade
from service.storage.old_answers import OldAnswers, oldest_kept
from service.storage.tables import answered
from service.storage.unit import Expected, Unit
from service.storage.writing import DirectWriter, UnitWriter, Writing, no_keys

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Claim:
    """A request that names an idempotency key: `idempotency_key` is its digest.

    secret: what the answer is sealed with; it is kept nowhere.
    """

    key_id: str
    idempotency_key: str
    request_digest: str
    secret: bytes = field(repr=False)


Job = Callable[[Writing], T]


class Store:
    """One database, one who writes: many requests share one commit.

    Opening never fails: where the database cannot be used, each write says so, and the next one
    tries again.
    """

    def __init__(
        self,
        url: str,
        log: Log,
        *,
        keys_of: KeysOf = no_keys,
        units: UnitWriter | None = None,
        busy_timeout: timedelta = BUSY_TIMEOUT,
    ) -> None:
        """Who writes.

        keys_of: the keys of subjects, where entries are sealed when they are written.
        units: who writes units; None: this store's own thread. It is closed with the store.
        """
        self._database = Database(url, upgrade, busy_timeout=busy_timeout)
        self._direct = DirectWriter(self._database, log, KeysAhead(keys_of))
        self._old_answers = OldAnswers(self._direct)
        self._commits: GroupCommit[Unit | Job[Any], Any] = GroupCommit(
            "store", self._write, between=self._old_answers.forget_when_due
        )
        self._units = units

    def close(self) -> None:
        """Write what is waiting, then let go of the database."""
        self._commits.close()
        if self._units is not None:
            self._units.close()
        self._database.close()

    # -- from the event loop ----------------------------------------------------------------

    def expect(self, somebody: Expected) -> None:
        """A unit will tell of them soon. Never waits, never raises."""
        if self._units is not None:
            self._units.expect(somebody)

    async def append(self, unit: Unit) -> None:
        """Returns once the unit is durable.

        Raises:
            StorageUnavailable: it is not, and will not be.
            AlreadyAnswered: its idempotency key was answered meanwhile; nothing was written.
            LedgerDamaged: rows of the log contradict its head.
        """
        try:
            await (self._commits.submit(unit) if self._units is None else self._units.write(unit))
        except IntegrityError:
            pass
        else:
            return
        if unit.answered is None:  # nothing else can clash in a log that is whole
            raise LedgerDamaged(
                "The ledger's rows contradict its head. Run `tiebreak audit verify`."
            )
        raise AlreadyAnswered("This idempotency key was just answered.")

    async def run(self, job: Job[T]) -> T:
        """What `job` returns, from a write transaction of its own. Raises StorageUnavailable."""
        result: T | Exception = await self._commits.submit(job)
        if isinstance(result, Exception):
            raise result
        return result

    async def answer_to(self, claim: Claim) -> tuple[str, bytes] | None:
        """Digest of the request and sealed answer that are stored under an idempotency key."""
        return await asyncio.to_thread(self._answer_to, claim)

    # -- from any thread --------------------------------------------------------------------

    def reading(self) -> AbstractContextManager[Connection]:
        """A connection to read from: what it reads belongs together. Raises StorageUnavailable."""
        return self._database.reading()

    def writing(self) -> AbstractContextManager[Writing]:
        """A write transaction. Raises StorageUnavailable."""
        return self._direct.writing()

    def _answer_to(self, claim: Claim) -> tuple[str, bytes] | None:
        query = select(answered.c.at, answered.c.request_digest, answered.c.answer).where(
            answered.c.key_id == claim.key_id,
            answered.c.idempotency_key == claim.idempotency_key,
        )
        with self.reading() as connection:
            row = connection.execute(query).one_or_none()
        if row is not None and row.at < oldest_kept():  # nothing was written for a while
            self._old_answers.forget()
            return None
        return None if row is None else (row.request_digest, bytes(row.answer))

    # -- the writing thread -----------------------------------------------------------------

    def _write(self, group: Sequence[Unit | Job[Any]]) -> list[Any]:
        units = [work for work in group if isinstance(work, Unit)]
        if units:
            self._direct.write(units)
        return [None if isinstance(work, Unit) else self._run(work) for work in group]

    def _run(self, job: Job[Any]) -> Any:
        """Its result, or its error: it is nobody else's in the group."""
        try:
            with self.writing() as writing:
                return job(writing)
        except Exception as error:
            return error
