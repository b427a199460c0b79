"""TuningOptions: what a person may choose about tuning the embedded LLM."""

from __future__ import annotations

from dataclasses import dataclass

MINUTES = 30.0


@dataclass(frozen=True, slots=True)
class TuningOptions:
    """minutes: most that tuning takes. examples: most lessons; all there are unless given.
    depth: layers of the model that are kept, the lowest; `Recipe.for_lessons` chooses unless given.
    """

    minutes: float = MINUTES
    examples: int | None = None
    depth: int | None = None
