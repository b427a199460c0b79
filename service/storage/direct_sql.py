"""Direct SQL: the few statements that each commit runs, given to the driver as they are.

SQLAlchemy's way to the driver takes ten times as long as these statements do. And a driver gives
Python's lock away at each step of a statement: while the event loop is busy, a step for each row
would cost the writing thread most of its time. What the driver raises, `Database` translates.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

from sqlalchemy import Connection, Dialect, Table
from sqlalchemy.sql.expression import Executable

MOST_PARAMETERS = 30_000  # in one statement: SQLite takes 32,766, PostgreSQL 65,535


class DirectStatement:
    """One statement, compiled once for each kind of database; its values go as they are."""

    def __init__(self, statement: Executable) -> None:
        self._statement = statement
        self._compiled: dict[str, tuple[str, tuple[str, ...] | None]] = {}

    def __call__(self, connection: Connection, values: Mapping[str, Any]) -> Any:
        """The driver's cursor, with the rows."""
        sql, named = self._compiled_for(connection.dialect)
        given = tuple(values[name] for name in named) if named is not None else values
        return _run(connection, sql, given)

    def _compiled_for(self, dialect: Dialect) -> tuple[str, tuple[str, ...] | None]:
        found = self._compiled.get(dialect.name)
        if found is None:
            made = self._statement.compile(dialect=dialect)  # type: ignore[attr-defined]
            named = tuple(made.positiontup) if made.positiontup is not None else None
            found = self._compiled[dialect.name] = (str(made), named)
        return found


class BulkInsert:
    """Many rows of one table in one statement. `columns`: in the order of a row's values."""

    def __init__(self, table: Table, columns: Sequence[str]) -> None:
        if set(columns) != {column.name for column in table.columns}:
            raise ValueError(f"Name every column of {table.name}.")
        named = ", ".join(f'"{column}"' for column in columns)
        self._head = f'INSERT INTO "{table.name}" ({named}) VALUES '  # noqa: S608 our own names
        self._columns = len(columns)
        self._most_rows = MOST_PARAMETERS // self._columns

    def __call__(self, connection: Connection, rows: Sequence[Sequence[Any]]) -> None:
        place = f"({_signs(connection, self._columns)})"
        for start in range(0, len(rows), self._most_rows):
            some = rows[start : start + self._most_rows]
            values = tuple(chain.from_iterable(some))
            _run(connection, self._head + ", ".join([place] * len(some)), values)


class SelectAmong:
    """A query with one list of values in place of its `{}`: at most MOST_PARAMETERS of them."""

    def __init__(self, sql: str) -> None:
        self._sql = sql

    def __call__(self, connection: Connection, among: tuple[Any, ...]) -> Any:
        """The driver's cursor, with the rows."""
        return _run(connection, self._sql.format(_signs(connection, len(among))), among)


def _signs(connection: Connection, count: int) -> str:
    return ", ".join(["?" if connection.dialect.paramstyle == "qmark" else "%s"] * count)


def _run(connection: Connection, sql: str, values: Any) -> Any:
    cursor = connection.connection.cursor()
    cursor.execute(sql, values)
    return cursor
