"""The witness sees every checkpoint, and tells when the log is not what it was."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from threading import Barrier

import httpx2
import pytest
from prometheus_client import CollectorRegistry
from service_fakes import LEDGER_KEY, store_at
from sqlalchemy import delete, insert, select, update

from service.ledger.checkpoint import SigningKey, sign_checkpoint
from service.ledger.errors import InvalidSigningKey
from service.ledger.merkle import Frontier
from service.ledger.proofs import head, witnessed
from service.ledger.verify import KeyType, leaf_hash, open_checkpoint
from service.ledger.witness import Witness, WitnessClient, WitnessRequest, open_home
from service.metrics import Metrics
from service.recording.entry import outcome
from service.storage.store import Store
from service.storage.tables import checkpoints, entries, log_head, outcomes, subtrees
from service.witnessing import ALARM, Witnessing

WITNESS_KEY = SigningKey("witness.example", KeyType.WITNESS, b"w" * 32)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log" / "s.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    with closing(store_at(f"sqlite:///{path}")) as opened:
        yield opened


@pytest.fixture
def witness(tmp_path: Path) -> Witness:
    state = tmp_path / "witness" / "state"
    Witness.begin(state, WITNESS_KEY)
    return Witness(state, WITNESS_KEY, [LEDGER_KEY.verifier])


def shown_to(witness: Witness, store: Store, *, is_down: bool = False) -> Witnessing:
    def wire(request: httpx2.Request) -> httpx2.Response:
        if is_down:
            raise httpx2.ConnectError("nobody there")
        reply = witness.add_checkpoint(request.content)
        headers = {"content-type": reply.content_type}
        return httpx2.Response(reply.status, content=reply.body, headers=headers)

    client = WitnessClient(
        "http://127.0.0.1:1", WITNESS_KEY.verifier, transport=httpx2.MockTransport(wire)
    )
    metrics = Metrics(CollectorRegistry())
    return Witnessing(store, client, metrics, pause=timedelta(milliseconds=10))


def append(store: Store, count: int, *, won: bool = True) -> None:
    with store.writing() as writing:
        first = len(writing.connection.execute(select(entries.c.seq)).all())
        writing.append(
            [outcome(f"{n:036d}", won=won, key_id="k") for n in range(first, first + count)]
        )


def test_each_checkpoint_is_cosigned_and_kept(store: Store, witness: Witness) -> None:
    witnessing = shown_to(witness, store)
    for count in (1, 300, 7):
        append(store, count)
        witnessing.look()
        assert witnessing.problem is None
    with store.reading() as connection:
        kept = witnessed(connection)
        assert len(connection.execute(select(checkpoints)).all()) == 1  # of this hour
    assert kept is not None
    opened = open_checkpoint(kept.note, LEDGER_KEY.verifier, [WITNESS_KEY.verifier])
    assert opened.size == 308
    assert WITNESS_KEY.name in opened.cosigned_at


def test_workers_may_show_the_same_log_in_turns(store: Store, witness: Witness) -> None:
    one, other = shown_to(witness, store), shown_to(witness, store)
    append(store, 3)
    for turn in (one, other, other, one):
        append(store, 1)
        for _ in range(2):  # one look to learn how far the other was
            turn.look()
        assert turn.problem is None
    with store.reading() as connection:
        kept = witnessed(connection)
    assert kept is not None
    assert kept.size == 7


def test_workers_may_keep_the_same_checkpoint_at_the_same_moment(
    database_url: str, tmp_path: Path
) -> None:
    def look(worker: Witnessing) -> None:
        at_once.wait()
        worker.look()

    stores = [store_at(database_url) for _ in range(2)]
    states = [tmp_path / name for name in ("one", "other")]
    for state in states:  # each says yes, as one does that is asked twice before it has answered
        Witness.begin(state, WITNESS_KEY)
    witnesses = [Witness(state, WITNESS_KEY, [LEDGER_KEY.verifier]) for state in states]
    workers = [shown_to(w, store) for w, store in zip(witnesses, stores, strict=True)]
    at_once = Barrier(len(workers))
    with ThreadPoolExecutor() as threads:
        for size in range(1, 31):
            append(stores[0], 1)
            list(threads.map(look, workers))  # raises what a look has raised
            with stores[0].reading() as connection:
                assert size in connection.scalars(select(checkpoints.c.size))
    for store in stores:
        store.close()


def test_whoever_repeats_a_signature_does_not_silence_the_witness(
    store: Store, witness: Witness
) -> None:
    append(store, 2)
    with store.reading() as connection:
        note = head(connection).note
    body, _, line = note.partition("\n\n")
    stuffed = f"{body}\n\n{line * 64}"
    assert witness.add_checkpoint(WitnessRequest(0, [], stuffed).body).status == 200
    witnessing = shown_to(witness, store)
    for _ in range(3):
        append(store, 1)
        witnessing.look()
        witnessing.look()
        assert witnessing.problem is None
    latest = witness.latest(LEDGER_KEY.name)
    assert latest is not None
    assert open_checkpoint(latest, LEDGER_KEY.verifier, [WITNESS_KEY.verifier]).size == 5


def test_what_came_last_is_cosigned_when_a_worker_ends(store: Store, witness: Witness) -> None:
    witnessing = shown_to(witness, store)
    append(store, 3)
    witnessing.close()
    with store.reading() as connection:
        kept = witnessed(connection)
    assert kept is not None
    assert kept.size == 3


def test_rows_that_are_gone_are_a_problem_that_is_seen(store: Store, witness: Witness) -> None:
    witnessing = shown_to(witness, store)
    append(store, 300)
    witnessing.look()
    append(store, 5)
    with store.writing() as writing:
        writing.connection.execute(delete(subtrees))
    witnessing.look()
    assert witnessing.problem is not None
    assert witnessing.problem != ALARM


def test_a_witness_that_lost_its_key_does_not_begin_anew(tmp_path: Path, store: Store) -> None:
    key = open_home(tmp_path / "w", "witness.example")
    assert open_home(tmp_path / "w", "witness.example") == key
    key_file, state = tmp_path / "w" / "witness.key", tmp_path / "w" / "witness.state"
    kept = key_file.read_bytes()
    key_file.unlink()
    key = open_home(tmp_path / "w", "witness.example")  # it had cosigned nothing
    assert key_file.read_bytes() != kept
    append(store, 1)
    with store.reading() as connection:
        note = head(connection).note
    seen = Witness(state, key, [LEDGER_KEY.verifier])
    assert seen.add_checkpoint(WitnessRequest(0, [], note).body).status == 200
    before = state.read_bytes()
    key_file.unlink()
    with pytest.raises(InvalidSigningKey, match="Bring it back"):
        open_home(tmp_path / "w", "witness.example")
    assert state.read_bytes() == before


def test_a_witness_that_is_down_stops_nothing_and_is_seen_to_be(
    store: Store, witness: Witness
) -> None:
    append(store, 1)
    witnessing = shown_to(witness, store, is_down=True)
    witnessing.look()
    assert witnessing.problem
    append(store, 1)


def put_an_older_copy_back(path: Path, store: Store) -> None:
    """What the test did before: the log had three entries."""
    store.close()
    for file in path.parent.iterdir():
        file.unlink()
    for file in path.parent.with_name("copy").iterdir():
        shutil.copy(file, path.parent)


def rewrite(store: Store, drop: int) -> None:
    """By somebody who has the database and the log's key: all bodies anew, all hashes anew."""
    with store.writing() as writing:
        connection = writing.connection
        rows = connection.execute(select(entries).order_by(entries.c.seq)).all()
        connection.execute(delete(subtrees))
        frontier = Frontier()
        for row in rows[: len(rows) - drop]:
            body = bytes(row.body).replace(b'"won":true', b'"won":false')
            leaf = leaf_hash(body)
            complete = frontier.append(leaf)
            changed = update(entries).where(entries.c.seq == row.seq)
            connection.execute(changed.values(body=body, leaf=leaf))
            for level, place, value in complete:
                made = {"level": level, "place": place, "hash": value}
                connection.execute(insert(subtrees), [made])
        for table in (entries, outcomes):
            connection.execute(delete(table).where(table.c.seq >= frontier.size))
        note = sign_checkpoint(LEDGER_KEY, frontier.size, frontier.root())
        connection.execute(
            update(log_head).values(size=frontier.size, frontier=frontier.packed, note=note)
        )


@pytest.mark.parametrize(
    "attack",
    [lambda s: rewrite(s, 0), lambda s: rewrite(s, 2), lambda s: rewrite(s, 400)],
    ids=["rewritten", "rewritten and cut", "wiped"],
)
@pytest.mark.parametrize("grown", [0, 500], ids=["as it is", "and grown since"])
def test_a_log_that_was_rewritten_by_the_holder_of_its_key_is_an_alarm(
    store: Store, witness: Witness, attack: Callable[[Store], None], grown: int
) -> None:
    append(store, 400)
    shown_to(witness, store).look()
    attack(store)
    with store.writing() as writing:
        writing.connection.execute(delete(checkpoints))
    append(store, grown)
    later = shown_to(witness, store)
    for _ in range(3):
        append(store, 1)
        later.look()
    assert later.problem == ALARM


def test_an_older_copy_put_back_is_an_alarm(path: Path, store: Store, witness: Witness) -> None:
    append(store, 3)
    with store.writing() as writing:
        writing.connection.exec_driver_sql("SELECT 1")
    shutil.copytree(path.parent, path.parent.with_name("copy"))
    append(store, 3)
    shown_to(witness, store).look()
    put_an_older_copy_back(path, store)
    with closing(store_at(f"sqlite:///{path}")) as again:
        later = shown_to(witness, again)
        for _ in range(3):
            later.look()
        assert later.problem == ALARM
