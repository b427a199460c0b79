"""What `tiebreak serve` says while it starts: which release answers, or why none does."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

from models.errors import ReleaseNotFound
from pipelines.processes import Child
from pipelines.up import said_while_starting, standing
from service import live_release
from service.errors import error_tree
from service.settings import Settings

URL = "http://127.0.0.1:3000"
READY = {"ready": True, "confirmed": True, "release": "7", "problem": None}
NOTHING_LIVE = error_tree(ReleaseNotFound(f"{live_release.NOTHING_LIVE}."))
LOADING = error_tree(ReleaseNotFound("Release 7 is being loaded. Wait some seconds"))
DAMAGED = {"problem": "Release 7 is damaged in MLflow.", "fix": "Try again."}
LOOKED_IN = "Looked in a folder."


@pytest.mark.parametrize(
    ("readiness", "said"),
    [
        (READY, f"Serving release 7 on {URL}."),
        (
            READY | {"confirmed": False},
            f"Serving release 7 on {URL}. It was live last. Asking MLflow.",
        ),
        (READY | {"problem": "MLflow is down."}, f"Serving release 7 on {URL}. MLflow is down."),
        (
            {"ready": False, "error": NOTHING_LIVE},
            f"Not serving yet. {live_release.NOTHING_LIVE}. {LOOKED_IN}",
        ),
        (
            {"ready": False, "error": LOADING},
            "Not serving yet. Release 7 is being loaded. Wait some seconds.",
        ),
        (
            {"ready": False, "error": DAMAGED},
            "Not serving yet. Release 7 is damaged in MLflow. Try again.",
        ),
    ],
)
def test_serving_is_said_of_a_release_that_answers_and_else_what_is_missing(
    readiness: dict[str, Any], said: str
) -> None:
    assert standing(readiness, URL, LOOKED_IN) == said


@pytest.mark.journey
def test_a_starting_service_is_said_to_serve_once_its_release_answers(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings = Settings(home=tmp_path, port=port)
    fakes = str(Path(__file__).parents[1] / "service")
    command = ["bentoml", "serve", "service_fakes:FakeScorer", "--working-dir", fakes]
    environment = {
        "FAKE_DATABASE_URL": f"sqlite:///{tmp_path}/tiebreak.db",
        "BENTOML_HOME": str(tmp_path / "bentoml"),
        "BENTOML_DO_NOT_TRACK": "True",
    }
    address = ["--host", "127.0.0.1", "--port", str(port)]
    service = Child("The service", command + address, log=tmp_path / "log", environment=environment)
    with service:
        *before, last = said_while_starting(service, settings)
        assert last == f"Serving release 7 on http://127.0.0.1:{port}."
        assert all(line.startswith("Not serving yet. ") for line in before)
    assert list(said_while_starting(service, settings)) == []  # it ended: nothing to wait for
