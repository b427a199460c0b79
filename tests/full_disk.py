"""A disk that is full, and a process that may open nothing more: for tests of what then happens."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def lowered(limit: int, value: int) -> Iterator[None]:
    """Within, this process has so little of a resource (`resource.RLIMIT_...`)."""
    before = resource.getrlimit(limit)
    resource.setrlimit(limit, (value, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(limit, before)


@contextmanager
def full_disk(room: int) -> Iterator[None]:
    """No file takes more than `room` bytes: writing more is an OSError."""
    with lowered(resource.RLIMIT_FSIZE, room):
        yield


@contextmanager
def nothing_can_be_opened() -> Iterator[None]:
    """No file, socket, pipe or process."""
    with lowered(resource.RLIMIT_NOFILE, sum(1 for _ in Path("/proc/self/fd").iterdir()) - 1):
        yield
