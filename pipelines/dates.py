"""Dates as tables write them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from features.lead_spec import LeadSpec
from pipelines import column_names
from pipelines.column_facts import MISSING, ColumnFacts

if TYPE_CHECKING:
    import pandas as pd

LEAST_PARSED = 0.98  # of the distinct values: a few typing errors do not unmake a date column
ROUGH = re.compile(
    r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}.*|\d{1,2}[-/. ](\d{1,2}|[^\W\d]{3,9}\.?)[-/., ]+\d{2,4}.*"
    r"|[^\W\d]{3,9}\.? \d{1,2}, ?\d{4}.*"
)
DAYS = (
    *("%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y", "%Y/%m/%d", "%Y.%m.%d"),
    *("%d %b %Y", "%d %B %Y", "%d-%b-%Y", "%b %d, %Y", "%B %d, %Y"),
    *("%d.%m.%y", "%d/%m/%y", "%m/%d/%y", "%d-%b-%y"),
)
TIMES = ("", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", " %I:%M %p", " %I:%M:%S %p")
SECONDS = (1e8, 4.2e9)  # 1973 to 2103
MILLISECONDS = (1e11, 4.2e12)
# Of leads, 1900 to 2201: 0001-01-01 and 9999-12-31 are what systems write for no date.
BELIEVED = (-2.2e9, 7.3e9)


def lead_dates(table: pd.DataFrame, spec: LeadSpec) -> pd.Series | None:
    """When each lead came in (UTC, without a zone), NaT where unknown; None without a date column.

    Unknown is what no lead can have come in at, too (`BELIEVED`).
    None too where the column that the spec calls a date does not hold dates: `check_table` refuses
    it.
    """
    import pandas as pd

    column = spec.date
    if column is None or column.name not in table.columns:
        return None
    facts = ColumnFacts.of(column.name, table[column.name]).without(spec.missing)
    stamps = seconds(facts.words, epoch=column_names.says_time(column.name))
    if stamps is None:
        return None
    stamps[(stamps < BELIEVED[0]) | (stamps > BELIEVED[1])] = np.nan
    since = np.append(stamps, np.nan)[np.where(facts.codes == MISSING, -1, facts.codes)]
    return pd.Series(pd.to_datetime(since, unit="s"), index=table.index, name=column.name)


def seconds(
    words: Sequence[str], *, epoch: bool = False, least: float = LEAST_PARSED
) -> NDArray[np.float64] | None:
    """Seconds since 1970 (UTC) for each value, NaN for those that are no date.

    None where these are not dates: a share of `least`, nearly all, must fit one format. Where day
    and month could change places, the reading under which the dates lie closer together is taken.
    `epoch` also reads whole numbers as seconds or milliseconds since 1970, and 20260131.
    """
    if not words:
        return None
    if epoch:
        counted = _counted(words)
        if counted is not None:
            return counted
    sample = words[:: max(1, len(words) // 200)]
    if sum(ROUGH.fullmatch(w) is not None for w in sample) < least * len(sample):
        return _parsed(words, "%Y%m%d") if epoch and _eight_digits(sample) else None
    fitting = [p for p in _readings(words, sample, least) if np.isfinite(p).mean() >= least]
    return min(fitting, key=lambda p: float(np.ptp(p[np.isfinite(p)])), default=None)


def _readings(
    words: Sequence[str], sample: Sequence[str], least: float
) -> list[NDArray[np.float64]]:
    iso = _parsed(words, "ISO8601")
    if np.isfinite(iso).mean() >= least:
        return [iso]
    formats = [day + time for day in DAYS for time in TIMES]
    likely = [f for f in formats if np.isfinite(_parsed(sample, f)).mean() >= min(0.9, least)]
    return [_parsed(words, f) for f in likely]


def _parsed(words: Sequence[str], date_format: str) -> NDArray[np.float64]:
    import pandas as pd

    texts = pd.Series(words, dtype=object)
    stamps = pd.to_datetime(texts, format=date_format, errors="coerce", utc=True)
    since = stamps.dt.tz_localize(None).to_numpy().astype("datetime64[us]")  # holds any year
    return np.asarray((since - np.datetime64(0, "us")) / np.timedelta64(1, "s"), dtype=np.float64)


def _counted(words: Sequence[str]) -> NDArray[np.float64] | None:
    try:
        numbers = np.array([float(w) for w in words])
    except ValueError:
        return None
    for (low, high), unit in ((SECONDS, 1.0), (MILLISECONDS, 1e3)):
        if bool(((numbers >= low) & (numbers <= high)).all()):
            return numbers / unit
    return None


def _eight_digits(sample: Sequence[str]) -> bool:
    return all(re.fullmatch(r"(19|20)\d{6}", w) for w in sample)
