"""All that a copy of a database would hold."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from sqlalchemy import create_engine, inspect, make_url


def stored_bytes(url: str) -> bytes:
    """SQLite's files as they are on disk; of PostgreSQL every row, as a dump would have it."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        file = Path(parsed.database or "")
        return b"".join(path.read_bytes() for path in file.parent.glob(f"{file.name}*"))
    engine = create_engine(url)
    with closing(engine.raw_connection()) as raw:
        names = inspect(engine).get_table_names()
        rows = [raw.cursor().execute(f"SELECT * FROM {name}").fetchall() for name in names]  # noqa: S608 names of ours
    engine.dispose()
    return b"\n".join(_plain(cell) for table in rows for row in table for cell in row)


def _plain(cell: object) -> bytes:
    return bytes(cell) if isinstance(cell, bytes | memoryview) else str(cell).encode()
