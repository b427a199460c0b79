from __future__ import annotations

import asyncio
import hashlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from models.errors import LlmUnavailable
from models.llm_client import llm_client
from models.llm_version import Api, Decoding, LlmVersion
from models.prompt import EvidenceKind, Prompt, choose_examples
from models.verdict import LlmJudge, VerdictSource
from pipelines.local_llm import embedded_llm
from service.llm import server
from service.llm.server import (
    MODEL_ID,
    EmbeddedLlm,
    is_available,
    is_healthy,
    is_ours,
    listening_socket,
    model_digest,
    model_file,
)
from service.settings import Settings
from tests.fakes import redacted

pytestmark = [
    pytest.mark.journey,
    pytest.mark.skipif(not is_available(), reason="needs the extra local-llm"),
]
REVIEWS = Path(__file__).parents[3] / "shared" / "data" / "womens_clothing_reviews.csv"
PAST = {
    "Love this dress, it fits great": True,
    "Cheap fabric and a bad cut, I returned it": False,
    "Huge, itchy, and it fell apart": False,
    "Perfect for work, I will buy another one": True,
}


@pytest.fixture(scope="session")
def cache_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("llm")


@pytest.fixture(scope="session")
def llm(cache_dir: Path) -> Iterator[EmbeddedLlm]:
    with EmbeddedLlm(cache_dir) as running:
        yield running


def test_an_answer_s_body_does_not_wait_until_its_head_is_acknowledged() -> None:
    with (
        listening_socket("127.0.0.1", 0) as listening,
        socket.create_connection(listening.getsockname()),
        listening.accept()[0] as accepted,
    ):
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


@asynccontextmanager
async def judge_of(llm: EmbeddedLlm, past: dict[str, bool]) -> AsyncIterator[LlmJudge]:
    texts = [redacted(text) for text in past]
    examples = choose_examples(texts, list(past.values()), 4, seed=0)
    asked = Prompt.newest(EvidenceKind.TEXT, outcome="Recommended", won="1", examples=examples)
    version = LlmVersion(
        provider="embedded",
        model=llm.model_id,
        api=Api.COMPLETION,
        prompts={EvidenceKind.TEXT: asked},
        redaction_policy=texts[0].policy,
        decoding=Decoding.for_api(Api.COMPLETION),
        weights=llm.digest,
    )
    async with llm_client(llm.base_url, "none") as client:
        yield LlmJudge(client, version, deadline=timedelta(seconds=60), max_concurrency=2)


async def test_the_embedded_llm_tells_praise_from_complaint(llm: EmbeddedLlm) -> None:
    async with judge_of(llm, PAST) as judge:
        praise = await judge.ask(redacted("So soft and pretty, I love it"), EvidenceKind.TEXT)
        complaint = await judge.ask(redacted("Ugly, ripped at once, sent back"), EvidenceKind.TEXT)
    assert praise.win_probability > complaint.win_probability + 0.1
    assert praise.source is VerdictSource.LOGPROBS
    assert praise.prompt_tokens > complaint.completion_tokens == 1


async def test_the_same_question_has_the_same_answer_once_the_prompt_is_cached(
    llm: EmbeddedLlm,
) -> None:
    async with judge_of(llm, PAST) as judge:
        asked = [await judge.ask(redacted("nice but small"), EvidenceKind.TEXT) for _ in range(3)]
    _, second, third = asked  # the first reads the whole prompt at once, which sums otherwise
    assert second.win_probability == pytest.approx(third.win_probability, abs=0.01)


@pytest.mark.skipif(not REVIEWS.exists(), reason="needs the table of reviews")
async def test_on_real_reviews_it_ranks_well_above_chance(llm: EmbeddedLlm) -> None:
    import pandas as pd
    from sklearn.metrics import roc_auc_score

    table = pd.read_csv(REVIEWS).dropna(subset=["Review Text"]).sample(frac=1, random_state=0)
    rows = list(zip(table["Review Text"], table["Recommended IND"] == 1, strict=True))
    lost = [row for row in rows[:100] if not row[1]][:8]
    shown = lost + [row for row in rows[:100] if row[1]][:10]
    async with judge_of(llm, dict(rows[100:400])) as judge:
        asks = (judge.ask(redacted(text), EvidenceKind.TEXT) for text, _ in shown)
        verdicts = await asyncio.gather(*asks)
    auc = roc_auc_score([won for _, won in shown], [v.win_probability for v in verdicts])
    assert auc > 0.8


def test_it_says_who_it_is_and_keeps_prompts_to_itself(llm: EmbeddedLlm) -> None:
    host = llm.base_url.removeprefix("http://").removesuffix("/v1")
    seen = {}
    for path in ("/v1/models", "/slots", "/props", "/"):
        connection = http.client.HTTPConnection(host, timeout=10)
        connection.request("GET", path, headers={"Origin": "http://elsewhere.test"})
        response = connection.getresponse()
        allowed = response.getheader("Access-Control-Allow-Origin", "")
        seen[path] = (response.status, MODEL_ID in response.read().decode())
        assert "elsewhere" not in allowed
        assert "*" not in allowed
        connection.close()
    assert seen["/v1/models"] == (200, True)
    assert seen["/slots"][0] >= 400
    assert seen["/"][0] >= 400


def test_the_model_file_is_what_its_digest_says_and_is_repaired_where_it_is_not(
    tmp_path: Path, llm: EmbeddedLlm
) -> None:
    with ThreadPoolExecutor(2) as two:  # at the same moment
        file, same = two.map(model_file, [tmp_path, tmp_path])
    assert file == same
    with file.open("r+b") as damaged:
        damaged.write(b"damage")
    with model_file(tmp_path).open("rb") as whole:
        assert hashlib.file_digest(whole, "sha256").hexdigest() == model_digest() == llm.digest
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".part"] == []


def test_a_cache_that_cannot_be_written_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LlmUnavailable, match="cannot be put together"):
        model_file(tmp_path / "file" / "cache")


def test_a_taken_port_is_an_error_in_time(cache_dir: Path, llm: EmbeddedLlm) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        second = EmbeddedLlm(cache_dir, port=taken.getsockname()[1])
        with pytest.raises(LlmUnavailable, match="did not start"):
            second.start()
    assert not second.is_alive()
    assert llm.is_alive()


def test_a_deadline_that_passes_leaves_no_process(cache_dir: Path) -> None:
    hasty = EmbeddedLlm(cache_dir, deadline=timedelta(seconds=0.01))
    with pytest.raises(LlmUnavailable, match="took too long"):
        hasty.start()
    assert hasty.pid is None


def test_another_server_at_its_port_is_not_taken_for_it(tmp_path: Path) -> None:
    class Other(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"data": [{"id": "llama-3", "owned_by": "me"}]}')

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Other) as other:
        threading.Thread(target=other.serve_forever, daemon=True).start()
        settings = Settings(home=tmp_path, llm_port=other.server_address[1])
        with pytest.raises(LlmUnavailable, match="TIEBREAK_LLM_PORT"), embedded_llm(settings):
            pass
        other.shutdown()


def test_who_borrows_an_llm_starts_one_when_its_owner_ends_and_two_do_not_quarrel(
    cache_dir: Path, tmp_path: Path
) -> None:
    (tmp_path / "llm").symlink_to(cache_dir)
    with EmbeddedLlm(cache_dir) as owner:
        address = owner.base_url.removesuffix("/v1")
        settings = Settings(home=tmp_path, llm_port=int(address.rpartition(":")[2]))
        with embedded_llm(settings):
            with embedded_llm(settings):
                owner.stop()
                assert is_back(address)
            assert is_back(address)
    assert not is_healthy(address)


def is_back(address: str) -> bool:
    """Within a minute."""
    deadline = time.monotonic() + 60
    while not is_ours(address) and time.monotonic() < deadline:
        time.sleep(0.05)
    return is_ours(address)


def test_stop_ends_it_and_may_be_called_twice(cache_dir: Path) -> None:
    running = EmbeddedLlm(cache_dir).start()
    pid, address = running.pid, running.base_url.removesuffix("/v1")
    assert pid is not None
    assert is_healthy(address)
    assert is_ours(address)
    running.stop()
    running.stop()
    assert not is_running(pid)
    assert not is_healthy(address)
    assert running.base_url == ""


def test_a_server_that_hears_no_signal_is_killed_and_none_is_started_any_more(
    cache_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "STOP_DEADLINE", timedelta(seconds=0.2))
    running = EmbeddedLlm(cache_dir).start()
    pid = running.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    running.stop()
    assert not is_running(pid)
    with pytest.raises(LlmUnavailable, match="stopped"):
        running.start()
    assert running.pid is None


def test_who_waits_for_it_to_start_can_give_up(cache_dir: Path) -> None:
    starting = EmbeddedLlm(cache_dir)
    with ThreadPoolExecutor(1) as other:
        start = other.submit(starting.start)
        while starting.pid is None:
            time.sleep(0.01)
        starting.give_up()
        with pytest.raises(LlmUnavailable):
            start.result(10)
    assert starting.pid is None


def test_ctrl_c_ends_it_in_silence(cache_dir: Path) -> None:
    """A terminal tells all that run in its foreground, not only whoever is to stop the others."""
    code = (
        "import signal, sys, time; from pathlib import Path\n"
        "from pipelines.serving.process_usage import descendants\n"
        "from service.llm.server import EmbeddedLlm\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # tests may run deaf to it
        "with EmbeddedLlm(Path(sys.argv[1])) as llm:\n"
        "    try: print(llm.pid, *descendants(llm.pid), flush=True); time.sleep(60)\n"
        "    except KeyboardInterrupt: time.sleep(2)\n"  # others are stopped first
    )
    command, pipe = [sys.executable, "-c", code, str(cache_dir)], subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, start_new_session=True) as parent:
        assert parent.stdout is not None
        pids = [int(pid) for pid in parent.stdout.readline().split()]
        os.killpg(parent.pid, signal.SIGINT)
        _, said = parent.communicate(timeout=15)
    assert (said, parent.returncode) == (b"", 0)
    assert len(pids) == 2
    assert not any(map(is_running, pids))


def test_it_ends_when_its_parent_is_killed(cache_dir: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from service.llm.server import EmbeddedLlm\n"
        "llm = EmbeddedLlm(Path(sys.argv[1])).start(); print(llm.pid, flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", code, str(cache_dir)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert is_running(pid)
        parent.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 10
    while is_running(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_running(pid)


def is_running(pid: int) -> bool:
    """Whether the process exists and is no zombie."""
    try:
        os.kill(pid, 0)
        stat = Path(f"/proc/{pid}/stat")
        return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False
