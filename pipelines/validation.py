"""Validation: does a table hold what its lead spec says? Checked with pandera before training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from features.lead import FALSE_WORDS, TRUE_WORDS
from features.lead_spec import Column, Kind, LeadSpec
from models.errors import TrainingRefused
from pipelines.column_facts import number
from pipelines.dates import LEAST_PARSED, lead_dates

if TYPE_CHECKING:
    import pandas as pd
    import pandera.pandas as pa

MAX_REPORTED = 5


def check_table(table: pd.DataFrame, spec: LeadSpec) -> None:
    """Every column in use is there, and its values are of its kind; the dates can be read.

    Raises:
        TrainingRefused: naming up to five columns, with how many values are wrong; no values.
    """
    import pandera.errors

    try:
        table_schema(spec).validate(table, lazy=True)
    except pandera.errors.SchemaErrors as error:
        raise TrainingRefused(_sentences(error.failure_cases)) from None  # it holds values
    if spec.date is not None and lead_dates(table, spec) is None:
        raise TrainingRefused(
            f"{spec.date.name!r} is to order the leads in time, but cannot be read: fewer than "
            f"{LEAST_PARSED:.0%} of its values are dates of one format. Mend these (2026-01-31), "
            "add what means no date to the missing words, or set `use = false` to split at random."
        )


def table_schema(spec: LeadSpec) -> pa.DataFrameSchema:
    """The pandera schema of a table that fits the spec."""
    import pandera.pandas as pa

    columns = {
        c.name: pa.Column(nullable=True, checks=_checks(c, spec)) for c in spec.columns if c.use
    }
    return pa.DataFrameSchema(columns, strict=False)


def _checks(column: Column, spec: LeadSpec) -> list[Any]:
    import pandera.pandas as pa

    if column.kind is Kind.NUMERIC:
        return [pa.Check(lambda s: _is_number(_known(s, spec)), error="not a number")]
    if column.kind is Kind.BOOLEAN:
        words = TRUE_WORDS | FALSE_WORDS
        return [pa.Check(lambda s: _known(s, spec).isin(words), error="not a yes or no")]
    return []


def _known(values: pd.Series, spec: LeadSpec) -> pd.Series:
    words = values.dropna().astype(str).str.strip().str.casefold()
    return words[~words.isin(spec.missing)]


def _is_number(words: pd.Series) -> pd.Series:
    """As `column_kinds` and the lead read them: pandas takes fewer words for numbers."""
    return words.map(number).notna()


def _sentences(failures: pd.DataFrame) -> str:
    lines: list[str] = []
    absent = failures[failures["check"] == "column_in_dataframe"]["failure_case"].tolist()
    lines += [f"The table has no column {name!r}." for name in absent]
    wrong = failures[failures["check"] != "column_in_dataframe"]
    for (column, check), group in wrong.groupby(["column", "check"], sort=False):
        values = "1 value is" if len(group) == 1 else f"{len(group):,} values are"
        lines.append(f"{column!r}: {values} {check}.")
    more = f" (and {len(lines) - MAX_REPORTED} more)" if len(lines) > MAX_REPORTED else ""
    fix = "Mend the table, or change `kind`, `use` or the missing words in leads.toml."
    return " ".join(lines[:MAX_REPORTED]) + more + " " + fix
