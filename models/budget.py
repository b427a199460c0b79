"""CallBudget: how many requests to an LLM may leave per minute, each attempt counted."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

SPENT = "budget_exhausted"  # the cause of an LlmUnavailable


class CallBudget:
    """A sliding window over the last minute. Used from one event loop: needs no lock."""

    def __init__(
        self, calls_per_minute: int | None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._limit = calls_per_minute
        self._clock = clock
        self._taken: deque[float] = deque()

    def take(self) -> bool:
        """True, and one call counted, where the budget allows it."""
        if self._limit is None:
            return True
        now = self._clock()
        while self._taken and now - self._taken[0] >= 60:
            self._taken.popleft()
        if len(self._taken) >= self._limit:
            return False
        self._taken.append(now)
        return True
