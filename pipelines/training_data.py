"""TrainingData: a table of past leads, read, checked against its spec, and parsed."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from features.errors import InvalidLead
from features.lead import Lead
from features.lead_spec import LeadSpec
from models.errors import TrainingRefused
from pipelines.dates import lead_dates
from pipelines.split import text_groups
from pipelines.tables import check_outcome, labelled, read_table, rows
from pipelines.validation import check_table

if TYPE_CHECKING:
    import pandas as pd

MAX_REPORTED = 5


@dataclass(frozen=True)
class TrainingData:
    """leads and won (0 or 1) have the same length; `digest` is the SHA-256 of the file."""

    name: str
    digest: str
    spec: LeadSpec
    leads: Sequence[Lead]
    won: NDArray[np.int8]
    dates: pd.Series | None
    table: pd.DataFrame

    @cached_property
    def groups(self) -> NDArray[np.intp]:
        """A number for each lead: the same for the same texts."""
        return text_groups(self.leads)

    def one_of_each(self, rows: NDArray[np.intp], seed: int) -> NDArray[np.intp]:
        """Of these leads one of each group, drawn whatever its outcome: independent witnesses."""
        drawn = np.random.default_rng(seed).permutation(rows)
        _, first = np.unique(self.groups[drawn], return_index=True)
        return np.sort(drawn[first])

    def part(self, indices: NDArray[np.intp]) -> list[Lead]:
        return [self.leads[i] for i in indices]

    def naming(self, rows: NDArray[np.intp]) -> str:
        """What these leads and their outcomes are told from others by, in any order."""
        ordered = np.sort(rows).astype("<i8")
        content = self.digest.encode() + ordered.tobytes() + self.won[ordered].tobytes()
        return f"{len(rows):,} leads {hashlib.sha256(content).hexdigest()[:8]}"


def read_training_data(path: Path, spec: LeadSpec) -> TrainingData:
    """The leads of a table that have an outcome.

    Raises:
        UnusableTable: the file or its outcome cannot be used.
        TrainingRefused: the table does not fit the spec.
    """
    table = read_table(path)
    check_outcome(table, spec.outcome, spec.won, source=spec.source)
    table, won = labelled(table, spec)
    check_table(table, spec)
    return TrainingData(
        name=path.name,
        digest=hashlib.sha256(path.read_bytes()).hexdigest(),
        spec=spec,
        leads=_parse(table, spec),
        won=won,
        dates=lead_dates(table, spec),
        table=table,
    )


def read_leads(path: Path, spec: LeadSpec) -> Sequence[Lead]:
    """All leads of a table, those whose outcome nobody knows yet too.

    Raises:
        UnusableTable: the file cannot be used.
        TrainingRefused: the table does not fit the spec.
    """
    table = read_table(path)
    check_table(table, spec)
    return _parse(table, spec)


def _parse(table: pd.DataFrame, spec: LeadSpec) -> list[Lead]:
    """A text of any length is taken: one that is too long to be redacted is read by nobody."""
    leads: list[Lead] = []
    problems: list[str] = []
    for number, row in enumerate(rows(table), start=1):
        try:
            leads.append(Lead.parse(spec, row, max_text_chars=math.inf))
        except InvalidLead as error:
            problems.append(f"lead {number}: {error}")
    if problems:
        shown = "\n".join(problems[:MAX_REPORTED])
        many = "1 lead" if len(problems) == 1 else f"{len(problems):,} leads"
        message = f"{many} cannot be read. Mend the table or leads.toml:\n{shown}"
        raise TrainingRefused(message)
    return leads
