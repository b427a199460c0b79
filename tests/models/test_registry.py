from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from models.errors import RegistryUnavailable, ReleaseNotFound
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


def test_who_misses_a_release_is_told_where_it_was_looked_for_and_what_to_do(
    tmp_path: Path,
) -> None:
    database = tmp_path / "var" / "mlflow.db"
    database.parent.mkdir()
    registry = Registry(f"sqlite:///{database}")
    for ask in (registry.promote, registry.rollback, lambda: registry.promote("3")):
        with pytest.raises(ReleaseNotFound, match="TIEBREAK_MLFLOW_URI") as caught:
            ask()
        assert (
            f"no release yet. Train one: `tiebreak train TABLE --promote`. Looked in {database}:"
            in (str(caught.value))
        )


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("http://127.0.0.1:5000", "http://127.0.0.1:5000"),
        ("http://jane:secret@mlflow.test/x", "http://mlflow.test/x"),
        ("http://secret@mlflow.test:5000", "http://mlflow.test:5000"),
        ("http://:secret@[::1]:5000/#secret", "http://[::1]:5000/"),
        ("http://jane:s@secret@mlflow.test:5000", "http://mlflow.test:5000"),
        ("postgresql://jane:s/e@db.test/mlflow?password=secret", "postgresql://db.test/mlflow"),
        ("postgresql://jane:secret?x@db.test/mlflow", "postgresql://"),
        ("http://mlflow.test/?token=s@secret", "http://"),
        ("mysql+pymysql://jane:secret#1@db.test/mlflow", "mysql+pymysql://"),
        ("sqlite:////srv/me@home/mlflow.db?key=secret", "/srv/me@home/mlflow.db"),
        ("sqlite+pysqlcipher://:secret@/mlflow.db", "sqlite+pysqlcipher:///mlflow.db"),
        ("secret", "TIEBREAK_MLFLOW_URI"),
    ],
)
def test_where_releases_are_looked_for_is_said_without_a_password(address: str, shown: str) -> None:
    said = Registry(address).looked_in
    assert f"Looked in {shown}: if" in said
    assert not {"secret", "s/e", "jane"} & set(re.split(r"[@:?=#/\s]", said))
