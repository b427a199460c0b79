"""What work costs, said so that a busy machine cannot break a promise about it.

A thread's CPU clock runs on in time that others steal. So the same yardstick is measured before
and after the work, the slower of both counts, and the best of several attempts is what is said.
"""

from __future__ import annotations

import time
from collections.abc import Callable

YARDSTICK = "Where nothing else runs, to read this takes a known time. " * 200
YARDSTICK_MS = 1.0  # on a quiet core of the machine that the bounds were set on
ATTEMPTS = 7


def quiet_ms(work: Callable[[], object], enough: float) -> float:
    """CPU milliseconds of `work` on a quiet machine, at most; `enough` ends the attempts."""
    best = float("inf")
    for _ in range(ATTEMPTS):
        before = _yardstick_s()
        start = time.thread_time()
        work()
        took = time.thread_time() - start
        best = min(best, YARDSTICK_MS * took / max(before, _yardstick_s()))
        if best <= enough:
            break
    return best


def _yardstick_s() -> float:
    start = time.thread_time()
    for _ in range(5):
        sum(map(ord, YARDSTICK))
        YARDSTICK.split()
    return time.thread_time() - start
