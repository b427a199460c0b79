from __future__ import annotations

import time
from pathlib import Path

import pytest

from models.errors import RegistryUnavailable
from models.registry import Registry

pytestmark = pytest.mark.filterwarnings("default::DeprecationWarning")  # of MLflow's own


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:9",
        "http://jane:secret@127.0.0.1:9/mlflow",
        "http://[bad",
        "nonsense://somewhere",
        "sqlite:////proc/no-such-folder/mlflow.db",
    ],
)
def test_where_mlflow_does_not_answer_it_is_said_soon_and_quotes_nothing(address: str) -> None:
    began = time.monotonic()
    with pytest.raises(RegistryUnavailable, match="TIEBREAK_MLFLOW_URI") as caught:
        Registry(address).require()
    assert time.monotonic() - began < 60  # its own client would try for minutes
    assert not {"jane", "secret"} & set(str(caught.value).replace(":", " ").split())
    assert caught.value.__cause__ is None


def test_where_it_answers_it_is_ready_to_be_asked(tmp_path: Path) -> None:
    registry = Registry(f"sqlite:///{tmp_path}/mlflow.db").require()
    assert registry.champion_version() is None
