"""TuningOptions: what a person may choose about tuning the embedded LLM."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TuningOptions:
    """minutes: most that tuning takes. examples: most lessons; all there are unless given.

    fields: tune a second time, in half of the minutes each, on structured fields behind the text,
    and take that where it proves to help.
    """

    minutes: float = 30.0
    examples: int | None = None
    fields: bool = False
