"""Another process writes: what is acknowledged is durable, whoever is killed meanwhile."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import orjson
import psutil
import pytest
from service_fakes import (
    BY_TEXT,
    LEDGER_KEY,
    POLL,
    SUBJECT_SECRET,
    FakeDecider,
    small_release,
    store_with_process_at,
    subjects_beside,
)
from sqlalchemy import select

from service.audit.checking import check
from service.errors import StorageUnavailable
from service.ledger.verify import Report
from service.recording.entry import outcome
from service.recording.recorder import Recorder
from service.schemas import DecideRequest
from service.storage import writing_process
from service.storage.sealing import bound_to, open_sealed
from service.storage.store import Store
from service.storage.tables import decisions, entries
from service.storage.unit import Expected, Late, Unit, Unsealed
from service.storage.writing_process import Orders, WritingProcess

ME = """
import asyncio, sys
sys.path.insert(0, sys.argv[2])
from service_fakes import store_with_process_at
from test_writing_process import unit

async def main():
    store = store_with_process_at(sys.argv[1])
    for number in range(100_000):
        await store.append(unit(number))
        print(number, flush=True)

asyncio.run(main())
"""

SLOW = """
import pickle, socket, sys, time
from service.storage.frames import framed
from service.storage.writing_child import Inbox

with socket.socket(fileno=int(sys.argv[1])) as connection:
    inbox = Inbox(connection)
    orders = inbox.first()
    while (message := inbox.first()) is not None:
        number, unit = pickle.loads(message)
        time.sleep(0.2 if number < 100 else 1.0)
        connection.sendall(framed(pickle.dumps([([number], None)])))
"""


def unit(number: int) -> Unit:
    return Unit([outcome(f"{number:036d}", won=True, key_id="k")])


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    opened = store_with_process_at(database_url)
    yield opened
    opened.close()


def writer_of(pid: int) -> int:
    """The process that writes for this one, not for its children, once it has its name."""
    deadline = time.monotonic() + 30
    parent = psutil.Process(pid)
    while not (found := [c.pid for c in parent.children() if "writing_child" in command(c.pid)]):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    (writer,) = found
    return writer


def command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except (FileNotFoundError, ProcessLookupError):
        return ""


def gone(pid: int) -> None:
    """Returns once it is, or nothing but its name is left."""
    deadline = time.monotonic() + 30
    while command(pid):
        assert time.monotonic() < deadline
        time.sleep(0.01)


async def recovered(store: Store, number: int) -> None:
    """Within five seconds another is started, and writes."""
    deadline = time.monotonic() + 5
    while True:
        try:
            await store.append(unit(number))
        except StorageUnavailable:
            assert time.monotonic() < deadline
        else:
            return


def abouts(store: Store) -> list[str]:
    """What the entries are about, in order, from a log that was verified whole."""
    report = Report()
    with store.reading() as connection:
        for _ in check(connection, LEDGER_KEY.verifier, None, report):
            pass
        assert report.holds, report.text()
        return list(connection.scalars(select(entries.c.about).order_by(entries.c.seq)))


def bodies_in(store: Store) -> list[dict[str, Any]]:
    with store.reading() as connection:
        bodies = connection.scalars(select(entries.c.body).order_by(entries.c.seq))
        return [orjson.loads(bytes(body)) for body in bodies]


def subjects_in(store: Store) -> list[str | None]:
    return [body.get("subject") for body in bodies_in(store)]


async def test_entries_are_sealed_under_the_key_of_whom_they_are_about(
    store: Store, database_url: str
) -> None:
    named = f"{1:036d}"
    draft = Unsealed.of("decision_like", named, {"said": "x"}, {"row": "secret"})
    with closing(subjects_beside(database_url)) as subjects:
        jane = {"Email": "jane@acme.com"}
        for _ in range(2):
            await store.append(Unit(late=[Late([draft], subjects.tag(jane))]))
        (subject,) = subjects.subjects(jane)
        key = subjects.find(subject)
    assert key is not None
    bodies = bodies_in(store)
    assert subjects_in(store) == [subject, subject]
    place = bound_to("decision_like", named)
    assert open_sealed(key.secret, place, bodies[0]["sealed"]) == {"row": "secret"}
    assert b"secret" not in orjson.dumps(bodies)


async def test_the_key_of_whom_it_expects_is_durable_before_it_is_told(
    store: Store, database_url: str
) -> None:
    with closing(subjects_beside(database_url)) as subjects:
        jane, joe = {"Email": "jane@acme.com"}, {"Email": "joe@acme.com"}
        store.expect(Expected("1", subjects.tag(jane)))
        deadline = time.monotonic() + 30
        while not (known := subjects.subjects(jane)):
            assert time.monotonic() < deadline
            await asyncio.sleep(0.01)
        drafts = [Unsealed.of("decision_like", f"{1:036d}", {}, {})]
        store.expect(Expected("2", subjects.tag(joe)))
        late = [Late(drafts, subjects.tag(jane), None, "1")]
        await store.append(Unit(late=[*late, Late(drafts, subjects.tag(joe), None, "2")]))
        assert subjects_in(store) == known + subjects.subjects(joe)
        assert subjects.subjects(jane) == known


async def test_who_left_no_contacts_is_one_subject_also_where_their_text_leaves(
    store: Store, database_url: str
) -> None:
    release = small_release()
    with closing(subjects_beside(database_url)) as subjects:
        recorder = Recorder(store, subjects)
        request = DecideRequest({"Message": BY_TEXT})
        record = await recorder.decide(release, FakeDecider(release), request)
        await recorder.keep([record], key_id="k")
        long_after = datetime.now(UTC) + timedelta(days=1)
        made = [one for some in subjects.older_than(long_after, at_once=9) for one in some]
    with store.reading() as connection:
        assert list(connection.scalars(select(decisions.c.subject))) == made


async def test_where_it_is_killed_whom_it_expected_is_not_forgotten(
    store: Store, database_url: str
) -> None:
    with closing(subjects_beside(database_url)) as subjects:
        tag = subjects.tag({"Email": "jane@acme.com"})
        store.expect(Expected("1", tag))
        os.kill(writer_of(os.getpid()), signal.SIGKILL)
        store.expect(Expected("2", tag))  # it is gone, or soon will be
        await recovered(store, 0)
        drafts = [Unsealed.of("decision_like", f"{1:036d}", {}, {})]
        await store.append(Unit(late=[Late(drafts, tag, None, "1"), Late(drafts, tag, None, "2")]))
        (subject,) = subjects.subjects({"Email": "jane@acme.com"})
        assert subjects_in(store)[1:] == [subject, subject]


async def test_more_than_the_socket_takes_at_once_is_written_in_order(store: Store) -> None:
    many = 3_000
    await asyncio.gather(*(store.append(unit(number)) for number in range(many)))
    assert abouts(store) == [f"{number:036d}" for number in range(many)]


async def test_what_is_waiting_is_written_before_it_ends(database_url: str) -> None:
    store = store_with_process_at(database_url)
    appending = [asyncio.create_task(store.append(unit(number))) for number in range(300)]
    await asyncio.sleep(0)
    await asyncio.to_thread(store.close)
    await asyncio.gather(*appending)
    with closing(store_with_process_at(database_url)) as again:
        assert len(abouts(again)) == len(appending)


async def test_where_it_is_killed_nothing_acknowledged_is_lost_and_another_takes_over(
    store: Store,
) -> None:
    acknowledged: list[str] = []
    refused: list[int] = []

    async def append(number: int) -> None:
        try:
            await store.append(unit(number))
        except StorageUnavailable:
            refused.append(number)
        else:
            acknowledged.append(f"{number:036d}")

    for turn in range(4):
        writer = writer_of(os.getpid())
        first = 200 * turn
        appending = [asyncio.create_task(append(n)) for n in range(first, first + 200)]
        await asyncio.sleep(0.01 * turn)
        os.kill(writer, signal.SIGKILL)
        await asyncio.gather(*appending)
        await recovered(store, 10_000 + turn)
    assert refused
    assert set(acknowledged) <= set(abouts(store))


async def test_where_it_hangs_it_is_killed_and_another_takes_over(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.append(unit(0))
    monkeypatch.setattr(writing_process, "WRITE_S", 0.5)
    os.kill(writer_of(os.getpid()), signal.SIGSTOP)
    with pytest.raises(StorageUnavailable):
        await store.append(unit(1))
    monkeypatch.undo()
    await recovered(store, 2)
    assert abouts(store)[0] == f"{0:036d}"
    assert abouts(store)[-1] == f"{2:036d}"


async def test_one_that_has_much_to_do_is_not_taken_for_one_that_hangs(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing_process, "CHILD_COMMAND", (sys.executable, "-c", SLOW))
    with closing(store_with_process_at(database_url)) as slow:
        await slow.append(unit(0))
        silence, many = 1.6, 12
        monkeypatch.setattr(writing_process, "WRITE_S", silence)
        began = time.monotonic()
        await asyncio.gather(*(slow.append(unit(number)) for number in range(many)))
        assert time.monotonic() - began > silence


async def test_one_that_was_idle_has_all_the_time_for_what_comes_then(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing_process, "CHILD_COMMAND", (sys.executable, "-c", SLOW))
    process = WritingProcess(Orders(database_url, "k", b"s", "p", POLL))
    try:
        await process.write(unit(0))
        forget_the_look_planned_for(process)
        monkeypatch.setattr(writing_process, "WRITE_S", 3.0)
        await process.write(unit(1))  # a look is planned for 3 s later
        process._child._numbers = count(100)  # takes a second from here on
        await asyncio.sleep(2.5)
        await process.write(unit(2))
    finally:
        process.close()


def forget_the_look_planned_for(process: WritingProcess) -> None:
    """Starting takes long on a busy machine: so that look was given the usual time."""
    look, process._child._look = process._child._look, None
    assert look is not None
    look.cancel()


async def test_where_no_other_can_be_started_it_says_so_and_tries_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.append(unit(0))
    os.kill(writer_of(os.getpid()), signal.SIGKILL)
    with pytest.raises(StorageUnavailable):
        await store.append(unit(1))
    with monkeypatch.context() as without:
        without.setattr(writing_process, "CHILD_COMMAND", ("/no/such/python",))
        with pytest.raises(StorageUnavailable):
            await store.append(unit(2))
    await recovered(store, 3)
    assert abouts(store) == [f"{n:036d}" for n in (0, 3)]


def test_it_ends_with_who_started_it(database_url: str) -> None:
    started = subprocess.Popen(
        [sys.executable, "-c", ME, database_url, str(Path(__file__).parent)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert started.stdout is not None
    with started.stdout as said:
        last = -1
        while last < 20:
            last = int(said.readline())
        writer = writer_of(started.pid)
        started.kill()
        started.wait()
        last = max([last, *map(int, said.read().splitlines())])
    gone(writer)
    with closing(store_with_process_at(database_url)) as store:
        assert abouts(store)[: last + 1] == [f"{n:036d}" for n in range(last + 1)]


def test_it_ends_when_its_store_is_closed(database_url: str) -> None:
    with closing(store_with_process_at(database_url)):
        writer = writer_of(os.getpid())
    assert command(writer) == ""


def test_no_secret_is_in_its_command_line(store: Store) -> None:
    writer = writer_of(os.getpid())
    assert LEDGER_KEY.text not in command(writer)
    assert SUBJECT_SECRET.decode() not in command(writer)
    assert "password" not in repr(Orders("postgresql://u:password@h/d", "k", b"s", "p", POLL))
    assert store is not None
