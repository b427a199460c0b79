"""Rung: one way of reading texts, what it says of past leads, and what that costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]


class Place(StrEnum):
    """Where a rung runs."""

    HERE = "self-hosted"
    MANAGED = "managed"


@dataclass(frozen=True)
class Opinions:
    """Log-odds about leads `rows` (numbers into the table), in the same order; NaN: none."""

    rows: Rows
    log_odds: Floats

    @property
    def answered(self) -> Opinions:
        there = ~np.isnan(self.log_odds)
        return Opinions(self.rows[there], self.log_odds[there])


@dataclass(frozen=True, slots=True)
class Cost:
    """What a rung costs.

    calls: requests to an LLM in this run, those of choosing prompts and those that gave no verdict
    included; prompt_tokens, completion_tokens: theirs, as far as the provider says.
    tokens_per_lead: prompt and completion; None where it does not say all. ms_per_lead: machine
    time for one lead, redaction not included. fit_s: seconds to fit it. memory_mib: held while
    serving; None where it is not known. usd: paid in this run; None where the price or the tokens
    are not known, 0 where nobody charges.
    """

    ms_per_lead: float
    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    tokens_per_lead: tuple[float, float] | None = (0.0, 0.0)
    fit_s: float = 0.0
    memory_mib: float | None = None
    usd: float | None = 0.0


@dataclass(frozen=True)
class Rung:
    """One rung. Rungs stand in a list from the smallest to the largest.

    calibration, test: what it says of leads of these parts, learned from neither.
    notes: what a reader should know, a sentence each.
    """

    name: str
    calibration: Opinions
    test: Opinions
    cost: Cost
    place: Place = Place.HERE
    notes: Sequence[str] = field(default=())


@dataclass(frozen=True, slots=True)
class Absent:
    """A rung that was not measured, and why."""

    name: str
    why: str
