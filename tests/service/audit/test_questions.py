"""The twenty questions of docs/audit.md are answered, by command and over HTTP."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import orjson
import pytest
from filled_ledger import JANE, Filled
from service_fakes import LEDGER_KEY, SUBJECT_SECRET, keys_url_beside
from typer.testing import CliRunner

from pipelines.audit_cli import audit
from pipelines.audit_questions import QUESTIONS, table
from service.audit.audit_api import PATHS, Asked, AuditApi
from service.errors import MalformedRequest, NotAllowed, error_body
from service.keys import ApiKey, Role

DOCS = Path(__file__).parents[3] / "docs" / "audit.md"
AUDITOR = ApiKey("0a1b2c3d", "n", Role.AUDIT, "2026-01-01T00:00:00.000Z")


def filled_in(text: str, filled: Filled) -> str:
    (subject,) = filled.keys.subjects(JANE)
    named = {"DECISION": filled.ids["asked"], "SUBJECT": subject, "RECOGNIZER": "Test"}
    for name, value in named.items():
        text = text.replace(name, value)
    return text


def test_the_page_lists_the_twenty_questions() -> None:
    assert len(QUESTIONS) == 20
    assert table() in DOCS.read_text(encoding="utf-8")


async def test_every_command_answers(
    filled: Filled, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIEBREAK_HOME", str(tmp_path))
    monkeypatch.setenv("TIEBREAK_DATABASE_URL", database_url)
    monkeypatch.setenv("TIEBREAK_SUBJECT_KEYS_URL", keys_url_beside(database_url))
    monkeypatch.setenv("TIEBREAK_SUBJECT_SECRET", SUBJECT_SECRET.decode())
    monkeypatch.setenv("TIEBREAK_LEDGER_KEY", LEDGER_KEY.text)
    for question in QUESTIONS:
        arguments = shlex.split(filled_in(question.command, filled))
        result = CliRunner().invoke(audit, [*arguments, "--json"])
        assert result.exit_code == 0, (question, result.output, result.exception)
        assert orjson.loads(result.stdout)


async def test_every_endpoint_answers(filled: Filled) -> None:
    api = AuditApi(filled.store, filled.keys)
    for question in QUESTIONS:
        if question.endpoint:
            path, _, query = filled_in(question.endpoint, filled).partition("?")
            body = orjson.dumps({"contacts": JANE})
            answer = await api.answer(path, AUDITOR, Asked(filled.ids["asked"], query, body))
            assert orjson.loads(answer), question
    assert orjson.loads(await api.answer("/audit/reconcile", AUDITOR, Asked()))["pairs"]


async def test_the_version_of_a_policy_with_an_allow_list_is_a_filter_as_it_is_written(
    filled: Filled,
) -> None:
    api = AuditApi(filled.store, filled.keys)
    for plus in ("+", "%2B"):
        asked = Asked(query=f"policy=2026-11.11{plus}1a2b3c4d")
        with pytest.raises(MalformedRequest, match="has no such policy"):  # it is read as one
            await api.answer("/audit/entries", AUDITOR, asked)


async def test_other_roles_and_wrong_words_are_refused(filled: Filled) -> None:
    api = AuditApi(filled.store, filled.keys)
    scorer = ApiKey("0a1b2c3d", "n", Role.SCORE, "2026-01-01T00:00:00.000Z")
    for path in PATHS:
        with pytest.raises(NotAllowed):
            await api.answer(path, scorer, Asked())
    wrong: list[tuple[str, dict[str, Any]]] = [
        ("/audit/entries", {"query": "shoe_size=9"}),
        ("/audit/entries", {"query": "most=-1"}),
        ("/audit/entries", {"query": "newest_first=True"}),
        ("/audit/entries", {"query": "kind=read&kind=read"}),
        ("/audit/counts", {"query": "route=llm"}),
        ("/audit/about", {"body": b"{}"}),
        ("/audit/about", {"body": b'{"contacts": {"email": "%b"}}' % (b"a" * 1_001)}),
        ("/audit/decisions/{id}", {"id": "x"}),
    ]
    for path, asked in wrong:
        with pytest.raises(MalformedRequest):
            await api.answer(path, AUDITOR, Asked(**asked))


async def test_what_is_written_where_a_filter_should_stand_does_not_come_back(
    filled: Filled,
) -> None:
    api = AuditApi(filled.store, filled.keys)
    for path in ("/audit/entries", "/audit/counts"):
        with pytest.raises(MalformedRequest) as caught:
            await api.answer(path, AUDITOR, Asked(query="jane@acme.com=1"))
        assert b"jane" not in error_body(caught.value)
