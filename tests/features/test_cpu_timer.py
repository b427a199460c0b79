from __future__ import annotations

import gc
from datetime import timedelta
from itertools import count

import pytest

from features.cpu_timer import CpuTimer, check_cpu
from features.errors import RedactionFailed

SECOND = timedelta(seconds=1)


def test_a_text_is_stopped_once_its_time_is_used() -> None:
    ticks = iter([10.0, 10.5, 11.0, 11.1])
    timer = CpuTimer(SECOND, lambda: next(ticks))
    timer.check()
    timer.check()
    with pytest.raises(RedactionFailed, match=r"more than 1000 ms of CPU\. Send a shorter"):
        timer.check()


def test_a_clock_that_gives_no_number_stops_it_too() -> None:
    ticks = iter([0.0, float("nan")])
    timer = CpuTimer(SECOND, lambda: next(ticks))
    with pytest.raises(RedactionFailed):
        timer.check()


def test_only_a_running_timer_is_checked() -> None:
    ticks = count()
    timer = CpuTimer(SECOND, lambda: 100.0 * next(ticks))
    check_cpu()
    with timer.running(), pytest.raises(RedactionFailed):
        check_cpu()
    check_cpu()


def test_collecting_the_process_garbage_is_not_on_the_text() -> None:
    ticks = count()
    timer = CpuTimer(timedelta(seconds=4), lambda: float(next(ticks)))  # 0 s: it ends at 4 s
    with timer.running():
        timer.check()  # 1 s
        gc.collect()  # from 2 s to 3 s: now it ends at 5 s
        timer.check()
        timer.check()  # 5 s
        gc.collect(1)  # what lived for long is not looked at: not counted apart
        with pytest.raises(RedactionFailed):
            timer.check()


def test_another_timers_collection_is_its_own() -> None:
    ticks = count()
    timer = CpuTimer(timedelta(seconds=1), lambda: float(next(ticks)))
    with timer.running(), CpuTimer(timedelta(seconds=1), lambda: 0.0).running():
        gc.collect()
    timer.check()
    with timer.running(), pytest.raises(RedactionFailed):
        timer.check()
    assert not any(getattr(hook, "__self__", None) is timer for hook in gc.callbacks)
