"""Appending: a process that appends to a ledger, and says which entries were acknowledged.

`python -m pipelines.ledger.appending URL COUNT` prints one line each: an id, or `refused`.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator
from contextlib import closing

from service.errors import StorageUnavailable
from service.ledger.checkpoint import SigningKey
from service.ledger.log import Log
from service.ledger.verify import KeyType
from service.recording import entry
from service.recording.record import new_decision_id
from service.storage.database import BUSY_TIMEOUT
from service.storage.store import Store
from service.storage.unit import Unit
from service.storage.writing_process import Orders, WritingProcess

SECRET = b"s" * 32
KEY = SigningKey("tiebreak.local/bench", KeyType.LOG, b"b" * 32)
PAUSE_S = 0.02  # after a refusal


def open_as_served(url: str, keys_url: str | None = None) -> Store:
    """As the service opens it to decide: units are written by a process of its own.

    keys_url: where it keeps the keys of subjects; None: nothing is sealed there.
    """
    orders = Orders(url, keys_url or url, SECRET, KEY.text, BUSY_TIMEOUT)
    return Store(url, Log(KEY), units=WritingProcess(orders))


async def append_all(
    store: Store, turns: Iterator[int], at_once: int, told: Callable[[str | None], None]
) -> None:
    """One entry for each turn, so many at once. told: an id that is durable; None: refused."""

    async def one_after_the_other() -> None:
        for _ in turns:
            named = new_decision_id()
            try:
                await store.append(Unit([entry.outcome(named, won=True, key_id="bench")]))
            except StorageUnavailable:
                told(None)
                await asyncio.sleep(PAUSE_S)
            else:
                told(named)

    await asyncio.gather(*(one_after_the_other() for _ in range(at_once)))


def main(url: str, count: int) -> None:
    """Append so many entries, four at a time, and say what became of each."""

    def told(named: str | None) -> None:
        sys.stdout.write(f"{named or 'refused'}\n")
        sys.stdout.flush()

    with closing(open_as_served(url)) as store:
        asyncio.run(append_all(store, iter(range(count)), 4, told))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
