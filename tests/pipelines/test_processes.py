"""What a command starts, it stops, whatever ends it; and what cannot start says why."""

from __future__ import annotations

import os
import signal

import pytest

from pipelines.processes import STOP_SIGNALS, stoppable


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
