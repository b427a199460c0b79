"""Store: what must outlive the process. Nothing is acknowledged before it is on disk."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import Connection, delete, insert, select
from sqlalchemy.exc import IntegrityError

from features.fingerprint import SubjectKey
from service.errors import AlreadyAnswered, StorageUnavailable
from service.ledger.errors import LedgerDamaged
from service.ledger.log import Draft, Entry, Log
from service.storage.database import BUSY_TIMEOUT, Database, iso
from service.storage.group_commit import GroupCommit
from service.storage.migrations import upgrade
from service.storage.projection import project
from service.storage.subject import Subject
from service.storage.tables import Row, answered

log = logging.getLogger("tiebreak.store")

KEEP_ANSWERS = timedelta(hours=24)  # how long an idempotency key is remembered

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


@dataclass(frozen=True, slots=True)
class Late:
    """Entries about somebody, made in the writing thread when their key is durable."""

    subject: Subject
    drafts: Callable[[SubjectKey], Sequence[Draft]]


@dataclass(frozen=True, slots=True)
class Unit:
    """What becomes durable together, or not at all."""

    drafts: Sequence[Draft] = ()
    late: Sequence[Late] = ()
    answered: Row | None = None


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


Job = Callable[[Writing], T]


class Store:
    """One database, one writing thread: many requests share one commit.

    Opening never fails: where the database cannot be used, each write says so, and the next one
    tries again.
    """

    def __init__(self, url: str, log: Log, *, busy_timeout: timedelta = BUSY_TIMEOUT) -> None:
        self._database = Database(url, upgrade, busy_timeout=busy_timeout)
        self._log = log
        self._forget_at = datetime.now(UTC)
        self._commits: GroupCommit[Unit | Job[Any], Any] = GroupCommit(
            "store", self._write, between=self._forget_old_answers
        )

    def close(self) -> None:
        """Write what is waiting, then let go of the database."""
        self._commits.close()
        self._database.close()

    # -- from the event loop ----------------------------------------------------------------

    async def append(self, unit: Unit) -> None:
        """Returns once the unit is durable.

        Raises:
            StorageUnavailable: it is not, and will not be.
            AlreadyAnswered: its idempotency key was answered meanwhile; nothing was written.
            LedgerDamaged: rows of the log contradict its head.
        """
        try:
            await self._commits.submit(unit)
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

    @contextmanager
    def writing(self) -> Iterator[Writing]:
        """A write transaction. Raises StorageUnavailable."""
        with self._database.writing() as connection:
            yield Writing(connection, self._log)

    def _answer_to(self, claim: Claim) -> tuple[str, bytes] | None:
        query = select(answered.c.request_digest, answered.c.answer).where(
            answered.c.key_id == claim.key_id,
            answered.c.idempotency_key == claim.idempotency_key,
        )
        with self.reading() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else (row.request_digest, bytes(row.answer))

    # -- the writing thread -----------------------------------------------------------------

    def _write(self, group: Sequence[Unit | Job[Any]]) -> list[Any]:
        units = [work for work in group if isinstance(work, Unit)]
        if units:
            self._write_units(units)
        return [None if isinstance(work, Unit) else self._run(work) for work in group]

    def _write_units(self, units: Sequence[Unit]) -> None:
        claims = [unit.answered for unit in units if unit.answered is not None]
        late = [one for unit in units for one in unit.late]
        keys = Subject.keys_of([one.subject for one in late])
        drafts = [draft for unit in units for draft in unit.drafts]
        for one, key in zip(late, keys, strict=True):
            drafts += one.drafts(key)
        with self.writing() as writing:
            # The log first: writers take turns there, and nowhere else.
            writing.append(drafts)
            if claims:
                writing.connection.execute(insert(answered), claims)

    def _run(self, job: Job[Any]) -> Any:
        """Its result, or its error: it is nobody else's in the group."""
        try:
            with self.writing() as writing:
                return job(writing)
        except Exception as error:
            return error

    def _forget_old_answers(self) -> None:
        now = datetime.now(UTC)
        if now < self._forget_at:
            return
        self._forget_at = now + KEEP_ANSWERS / 24
        try:
            with self.writing() as writing:
                old = answered.c.at < iso(now - KEEP_ANSWERS)
                writing.connection.execute(delete(answered).where(old))
        except StorageUnavailable:
            log.warning("Old idempotency keys could not be forgotten; tried again in an hour.")
