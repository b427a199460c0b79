"""What WritingProcess starts: it writes what comes in, until nobody is there to send."""

from __future__ import annotations

import gc
import logging
import signal
import sys
from collections.abc import Sequence
from contextlib import closing
from multiprocessing.connection import Connection

from sqlalchemy.exc import IntegrityError

from features.errors import ScoringError
from service.errors import StorageUnavailable
from service.ledger.checkpoint import SigningKey
from service.ledger.log import Log
from service.storage.database import Database
from service.storage.migrations import upgrade
from service.storage.subject_keys import StoredKeys
from service.storage.unit import Unit
from service.storage.writing import DirectWriter
from service.storage.writing_process import Clash, Ending, Orders

log = logging.getLogger("tiebreak.store")


def main() -> None:
    """Write what comes in through the socket, until it is closed."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # who ends a group of processes ends our parent
    connection = Connection(int(sys.argv[1]))
    orders: Orders = connection.recv()
    database = Database(orders.url, upgrade, busy_timeout=orders.busy_timeout)
    ledger = Log(SigningKey.parse(orders.signing_key))
    with (
        closing(database),
        closing(StoredKeys(orders.keys_url, orders.secret)) as subjects,
        closing(connection),
    ):
        writer = DirectWriter(database, ledger, subjects.make)
        gc.freeze()
        while True:
            try:
                units = connection.recv()
                connection.send(_ending(writer, units))
            except (EOFError, ConnectionError):  # they ended, or were killed
                return


def _ending(writer: DirectWriter, units: Sequence[Unit]) -> Ending:
    try:
        writer.write(units)
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
