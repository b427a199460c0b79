"""Memory: what a part of this process, or the embedded LLM, holds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

MIB = 2**20


@contextmanager
def grown_mib() -> Iterator[list[float]]:
    """A list that, after the block, holds by how much this process grew in it, in MiB."""
    import psutil

    process, grown = psutil.Process(), [0.0]
    before = process.memory_info().rss
    yield grown
    grown[0] = max(0.0, (process.memory_info().rss - before) / MIB)


def listener_mib(port: int) -> float | None:
    """What the process that listens on this port holds, its children included; None: not seen."""
    import psutil

    try:
        listening = [
            one.pid
            for one in psutil.net_connections(kind="tcp")
            if one.status == psutil.CONN_LISTEN and one.laddr and one.laddr.port == port and one.pid
        ]
        family = [psutil.Process(pid) for pid in listening[:1]]
        family += [child for one in family for child in one.children(recursive=True)]
        return sum(one.memory_info().rss for one in family) / MIB if family else None
    except psutil.Error:
        return None
