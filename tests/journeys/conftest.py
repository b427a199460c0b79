"""A home of its own for each journey, on ports that nobody uses."""

from __future__ import annotations

import os
import random
import socket
import sys
from itertools import islice
from pathlib import Path

import pytest

BIN = Path(sys.executable).parent


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="session")
def environment(home: Path) -> dict[str, str]:
    """What a stranger's shell has, and where this journey keeps its state."""
    ours = {name: v for name, v in os.environ.items() if not name.startswith("TIEBREAK_")}  # noqa: TID251
    ports = dict(
        zip(("PORT", "MLFLOW_PORT", "LLM_PORT", "WITNESS_PORT"), free_ports(4), strict=True)
    )
    return {
        **ours,
        "PATH": f"{BIN}{os.pathsep}{ours['PATH']}",
        "TIEBREAK_HOME": str(home),
        **{f"TIEBREAK_{name}": str(port) for name, port in ports.items()},
    }


# Below those that the system gives to whoever asks for any: another test had one of these before
# MLflow, which takes its own only half a minute later.
PORTS = range(10_000, 32_000)


def free_ports(count: int) -> list[int]:
    drawn = random.SystemRandom().sample(PORTS, len(PORTS))
    return list(islice(filter(is_free, drawn), count))


def is_free(port: int) -> bool:
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True
