"""What a process and its children take of memory and processor, read from /proc."""

from __future__ import annotations

import os
from pathlib import Path


def descendants(pid: int) -> list[int]:
    """Children of a process, of all of its threads, and theirs. Empty once it is gone."""
    try:
        listed = [f.read_text() for f in Path(f"/proc/{pid}/task").glob("*/children")]
    except OSError:
        return []
    children = [int(child) for line in listed for child in line.split()]
    return children + [one for child in children for one in descendants(child)]


def resident_mb(pid: int) -> float:
    """Resident memory in MB (10^6 bytes), pages of shared files included; 0 once it is gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    lines = (line.split() for line in status.splitlines() if line.startswith("VmRSS:"))
    return next((int(words[1]) * 1024 / 1e6 for words in lines), 0.0)


def cpu_seconds(pid: int) -> float:
    """Processor time it has used, of all cores together; 0 once it is gone (proc_pid_stat(5))."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
