"""GroupCommit: one writing thread, many waiting requests, one commit for all of them."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any, Generic, TypeVar

from sqlalchemy.exc import IntegrityError

log = logging.getLogger("tiebreak.store")

MAX_GROUP = 256  # in one commit: bounds how long the last one waits for the first
# Where a crowd came together by itself, more are on their way: waiting for them costs each of them
# little, and a commit of its own for every few would cost all of them much more.
LINGER_S = 0.0005
CROWD = 4

W = TypeVar("W")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class _Waiting(Generic[W]):
    """A piece of work in the queue, and who waits for it."""

    work: W
    loop: asyncio.AbstractEventLoop
    done: asyncio.Future[Any]


class GroupCommit(Generic[W, R]):
    """Hands work that came in meanwhile to `write`, as one group.

    Args:
        write: makes a group durable, in one transaction; its results in the same order. Where it
            raises IntegrityError, each piece is tried alone.
        between: called after each group, in the writing thread. It must not raise.
    """

    def __init__(
        self,
        name: str,
        write: Callable[[Sequence[W]], Sequence[R]],
        *,
        between: Callable[[], None] = lambda: None,
    ) -> None:
        self._write = write
        self._between = between
        self._queue: SimpleQueue[_Waiting[W] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._write_forever, name=name, daemon=True)
        self._thread.start()

    async def submit(self, work: W) -> R:
        """The result of this piece of work, once it is durable. Raises what `write` raises."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[R] = loop.create_future()
        self._queue.put(_Waiting(work, loop, done))
        return await done

    def close(self) -> None:
        """Write what is waiting, then end."""
        self._queue.put(None)
        self._thread.join()

    def _write_forever(self) -> None:
        was_crowd = False
        while (first := self._queue.get()) is not None:
            if was_crowd:
                time.sleep(LINGER_S)
            group, is_last = self._group(first)
            was_crowd = len(group) >= CROWD
            self._commit(group)
            self._between()
            if is_last:
                return

    def _group(self, first: _Waiting[W]) -> tuple[list[_Waiting[W]], bool]:
        group = [first]
        try:
            while len(group) < MAX_GROUP:
                waiting = self._queue.get_nowait()
                if waiting is None:
                    return group, True
                group.append(waiting)
        except Empty:
            pass
        return group, False

    def _commit(self, group: list[_Waiting[W]]) -> None:
        try:
            results = self._write([waiting.work for waiting in group])
        except IntegrityError as error:
            if len(group) == 1:
                _settle(group, error)
            else:
                for waiting in group:
                    self._commit([waiting])
        except Exception as error:  # the thread must live, and each waiter be told
            _settle(group, error)
        else:
            _settle(group, None, results)


def _settle(
    group: Sequence[_Waiting[Any]], error: BaseException | None, results: Sequence[Any] = ()
) -> None:
    """Wake everyone in the group; one call into each event loop, not one per request."""
    ends = results if error is None else [None] * len(group)
    for loop in {waiting.loop for waiting in group}:
        theirs = [
            (waiting.done, end)
            for waiting, end in zip(group, ends, strict=True)
            if waiting.loop is loop
        ]
        try:
            loop.call_soon_threadsafe(_resolve, theirs, error)
        except RuntimeError:  # the loop is closed: nobody waits any more
            log.warning("The service stopped before %d requests were answered.", len(theirs))


def _resolve(ends: list[tuple[asyncio.Future[Any], Any]], error: BaseException | None) -> None:
    for future, end in ends:
        if future.done():
            continue
        if error is None:
            future.set_result(end)
        else:
            future.set_exception(error)
