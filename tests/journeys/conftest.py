"""A home of its own for each journey, on ports that nobody uses."""

from __future__ import annotations

import os
import socket
import sys
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


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports
