"""Every: work that a thread of its own does again and again, until it is closed."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import timedelta

log = logging.getLogger("tiebreak.every")


class Every:
    """`work` is called at once, and then after each pause. What it raises ends up in the log."""

    def __init__(self, name: str, pause: timedelta, work: Callable[[], None]) -> None:
        self._pause = pause
        self._work = work
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Let it end what it is doing."""
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                self._work()
            except Exception as error:  # its text may quote anything
                log.error("%s failed (%s).", self._thread.name, type(error).__name__)
            self._closing.wait(self._pause.total_seconds())
