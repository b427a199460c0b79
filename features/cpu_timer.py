"""CpuTimer: how much CPU one text may cost; it refuses the text rather than go on."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import timedelta

from features.errors import RedactionFailed

FULL_COLLECTION = 2  # the generation that holds everything that has lived for long

_running: ContextVar[CpuTimer | None] = ContextVar("running_cpu_timer", default=None)


class CpuTimer:
    """Counts the CPU seconds of the thread that made it, from then on.

    What waits for a turn costs nothing; what computes is stopped at the next `check`. A full
    garbage collection that falls into the reading is not the text's doing and is not counted: it
    walks over all that the process holds, half a second where MLflow is imported.
    """

    def __init__(self, limit: timedelta, clock: Callable[[], float] = time.thread_time) -> None:
        self._clock = clock
        self._limit = limit
        self._end = clock() + limit.total_seconds()
        self._collecting_since: float | None = None

    def check(self) -> None:
        """Go on, or raise RedactionFailed: a text half read is not redacted."""
        if not self._clock() <= self._end:  # so written, a clock that gives no number refuses too
            raise RedactionFailed(
                f"Reading the text took more than {self._limit.total_seconds() * 1000:.0f} ms of "
                "CPU. Send a shorter one."
            )

    @contextmanager
    def running(self) -> Iterator[None]:
        """Within, `check_cpu` checks this timer: long loops call it at each step."""
        token = _running.set(self)
        gc.callbacks.append(self._collection)
        try:
            yield
        finally:
            gc.callbacks.remove(self._collection)
            _running.reset(token)

    def _collection(self, phase: str, info: Mapping[str, int]) -> None:
        """Called around each garbage collection, by whichever thread set it off."""
        if info["generation"] != FULL_COLLECTION or _running.get() is not self:
            return
        if phase == "start":
            self._collecting_since = self._clock()
        elif self._collecting_since is not None:
            self._end += self._clock() - self._collecting_since
            self._collecting_since = None


def check_cpu() -> None:
    """Check the timer that runs in this thread, if one does. Raises RedactionFailed."""
    timer = _running.get()
    if timer is not None:
        timer.check()
