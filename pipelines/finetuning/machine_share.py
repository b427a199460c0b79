"""MachineShare: tuning takes what nobody else wants of the machine, and says how much that was."""

from __future__ import annotations

import os
import resource
import socket
import sys
from dataclasses import dataclass
from importlib.util import find_spec

NICENESS = 10  # a service beside it gets nine times the share
PACKAGES = ("torch", "transformers", "peft", "gguf")
INSTALL = (
    "Tuning needs the extra `tune`: make tuning, or pip install -e '.[tune,local-llm]', where "
    "Tiebreak was installed from."
)


def can_tune() -> bool:
    """Whether the extra `tune` is installed. Imports none of it."""
    return all(find_spec(name) for name in PACKAGES)


@dataclass(frozen=True, slots=True)
class MachineShare:
    """threads: for arithmetic; half of the cores where an LLM or a service runs beside it."""

    threads: int

    @classmethod
    def beside(cls, *, is_busy: bool) -> MachineShare:
        """All cores, or half of them where others answer requests on this machine."""
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
        return cls(max(1, cores // 2) if is_busy else cores)

    def take(self) -> None:
        """This process yields to others from now on."""
        os.nice(max(0, NICENESS - os.nice(0)))
        import torch

        torch.set_num_threads(self.threads)


def wait_asleep() -> None:
    """Threads of this process sleep while they wait for each other. Call it first of all.

    Spinning, as OpenMP has them do, a step takes several times the CPU as soon as others want the
    same cores. It is read once, when torch is loaded; spaCy loads it wherever it is installed.
    """
    os.putenv("OMP_WAIT_POLICY", "PASSIVE")


def is_listening(port: int, host: str = "127.0.0.1") -> bool:
    """Whether anything on this machine takes connections at `port`."""
    try:
        socket.create_connection((host, port), timeout=1).close()
    except OSError:
        return False
    return True


def peak_memory_mib() -> int:
    """Most that this process has held so far; on a GPU what torch held there is added."""
    unit = 1 if sys.platform == "darwin" else 1024  # bytes there, kibibytes elsewhere
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        held += torch.cuda.max_memory_allocated()
    return round(held / 2**20)
