"""Database: one SQLAlchemy URL, opened for reading and for writing. SQLite unless set.

Opening never fails: where it cannot be used, each use says so, and the next one tries again.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, IntegrityError, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

from service.errors import InvalidSettings, StorageUnavailable
from service.storage.secret_file import make_once

log = logging.getLogger("tiebreak.store")

BUSY_TIMEOUT = timedelta(seconds=2)  # how long a write waits for that of another process
OVERWRITE_TRIES, PAUSE_S = 20, 0.02  # readers hold it up for milliseconds
# SQLite moves its write-ahead log to its place inside a commit, once it has so many pages (1,000
# unless set), and whoever is decided on waits meanwhile: so rarely. A thread for it would be more
# exposed to SQLite's WAL-reset bug (before 3.51.3: two that move while a third commits).
MOST_WAITING_PAGES = 3_000  # 12 MB
ABANDONED_AFTER = timedelta(seconds=30)  # silence, and a server lets go of who writes
# A connection unused for longer goes back to its pool, which asks a server whether it still lives.
STALE_S = 1.0
CONNECT_TIMEOUT_S = 3  # to a database server: a decision that cannot be stored is refused soon


def iso(at: datetime) -> str:
    """ISO 8601 in UTC with milliseconds, as everywhere in the database and in answers."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Database:
    """Connections to one database.

    Args:
        url: any SQLAlchemy URL.
        prepare: makes or migrates the tables, in a write transaction of its own, once per process
            and after each trouble: the file may have been taken away.
        forgets: what is deleted is overwritten at once.
        setting: where the URL was set, for whoever has to correct it.
    """

    def __init__(
        self,
        url: str,
        prepare: Callable[[Connection], None],
        *,
        busy_timeout: timedelta = BUSY_TIMEOUT,
        forgets: bool = False,
        setting: str = "TIEBREAK_DATABASE_URL",
    ) -> None:
        parsed = _parsed(url, setting)
        self._writer = _engine(parsed, busy_timeout, writes=True, forgets=forgets)
        self._reader = _engine(parsed, busy_timeout, writes=False, forgets=forgets)
        self._driver: Any = self._writer.dialect.loaded_dbapi
        self._writing = _Standing(self._writer)
        self._prepare = prepare
        self._is_prepared = False

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection to read from: what it reads belongs together. Raises StorageUnavailable."""
        try:
            self._prepare_once()
            with self._reader.connect() as connection, connection.begin():
                yield connection
        except (SQLAlchemyError, self._driver.Error, OSError) as error:
            self._reader.dispose()
            raise _unavailable(error) from error

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A write transaction. Raises StorageUnavailable; IntegrityError as it is."""
        try:
            self._prepare_once()
            with self._writing.connection() as connection, connection.begin():
                yield connection
        except IntegrityError:
            raise
        except self._driver.IntegrityError as error:  # of a statement given to it directly
            raise IntegrityError(None, None, error) from error
        except (SQLAlchemyError, self._driver.Error, OSError) as error:
            self._is_prepared = False
            self._let_writers_go()
            raise _unavailable(error) from error

    def overwrite_deleted(self) -> bool:
        """Take what was deleted out of SQLite's write-ahead log too. False: readers are in the way.

        Raises:
            StorageUnavailable
        """
        if self._writer.dialect.name != "sqlite":
            return True
        for _ in range(OVERWRITE_TRIES):
            try:
                with closing(self._writer.raw_connection()) as raw:
                    busy, *_ = raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            except (SQLAlchemyError, OSError, sqlite3.Error) as error:
                raise _unavailable(error) from error
            if not busy:
                return True
            time.sleep(PAUSE_S)
        return False

    def close(self) -> None:
        """Let go of all connections; of one that is in use as soon as it is not."""
        self._reader.dispose()
        self._let_writers_go()

    def _let_writers_go(self) -> None:
        self._writing.let_go()
        self._writer.dispose()

    def _prepare_once(self) -> None:
        if not self._is_prepared:
            with self._writer.begin() as connection:
                self._prepare(connection)
            self._is_prepared = True


class _Standing:
    """A connection that is not put back between two uses: that would take as long as a commit.

    For one user at a time: whoever comes meanwhile has one from the pool.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._in_use = threading.Lock()
        self._kept: Connection | None = None
        self._used_at = 0.0
        self._is_let_go = False

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        if not self._in_use.acquire(blocking=False):
            with self._engine.connect() as another:
                yield another
            return
        try:
            yield self._fresh()
        finally:
            self._used_at = time.monotonic()
            self._in_use.release()
            if self._is_let_go:  # asked for since it was taken: whoever asked did not get it
                self.let_go()

    def let_go(self) -> None:
        """Put it back into its pool; where it is in use, as soon as it is not."""
        self._is_let_go = True
        if self._in_use.acquire(blocking=False):
            self._is_let_go = False
            self._put_back()
            self._in_use.release()

    def _fresh(self) -> Connection:
        if self._kept is None or time.monotonic() - self._used_at > STALE_S:
            self._put_back()
            self._kept = self._engine.connect()
        return self._kept

    def _put_back(self) -> None:
        if self._kept is not None:
            self._kept.close()
            self._kept = None


class _Pool(QueuePool):
    """Once given up it closes what comes back to it, which SQLAlchemy's would leave open.

    That holds for a connection that was in use, or still being opened, when it was given up.
    """

    _is_given_up = False

    def dispose(self) -> None:
        self._is_given_up = True
        super().dispose()

    def _do_return_conn(self, record: ConnectionPoolEntry) -> None:
        was_given_up = self._is_given_up
        if was_given_up:
            record.close()  # and put back empty: whoever waits for it opens it anew
        super()._do_return_conn(record)
        if self._is_given_up and not was_given_up:
            super().dispose()


def is_there(url: str, setting: str = "TIEBREAK_DATABASE_URL") -> bool:
    """False where a file would have to be made first; a server is taken to have its database.

    Raises:
        InvalidSettings: it is no database address.
    """
    parsed = _parsed(url, setting)
    return parsed.get_backend_name() != "sqlite" or Path(parsed.database or "").exists()


def _unavailable(error: Exception) -> StorageUnavailable:
    cause = type(getattr(error, "orig", None) or error).__name__  # its text may quote values
    log.error("The database cannot be used now (%s).", cause)
    message = "The decision store cannot be used now. Try again; nothing was decided or changed"
    return StorageUnavailable(message)


def _parsed(url: str, setting: str) -> URL:
    """Raises InvalidSettings."""
    try:
        parsed = make_url(url)
        parsed.get_dialect().import_dbapi()
    except (ArgumentError, ImportError) as error:
        message = (
            f"{setting} cannot be used: it is no database address, or the driver that it names is "
            "not installed. Correct or unset it."
        )
        raise InvalidSettings(message) from error
    return parsed


def _engine(parsed: URL, busy_timeout: timedelta, *, writes: bool, forgets: bool) -> Engine:
    if parsed.get_backend_name() != "sqlite":
        return _server_engine(parsed, busy_timeout, writes=writes)
    timeout = busy_timeout.total_seconds()
    engine = create_engine(
        parsed, poolclass=_Pool, connect_args={"timeout": timeout}, hide_parameters=True
    )
    file = parsed.database or ""
    begin = "BEGIN IMMEDIATE" if writes else "BEGIN"

    @event.listens_for(engine, "do_connect")
    def _make_file(*_: object) -> None:
        # Readable to its owner only; SQLite gives what it puts beside it the same mode. One that is
        # there must not be opened: closing it would let go of all locks that this process has on
        # it (sqlite.org, How To Corrupt, 2.2), and others would take it for nobody's.
        if file and not Path(file).exists():
            make_once(Path(file), b"")

    @event.listens_for(engine, "connect")
    def _set_up(connection: Any, _: object) -> None:
        connection.isolation_level = None  # sqlite3 begins nothing by itself
        _write_ahead(connection, until=time.monotonic() + timeout)
        connection.execute("PRAGMA synchronous=FULL")  # durable even if the power goes
        connection.execute(f"PRAGMA wal_autocheckpoint={MOST_WAITING_PAGES}")
        if forgets:
            connection.execute("PRAGMA secure_delete=ON")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # The write lock at once: a transaction that reads first cannot fail half-way. Straight to
        # the driver: SQLAlchemy's way there takes ten times as long.
        connection.connection.cursor().execute(begin)

    return engine


def _write_ahead(connection: Any, *, until: float) -> None:
    """Readers and the writer do not wait for each other.

    The first who open a new file do so at the same moment, and SQLite lets only one change its
    mode, without letting the others wait.
    """
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(PAUSE_S)
        else:
            return


def _server_engine(parsed: URL, busy_timeout: timedelta, *, writes: bool) -> Engine:
    if parsed.drivername == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    limits = {"connect_timeout": CONNECT_TIMEOUT_S} if "psycopg" in parsed.drivername else {}
    level = "READ COMMITTED" if writes else "REPEATABLE READ"
    engine = create_engine(
        parsed,
        poolclass=_Pool,
        pool_pre_ping=True,
        hide_parameters=True,
        connect_args=limits,
        isolation_level=level,
        use_insertmanyvalues=True,
    )
    if writes and engine.dialect.name == "postgresql":
        event.listen(engine, "connect", partial(_give_up_in_time, busy_timeout))
    return engine


def _give_up_in_time(busy_timeout: timedelta, connection: Any, _: object) -> None:
    """Writers take turns: without limits one that hangs, or whose machine is gone, stops all."""
    limits = {"lock_timeout": busy_timeout, "idle_in_transaction_session_timeout": ABANDONED_AFTER}
    with connection.cursor() as cursor:
        for name, limit in limits.items():
            cursor.execute(f"SET {name} = {round(1_000 * limit.total_seconds())}")
    connection.commit()
