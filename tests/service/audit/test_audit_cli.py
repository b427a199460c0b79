"""`tiebreak audit`, on a ledger with a bit of everything in it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from filled_ledger import KEY_ID, filled_ledger
from service_fakes import LEDGER_KEY, SUBJECT_SECRET, keys_url_beside
from stored_bytes import stored_bytes
from typer.testing import CliRunner

from pipelines.audit_cli import audit

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


def test_counts_are_a_table_or_json(ids: dict[str, str]) -> None:
    rows = tree("counts", "--of", "spans", "--by", "entity_type")["counts"]
    assert {row["entity_type"] for row in rows} == {"EMAIL_ADDRESS", "PERSON"}
    assert "llm_unavailable" in run("counts", "--by", "reason", "--per", "day")
    # decision, redaction, call, outcome, override, and the question itself
    assert len(tree("decision", ids["asked"])["entries"]) == 6
