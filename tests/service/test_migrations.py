"""Databases get their tables by migration: empty ones, and those from before the ledger."""

from __future__ import annotations

import hashlib
from contextlib import closing
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from service_fakes import store_at
from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Engine,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    create_engine,
    inspect,
    select,
    text,
)

from service.keys import KeyRing, Role, create_key
from service.recording.entry import outcome
from service.storage.migrations import NEWEST, upgrade, upgrade_keys
from service.storage.tables import keys_metadata, metadata

# As the store made them before there was a ledger, with `create_all` and no version.
before = MetaData()
Table(
    "decisions",
    before,
    Column("id", String(36), primary_key=True),
    Column("at", String(32), nullable=False, index=True),
    Column("key_id", String(16), nullable=False),
    Column("release", String(64), nullable=False),
    Column("route", String(32), nullable=False),
    Column("reason", String(32), nullable=False),
    Column("probability", Float, nullable=False),
    Column("classifier_probability", Float, nullable=False),
    Column("versions", LargeBinary, nullable=False),
    Column("redacted", LargeBinary, nullable=False),
    Column("prompt_tokens", Integer),
    Column("completion_tokens", Integer),
    Column("cost_usd", Float),
    Column("answer", LargeBinary, nullable=False),
)
Table(
    "redactions",
    before,
    Column("decision_id", String(36), primary_key=True),
    Column("at", String(32), nullable=False, index=True),
    Column("failed", Boolean, nullable=False),
    Column("policy", String(32)),
    Column("subject", String(32), index=True),
    Column("events", LargeBinary, nullable=False),
)
Table(
    "subject_keys",
    before,
    Column("subject", String(32), primary_key=True),
    Column("key", LargeBinary, nullable=False),
    Column("created_at", String(32), nullable=False),
)
Table(
    "outcomes",
    before,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("decision_id", String(36), nullable=False),
    Column("won", Boolean, nullable=False),
    Column("at", String(32), nullable=False),
    Column("key_id", String(16), nullable=False),
    Index("outcomes_by_decision", "decision_id", "id"),
)
Table(
    "api_keys",
    before,
    Column("id", String(16), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("role", String(16), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("created_at", String(32), nullable=False),
    Column("revoked_at", String(32)),
)
Table(
    "answered",
    before,
    Column("key_id", String(16), primary_key=True),
    Column("idempotency_key", String(255), primary_key=True),
    Column("request_digest", String(64), nullable=False),
    Column("answer", LargeBinary, nullable=False),
    Column("at", String(32), nullable=False, index=True),
)

AT = "2026-11-01T12:00:00.000Z"
SECRET = "a-secret-of-somebody"  # noqa: S105 of a key in this file alone
ROWS: dict[str, dict[str, Any]] = {
    "decisions": {
        "id": "d1",
        "at": AT,
        "key_id": "k1",
        "release": "7",
        "route": "llm",
        "reason": "free_text",
        "probability": 0.7,
        "classifier_probability": 0.5,
        "versions": b"{}",
        "redacted": b"{}",
        "answer": b"{}",
    },
    "redactions": {"decision_id": "d1", "at": AT, "failed": False, "events": b"[]"},
    "subject_keys": {"subject": "s1", "key": b"k" * 32, "created_at": AT},
    "outcomes": {"decision_id": "d1", "won": True, "at": AT, "key_id": "k1"},
    "api_keys": {
        "id": "k1",
        "name": "crm",
        "role": "score",
        "digest": hashlib.sha256(SECRET.encode()).hexdigest(),
        "created_at": AT,
    },
}


def engine_at(url: str) -> Engine:
    return create_engine(url)


def _old_database(url: str) -> None:
    engine = engine_at(url)
    with engine.begin() as connection:
        before.create_all(connection)
        for name, row in ROWS.items():
            connection.execute(before.tables[name].insert(), row)
    engine.dispose()


def test_an_older_database_keeps_its_keys_and_puts_aside_the_rest(database_url: str) -> None:
    _old_database(database_url)
    with closing(store_at(database_url)) as store:
        with store.writing() as writing:
            writing.append([outcome("d1", won=True, key_id="k1")])
        ring = KeyRing(store)
        ring.read()
        assert ring.key(f"tb_k1_{SECRET}").name == "crm"
        with store.reading() as connection:
            for name in ("decisions", "redactions", "outcomes", "subject_keys"):
                (kept,) = connection.execute(text(f"SELECT * FROM {name}_before_ledger")).mappings()  # noqa: S608 names of ours
                assert {k: v for k, v in kept.items() if k in ROWS[name]} == ROWS[name] | (
                    {"won": kept["won"]} if "won" in kept else {}
                ) | ({"failed": kept["failed"]} if "failed" in kept else {})
            assert connection.execute(select(metadata.tables["decisions"])).all() == []


def test_an_older_database_gets_the_same_tables_as_an_empty_one(database_url: str) -> None:
    _old_database(database_url)
    engine = engine_at(database_url)
    with engine.begin() as connection:
        upgrade(connection)
        upgrade_keys(connection)
    with engine.connect() as connection:
        added = {f"{name}_before_ledger" for name in ROWS} | {"alembic_version_keys"}
        differences = compare_metadata(_context(connection, "ledger"), metadata)
    assert {d[1].name for d in differences if d[0] == "remove_table"} <= added | set(
        keys_metadata.tables
    )
    assert [d for d in differences if d[0] not in {"remove_table", "remove_index"}] == []
    engine.dispose()


def _context(connection: Connection, history: str) -> MigrationContext:
    names = {"version_table": f"alembic_version_{history}", "compare_type": True}
    return MigrationContext.configure(connection, opts=names)


@pytest.mark.parametrize("history", ["ledger", "keys"])
def test_the_tables_in_the_code_are_those_that_migrations_make(
    database_url: str, history: str
) -> None:
    make, tables = {
        "ledger": (upgrade, metadata),
        "keys": (upgrade_keys, keys_metadata),
    }[history]
    engine = engine_at(database_url)
    with engine.begin() as connection:
        make(connection)
    with engine.connect() as connection:
        assert compare_metadata(_context(connection, history), tables) == []
        version = connection.scalar(text(f"SELECT version_num FROM alembic_version_{history}"))  # noqa: S608 names of ours
    assert version == NEWEST[history]
    engine.dispose()


def test_both_histories_may_share_one_database(database_url: str) -> None:
    engine = engine_at(database_url)
    for _ in range(2):  # the second time there is nothing to do
        with engine.begin() as connection:
            upgrade(connection)
            upgrade_keys(connection)
    with engine.connect() as connection:
        names = set(inspect(connection).get_table_names())
    assert names >= {*metadata.tables, *keys_metadata.tables}
    engine.dispose()


def test_an_upgraded_database_takes_new_keys(database_url: str) -> None:
    _old_database(database_url)
    with closing(store_at(database_url)) as store:
        key, _ = create_key(store, name="new", role=Role.AUDIT)
        with store.reading() as connection:
            found = connection.scalars(select(metadata.tables["api_keys"].c.id)).all()
    assert set(found) == {"k1", key.id}
