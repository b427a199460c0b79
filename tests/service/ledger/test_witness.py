"""The witness never cosigns two histories of one log, whatever happens to it or is done to it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx2
import pytest

from service.ledger.checkpoint import SigningKey, cosign, sign_checkpoint, with_signature
from service.ledger.errors import (
    WitnessBehind,
    WitnessMisconfigured,
    WitnessRefused,
    WitnessStateDamaged,
    WitnessUnreachable,
)
from service.ledger.merkle import consistency_path, root_at
from service.ledger.verify import KeyType, SignedNote, leaf_hash, node_hash, open_checkpoint
from service.ledger.witness import Witness, WitnessClient, WitnessReply, WitnessRequest, open_home
from service.ledger.witness_app import WitnessApp
from service.ledger.witness_state import WitnessState

LOG = SigningKey("example.com/ledger", KeyType.LOG, b"\x01" * 32)
NEXT_LOG = SigningKey("example.com/ledger", KeyType.LOG, b"\x05" * 32)
STRANGER = SigningKey("example.com/ledger", KeyType.LOG, b"\x03" * 32)
UNKNOWN = SigningKey("example.com/unknown", KeyType.LOG, b"\x04" * 32)
KEY = SigningKey("example.com/witness", KeyType.WITNESS, b"\x02" * 32)
NOW = 1_700_000_000


class History:
    """A log in memory; `edited` is one whose entry 2 was changed."""

    def __init__(self, *, edited: bool = False) -> None:
        self.leaves = [leaf_hash(b"%d" % number) for number in range(300)]
        if edited:
            self.leaves[2] = leaf_hash(b"edited")

    def subtree(self, level: int, index: int) -> bytes:
        if level == 0:
            return self.leaves[index]
        return node_hash(self.subtree(level - 1, 2 * index), self.subtree(level - 1, 2 * index + 1))

    def note(self, size: int, key: SigningKey = LOG) -> str:
        return sign_checkpoint(key, size, root_at(size, self.subtree))

    def request(self, old: int, new: int, key: SigningKey = LOG) -> bytes:
        path = consistency_path(old, new, self.subtree) if old <= new else []
        return WitnessRequest(old, path, self.note(new, key)).body


HONEST, EDITED = History(), History(edited=True)


def witness_at(state: Path) -> Witness:
    return Witness(state, KEY, [LOG.verifier, NEXT_LOG.verifier], clock=lambda: NOW)


@pytest.fixture
def state(tmp_path: Path) -> Path:
    Witness.begin(tmp_path / "witness.state", KEY)
    return tmp_path / "witness.state"


@pytest.fixture
def witness(state: Path) -> Witness:
    return witness_at(state)


def cosigned_size(witness: Witness) -> int:
    note = witness.latest(LOG.name)
    return -1 if note is None else open_checkpoint(note, LOG.verifier).size


# -- the protocol ---------------------------------------------------------------------------------


def test_a_first_checkpoint_is_cosigned(witness: Witness) -> None:
    reply = witness.add_checkpoint(HONEST.request(0, 5))
    assert reply.status == 200
    note = with_signature(HONEST.note(5), reply.body.decode())
    opened = open_checkpoint(note, LOG.verifier, [KEY.verifier])
    assert (opened.size, opened.cosigned_at) == (5, {KEY.name: NOW})
    assert witness.latest(LOG.name) == note


@pytest.mark.parametrize("sizes", [(0, 0, 1, 300), (0, 5, 5, 8, 256), (0, 1, 2, 3, 4, 255, 257)])
def test_a_growing_log_is_cosigned_at_every_step(witness: Witness, sizes: tuple[int, ...]) -> None:
    for old, new in pairwise(sizes):
        assert witness.add_checkpoint(HONEST.request(old, new)).status == 200
        assert cosigned_size(witness) == new


def with_last(request: bytes, replaced: bytes, by: bytes) -> bytes:
    return by.join(request.rsplit(replaced, 1))


REQUEST = HONEST.request(5, 8)
BAD_REQUESTS: dict[str, tuple[bytes, int]] = {
    "empty": (b"", 400),
    "no note": (b"old 5\n\n", 400),
    "no old size": (REQUEST.partition(b"\n")[2], 400),
    "old size with zeroes": (REQUEST.replace(b"old 5", b"old 05"), 400),
    "negative old size": (REQUEST.replace(b"old 5", b"old -5"), 400),
    "two spaces": (REQUEST.replace(b"old 5", b"old  5"), 400),
    "proof is no base64": (REQUEST.replace(b"old 5\n", b"old 5\n!!\n"), 400),
    "proof of short hashes": (REQUEST.replace(b"old 5\n", b"old 5\nAAAA\n"), 400),
    "64 hashes": (REQUEST.replace(b"old 5\n", b"old 5\n" + (b"A" * 43 + b"=\n") * 64), 400),
    "not UTF-8": (REQUEST + b"\xff", 400),
    "carriage returns": (REQUEST.replace(b"\n", b"\r\n"), 400),
    "no signature": (REQUEST[: REQUEST.index("—".encode())], 400),
    "old size above the new": (HONEST.request(9, 8), 400),
    "unknown log": (HONEST.request(5, 8, UNKNOWN), 404),
    "stranger's key of that name": (HONEST.request(5, 8, STRANGER), 403),
    "damaged signature": (with_last(REQUEST, b"A", b"B"), 403),
    "from a smaller size": (HONEST.request(3, 8), 409),
    "from a larger size": (HONEST.request(6, 8), 409),
    "from nothing": (HONEST.request(0, 8), 409),
    "older copy": (HONEST.request(3, 3), 409),
    "wiped log": (HONEST.request(0, 0), 409),
    "fork at the same size": (EDITED.request(5, 5), 409),
    "fork at a larger size": (EDITED.request(5, 8), 422),
    "no proof": (WitnessRequest(5, [], HONEST.note(8)).body, 422),
    "proof of another step": (
        WitnessRequest(5, consistency_path(4, 8, HONEST.subtree), HONEST.note(8)).body,
        422,
    ),
    "63 hashes": (REQUEST.replace(b"old 5\n", b"old 5\n" + (b"A" * 43 + b"=\n") * 58), 422),
}


@pytest.mark.parametrize(("request_", "status"), BAD_REQUESTS.values(), ids=BAD_REQUESTS)
def test_anything_else_is_refused_and_changes_nothing(
    witness: Witness, state: Path, request_: bytes, status: int
) -> None:
    witness.add_checkpoint(HONEST.request(0, 5))
    before = state.read_bytes()
    reply = witness.add_checkpoint(request_)
    assert reply.status == status, reply.body
    assert state.read_bytes() == before
    if status == 409:
        assert (reply.content_type, reply.body) == ("text/x.tlog.size", b"5\n")


def test_whoever_holds_the_log_key_cannot_rewrite_what_was_cosigned(witness: Witness) -> None:
    """Every size, from the right old size, with the best proof that there is."""
    witness.add_checkpoint(HONEST.request(0, 5))
    for size in range(300):
        assert witness.add_checkpoint(EDITED.request(5, size)).status in {400, 409, 422}
    assert cosigned_size(witness) == 5


def test_a_log_changes_its_key_without_losing_its_history(witness: Witness) -> None:
    witness.add_checkpoint(HONEST.request(0, 5))
    assert witness.add_checkpoint(EDITED.request(5, 8, NEXT_LOG)).status == 422
    assert witness.add_checkpoint(HONEST.request(5, 8, NEXT_LOG)).status == 200


def test_logs_do_not_mix(state: Path) -> None:
    witness = Witness(state, KEY, [LOG.verifier, UNKNOWN.verifier])
    assert witness.add_checkpoint(HONEST.request(0, 5)).status == 200
    assert witness.add_checkpoint(EDITED.request(0, 3, UNKNOWN)).status == 200
    assert witness.add_checkpoint(HONEST.request(5, 8)).status == 200
    assert witness.latest("example.com/nobody") is None


def test_signatures_of_others_are_not_kept(witness: Witness) -> None:
    line = SignedNote.parse(HONEST.note(5, STRANGER)).signatures[0].text
    note = with_signature(HONEST.note(5), line)
    assert witness.add_checkpoint(WitnessRequest(0, [], note).body).status == 200
    assert line not in (witness.latest(LOG.name) or "")


def test_keys_of_the_wrong_kind_make_no_witness(state: Path) -> None:
    with pytest.raises(ValueError, match="witness's key"):
        Witness(state, LOG, [LOG.verifier])
    with pytest.raises(ValueError, match="keys of logs"):
        Witness(state, KEY, [KEY.verifier])


# -- its memory -----------------------------------------------------------------------------------


def test_a_restarted_witness_remembers(witness: Witness, state: Path) -> None:
    witness.add_checkpoint(HONEST.request(0, 5))
    again = witness_at(state)
    assert again.add_checkpoint(EDITED.request(5, 8)).status == 422
    assert again.add_checkpoint(HONEST.request(5, 8)).status == 200


def test_a_damaged_or_missing_file_is_a_refusal_never_a_fresh_start(
    witness: Witness, state: Path
) -> None:
    witness.add_checkpoint(HONEST.request(0, 5))
    content = state.read_bytes()
    for at in range(0, len(content) * 8, 13):
        damaged = bytearray(content)
        damaged[at // 8] ^= 1 << at % 8
        state.write_bytes(damaged)
        with pytest.raises(WitnessStateDamaged):
            witness_at(state)
    for rest in (content[:-1], content[:100], b"", content + b" "):
        state.write_bytes(rest)
        assert witness.add_checkpoint(HONEST.request(5, 8)).status == 500
        assert witness.add_checkpoint(EDITED.request(0, 8)).status == 500
    state.unlink()
    assert witness.add_checkpoint(EDITED.request(0, 8)).status == 500
    with pytest.raises(WitnessStateDamaged):
        witness_at(state)


def test_another_key_does_not_read_the_file(state: Path) -> None:
    with pytest.raises(WitnessStateDamaged):
        Witness(state, SigningKey.generate("example.com/x", KeyType.WITNESS), [LOG.verifier])


def test_a_file_is_not_begun_twice(state: Path) -> None:
    with pytest.raises(FileExistsError):
        Witness.begin(state, KEY)


def test_no_cosignature_leaves_when_it_cannot_be_kept(
    witness: Witness, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: object, __: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(WitnessState, "write", full)
    reply = witness.add_checkpoint(HONEST.request(0, 5))
    assert (reply.status, "—" in reply.body.decode()) == (503, False)
    monkeypatch.undo()
    assert witness.add_checkpoint(HONEST.request(0, 5)).status == 200


def test_a_home_keeps_its_key_and_refuses_to_forget(tmp_path: Path) -> None:
    home = tmp_path / "home"
    key = open_home(home, "example.com/w")
    assert open_home(home, "example.com/w") == key
    assert (home / "witness.vkey").read_text() == f"{key.verifier.text}\n"
    witness = Witness(home / "witness.state", key, [LOG.verifier])
    assert witness.add_checkpoint(HONEST.request(0, 5)).status == 200
    (home / "witness.state").unlink()
    assert open_home(home, "example.com/w") == key
    with pytest.raises(WitnessStateDamaged):
        Witness(home / "witness.state", key, [LOG.verifier])


def test_a_first_start_that_was_killed_half_way_is_done_over(tmp_path: Path) -> None:
    open_home(tmp_path, "example.com/w")
    (tmp_path / "witness.key").unlink()  # as before it was written
    key = open_home(tmp_path, "example.com/w")
    assert Witness(tmp_path / "witness.state", key, [LOG.verifier]).latest(LOG.name) is None


# -- several processes, and kills -----------------------------------------------------------------


def _race(state: Path, history: History, start: Any, answers: Any) -> None:
    witness = witness_at(state)
    start.wait()
    size, cosigned = 0, []
    while size < 60:
        reply = witness.add_checkpoint(history.request(size, size + 1))
        if reply.status == 200:
            size += 1
            cosigned.append((size, reply.body.decode()))
        elif reply.status == 409 and (last := int(reply.body)) != size:
            size = last
        else:
            break  # the other history won
    answers.put(cosigned)


def test_two_processes_with_one_file_cosign_one_history(state: Path) -> None:
    """One offers the honest log, the other a fork of it, as fast as they can."""
    context = multiprocessing.get_context("spawn")
    start, answers = context.Barrier(2), context.Queue()
    histories = (HONEST, EDITED)
    racers = [
        context.Process(target=_race, args=(state, history, start, answers))
        for history in histories
    ]
    for racer in racers:
        racer.start()
    cosigned = [pair for _ in racers for pair in answers.get(timeout=60)]
    for racer in racers:
        racer.join()
    assert {size for size, _ in cosigned} >= {1, 2, 60}  # they agree on the first two entries
    winners = {
        number
        for size, line in cosigned
        for number, history in enumerate(histories)
        if size > 2 and holds(with_signature(history.note(size), line))
    }
    assert len(winners) == 1


def holds(note: str) -> bool:
    try:
        return bool(open_checkpoint(note, LOG.verifier, [KEY.verifier]).cosigned_at)
    except ValueError:
        return False


def _serve_until_killed(state: Path, requests: list[bytes], pipe: Any) -> None:
    witness = witness_at(state)
    for request in requests:
        pipe.send(witness.add_checkpoint(request).body)


@pytest.mark.parametrize("delay", [0.0, 0.003, 0.011, 0.02])
def test_a_kill_at_any_moment_forgets_nothing_that_left(state: Path, delay: float) -> None:
    mine, theirs = multiprocessing.Pipe(duplex=False)
    requests = [HONEST.request(size, size + 1) for size in range(299)]
    process = multiprocessing.get_context("spawn").Process(
        target=_serve_until_killed, args=(state, requests, theirs)
    )
    process.start()
    theirs.close()
    left = 0
    assert mine.recv()
    left += 1
    time.sleep(delay)
    os.kill(process.pid or 0, signal.SIGKILL)
    process.join()
    while mine.poll():
        try:
            mine.recv()
            left += 1
        except EOFError:
            break
    mine.close()
    witness = witness_at(state)
    assert left <= cosigned_size(witness) <= left + 1


def _die_between_file_and_answer(state: Path) -> None:
    write = WitnessState.write

    def write_and_die(self: WitnessState, notes: Any) -> None:
        write(self, notes)
        os.kill(os.getpid(), signal.SIGKILL)

    WitnessState.write = write_and_die  # type: ignore[method-assign]
    witness_at(state).add_checkpoint(HONEST.request(0, 5))


def test_a_kill_between_file_and_answer_costs_one_round_trip(state: Path) -> None:
    process = multiprocessing.get_context("spawn").Process(
        target=_die_between_file_and_answer, args=(state,)
    )
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    client = client_of(witness_at(state).add_checkpoint)
    with pytest.raises(WitnessBehind) as behind:
        client.submit(0, [], HONEST.note(5))
    assert behind.value.size == 5
    assert client.submit(5, [], HONEST.note(5))


# -- the client -----------------------------------------------------------------------------------


def client_of(answer: Callable[[bytes], WitnessReply], key: SigningKey = KEY) -> WitnessClient:
    def wire(request: httpx2.Request) -> httpx2.Response:
        reply = answer(request.content)
        headers = {"content-type": reply.content_type}
        return httpx2.Response(reply.status, headers=headers, content=reply.body)

    transport = httpx2.MockTransport(wire)
    return WitnessClient("http://127.0.0.1:1", key.verifier, transport=transport)


def submit(client: WitnessClient, old: int, new: int, history: History = HONEST) -> str:
    path = consistency_path(old, new, history.subtree)
    return client.submit(old, path, history.note(new))


def test_the_client_gets_a_cosignature_that_holds(witness: Witness) -> None:
    client = client_of(witness.add_checkpoint)
    line = submit(client, 0, 5)
    opened = open_checkpoint(with_signature(HONEST.note(5), line), LOG.verifier, [KEY.verifier])
    assert opened.cosigned_at == {KEY.name: NOW}
    assert submit(client, 5, 256).endswith("\n")


def test_the_client_tells_a_lost_answer_from_a_contradiction(witness: Witness) -> None:
    client = client_of(witness.add_checkpoint)
    submit(client, 0, 5)
    with pytest.raises(WitnessBehind) as behind:
        submit(client, 3, 8)
    assert behind.value.size == 5
    for size in (5, 8):
        with pytest.raises(WitnessRefused):
            submit(client, 5, size, EDITED)
    with pytest.raises(WitnessMisconfigured, match="does not know"):
        client.submit(5, [], HONEST.note(8, UNKNOWN))
    with pytest.raises(WitnessMisconfigured, match="not signed"):
        client.submit(5, [], HONEST.note(8, STRANGER))


BODY = SignedNote.parse(HONEST.note(5)).body
IMPOSTOR = SigningKey("example.com/witness", KeyType.WITNESS, b"\x09" * 32)
GOOD_LINE = cosign(KEY, BODY, NOW)


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (WitnessReply.text(200, "ok"), WitnessMisconfigured),
        (WitnessReply(200, "", b""), WitnessMisconfigured),
        (WitnessReply(200, "", cosign(IMPOSTOR, BODY, 1).encode()), WitnessMisconfigured),
        (WitnessReply(200, "", cosign(KEY, "x" + BODY, 1).encode()), WitnessMisconfigured),
        (WitnessReply.text(409, "five"), WitnessMisconfigured),
        (WitnessReply.text(413, "too long"), WitnessMisconfigured),
        (WitnessReply.text(500, "damaged"), WitnessUnreachable),
        (WitnessReply.text(503, "full"), WitnessUnreachable),
    ],
)  # fmt: skip
def test_no_answer_but_a_true_cosignature_is_one(
    reply: WitnessReply, error: type[Exception]
) -> None:
    with pytest.raises(error):
        submit(client_of(lambda _: reply), 0, 5)


def test_cosignatures_of_other_witnesses_are_read_past() -> None:
    lines = cosign(IMPOSTOR, BODY, 1) + GOOD_LINE
    client = client_of(lambda _: WitnessReply(200, "text/plain", lines.encode()))
    assert submit(client, 0, 5) == GOOD_LINE


def test_a_witness_that_is_down_is_unreachable() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    client = WitnessClient(f"http://127.0.0.1:{port}", KEY.verifier)
    with pytest.raises(WitnessUnreachable, match="does not answer"):
        submit(client, 0, 5)
    client.close()


# -- over HTTP ------------------------------------------------------------------------------------


async def test_the_app_serves_the_protocol_and_nothing_else(witness: Witness) -> None:
    transport = httpx2.ASGITransport(app=WitnessApp(witness))
    async with httpx2.AsyncClient(transport=transport, base_url="http://w") as http:
        posted = await http.post("/add-checkpoint", content=HONEST.request(0, 5))
        assert (posted.status_code, posted.text[:1]) == (200, "—")
        behind = await http.post("/add-checkpoint", content=HONEST.request(0, 5))
        assert (behind.status_code, behind.text) == (409, "5\n")
        assert behind.headers["content-type"] == "text/x.tlog.size"
        latest = await http.get("/checkpoint", params={"origin": LOG.name})
        assert latest.text == witness.latest(LOG.name)
        assert (await http.get("/checkpoint?origin=nobody")).status_code == 404
        assert (await http.get("/checkpoint")).status_code == 404
        assert (await http.get("/healthz")).text == "ok\n"
        assert (await http.get("/")).status_code == 404
        wrong = await http.get("/add-checkpoint")
        assert (wrong.status_code, wrong.headers["allow"]) == (405, "POST")
        assert (await http.post("/add-checkpoint", content=b"x" * 65536)).status_code == 400
        assert (await http.post("/add-checkpoint", content=b"x" * 65537)).status_code == 413


async def test_the_app_is_unhealthy_when_its_memory_is_damaged(
    witness: Witness, state: Path
) -> None:
    state.write_bytes(b"")
    transport = httpx2.ASGITransport(app=WitnessApp(witness))
    async with httpx2.AsyncClient(transport=transport, base_url="http://w") as http:
        assert (await http.get("/healthz")).status_code == 500
        assert (await http.get("/checkpoint?origin=x")).status_code == 500


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def process(tmp_path: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "service.ledger.witness", "--home", str(tmp_path / "w"),
               "--port", str(port), "--log-key", LOG.verifier.text]  # fmt: skip
    with subprocess.Popen(command) as running:
        yield running
        running.kill()


def test_the_process_cosigns_on_loopback(
    process: subprocess.Popen[bytes], tmp_path: Path, port: int
) -> None:
    vkey = tmp_path / "w" / "witness.vkey"
    until = time.monotonic() + 60
    while not vkey.exists() and time.monotonic() < until:
        time.sleep(0.05)
    key = open_home(tmp_path / "w", "localhost/witness")
    client = WitnessClient(f"http://127.0.0.1:{port}", key.verifier)
    while time.monotonic() < until:
        try:
            line = submit(client, 0, 5)
            break
        except WitnessUnreachable:
            time.sleep(0.05)
    assert client.latest(LOG.name) == with_signature(HONEST.note(5), line)
    assert client.latest("example.com/nobody") is None
    client.close()
    assert process.poll() is None


def test_wrong_usage_is_told(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    base = [sys.executable, "-m", "service.ledger.witness", "--home", str(tmp_path), "--port", "1"]
    assert subprocess.run([*base, "--log-key", "nonsense"], check=False).returncode == 2
    (tmp_path / "witness.key").write_text("damaged")
    done = subprocess.run([*base, "--log-key", LOG.verifier.text], check=False)
    assert done.returncode == 1
    assert "This is no private key" in capfd.readouterr().err
