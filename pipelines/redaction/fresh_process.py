"""FreshProcess: a process that redacts and does nothing else, to measure its memory and its time.

Run as `python -m pipelines.redaction.fresh_process {ours,stock} CPU_SECONDS`: reads a JSON list of
texts on standard input, and writes what they cost as JSON. CPU_SECONDS is the limit after loading.
"""

from __future__ import annotations

import json
import re
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Who = Literal["ours", "stock"]
STATUS, PEAK = Path("/proc/self/status"), re.compile(r"VmHWM:\s*(\d+) kB")
BYTES_PER_UNIT = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss


@dataclass(frozen=True, slots=True)
class Cost:
    """What it took: CPU of all texts together, without loading, and peak memory with it."""

    cpu_s: float
    peak_mb: float


def cost_in_fresh_process(who: Who, texts: Sequence[str], max_cpu_s: int) -> Cost | None:
    """Redact `texts` in a process of its own; None where they need more CPU than `max_cpu_s`."""
    done = subprocess.run(  # noqa: S603  # our own module
        [sys.executable, "-m", "pipelines.redaction.fresh_process", who, str(max_cpu_s)],
        input=json.dumps(list(texts)).encode(),
        capture_output=True,
        check=False,
    )
    if done.returncode < 0:  # killed: the limit
        return None
    if done.returncode:
        raise RuntimeError(f"The process that redacts ({who}) stopped ({done.returncode}).")
    return Cost(**json.loads(done.stdout))


def main(who: Who, max_cpu_s: int) -> Cost:
    """Load, limit, redact."""
    redact = _redactor(who)
    texts = json.load(sys.stdin)
    begin = time.process_time()
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    resource.setrlimit(resource.RLIMIT_CPU, (int(begin) + 1 + max_cpu_s, hard))
    for text in texts:
        redact(text)
    cpu_s = time.process_time() - begin
    return Cost(round(cpu_s, 3), round(_peak_bytes() / 2**20, 1))


def _peak_bytes() -> int:
    """Most memory that was resident. On Linux `ru_maxrss` begins with that of who started us."""
    if STATUS.exists() and (peak := PEAK.search(STATUS.read_text())):
        return int(peak[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * BYTES_PER_UNIT


def _redactor(who: Who) -> Callable[[str], object]:
    if who == "stock":
        from pipelines.redaction.stock_presidio import StockPresidio

        return StockPresidio().redact
    from features.errors import RedactionFailed
    from features.redaction import Redactor

    redactor = Redactor.load()

    def redact(text: str) -> None:
        try:
            redactor.redact(text)
        except RedactionFailed:  # a refused text costs what it took to refuse it
            return

    return redact


if __name__ == "__main__":
    from dataclasses import asdict

    mine: Who = "stock" if sys.argv[1] == "stock" else "ours"
    sys.stdout.write(json.dumps(asdict(main(mine, int(sys.argv[2])))) + "\n")
