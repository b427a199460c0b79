"""Two commands at once have one embedded LLM between them: who is second waits for the first's."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from models.errors import LlmUnavailable
from pipelines import local_llm
from pipelines.local_llm import embedded_llm
from service.llm.front import OWNER
from service.llm.server import MODEL_ID
from service.settings import Settings

started: list[int] = []


class StandIn(BaseHTTPRequestHandler):
    """Answers what the embedded LLM is known by."""

    def do_GET(self) -> None:
        body = json.dumps({"data": [{"id": MODEL_ID, "owned_by": OWNER}]}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None: ...


class Own:
    """In place of a child process of llama.cpp: what a command would have started itself."""

    def __init__(self, _: Path, *, port: int) -> None:
        self.base_url = ""
        self._port = port

    def start(self) -> None:
        started.append(self._port)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", self._port))
            except OSError as error:
                raise LlmUnavailable("start", "taken") from error
        self.base_url = "http://own"

    def stop(self) -> None:
        self.base_url = ""

    def give_up(self) -> None: ...


@pytest.fixture
def starting(monkeypatch: pytest.MonkeyPatch) -> Iterator[HTTPServer]:
    """Somebody's LLM that has the port, and does not answer yet."""
    started.clear()
    monkeypatch.setattr(local_llm, "EmbeddedLlm", Own)
    with HTTPServer(("127.0.0.1", 0), StandIn) as server:
        yield server


def test_one_that_another_command_is_starting_is_waited_for(
    starting: HTTPServer, tmp_path: Path
) -> None:
    answering = threading.Timer(0.5, starting.serve_forever)
    answering.start()
    with embedded_llm(Settings(home=tmp_path, llm_port=starting.server_port)):
        assert started == []
    starting.shutdown()
    answering.join()


def test_who_was_a_moment_later_takes_the_one_of_who_was_first(
    starting: HTTPServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = iter([False])
    listening = local_llm.is_listening
    monkeypatch.setattr(local_llm, "is_listening", lambda port: next(looks, listening(port)))
    answering = threading.Timer(0.2, starting.serve_forever)
    answering.start()
    with embedded_llm(Settings(home=tmp_path, llm_port=starting.server_port)):
        assert started == [starting.server_port]
    starting.shutdown()
    answering.join()


def test_one_that_stays_silent_is_said_with_what_to_do(
    starting: HTTPServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local_llm, "START_DEADLINE", timedelta(0))
    monkeypatch.setattr(local_llm, "answers", lambda *_: False)
    said = f"silent at http://127.0.0.1:{starting.server_port}. End it, or set TIEBREAK_LLM_PORT"
    with (
        pytest.raises(LlmUnavailable, match=said),
        embedded_llm(Settings(home=tmp_path, llm_port=starting.server_port)),
    ):
        pass


def test_where_nobody_is_there_it_starts_its_own(starting: HTTPServer, tmp_path: Path) -> None:
    port = starting.server_port
    starting.server_close()
    with embedded_llm(Settings(home=tmp_path, llm_port=port)):
        assert started == [port]
