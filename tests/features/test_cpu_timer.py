from __future__ import annotations

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
