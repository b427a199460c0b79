"""A real `bentoml serve` on localhost, asked by BentoML's own clients."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import bentoml
import httpx
import pytest
from service_fakes import BY_TEXT, store_at

from service.keys import Role, create_key

pytestmark = pytest.mark.journey


@dataclass(frozen=True)
class Served:
    url: str
    token: str
    log: Path

    def get(self, path: str) -> httpx.Response:
        return httpx.get(self.url + path, headers={"authorization": f"Bearer {self.token}"})


@contextmanager
def asking(served: Served) -> Iterator[bentoml.SyncHTTPClient]:
    with bentoml.SyncHTTPClient(served.url, token=served.token) as client:
        yield client
        client._temp_dir.cleanup()  # BentoML leaves it to the garbage collector, which warns


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    home = tmp_path_factory.mktemp("served")
    database = f"sqlite:///{home}/tiebreak.db"
    store = store_at(database)
    _, token = create_key(store, name="test", role=Role.ADMIN)
    store.close()
    port = _free_port()
    environment = os.environ | {  # noqa: TID251
        "FAKE_DATABASE_URL": database,
        "BENTOML_HOME": str(home / "bentoml"),
        "BENTOML_DO_NOT_TRACK": "True",
    }
    command = [sys.executable, "-m", "bentoml", "serve", "service_fakes:FakeScorer"]
    command += ["--working-dir", str(Path(__file__).parent)]
    command += ["--host", "127.0.0.1", "--port", str(port)]
    log = home / "log"
    with log.open("wb") as sink:
        process = subprocess.Popen(command, env=environment, stdout=sink, stderr=sink)
        try:
            yield Served(_when_ready(f"http://127.0.0.1:{port}", process, log), token, log)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=120)


def test_bentomls_sync_client_decides(served: Served) -> None:
    with asking(served) as client:
        answer = client.decide(lead={"Visits": 12, "Lead Source": "Search"}, reasons=1)
        assert answer["route"] == "classifier"
        both = client.decide_batch(leads=[{"Visits": 1}, {"Visits": "x"}])
        reported = client.outcomes(outcomes=[{"decision_id": answer["decision_id"], "won": True}])
    assert [d is None for d in both["decisions"]] == [False, True]
    assert reported == {"recorded": 1, "unchanged": 0, "errors": []}


async def test_bentomls_async_client_decides(served: Served) -> None:
    async with bentoml.AsyncHTTPClient(served.url, token=served.token) as client:
        answer = await client.decide(lead={"Message": BY_TEXT})
        client._temp_dir.cleanup()
    assert answer["route"] == "llm"


def test_metrics_of_the_worker_show_routes_and_llm_calls(served: Served) -> None:
    with asking(served) as client:
        client.decide(lead={"Message": BY_TEXT, "Lead Source": "Moon"})
    text = served.get("/metrics").text
    assert 'tiebreak_decisions_total{reason="free_text",route="llm"}' in text
    assert 'tiebreak_llm_calls_total{outcome="ok"}' in text
    assert 'tiebreak_llm_tokens_total{kind="prompt"}' in text
    assert 'tiebreak_unknown_categories_total{column="Lead Source"}' in text
    assert 'tiebreak_release_info{classifier="9",llm="4",release="7"} 1.0' in text
    assert 'tiebreak_http_seconds_bucket{endpoint="/decide"' in text


def test_the_docs_page_takes_everything_from_this_service(served: Served) -> None:
    page = served.get("/").text
    assert "://" not in page
    assert served.get("/static_content/swagger-ui-bundle.js").status_code == 200


def test_pickled_bodies_are_refused(served: Served) -> None:
    headers = {
        "authorization": f"Bearer {served.token}",
        "content-type": "application/vnd.bentoml+pickle",
    }
    response = httpx.post(served.url + "/decide", content=b"\x80\x04.", headers=headers)
    assert response.status_code == 415


def test_no_body_reaches_the_log(served: Served) -> None:
    headers = {"authorization": f"Bearer {served.token}"}
    for lead in ({"Email": "jane.roe@example.com"}, {"Visits": "jane roe"}, {"Message": "crash"}):
        httpx.post(served.url + "/decide", json={"lead": lead}, headers=headers)
    text = served.log.read_text()
    assert "RuntimeError" in text
    assert "jane" not in text


def _when_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> str:
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        try:
            if httpx.get(url + "/readyz").status_code == 200:
                return url
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise AssertionError(log.read_text())


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
