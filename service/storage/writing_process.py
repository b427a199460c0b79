"""WritingProcess: units are made durable by a process of its own, beside the one that decides.

Python runs one thread at a time: a thread that writes takes turns with the event loop at every step
of every statement, and each holds the other up. Here the loop's process only hands units over.
"""

from __future__ import annotations

import logging
import socket
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from multiprocessing.connection import Connection

from sqlalchemy.exc import IntegrityError

from features.errors import ScoringError
from service.errors import StorageUnavailable
from service.storage.unit import Unit

log = logging.getLogger("tiebreak.store")

CHILD = "service.storage.writing_child"
END_S = 10.0  # how long a commit may hold up the end


@dataclass(frozen=True, slots=True)
class Orders:
    """What the process writes, where, and under which keys. They reach it through a socket only."""

    url: str = field(repr=False)
    keys_url: str = field(repr=False)
    secret: bytes = field(repr=False)
    signing_key: str = field(repr=False)
    busy_timeout: timedelta


@dataclass(frozen=True, slots=True)
class Clash:
    """A unit clashes with what is there, and none of the group was written."""


Ending = ScoringError | Clash | None


class WritingProcess:
    """A UnitWriter. One group at a time: it is GroupCommit's thread that waits for it.

    It ends with the process that started it, however that ends, after what it is at: its end of
    the socket is closed then. Where it ends itself, it is started anew for the next group.
    """

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._child: _Child | None = _Child.started(orders)

    def write(self, units: Sequence[Unit]) -> None:
        """Units, durable, in one transaction.

        Raises:
            StorageUnavailable: they are not; or it ended meanwhile, and nobody knows.
            IntegrityError: one of them clashes with what is there; none was written.
        """
        try:
            if self._child is None or self._child.is_gone:
                self.close()
                self._child = _Child.started(self._orders)
            ending = self._child.written(units)
        except (OSError, EOFError) as error:
            self.close()
            log.error("The process that writes the ledger has ended. It is started anew.")
            message = "The decision was not written down, or nobody knows. Try again"
            raise StorageUnavailable(message) from error
        if isinstance(ending, Clash):
            raise IntegrityError(None, None, Exception("in the process that writes"))
        if ending is not None:
            raise ending

    def close(self) -> None:
        if self._child is not None:
            self._child.end()
            self._child = None


@dataclass(frozen=True, slots=True)
class _Child:
    """A running process, and our end of the socket."""

    process: subprocess.Popen[bytes]
    connection: Connection

    @classmethod
    def started(cls, orders: Orders) -> _Child:
        ours, theirs = socket.socketpair()
        with theirs:
            process = subprocess.Popen(  # noqa: S603 our own module
                [sys.executable, "-m", CHILD, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C is for those who have requests to answer
            )
        connection = Connection(ours.detach())
        connection.send(orders)
        return cls(process, connection)

    @property
    def is_gone(self) -> bool:
        return self.process.poll() is not None

    def written(self, units: Sequence[Unit]) -> Ending:
        self.connection.send(units)
        ending: Ending = self.connection.recv()
        return ending

    def end(self) -> None:
        """After what it is at. One that hangs is killed: nothing of it was acknowledged."""
        self.connection.close()
        try:
            self.process.wait(END_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
