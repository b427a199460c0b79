"""`tiebreak audit`, on a ledger with a bit of everything in it."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from filled_ledger import KEY_ID, filled_ledger
from service_fakes import LEDGER_KEY, SUBJECT_SECRET, keys_url_beside, store_at
from stored_bytes import stored_bytes
from typer.testing import CliRunner

from pipelines.audit_cli import audit
from service.errors import InvalidSettings
from service.ledger.checkpoint import SigningKey
from service.ledger.proofs import head
from service.ledger.verify import KeyType
from service.ledger.witness import Witness, WitnessRequest, open_home

Run = Callable[..., Any]


@pytest.fixture
def ids(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.setenv("TIEBREAK_HOME", str(tmp_path))
    monkeypatch.setenv("TIEBREAK_DATABASE_URL", database_url)
    monkeypatch.setenv("TIEBREAK_SUBJECT_KEYS_URL", keys_url_beside(database_url))
    monkeypatch.setenv("TIEBREAK_SUBJECT_SECRET", SUBJECT_SECRET.decode())
    monkeypatch.setenv("TIEBREAK_LEDGER_KEY", LEDGER_KEY.text)

    async def fill() -> dict[str, str]:
        async with filled_ledger(database_url) as filled:
            return filled.ids

    return asyncio.run(fill())


def run(*arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(audit, arguments)
    assert result.exit_code == code, (result.output, result.exception)
    return result.stdout


def tree(*arguments: str, code: int = 0) -> Any:
    return json.loads(run(*arguments, "--json", code=code))


def test_entries_of_a_key_are_paged(ids: dict[str, str]) -> None:
    first = tree("entries", "--key", KEY_ID, "--most", "4")
    rest = tree("entries", "--key", KEY_ID, "--after", str(first["after"]))
    assert (len(first["entries"]), len(rest["entries"]), rest["after"]) == (4, 3, None)
    assert ids["asked"] in run("entries", "--route", "llm")


def test_a_period_that_would_be_ignored_is_refused() -> None:
    run("reconcile", "--since", "2026-01-01", code=2)


def test_what_was_sent_is_shown(ids: dict[str, str]) -> None:
    assert "redacted" in run("sent", ids["asked"])
    assert "No text left" in run("sent", ids["sure"])


def test_where_there_is_no_mlflow_rows_are_numbers_and_none_is_made(
    ids: dict[str, str], tmp_path: Path
) -> None:
    assert "columns are not named" in " ".join(run("sent", ids["sure"]).split())
    assert not (tmp_path / "mlflow.db").exists()


def test_a_person_is_found_by_an_address_that_is_not_written_down(
    ids: dict[str, str], database_url: str
) -> None:
    (jane,) = tree("about", "--contact", "Email=jane@acme.com")["subjects"]
    (same,) = tree("about", ids["asked"], "--open")["subjects"]
    assert jane["subject"] == same["subject"]
    assert "asks for the price" in run("about", ids["asked"], "--open")
    run("about", code=2)
    run("about", "--contact", "jane@acme.com", code=2)
    written = stored_bytes(database_url) + stored_bytes(keys_url_beside(database_url))
    assert jane["subject"].encode() in written
    assert b"jane@acme" not in written


@pytest.mark.usefixtures("ids")
@pytest.mark.parametrize("command", [["about"], ["erase", "--yes"]])
def test_who_is_not_found_is_said_to_be_looked_up_by_values_whatever_the_column(
    command: list[str],
) -> None:
    said = " ".join(run(*command, "--contact", "nonsense=x").split())
    assert "which column they are given for does not matter" in said
    assert "Nobody" not in run("about", "--contact", "nonsense=jane@acme.com")


def test_counts_are_a_table_or_json(ids: dict[str, str]) -> None:
    rows = tree("counts", "--of", "spans", "--by", "entity_type")["counts"]
    assert {row["entity_type"] for row in rows} == {"EMAIL_ADDRESS", "PERSON"}
    assert "llm_unavailable" in run("counts", "--by", "reason", "--per", "day")
    # decision, redaction, call, outcome, override, and the question itself
    assert len(tree("decision", ids["asked"])["entries"]) == 6


@pytest.mark.parametrize("command", ["verify", "reconcile", "entries", "key", "counts"])
def test_where_there_is_no_ledger_nothing_holds_and_nothing_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setenv("TIEBREAK_HOME", str(tmp_path / "elsewhere"))
    for name in ("DATABASE_URL", "SUBJECT_KEYS_URL", "SUBJECT_SECRET", "LEDGER_KEY"):
        monkeypatch.delenv(f"TIEBREAK_{name}", raising=False)
    result = CliRunner().invoke(audit, [command])
    assert isinstance(result.exception, InvalidSettings)
    assert "TIEBREAK_HOME" in str(result.exception)
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.usefixtures("ids")
def test_a_ledger_that_was_emptied_does_not_hold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIEBREAK_DATABASE_URL", f"sqlite:///{tmp_path}/new.db")
    for _ in range(2):
        result = CliRunner().invoke(audit, ["verify"])
        assert isinstance(result.exception, InvalidSettings)
    with closing(store_at(f"sqlite:///{tmp_path}/new.db")) as store, store.reading():
        pass  # tables, and no entry
    result = CliRunner().invoke(audit, ["verify"])
    assert isinstance(result.exception, InvalidSettings)


@pytest.mark.usefixtures("ids")
def test_what_no_witness_was_asked_about_is_said() -> None:
    assert "What was checked holds" in run("verify")


@pytest.mark.usefixtures("ids")
def test_a_witness_that_is_configured_and_silent_is_a_finding(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    key = SigningKey("witness.example", KeyType.WITNESS, b"w" * 32)
    monkeypatch.setenv("TIEBREAK_WITNESS_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("TIEBREAK_WITNESS_KEY", key.verifier.text)
    assert "The witness could not be asked" in run("verify", code=1)


@pytest.mark.usefixtures("ids")
def test_what_a_witness_of_our_own_saw_counts_though_it_does_not_run(
    tmp_path: Path, database_url: str
) -> None:
    home = tmp_path / "witness"
    witness = Witness(home / "witness.state", open_home(home, "w.example"), [LEDGER_KEY.verifier])
    with closing(store_at(database_url)) as store, store.reading() as connection:
        newest = head(connection)
    seen = newest.size
    assert f"cosigned none of the {seen + 1} entries" in run("verify")  # the question is the last
    witness.add_checkpoint(WitnessRequest(0, [], newest.note).body)
    for question, options in enumerate(([], ["--quick"]), start=2):
        wait = f"cosigned the first {seen}; the newest {question} entries wait for it"
        assert wait in run("verify", *options)
    assert "Everything holds" in run("verify")
    (home / "witness.state").unlink()
    assert "The witness could not be asked" in run("verify", code=1)


@pytest.mark.parametrize(("answer", "code", "erased"), [(b"n\n", 1, 0), (b"y\n", 0, 1)])
def test_at_a_terminal_it_is_asked_before_somebody_is_forgotten(
    ids: dict[str, str], answer: bytes, code: int, erased: int
) -> None:
    def erasures() -> int:
        return len(tree("entries", "--kind", "erasure")["entries"])

    before = erasures()
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "pipelines.cli", "audit", "erase", ids["asked"]]
    with subprocess.Popen(command, stdin=theirs, stdout=subprocess.PIPE) as process:
        os.write(ours, answer)
        said, _ = process.communicate(timeout=120)
    os.close(ours)
    os.close(theirs)
    assert (process.returncode, b"never be read again" in said) == (code, True)
    assert erasures() - before == erased
