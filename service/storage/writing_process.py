"""WritingProcess: units are made durable by a process of its own, beside the one that decides.

Python runs one thread at a time: a thread that writes takes turns with the event loop at every step
of every statement, and each holds the other up. Here the loop only hands units over, as they come;
the process takes what has come in meanwhile into one transaction.
"""

from __future__ import annotations

import asyncio
import logging
import pickle
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count

from sqlalchemy.exc import IntegrityError

from features.errors import ScoringError
from service.errors import StorageUnavailable
from service.storage.frames import Frames, framed
from service.storage.unit import Expected, Unit

log = logging.getLogger("tiebreak.store")

CHILD_COMMAND = (sys.executable, "-m", "service.storage.writing_child")
END_S = 10.0  # how long a commit may hold up the end
WRITE_S = 15.0  # longer than it waits for a database itself: whoever is silent for longer hangs
RECEIVED = 65_536  # bytes at a time


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
    """A unit clashes with what is there, and was not written."""


Ending = ScoringError | Clash | None
Numbered = tuple[int, Unit]
Message = Numbered | Expected
Ended = tuple[Sequence[int], Ending]  # the numbers of units, and how they ended


class WritingProcess:
    """A UnitWriter, for one event loop at a time.

    The process ends with the one that started it, however that ends, after what it is at: its end
    of the socket is closed then. Where it ends itself, it is started anew for the next unit.
    """

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._child = _Child(orders)

    def expect(self, somebody: Expected) -> None:
        """Their key may be made durable ahead. Never waits, never raises."""
        if not self._child.is_gone:
            self._child.put(somebody)

    async def write(self, unit: Unit) -> None:
        """Returns once it is durable.

        Raises:
            StorageUnavailable: it is not; or the process ended meanwhile, and nobody knows.
            IntegrityError: it clashes with what is there, and was not written.
        """
        try:
            if self._child.is_gone:
                log.error("The process that writes the ledger has ended. It is started anew.")
                self._child.end()
                self._child = _Child(self._orders)
            ending = await self._child.written(unit)
        except OSError as error:  # it hangs, it ended, or could not be started
            message = "The decision was not written down, or nobody knows. Try again"
            raise StorageUnavailable(message) from error
        if isinstance(ending, Clash):
            raise IntegrityError(None, None, Exception("in the process that writes"))
        if ending is not None:
            raise ending

    def close(self) -> None:
        """Have written what is waiting, then end it. From any thread."""
        self._child.end()


class _Child:
    """A running process, our end of the socket, and those who wait for it."""

    def __init__(self, orders: Orders) -> None:
        self._socket, theirs = socket.socketpair()
        try:
            with theirs:
                self._process = subprocess.Popen(  # noqa: S603 our own module
                    [*CHILD_COMMAND, str(theirs.fileno())],
                    pass_fds=[theirs.fileno()],
                    stdin=subprocess.DEVNULL,
                    start_new_session=True,  # Ctrl-C is for those who have requests to answer
                )
        except OSError:  # no process, no memory or no file descriptor is left
            self._socket.close()
            raise
        self._socket.sendall(framed(pickle.dumps(orders)))
        self._socket.setblocking(False)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._frames = Frames()
        self._numbers = count()
        self._waiting: dict[int, asyncio.Future[Ending]] = {}
        self._unsent = bytearray()
        self._is_full = False  # the loop tells when the socket takes more
        self._heard = 0.0  # when it said something last, or somebody began to wait, by the loop
        self._look: asyncio.TimerHandle | None = None  # where somebody waits
        self.is_gone = False

    # -- in the event loop ------------------------------------------------------------------

    async def written(self, unit: Unit) -> Ending:
        """How it ended. Raises OSError where the process did, or hangs, before it said so."""
        number = next(self._numbers)
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Ending] = loop.create_future()
        if not self._waiting:
            self._heard = loop.time()
        self._waiting[number] = done
        self.put((number, unit))
        if self._look is None:
            self._look = loop.call_later(WRITE_S, self._look_after)
        return await done

    def put(self, message: Message) -> None:
        """Send it, now or as soon as the socket takes more."""
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            self._loop = loop
            self._look, self._heard = None, loop.time()
            loop.add_reader(self._socket, self._receive)
        self._unsent += framed(pickle.dumps(message, pickle.HIGHEST_PROTOCOL))
        self._send()

    def _send(self) -> None:
        """As much as the socket takes; the rest when it takes more."""
        try:
            del self._unsent[: self._socket.send(self._unsent)]
        except BlockingIOError:
            pass
        except OSError:  # it is gone: reading tells
            self._unsent.clear()
        if self._loop is None or bool(self._unsent) == self._is_full:
            return
        self._is_full = bool(self._unsent)
        if self._is_full:
            self._loop.add_writer(self._socket, self._send)
        else:
            self._loop.remove_writer(self._socket)

    def _receive(self) -> None:
        try:
            received = self._socket.recv(RECEIVED)
        except BlockingIOError:
            return
        except OSError:
            received = b""
        if not received:
            self._lose()
        elif self._loop is not None:
            self._heard = self._loop.time()
        for message in self._frames.feed(received):
            ended: list[Ended] = pickle.loads(message)  # noqa: S301 from our own child
            for numbers, ending in ended:
                for number in numbers:
                    done = self._waiting.pop(number)
                    if not done.done():
                        done.set_result(ending)

    def _look_after(self) -> None:
        """Kill it where it hangs. Much to do takes long, but it says what is done all the while."""
        self._look = None
        if self._loop is None or self.is_gone or not self._waiting:
            return
        left = self._heard + WRITE_S - self._loop.time()
        if left > 0:
            self._look = self._loop.call_later(left, self._look_after)
            return
        log.error("The process that writes the ledger hangs. It is killed.")
        self.kill()
        self._fail(TimeoutError("the process that writes hangs"))

    def _fail(self, error: OSError) -> None:
        for done in self._waiting.values():
            if not done.done():
                done.set_exception(error)

    def _lose(self) -> None:
        """Nobody is there to send or to receive."""
        if self.is_gone:
            return
        self.is_gone = True
        if self._loop is not None and not self._loop.is_closed():
            self._loop.remove_reader(self._socket)
            self._loop.remove_writer(self._socket)
        self._socket.close()
        self._fail(ConnectionResetError("the process that writes has ended"))
        self._waiting.clear()

    # -- from any thread --------------------------------------------------------------------

    def kill(self) -> None:
        """At once: nothing that it did not acknowledge was acknowledged."""
        self._process.kill()

    def end(self) -> None:
        """After what it is at. One that hangs is killed: nothing of it was acknowledged."""
        self._in_loop(self._send_last)
        try:
            self._process.wait(END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._in_loop(self._receive_last)

    def _in_loop(self, work: Callable[[], None]) -> None:
        """Where the loop runs in another thread, it is done there: it owns what is touched."""
        try:
            here = asyncio.get_running_loop()
        except RuntimeError:
            here = None
        if self._loop is None or self._loop is here or not self._loop.is_running():
            work()
            return

        async def there() -> None:
            work()

        asyncio.run_coroutine_threadsafe(there(), self._loop).result(END_S)

    def _send_last(self) -> None:
        if self.is_gone:
            return
        try:
            self._socket.settimeout(END_S)
            self._socket.sendall(self._unsent)
            self._socket.shutdown(socket.SHUT_WR)
        except OSError:  # it is gone, or hangs: the end of it tells
            pass
        self._unsent.clear()
        self._socket.setblocking(False)

    def _receive_last(self) -> None:
        """What it said before it ended."""
        while not self.is_gone:
            self._receive()
