"""Durable or refused: there is nothing between."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from held_database import held_database
from service_fakes import fake_desk, running, scorer_with, store_at, store_with_process_at
from sqlalchemy import Engine, event, func, select, update

from pipelines.ledger.temporary_postgres import TemporaryPostgres
from service.errors import AlreadyAnswered, StorageUnavailable
from service.keys import Role, create_key
from service.ledger.draft import Draft
from service.ledger.errors import LedgerDamaged
from service.recording.entry import outcome
from service.storage.store import Store
from service.storage.tables import answered, decisions, entries, log_head
from service.storage.unit import Unit


def draft(number: int) -> Draft:
    return outcome(f"{number:036d}", won=True, key_id="k")


def claim(key: str) -> dict[str, Any]:
    return {
        "key_id": "k",
        "idempotency_key": key,
        "request_digest": "d",
        "answer": b"{}",
        "at": "2999-01-01T00:00:00.000Z",
    }


def count(store: Store, table: Any) -> int:
    with store.reading() as connection:
        return int(connection.scalar(select(func.count()).select_from(table)) or 0)


@pytest.fixture(params=[store_at, store_with_process_at])
def store(request: pytest.FixtureRequest, database_url: str) -> Iterator[Store]:
    """Of each kind, over each database."""
    opened: Store = request.param(database_url, busy_timeout=timedelta(milliseconds=50))
    yield opened
    opened.close()


def test_each_commit_is_synced(store: Store) -> None:
    with store.writing() as writing:
        ask = writing.connection.exec_driver_sql
        if writing.connection.dialect.name == "sqlite":
            said = (ask("PRAGMA journal_mode").scalar(), ask("PRAGMA synchronous").scalar())
            assert said == ("wal", 2)  # 2 is FULL
        else:
            said = (ask("SHOW fsync").scalar(), ask("SHOW synchronous_commit").scalar())
            assert said == ("on", "on")


async def test_many_units_become_durable_together(store: Store) -> None:
    await asyncio.gather(*(store.append(Unit([draft(n)])) for n in range(600)))
    assert count(store, entries) == 600


async def test_a_clash_in_a_group_loses_nobody_else(store: Store) -> None:
    units = [Unit([draft(n)], answered=claim("same" if n in {2, 4} else f"k{n}")) for n in range(6)]
    results = await asyncio.gather(*(store.append(u) for u in units), return_exceptions=True)
    assert sorted(type(r).__name__ for r in results) == ["AlreadyAnswered"] + ["NoneType"] * 5
    assert isinstance(next(r for r in results if r is not None), AlreadyAnswered)
    assert (count(store, entries), count(store, answered)) == (5, 5)


async def test_a_held_database_refuses_and_recovers(store: Store, database_url: str) -> None:
    await store.append(Unit([draft(0)]))
    with held_database(database_url), pytest.raises(StorageUnavailable):
        await store.append(Unit([draft(1)]))
    await store.append(Unit([draft(1)]))
    assert count(store, entries) == 2


async def test_a_database_that_cannot_be_opened_refuses_and_recovers(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file where the folder should be")
    store = store_at(f"sqlite:///{tmp_path}/state/s.db")
    with pytest.raises(StorageUnavailable):
        await store.append(Unit([draft(1)]))
    (tmp_path / "state").unlink()
    await store.append(Unit([draft(1)]))
    assert count(store, entries) == 1
    store.close()


async def test_no_decision_leaves_while_it_cannot_be_stored(database_url: str) -> None:
    store = store_at(database_url)
    _, token = create_key(store, name="t", role=Role.ADMIN)
    async with running(scorer_with(lambda: fake_desk(database_url))) as client:
        client.headers["authorization"] = f"Bearer {token}"
        with held_database(database_url):
            refused = await client.post("/decide", json={"lead": {}})
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
        assert "probability" not in refused.text
        assert (await client.post("/decide", json={"lead": {}})).status_code == 200
    assert count(store, decisions) == 1
    store.close()


async def test_who_holds_a_server_and_falls_silent_is_let_go(
    postgres: TemporaryPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when its machine is gone. (SQLite's locks go with the process that has them.)"""
    monkeypatch.setattr("service.storage.database.ABANDONED_AFTER", timedelta(milliseconds=300))
    url = postgres.new_schema()
    silent, other = store_at(url), store_at(url)

    def hold(until: threading.Event) -> None:
        with silent.writing() as writing:
            writing.append([draft(0)])
            assert until.wait(60)

    done = threading.Event()
    holding = asyncio.create_task(asyncio.to_thread(hold, done))
    await asyncio.sleep(1)
    await other.append(Unit([draft(1)]))
    done.set()
    with pytest.raises(StorageUnavailable):
        await holding
    with other.reading() as connection:
        assert connection.scalars(select(entries.c.about)).all() == [f"{1:036d}"]
    silent.close()
    other.close()


def _append_until_killed(url: str, acknowledged: Any) -> None:
    async def main() -> None:
        store = store_at(url)
        for number in range(100_000):
            await store.append(Unit([draft(number)]))
            acknowledged.send(number)

    asyncio.run(main())


def test_what_was_acknowledged_survives_kill_9(database_url: str) -> None:
    mine, theirs = multiprocessing.Pipe(duplex=False)
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=_append_until_killed, args=(database_url, theirs))
    process.start()
    theirs.close()
    last = -1
    while last < 20:
        last = mine.recv()
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    while mine.poll():
        try:
            last = mine.recv()
        except EOFError:
            break
    mine.close()
    store = store_at(database_url)
    assert count(store, entries) >= last + 1
    store.close()


def test_a_connection_in_use_at_the_end_is_closed_when_it_comes_back(store: Store) -> None:
    with store.reading() as connection:
        raw = connection.connection.dbapi_connection
        assert raw is not None
        store.close()
        assert connection.scalar(select(func.count()).select_from(log_head)) == 1
    with pytest.raises(Exception, match="closed"):
        raw.cursor().execute("SELECT 1")


def test_a_writer_in_use_at_the_end_is_closed_when_it_comes_back(store: Store) -> None:
    with store.writing() as writing:
        raw = writing.connection.connection.dbapi_connection
        assert raw is not None
        store.close()
        writing.append([draft(0)])
    with pytest.raises(Exception, match="closed"):
        raw.cursor().execute("SELECT 1")
    assert count(store, entries) == 1


@pytest.mark.parametrize("way", ["reading", "writing"])
def test_a_connection_that_is_being_opened_at_the_end_is_closed_after_its_use(
    store: Store, way: str
) -> None:
    assert count(store, entries) == 0  # the tables are there
    store.close()
    closed: list[bool] = []

    @event.listens_for(Engine, "do_connect")
    def _close_meanwhile(*_: object) -> None:
        if not closed:
            closed.append(True)
            store.close()

    try:
        with getattr(store, way)() as opened:
            connection = opened if way == "reading" else opened.connection
            raw = connection.connection.dbapi_connection
            assert connection.scalar(select(func.count()).select_from(log_head)) == 1
    finally:
        event.remove(Engine, "do_connect", _close_meanwhile)
    assert closed
    with pytest.raises(Exception, match="closed"):
        raw.cursor().execute("SELECT 1")


def test_one_after_the_other_writes_through_the_same_connection(store: Store) -> None:
    def used() -> object:
        with store.writing() as writing:
            return writing.connection.connection.dbapi_connection

    assert used() is used()


def test_two_who_write_at_once_have_a_connection_each(store: Store) -> None:
    with store.writing() as first:
        mine = first.connection.connection.dbapi_connection
        if first.connection.dialect.name == "sqlite":  # one writer at a time: the other is refused
            with pytest.raises(StorageUnavailable), store.writing():
                pytest.fail("two wrote at once")
        else:
            with store.writing() as second:
                assert second.connection.connection.dbapi_connection is not mine
        first.append([draft(0)])
    assert count(store, entries) == 1


async def test_a_log_whose_rows_contradict_its_head_takes_nothing_more(store: Store) -> None:
    await store.append(Unit([draft(0), draft(1)]))
    with store.writing() as writing:
        writing.connection.execute(update(log_head).values(size=1, frontier=bytes(32), note=""))
    with pytest.raises(LedgerDamaged, match="audit verify"):
        await store.append(Unit([draft(2)]))
