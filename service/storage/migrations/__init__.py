"""Migrations (Alembic): how a database gets its tables, and how an older one gets today's.

Two histories, since the keys of subjects may be in a database of their own.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, select, table, text
from sqlalchemy import column as named

from service.ledger.log import begin_log

NEWEST = {"ledger": "0001", "keys": "0002"}
LOCK = 7_236_104_511  # of PostgreSQL: any number that nobody else uses


def upgrade(connection: Connection) -> None:
    """Give the ledger's database today's tables. Every worker may call it at once."""
    _upgrade(connection, "ledger")
    begin_log(connection)


def upgrade_keys(connection: Connection) -> None:
    """Give the database of the subjects' keys today's tables."""
    _upgrade(connection, "keys")


def _upgrade(connection: Connection, history: str) -> None:
    if connection.dialect.name == "postgresql":  # SQLite's writers wait for each other anyway
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
    if _version(connection, history) == NEWEST[history]:
        return
    from alembic import command  # slow to import, and rarely needed
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / history))
    config.attributes["connection"] = connection
    config.attributes["version_table"] = _version_table(history)
    command.upgrade(config, "head")


def _version(connection: Connection, history: str) -> str | None:
    name = _version_table(history)
    if not inspect(connection).has_table(name):
        return None
    version: str | None = connection.scalar(select(table(name, named("version_num")).c.version_num))
    return version


def _version_table(history: str) -> str:
    return f"alembic_version_{history}"
