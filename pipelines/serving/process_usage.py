"""What a process and its children take of memory and processor."""

from __future__ import annotations

from contextlib import suppress

import psutil


def descendants(pid: int) -> list[int]:
    """Children of a process, and theirs. Empty once it is gone."""
    with suppress(psutil.NoSuchProcess):
        return [child.pid for child in psutil.Process(pid).children(recursive=True)]
    return []


def resident_mb(pid: int) -> float:
    """Resident memory in MB (10^6 bytes), pages of shared files included; 0 once it is gone."""
    with suppress(psutil.NoSuchProcess):
        return float(psutil.Process(pid).memory_info().rss / 1e6)
    return 0.0


def cpu_seconds(pid: int) -> float:
    """Processor time it has used, of all cores together; 0 once it is gone."""
    with suppress(psutil.NoSuchProcess):
        used = psutil.Process(pid).cpu_times()
        return float(used.user + used.system)
    return 0.0
