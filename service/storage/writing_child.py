"""What WritingProcess starts: it writes what comes in, until nobody is there to send."""

from __future__ import annotations

import gc
import logging
import pickle
import signal
import socket
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, suppress

from sqlalchemy.exc import IntegrityError

from features.errors import ScoringError
from service.errors import StorageUnavailable
from service.ledger.checkpoint import SigningKey
from service.ledger.log import Log
from service.storage.database import Database
from service.storage.frames import Frames, framed
from service.storage.group_commit import MAX_GROUP
from service.storage.keys_ahead import KeysAhead
from service.storage.migrations import upgrade
from service.storage.old_answers import OldAnswers
from service.storage.subject_keys import StoredKeys
from service.storage.unit import Expected
from service.storage.writing import DirectWriter
from service.storage.writing_process import Clash, Ended, Ending, Message, Numbered, Orders

log = logging.getLogger("tiebreak.store")

RECEIVED = 1_048_576  # bytes at a time


class Inbox:
    """Messages that came in through a socket."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._frames = Frames()
        self._messages: deque[bytes] = deque()

    def first(self) -> bytes | None:
        """The next one, as soon as there is one; None: there will be none."""
        while not self._messages:
            received = self._connection.recv(RECEIVED)
            if not received:
                return None
            self._messages += self._frames.feed(received)
        return self._messages.popleft()

    def groups(self) -> Iterator[list[bytes]]:
        """The next one and all that came with it, at most MAX_GROUP, until there will be none."""
        while (first := self.first()) is not None:
            with suppress(BlockingIOError):
                received = self._connection.recv(RECEIVED, socket.MSG_DONTWAIT)
                self._messages += self._frames.feed(received)
            some = min(len(self._messages), MAX_GROUP - 1)
            yield [first, *(self._messages.popleft() for _ in range(some))]


def main() -> None:
    """Write what comes in through the socket, until it is closed."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # who ends a group of processes ends our parent
    with socket.socket(fileno=int(sys.argv[1])) as connection, suppress(ConnectionError):
        inbox = Inbox(connection)
        first = inbox.first()
        if first is not None:
            orders: Orders = pickle.loads(first)  # noqa: S301 from our own parent
            _write(inbox, orders, connection)


def _write(inbox: Inbox, orders: Orders, connection: socket.socket) -> None:
    ledger = Log(SigningKey.parse(orders.signing_key))
    with (
        closing(Database(orders.url, upgrade, busy_timeout=orders.busy_timeout)) as database,
        closing(StoredKeys(orders.keys_url, orders.secret)) as subjects,
    ):
        keys = KeysAhead(subjects.make)
        writer = DirectWriter(database, ledger, keys)
        old_answers = OldAnswers(writer)
        gc.freeze()
        for group in inbox.groups():
            messages: list[Message] = [pickle.loads(one) for one in group]  # noqa: S301
            units = [one for one in messages if not isinstance(one, Expected)]
            if units:
                connection.sendall(framed(pickle.dumps(_ended(writer, units))))
            keys.expect(_still_expected(messages, units))
            old_answers.forget_when_due()


def _still_expected(messages: Iterable[Message], told: Iterable[Numbered]) -> list[Expected]:
    """Those of whom none of the units that came with them told."""
    names = {late.expected for _, unit in told for late in unit.late}
    return [one for one in messages if isinstance(one, Expected) and one.name not in names]


def _ended(writer: DirectWriter, units: Sequence[Numbered]) -> list[Ended]:
    """All in one transaction; where one of them clashes with what is there, each in its own."""
    numbers = [number for number, _ in units]
    ending = _ending(writer, units)
    if isinstance(ending, Clash) and len(units) > 1:
        return [([one[0]], _ending(writer, [one])) for one in units]
    return [(numbers, ending)]


def _ending(writer: DirectWriter, units: Sequence[Numbered]) -> Ending:
    try:
        writer.write([unit for _, unit in units])
    except IntegrityError:
        return Clash()
    except ScoringError as error:
        return error
    except Exception as error:  # its text may quote values
        log.error("The ledger could not be written (%s).", type(error).__name__)
        return StorageUnavailable("The decision could not be written down. Tell the operator")
    return None


if __name__ == "__main__":
    main()
