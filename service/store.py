"""Store: what must outlive the process. Nothing is acknowledged before it is on disk."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Engine,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    create_engine,
    delete,
    event,
    insert,
    make_url,
    select,
)
from sqlalchemy.exc import ArgumentError, IntegrityError, SQLAlchemyError

from service.errors import AlreadyAnswered, InvalidSettings, StorageUnavailable

log = logging.getLogger("tiebreak.store")

MAX_GROUP = 256  # units in one commit: bounds how long the last one waits for the first
BUSY_TIMEOUT = timedelta(seconds=2)  # how long SQLite waits for another process's write
KEEP_ANSWERS = timedelta(hours=24)  # how long an idempotency key is remembered

T = TypeVar("T")
metadata = MetaData()

# Times are ISO 8601 in UTC: they sort as text, and read the same in any database.
decisions = Table(
    "decisions",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("at", String(32), nullable=False, index=True),
    Column("key_id", String(16), nullable=False),  # API key that asked
    Column("release", String(64), nullable=False),
    Column("route", String(32), nullable=False),
    Column("reason", String(32), nullable=False),
    Column("probability", Float, nullable=False),
    Column("classifier_probability", Float, nullable=False),
    Column("versions", LargeBinary, nullable=False),  # JSON
    Column("redacted", LargeBinary, nullable=False),  # JSON: entity type -> count
    Column("prompt_tokens", Integer),
    Column("completion_tokens", Integer),
    Column("cost_usd", Float),
    Column("answer", LargeBinary, nullable=False),  # the bytes that were sent
)
redactions = Table(
    "redactions",  # one row for each text that was to leave, also where redaction failed
    metadata,
    Column("decision_id", String(36), primary_key=True),
    Column("at", String(32), nullable=False, index=True),
    Column("failed", Boolean, nullable=False),
    Column("policy", String(32)),
    Column("subject", String(32), index=True),  # id of the key that made the fingerprints
    Column("events", LargeBinary, nullable=False),  # JSON: what went, where, why; no values
)
subject_keys = Table(
    "subject_keys",  # deleting a row makes all fingerprints of that subject noise
    metadata,
    Column("subject", String(32), primary_key=True),
    Column("key", LargeBinary, nullable=False),  # 32 random bytes
    Column("created_at", String(32), nullable=False),
)
outcomes = Table(
    "outcomes",  # append-only: the latest row of a decision counts
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("decision_id", String(36), nullable=False),
    Column("won", Boolean, nullable=False),
    Column("at", String(32), nullable=False),
    Column("key_id", String(16), nullable=False),
    Index("outcomes_by_decision", "decision_id", "id"),
)
api_keys = Table(
    "api_keys",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("role", String(16), nullable=False),
    Column("digest", String(64), nullable=False),  # SHA-256 of the secret, hex
    Column("created_at", String(32), nullable=False),
    Column("revoked_at", String(32)),
)
answered = Table(
    "answered",  # idempotency: what a key was answered
    metadata,
    Column("key_id", String(16), primary_key=True),
    Column("idempotency_key", String(255), primary_key=True),
    Column("request_digest", String(64), nullable=False),  # SHA-256 of path and body, hex
    Column("answer", LargeBinary, nullable=False),
    Column("at", String(32), nullable=False, index=True),
)

Row = dict[str, Any]


def iso(at: datetime) -> str:
    """ISO 8601 in UTC with milliseconds, as everywhere in the database and in answers."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(frozen=True, slots=True)
class Claim:
    """A request that names an idempotency key."""

    key_id: str
    idempotency_key: str
    request_digest: str


@dataclass(frozen=True, slots=True)
class Unit:
    """Rows that become durable together, or not at all."""

    decisions: Sequence[Row]
    answered: Row | None = None
    redactions: Sequence[Row] = ()


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A unit or a job in the queue, and who waits for it."""

    work: Unit | Callable[[Connection], Any]
    loop: asyncio.AbstractEventLoop
    done: asyncio.Future[Any]


class Store:
    """One database, one writing thread: many requests share one commit (group commit).

    Opening never fails: where the database cannot be used, each write says so, and the next one
    tries again.
    """

    def __init__(self, url: str, *, busy_timeout: timedelta = BUSY_TIMEOUT) -> None:
        self._writer = _engine(url, busy_timeout, writes=True)
        self._reader = _engine(url, busy_timeout, writes=False)
        self._queue: SimpleQueue[_Waiting | None] = SimpleQueue()
        self._has_tables = False
        self._thread = threading.Thread(target=self._write_forever, name="store", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Write what is waiting, then let go of the database."""
        self._queue.put(None)
        self._thread.join()
        self._reader.dispose()
        self._writer.dispose()

    # -- from the event loop ----------------------------------------------------------------

    async def append(self, unit: Unit) -> None:
        """Returns once the unit is durable.

        Raises:
            StorageUnavailable: it is not, and will not be.
            AlreadyAnswered: its idempotency key was answered meanwhile; nothing was written.
        """
        await self._submit(unit)

    async def run(self, job: Callable[[Connection], T]) -> T:
        """What `job` returns, from a write transaction of its own. Raises StorageUnavailable."""
        result: T = await self._submit(job)
        return result

    async def answer_to(self, claim: Claim) -> tuple[str, bytes] | None:
        """Digest of the request and answer that were stored under an idempotency key."""
        return await asyncio.to_thread(self._answer_to, claim)

    async def _submit(self, work: Unit | Callable[[Connection], Any]) -> Any:
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Any] = loop.create_future()
        self._queue.put(_Waiting(work, loop, done))
        return await done

    # -- from any thread --------------------------------------------------------------------

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection to read from. Raises StorageUnavailable."""
        try:
            self._make_tables()
            with self._reader.connect() as connection:
                yield connection
        except (SQLAlchemyError, OSError) as error:
            self._reader.dispose()
            raise _unavailable(error) from error

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A write transaction. Raises StorageUnavailable."""
        try:
            self._make_tables()
            with self._writer.begin() as connection:
                yield connection
        except IntegrityError:
            raise
        except (SQLAlchemyError, OSError) as error:
            self._start_afresh()
            raise _unavailable(error) from error

    def _answer_to(self, claim: Claim) -> tuple[str, bytes] | None:
        query = select(answered.c.request_digest, answered.c.answer).where(
            answered.c.key_id == claim.key_id,
            answered.c.idempotency_key == claim.idempotency_key,
        )
        with self.reading() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else (row.request_digest, bytes(row.answer))

    # -- the writing thread -----------------------------------------------------------------

    def _write_forever(self) -> None:
        forget_at = datetime.now(UTC)
        while (first := self._queue.get()) is not None:
            group, is_last = self._group(first)
            units = [w for w in group if isinstance(w.work, Unit)]
            self._commit(units)
            for waiting in group:
                if not isinstance(waiting.work, Unit):
                    self._run_alone(waiting)
            if datetime.now(UTC) >= forget_at:
                forget_at = datetime.now(UTC) + KEEP_ANSWERS / 24
                self._forget_old_answers()
            if is_last:
                return

    def _group(self, first: _Waiting) -> tuple[list[_Waiting], bool]:
        group = [first]
        try:
            while len(group) < MAX_GROUP:
                waiting = self._queue.get_nowait()
                if waiting is None:
                    return group, True
                group.append(waiting)
        except Empty:
            pass
        return group, False

    def _commit(self, units: list[_Waiting]) -> None:
        """One commit for all; where one of them clashes, one commit each."""
        if not units:
            return
        try:
            self._write([waiting.work for waiting in units])
        except IntegrityError:
            if len(units) == 1:
                _settle(units, AlreadyAnswered("This idempotency key was just answered."))
            else:
                for waiting in units:
                    self._commit([waiting])
        except Exception as error:  # the thread must live, and each waiter be told
            _settle(units, error)
        else:
            _settle(units, None)

    def _write(self, units: Sequence[Any]) -> None:
        rows = [row for unit in units for row in unit.decisions]
        redacted = [row for unit in units for row in unit.redactions]
        claims = [unit.answered for unit in units if unit.answered is not None]
        with self.writing() as connection:
            if claims:
                connection.execute(insert(answered), claims)
            if rows:
                connection.execute(insert(decisions), rows)
            if redacted:
                connection.execute(insert(redactions), redacted)

    def _run_alone(self, waiting: _Waiting) -> None:
        assert not isinstance(waiting.work, Unit)  # noqa: S101
        try:
            with self.writing() as connection:
                result = waiting.work(connection)
        except Exception as error:  # as above
            _settle([waiting], error)
        else:
            _settle([waiting], None, result)

    def _forget_old_answers(self) -> None:
        oldest = iso(datetime.now(UTC) - KEEP_ANSWERS)
        try:
            with self.writing() as connection:
                connection.execute(delete(answered).where(answered.c.at < oldest))
        except StorageUnavailable:
            log.warning("Old idempotency keys could not be forgotten; tried again in an hour.")

    def _make_tables(self) -> None:
        if not self._has_tables:
            metadata.create_all(self._writer)
            self._has_tables = True

    def _start_afresh(self) -> None:
        self._has_tables = False
        self._writer.dispose()


def _settle(group: list[_Waiting], error: BaseException | None, result: Any = None) -> None:
    """Wake everyone in the group; one call into each event loop, not one per request."""
    for loop in {waiting.loop for waiting in group}:
        theirs = [waiting.done for waiting in group if waiting.loop is loop]
        try:
            loop.call_soon_threadsafe(_resolve, theirs, error, result)
        except RuntimeError:  # the loop is closed: nobody waits any more
            log.warning("The service stopped before %d requests were answered.", len(theirs))


def _resolve(futures: list[asyncio.Future[Any]], error: BaseException | None, result: Any) -> None:
    for future in futures:
        if future.done():
            continue
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)


def _unavailable(error: SQLAlchemyError | OSError) -> StorageUnavailable:
    cause = type(getattr(error, "orig", None) or error).__name__  # its text may quote values
    log.error("The database cannot be used now (%s).", cause)
    message = "The decision store cannot be used now. Try again; nothing was decided or changed"
    return StorageUnavailable(message)


def _engine(url: str, busy_timeout: timedelta, *, writes: bool) -> Engine:
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() != "sqlite":
            return create_engine(parsed, pool_pre_ping=True, hide_parameters=True)
    except (ArgumentError, ImportError) as error:
        message = (
            "TIEBREAK_DATABASE_URL cannot be used: it is no database address, or the driver that "
            "it names is not installed. Correct or unset it."
        )
        raise InvalidSettings(message) from error
    timeout = busy_timeout.total_seconds()
    engine = create_engine(parsed, connect_args={"timeout": timeout}, hide_parameters=True)
    folder = Path(parsed.database or "").parent

    @event.listens_for(engine, "do_connect")
    def _make_folder(*_: object) -> None:
        folder.mkdir(parents=True, exist_ok=True)

    @event.listens_for(engine, "connect")
    def _set_up(connection: Any, _: object) -> None:
        connection.isolation_level = None  # sqlite3 begins nothing by itself
        connection.execute("PRAGMA journal_mode=WAL")  # readers and the writer do not wait
        connection.execute("PRAGMA synchronous=FULL")  # durable even if the power goes

    if writes:

        @event.listens_for(engine, "begin")
        def _begin(connection: Connection) -> None:
            # The write lock at once: a transaction that reads first cannot fail half-way.
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine
