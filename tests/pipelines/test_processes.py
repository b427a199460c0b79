"""What a command starts, it stops, whatever ends it; and what cannot start says why."""

from __future__ import annotations

import os
import signal
import socket
from datetime import timedelta
from pathlib import Path

import pytest

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
