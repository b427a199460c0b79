"""What is on record of another release going live, by whoever is at the machine."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from typer.testing import CliRunner, Result

from models.registry import Move, Registry
from pipelines.cli import app
from service.bootstrap import announcing, open_store
from service.recording.entry import MovedBecause
from service.settings import Settings, read_settings
from service.storage.tables import entries

pytestmark = [pytest.mark.journey, pytest.mark.filterwarnings("ignore")]


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A house with two releases that nobody will load; the gates refused the second."""
    monkeypatch.setenv("TIEBREAK_HOME", str(tmp_path / "home"))
    for name in ("DATABASE_URL", "LEDGER_KEY", "MLFLOW_URI"):
        monkeypatch.delenv(f"TIEBREAK_{name}", raising=False)
    settings = read_settings()
    settings.home.mkdir()
    client = Registry(settings.mlflow_uri)._client
    client.create_registered_model("lead-release")
    for gates in ("passed", "refused: AUC"):
        client.create_model_version("lead-release", source="/nowhere", tags={"gates": gates})
    return settings


def keep_ledger(settings: Settings) -> None:
    """As each service does, and each training that asks an LLM."""
    with closing(open_store(settings)) as store, store.reading():
        pass


def kept(settings: Settings) -> list[dict[str, Any]]:
    with closing(open_store(settings)) as store, store.reading() as connection:
        bodies = connection.scalars(select(entries.c.body).order_by(entries.c.seq))
        return [json.loads(body) for body in bodies]


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def test_whoever_moves_the_alias_is_on_record_before_any_service_notices(
    settings: Settings,
) -> None:
    keep_ledger(settings)
    for command in (["promote", "1"], ["promote", "1"], ["promote", "2"]):
        run(*command)  # the second moves nothing, and the third is refused
    assert run("promote", "2", "--force").exit_code == 0
    assert run("rollback").stderr == ""
    found = [
        (one["kind"], one["before"], one["release"], one["forced"], one["because"], one["key"])
        for one in kept(settings)
    ]
    assert found == [
        ("promotion", None, "1", False, "promote", "command"),
        ("promotion", "1", "2", True, "promote", "command"),
        ("promotion", "2", "1", False, "rollback", "command"),
    ]
    shown = run("audit", "entries", "--kind", "promotion", "--release", "2").stdout
    assert "release 2, before 1, because promote, forced True, key command" in shown
    of_key = json.loads(run("audit", "entries", "--key", "command", "--json").stdout)["entries"]
    assert [one["entry"]["kind"] for one in of_key[:3]] == ["promotion"] * 3


def test_a_rollback_to_what_the_gates_refused_is_said_and_on_record_as_forced(
    settings: Settings,
) -> None:
    keep_ledger(settings)
    for command in (["promote", "2", "--force"], ["promote", "1"]):
        assert run(*command).exit_code == 0
    back = run("rollback", "--json")
    assert json.loads(back.stdout) == {"live": "2"}
    assert "Release 2, which is live again, did not pass its gates (refused: AUC)" in back.stderr
    moved = [(one["release"], one["forced"], one["because"]) for one in kept(settings)]
    assert moved[1:] == [("1", False, "promote"), ("2", True, "rollback")]


def test_where_there_is_no_ledger_that_is_said_and_none_is_made(settings: Settings) -> None:
    moved = run("promote", "1", "--json")
    assert json.loads(moved.stdout) == {"live": "1"}
    assert "no record" in moved.stderr
    assert not (settings.home / "ledger.key").exists()
    assert not list(settings.home.glob("tiebreak*"))
    assert run("promote", "1").stderr == ""  # nothing moved


@pytest.mark.parametrize("where", ["settings", "file"])
def test_a_key_alone_begins_no_second_ledger(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    keep_ledger(settings)
    key = settings.home / "ledger.key"
    if where == "settings":
        monkeypatch.setenv("TIEBREAK_LEDGER_KEY", key.read_text(encoding="utf-8").strip())
        key.unlink()
    for file in settings.home.glob("tiebreak*"):
        file.unlink()
    for command in (["promote", "1"], ["promote", "2", "--force"], ["rollback"]):
        moved = run(*command)
        assert moved.exit_code == 0
        assert "no record" in moved.stderr
    assert not list(settings.home.glob("tiebreak*"))
    announce = announcing(read_settings(), MovedBecause.TRAINING)  # which has made the key
    Registry(settings.mlflow_uri).promote("2", force=True, announce=announce)
    assert [one["because"] for one in kept(read_settings())] == ["training"]


def test_what_cannot_be_written_down_does_not_go_live(settings: Settings) -> None:
    keep_ledger(settings)
    registry = Registry(settings.mlflow_uri)
    moves: list[Move] = []

    def refuse(move: Move) -> None:
        moves.append(move)
        raise OSError

    with pytest.raises(OSError):  # noqa: PT011 whatever the ledger raises
        registry.promote("1", announce=refuse)
    assert (registry.champion_version(), moves) == (None, [Move(None, "1")])
    registry.promote("1", announce=announcing(settings, MovedBecause.TRAINING))
    assert [one["because"] for one in kept(settings)] == ["training"]
    registry.promote("2", force=True)
    with pytest.raises(OSError):  # noqa: PT011
        registry.rollback(announce=refuse)
    assert registry.champion_version() == "2"
