"""What a process and its children take of memory and processor."""

from __future__ import annotations

from contextlib import suppress

import psutil


def descendants(pid: int) -> list[int]:
    """Children of a process, and theirs. Empty once it is gone."""
    with suppress(psutil.NoSuchProcess):
        return [child.pid for child in psutil.Process(pid).children(recursive=True)]
    return []


def memory_mb(pid: int) -> float:
    """Memory in MB (10^6 bytes), 0 once it is gone.

    Pages that processes share, such as those of one model file, are parted among them (Linux's
    proportional set size), so that a sum over processes counts each once; elsewhere the resident
    set.
    """
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        resident = process.memory_info().rss
        with suppress(psutil.AccessDenied):
            return float(getattr(process.memory_full_info(), "pss", resident) / 1e6)
        return float(resident / 1e6)
    return 0.0


def cpu_seconds(pid: int) -> float:
    """Processor time it has used, of all cores together; 0 once it is gone."""
    with suppress(psutil.NoSuchProcess):
        used = psutil.Process(pid).cpu_times()
        return float(used.user + used.system)
    return 0.0
