"""A database that somebody else holds, so that nothing can be written meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import create_engine


@contextmanager
def held_database(url: str) -> Iterator[None]:
    """Held as another worker would that hangs in the middle of its commit."""
    engine = create_engine(url)
    with engine.connect() as other:
        if other.dialect.name == "sqlite":
            other.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            other.exec_driver_sql("SELECT * FROM log_head FOR UPDATE")
        yield
        other.rollback()
    engine.dispose()
