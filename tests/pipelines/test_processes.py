"""What a command starts, it stops, whatever ends it; and what cannot start says why."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import psutil
import pytest

from pipelines import processes
from pipelines.errors import DidNotStart
from pipelines.finetuning.machine_share import is_listening
from pipelines.processes import STOP_SIGNALS, Child, require_free, stoppable
from service.settings import Settings


@pytest.mark.parametrize("sign", STOP_SIGNALS)
def test_a_second_signal_leaves_nothing_running_that_the_first_one_stops(
    sign: signal.Signals,
) -> None:
    before, stopped = signal.getsignal(sign), []

    def stop(name: str) -> None:
        os.kill(os.getpid(), sign)
        stopped.append(name)

    def run() -> None:
        with stoppable() as running:
            running.callback(stop, "service")
            running.callback(stop, "MLflow")
            os.kill(os.getpid(), sign)

    with pytest.raises(KeyboardInterrupt):
        run()
    assert stopped == ["MLflow", "service"]
    assert signal.getsignal(sign) is before


def test_a_signal_does_not_hold_up_what_is_stopped_for_another_reason() -> None:
    stopped = []

    def stop() -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        stopped.append("service")

    with stoppable() as running:
        running.callback(stop)
    assert stopped == ["service"]


def test_what_nohup_started_outlives_its_terminal() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stoppable():
            os.kill(os.getpid(), signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)


def test_what_is_started_while_all_is_stopped_hears_every_signal() -> None:
    code = "import signal; print([int(s) for s in signal.Signals if signal.getsignal(s) == 1])"
    deaf = []

    def start() -> None:
        child = [sys.executable, "-c", code]
        done = subprocess.run(child, capture_output=True, text=True, check=True)
        deaf.extend(json.loads(done.stdout))

    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)  # `nohup` may run the tests
    try:
        with stoppable() as running:
            running.callback(start)
    finally:
        signal.signal(signal.SIGHUP, before)
    assert not set(STOP_SIGNALS) & set(deaf)


@pytest.mark.parametrize("ends_by_itself", [True, False])
def test_a_child_takes_along_what_it_started_in_a_session_of_its_own(
    ends_by_itself: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "LAST_DEADLINE", timedelta(seconds=0.2))
    deaf = "import signal, time; signal.signal(15, 1); print('deaf', flush=True); time.sleep(60)"
    (tmp_path / "starter.py").write_text(
        "import subprocess, sys, time\n"
        f"child = subprocess.Popen([sys.executable, '-c', {deaf!r}], start_new_session=True)\n"
        f"print(child.pid, flush=True); time.sleep({0 if ends_by_itself else 60})"
    )
    log, path = tmp_path / "log", {"PYTHONPATH": str(tmp_path)}
    with Child("The starter", ["starter"], log=log, environment=path) as child:
        deadline = time.monotonic() + 30
        while len(said := log.read_text().split()) < 2 or child.is_alive == ends_by_itself:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        (orphan,) = (int(word) for word in said if word.isdigit())
        assert psutil.pid_exists(orphan)
    assert not psutil.pid_exists(orphan) or psutil.Process(orphan).status() == "zombie"


@pytest.mark.parametrize(
    ("host", "asked"),
    [("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1"), ("::1", "::1"), ("::", "::1")],  # noqa: S104
)
def test_a_service_is_asked_at_the_address_it_listens_at(
    host: str, asked: str, tmp_path: Path
) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, 0), family=family) as free:
        port = free.getsockname()[1]
        with pytest.raises(DidNotStart, match=r"taken.*TIEBREAK_PORT"):
            require_free(port, "TIEBREAK_PORT", host)
    require_free(port, "TIEBREAK_PORT", host)
    settings = Settings(host=host, port=port)
    assert settings.host_to_ask == asked
    command = ["http.server", str(port), "--bind", host, "--directory", str(tmp_path)]
    with Child("The service", command, log=tmp_path / "log") as child:
        child.wait_until(port, "/", within=timedelta(seconds=30), host=asked)
        assert is_listening(port, asked)
    assert not is_listening(port, asked)


def test_an_address_of_another_machine_is_said_so() -> None:
    with pytest.raises(DidNotStart, match="TIEBREAK_HOST to an address of this machine"):
        require_free(3000, "TIEBREAK_PORT", "192.0.2.1")


def test_a_service_that_ends_by_itself_is_an_error_that_says_how_and_where_its_log_is(
    tmp_path: Path,
) -> None:
    with (
        Child("The service", ["no_such_module"], log=tmp_path / "service.log") as child,
        pytest.raises(DidNotStart, match=r"exit code 1\).*service\.log"),
    ):
        child.wait()
