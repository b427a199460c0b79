"""One log for all writers, on SQLite and on PostgreSQL: no gap, no fork, no stranger's entry."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from service_fakes import LEDGER_KEY, store_at
from sqlalchemy import select

from service.ledger.checkpoint import SigningKey
from service.ledger.draft import Draft
from service.ledger.errors import ForeignLog
from service.ledger.log import Log
from service.ledger.merkle import Frontier
from service.ledger.verify import KeyType, leaf_hash, open_checkpoint
from service.recording.entry import outcome
from service.storage.store import Store
from service.storage.tables import entries, log_head, outcomes
from service.storage.unit import Unit

OTHER_KEY = SigningKey("tiebreak.local/ledger", KeyType.LOG, b"o" * 32)


def draft(number: int) -> Draft:
    return outcome(f"{number:036d}", won=True, key_id="k")


def append(store: Store, *numbers: int) -> None:
    with store.writing() as writing:
        writing.append([draft(number) for number in numbers])


def require_sound(store: Store) -> int:
    """Contiguous, and signed as what it is. Returns its size."""
    with store.reading() as connection:
        rows = connection.execute(select(entries).order_by(entries.c.seq)).all()
        head = connection.execute(select(log_head)).one()
    tree = Frontier()
    for row in rows:
        assert bytes(row.leaf) == leaf_hash(bytes(row.body))
        tree.append(bytes(row.leaf))
    assert [row.seq for row in rows] == list(range(head.size))
    assert [row.at for row in rows] == sorted(row.at for row in rows)
    assert tree.packed == bytes(head.frontier)
    if rows:
        signed = open_checkpoint(head.note, LEDGER_KEY.verifier)
        assert (signed.size, signed.root) == (len(rows), tree.root())
    return len(rows)


def _append_many(url: str, start: int, count: int) -> None:
    async def main() -> None:
        store = store_at(url, busy_timeout=timedelta(seconds=30))
        numbers = range(start, start + count)
        await asyncio.gather(*(store.append(Unit([draft(n)])) for n in numbers))
        await asyncio.to_thread(store.close)

    asyncio.run(main())


@contextmanager
def processes(url: str, count: int, each: int) -> Iterator[None]:
    context = multiprocessing.get_context("spawn")
    started = [
        context.Process(target=_append_many, args=(url, place * each, each))
        for place in range(count)
    ]
    for process in started:
        process.start()
    yield
    for process in started:
        process.join()
        assert process.exitcode == 0


def test_processes_that_start_at_once_on_an_empty_database_write_one_log(database_url: str) -> None:
    with processes(database_url, 3, 200):
        pass
    with closing(store_at(database_url)) as store:
        assert require_sound(store) == 600
        with store.reading() as connection:
            found = connection.scalars(select(outcomes.c.decision_id)).all()
    assert sorted(found) == [f"{number:036d}" for number in range(600)]


def test_a_stranger_appends_nothing(database_url: str) -> None:
    with closing(store_at(database_url)) as ours, closing(Store(database_url, Log(OTHER_KEY))) as b:
        append(ours, 1)
        with pytest.raises(ForeignLog, match="another key"):
            append(b, 2)
        append(ours, 3)
        assert require_sound(ours) == 2


def test_a_stranger_that_was_there_first_is_found_out_too(database_url: str) -> None:
    """Both saw the log empty; only one of them may go on."""
    with closing(store_at(database_url)) as ours, closing(Store(database_url, Log(OTHER_KEY))) as b:
        with b.writing() as writing:
            writing.append([draft(1)])
            writing.connection.rollback()
        append(ours, 1)
        with pytest.raises(ForeignLog):
            append(b, 2)
        assert require_sound(ours) == 1


def test_a_clock_that_is_set_back_takes_no_entry_back(database_url: str) -> None:
    times = [datetime(2030, 1, day, tzinfo=UTC) for day in (5, 2, 7)]
    log = Log(LEDGER_KEY, clock=iter(times).__next__)
    with closing(Store(database_url, log)) as store:
        for number in range(3):
            append(store, number)
        require_sound(store)
        with store.reading() as connection:
            found = connection.scalars(select(entries.c.at).order_by(entries.c.seq)).all()
    assert [at[:10] for at in found] == ["2030-01-05", "2030-01-05", "2030-01-07"]


def test_what_was_rolled_back_leaves_no_gap(database_url: str) -> None:
    with closing(store_at(database_url)) as store:
        append(store, 0)
        with store.writing() as writing:
            writing.append([draft(1)])
            writing.connection.rollback()
        append(store, 2)
        assert require_sound(store) == 2


def test_a_reader_sees_one_moment_of_the_log(database_url: str) -> None:
    with closing(store_at(database_url)) as store:
        append(store, 0)
        with store.reading() as connection:
            before = connection.scalar(select(log_head.c.size))
            append(store, 1)
            assert connection.scalar(select(log_head.c.size)) == before == 1
