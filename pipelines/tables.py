"""Tables of leads: reading them, and what their outcome column says."""

from __future__ import annotations

import csv
import difflib
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from features.lead import category
from features.lead_spec import LeadSpec
from pipelines.errors import UnusableTable

if TYPE_CHECKING:
    import pandas as pd

LEAST_PER_CLASS = 40  # fewer won or lost leads cannot calibrate a probability, let alone test it
SEPARATORS = (",", ";", "\t", "|")
SNIFFED_RECORDS = 200
UNNAMED = "Unnamed: "  # and its place, as pandas calls a column without a name
WON = re.compile(  # words that mean won beside any other word; case is folded
    "1|t(rue)?|y(es)?|w[io]n|closed[ _-]won|converted|success(ful)?|accepted|bought|sold|paid"
    "|customer|ja|oui|s[ií]|sim|tak|да"
)
FOREIGN_FORMATS = (
    (b"PK\x03\x04", "an Excel workbook or a zip archive", "Save the sheet as CSV."),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook", "Save the sheet as CSV."),
    (b"\x1f\x8b", "compressed", "Unpack it first."),
)


# --- reading -------------------------------------------------------------------------------------


def read_table(path: Path) -> pd.DataFrame:
    """The table in a CSV file (`,` `;` tab or `|`; UTF-8, UTF-16 or Latin-1) or a Parquet file.

    Every CSV value is a str, "" where nothing stands, so nothing is guessed here; in files with
    `;` a decimal comma becomes a point, and then 1.234 of another column 1234. Parquet keeps its
    types. Column names are stripped. 1.234,56 stays as it is: where a table had such values and
    another has none of them, the other's 1.234 would be read a thousand times too small.

    Raises:
        UnusableTable: no such file, another format, no rows, duplicate names, ragged rows.
    """
    try:
        raw = path.read_bytes()
    except FileNotFoundError as error:
        message = f"There is no file {path}. Check its name, and the folder that you are in."
        raise UnusableTable(message) from error
    except OSError as error:
        message = f"{path} cannot be read. Check that it is a file, and that you may read it."
        raise UnusableTable(message) from error
    if not raw.strip():
        raise UnusableTable(f"{path} is empty. Export the leads again, with a header line.")
    table = _read_parquet(path) if raw[:4] == b"PAR1" else _read_csv(raw, path)
    if not len(table):
        message = f"{path} has a header, but no leads below it. Export it again, with its rows."
        raise UnusableTable(message)
    return table


def _read_parquet(path: Path) -> pd.DataFrame:
    import pandas as pd
    import pyarrow as pa

    try:
        table = pd.read_parquet(path)
    except (pa.ArrowException, OSError, ValueError) as error:
        message = f"{path} starts like a Parquet file but cannot be read as one. Export it again."
        raise UnusableTable(message) from error
    if not isinstance(table.index, pd.RangeIndex):
        table = table.reset_index()
    table.columns = pd.Index([str(name).strip() for name in table.columns])
    _require_unique(list(table.columns), path)
    return table


def _read_csv(raw: bytes, path: Path) -> pd.DataFrame:
    import pandas as pd

    text = _decode(raw, path)
    with _cells_of_any_length(text):
        separator = _separator(text)
        names, records = _records(text, separator, path)
    values: list[Sequence[str]] = list(zip(*records, strict=True))
    columns = dict(zip(names, values, strict=True)) if records else {}
    if separator == ";":
        columns = _with_numbers_as_python_has_them(columns)
    kept = {name: v for name, v in columns.items() if name not in _unnamed(names) or any(v)}
    return pd.DataFrame(kept, dtype="str")


@contextmanager
def _cells_of_any_length(text: str) -> Iterator[None]:
    """csv refuses cells of more than 131,072 characters, which a pasted document has."""
    before = csv.field_size_limit(max(len(text), csv.field_size_limit()))
    try:
        yield
    finally:
        csv.field_size_limit(before)


def _decode(raw: bytes, path: Path) -> str:
    for magic, what, fix in FOREIGN_FORMATS:
        if raw.startswith(magic):
            raise UnusableTable(f"{path} is {what}, not CSV or Parquet. {fix}")
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encodings: tuple[str, ...] = ("utf-16",)
    else:
        # Western words hold single accented letters; a row of them is another alphabet's bytes
        strange = sum(len(run) for run in re.findall(rb"[\x80-\xff]{3,}", raw))
        western = 2 * strange <= len(re.findall(rb"[\x80-\xff]", raw))
        encodings = ("utf-8-sig", "cp1252", "latin-1") if western else ("utf-8-sig",)
    for encoding in encodings:
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text:
            return text
    message = f"{path} is neither Parquet nor CSV in UTF-8 or Latin-1. Save it as CSV in UTF-8."
    raise UnusableTable(message)


def _separator(text: str) -> str:
    """The separator under which most of the first records are as wide as the header."""

    def fit(separator: str) -> tuple[float, int]:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
        try:
            widths = [len(r) for r, _ in zip(reader, range(SNIFFED_RECORDS), strict=False) if r]
        except csv.Error:
            return 0.0, 0
        if not widths or widths[0] < 2:
            return 0.0, 0
        return widths.count(widths[0]) / len(widths), widths[0]

    return max(SEPARATORS, key=fit)


def _records(text: str, separator: str, path: Path) -> tuple[list[str], list[list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    names: list[str] = []
    records: list[list[str]] = []
    line = 1
    try:
        for record in reader:
            if not names:
                names = _names(record, path) if record else []
            elif record and len(record) != len(names):
                raise UnusableTable(_ragged(path, line, len(record), len(names)))
            elif record:
                records.append(record)
            line = reader.line_num + 1
    except csv.Error as error:
        message = f"{path}, line {line}: {error}. Is a quote left open there? Mend it."
        raise UnusableTable(message) from error
    return names, records


def _ragged(path: Path, line: int, found: int, expected: int) -> str:
    return (
        f"{path}, line {line} has {found} fields, but the header has {expected}. Put quotes around "
        "values that hold the separator, close every quote, and try again."
    )


def _names(header: list[str], path: Path) -> list[str]:
    names = [name.strip() or f"{UNNAMED}{i}" for i, name in enumerate(header)]
    _require_unique(names, path)
    return names


def _unnamed(names: Sequence[str]) -> frozenset[str]:
    return frozenset(name for i, name in enumerate(names) if name == f"{UNNAMED}{i}")


def _require_unique(names: Sequence[str], path: Path) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        shown = ", ".join(repr(name) for name in twice[:5])
        message = f"{path} has more than one column named {shown}. Rename or remove all but one."
        raise UnusableTable(message)


DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")
THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+")
WHOLE = re.compile(r"[+-]?\d+")
THOUSANDS_BY_POINTS = re.compile(r"[+-]?[1-9]\d{0,2}(\.\d{3})+")


def _with_numbers_as_python_has_them(
    columns: Mapping[str, Sequence[str]],
) -> dict[str, Sequence[str]]:
    """Where one column has decimal commas, points of others that may be thousands are these."""
    read = {name: _with_decimal_points(values) for name, values in columns.items()}
    decimal = {name for name, values in columns.items() if read[name] is not values}
    if not decimal:
        return read
    return {n: v if n in decimal else _without_thousands(v) for n, v in read.items()}


def _without_thousands(values: Sequence[str]) -> Sequence[str]:
    figures = {v for v in values if any(c.isdigit() for c in v)}
    grouped = {v for v in figures if THOUSANDS_BY_POINTS.fullmatch(v.strip())}
    if not all(WHOLE.fullmatch(v.strip()) for v in figures - grouped):
        return values
    return [v.replace(".", "") if v in grouped else v for v in values]


def _with_decimal_points(values: Sequence[str]) -> Sequence[str]:
    figures = {v for v in values if any(c.isdigit() for c in v)}
    commas = {v for v in figures if DECIMAL_COMMA.fullmatch(v.strip())}
    others = figures - commas
    if not commas or not all(WHOLE.fullmatch(v.strip()) for v in others):
        return values
    if all(THOUSANDS.fullmatch(v.strip()) for v in commas):
        return values  # 1,234 alone may be either
    return [v.replace(",", ".") if v in commas else v for v in values]


# --- the outcome ---------------------------------------------------------------------------------


def check_outcome(
    table: pd.DataFrame, column: str, won: str | None, *, source: str | None = None
) -> str:
    """The value that means won, as the table writes it. Rows without an outcome do not count.

    source: the file that names the column, if it was not the caller.

    Raises:
        UnusableTable: no such column, not two values, too few of one, or unclear which is won.
    """
    words = _outcome_words(table, column, source)
    spellings: dict[str, str] = {}
    for word in words:
        spellings.setdefault(canonical(word), word)
    spellings.pop("", None)
    _require_two(column, len(spellings))
    key = _won_key(column, spellings, won)
    n_won = sum(canonical(word) == key for word in words)
    n_lost = sum(bool(word) for word in words) - n_won
    for count, what in ((n_won, "won"), (n_lost, "lost")):
        if count < LEAST_PER_CLASS:
            leads = "lead is" if count == 1 else "leads are"
            message = (
                f"Only {count} {leads} {what} in {column!r}, and {LEAST_PER_CLASS} are needed. "
                f"Add more {what} leads."
            )
            raise UnusableTable(message)
    return spellings[key]


def labelled(table: pd.DataFrame, spec: LeadSpec) -> tuple[pd.DataFrame, NDArray[np.int8]]:
    """The rows that have an outcome (index from 0), and 1 where it is won, else 0.

    Raises:
        UnusableTable: the outcome column is not there, or holds a third value.
    """
    keys = [canonical(word) for word in _outcome_words(table, spec.outcome, spec.source)]
    won = canonical(spec.won)
    if len({*keys, won} - {""}) > 2:
        _require_two(spec.outcome, len({*keys, won} - {""}))
    known = np.array([bool(key) for key in keys], dtype=bool)
    y = np.array([key == won for key in keys if key], dtype=np.int8)
    return table.loc[known].reset_index(drop=True), y


def _outcome_words(table: pd.DataFrame, column: str, source: str | None) -> list[str]:
    if column not in table.columns:
        raise UnusableTable(no_such_column(column, [str(c) for c in table.columns], source))
    return ["" if v is None else str(v).strip() for v in _values(table[column])]


def no_such_column(column: str, names: Sequence[str], source: str | None = None) -> str:
    """What to say of it, with the name most like it. source: the spec that names it as outcome."""
    absent = f"There is no column {column!r}"
    absent += f", which {source} names as the outcome" if source else ""
    folded = {name.casefold(): name for name in reversed(names)}
    close = difflib.get_close_matches(column.strip().casefold(), folded, n=1, cutoff=0.5)
    if close:
        return f"{absent}. Did you mean {folded[close[0]]!r}?"
    fix = " If it is another table's, name this one's with --spec." if source else ""
    return f"{absent}. The table has: {first_of(names)}.{fix}"


def first_of(names: Sequence[str]) -> str:
    """Names of columns in quotes, the first few."""
    return ", ".join(repr(name) for name in names[:8]) + (", ..." if len(names) > 8 else "")


def _require_two(column: str, distinct: int) -> None:
    if distinct == 2:
        return
    if distinct == 1:
        fix = "Add leads of the other kind: won and lost are both needed."
        raise UnusableTable(f"Every lead has the same outcome in {column!r}. {fix}")
    if distinct == 0:
        raise UnusableTable(f"{column!r} is empty in every row. Name the column with the outcome.")
    message = (
        f"{column!r} has {distinct:,} distinct values, and an outcome has two: won and lost. "
        "Leave the outcome empty where it is still open, or add a column that says won or not."
    )
    raise UnusableTable(message)


def _won_key(column: str, spellings: dict[str, str], won: str | None) -> str:
    shown = " and ".join(repr(word) for word in sorted(spellings.values()))
    if won is not None:
        if canonical(won) not in spellings:
            message = f"{column!r} never has the value {won!r}. It has {shown}: pass one of these."
            raise UnusableTable(message)
        return canonical(won)
    candidates = [key for key in spellings if WON.fullmatch(key)]
    if len(candidates) != 1:
        message = f"{column!r} has the values {shown}. Say which one means won with `--won VALUE`."
        raise UnusableTable(message)
    return candidates[0]


def canonical(word: str) -> str:
    """One spelling for what CSV and Parquet write differently: 1, 1.0, True, true."""
    key = category(word.strip()).casefold()
    return {"true": "1", "false": "0"}.get(key, key)


# --- rows ----------------------------------------------------------------------------------------


def rows(table: pd.DataFrame) -> Iterator[dict[str, object]]:
    """Each row as the mapping that `Lead.parse` takes: plain Python values, None where missing."""
    names = [str(name) for name in table.columns]
    columns = [_values(table.iloc[:, i]) for i in range(len(names))]
    for values in zip(*columns, strict=True):
        yield dict(zip(names, values, strict=True))


def _values(column: pd.Series) -> list[object]:
    return [
        None if missing or (isinstance(value, str) and not value) else _plain(value)
        for value, missing in zip(column.tolist(), column.isna().tolist(), strict=True)
    ]


def _plain(value: object) -> object:
    if isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, Decimal):
        return float(value)
    isoformat = getattr(value, "isoformat", None)
    return isoformat() if callable(isoformat) else str(value)
