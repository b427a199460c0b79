"""Crashing: kills who appends and who writes, again and again, and looks what became of it all."""

from __future__ import annotations

import asyncio
import itertools
import os
import random
import select
import signal
import time
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass

import psutil
from sqlalchemy import func
from sqlalchemy import select as choose

from pipelines.ledger.appending import KEY, append_all, open_as_served
from service.ledger.log import Log
from service.ledger.merkle import Frontier
from service.ledger.proofs import head
from service.ledger.verify import leaf_hash, open_checkpoint
from service.storage.store import Store
from service.storage.tables import entries, outcomes

AT_ONCE = 32  # appending at the same moment
ID_BYTES = 36
LONGEST_LIFE_S = 0.06  # after the first acknowledgement
PATIENCE_S = 30
PIPE_BYTES = 65_536


class LedgerBroken(AssertionError):
    """The ledger does not hold what it promised."""


@dataclass(frozen=True, slots=True)
class CrashReport:
    """kills: processes that were killed. acknowledged: entries that were; all of them are there."""

    kills: int
    acknowledged: int
    entries: int


def crash(
    url: str,
    kills: int,
    *,
    seed: int = 0,
    before: Callable[[], None] | None = None,
) -> CrashReport:
    """Append under load, kill -9, look; so many times. Call it from a process without threads.

    Every other time the process that writes for them is killed before: they go on with a new one.

    before: called while a process appends, a while before it is killed: to kill the database
    server and start it again, say.

    Raises:
        LedgerBroken: an acknowledged entry is gone, or the log does not verify.
    """
    chance = random.Random(seed)  # noqa: S311
    acknowledged: set[str] = set()
    size = 0
    check_ledger(url, acknowledged)  # the first start makes the tables
    for turn in range(kills):
        life_s, writer_first = chance.uniform(0, LONGEST_LIFE_S), turn % 2 == 1
        acknowledged |= _append_and_die(url, life_s, writer_first=writer_first, before=before)
        size = check_ledger(url, acknowledged)
    return CrashReport(kills, len(acknowledged), size)


def check_ledger(url: str, acknowledged: Iterable[str]) -> int:
    """How many entries there are. Raises LedgerBroken where one is missing or wrong."""
    with closing(Store(url, Log(KEY))) as store, store.reading() as connection:
        newest = head(connection)
        rows = connection.execute(choose(entries.c.seq, entries.c.body).order_by(entries.c.seq))
        frontier, there = Frontier(), set()
        for place, (seq, body) in enumerate(rows):
            if seq != place:
                raise LedgerBroken(f"Entry {place} is missing.")
            frontier.append(leaf_hash(bytes(body)))
            there.add(_named(bytes(body)))
        rows_read_off = connection.scalar(choose(func.count()).select_from(outcomes))
    if newest.size != frontier.size or rows_read_off != frontier.size:
        raise LedgerBroken("The log's head, its entries and the rows read off do not agree.")
    if newest.size and open_checkpoint(newest.note, KEY.verifier).root != frontier.root():
        raise LedgerBroken("The signed head is not that of the entries.")
    lost = set(acknowledged) - there
    if lost:
        raise LedgerBroken(f"{len(lost)} acknowledged entries are gone.")
    return frontier.size


def _named(body: bytes) -> str:
    start = body.index(b'"decision_id":"') + len(b'"decision_id":"')
    return body[start : start + ID_BYTES].decode()


def _append_and_die(
    url: str, life_s: float, *, writer_first: bool, before: Callable[[], None] | None
) -> set[str]:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            _append_for_ever(url, writing)
        finally:
            os._exit(1)
    os.close(writing)
    said = b""
    try:
        said += _acknowledged(reading)
        time.sleep(life_s)
        if before is not None:
            before()
            time.sleep(life_s)
        if writer_first:
            said += _kill_writer(child, reading)
            time.sleep(life_s)
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    with os.fdopen(reading, "rb") as pipe:
        said += pipe.read()
    return {said[i : i + ID_BYTES].decode() for i in range(0, len(said), ID_BYTES)}


def _kill_writer(pid: int, reading: int) -> bytes:
    """What was acknowledged until another writes, and by that one."""
    (writer,) = psutil.Process(pid).children()
    writer.kill()
    said, deadline = b"", time.monotonic() + PATIENCE_S
    while psutil.Process(pid).children() in ([], [writer]):
        if time.monotonic() > deadline:
            raise LedgerBroken(f"No other process writes within {PATIENCE_S} s.")
        time.sleep(0.01)
    if select.select([reading], [], [], 0)[0]:
        said += os.read(reading, PIPE_BYTES)
    return said + _acknowledged(reading)


def _acknowledged(reading: int) -> bytes:
    """Raises LedgerBroken where nothing is for too long."""
    if not select.select([reading], [], [], PATIENCE_S)[0]:
        raise LedgerBroken(f"Nothing was acknowledged within {PATIENCE_S} s.")
    return os.read(reading, PIPE_BYTES)


def _append_for_ever(url: str, writing: int) -> None:
    def told(named: str | None) -> None:
        if named is not None:
            os.write(writing, named.encode())  # short enough to arrive whole or not at all

    store = open_as_served(url)
    asyncio.run(append_all(store, itertools.count(), AT_ONCE, told))
