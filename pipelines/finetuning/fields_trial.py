"""FieldsTrial: does a tuned LLM say more where it is shown structured fields behind a text?

The classifier has judged these already, so only what both tell together can help.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.pull_fitting import FEWEST_LEADS, advantage
from pipelines.finetuning.lessons import Lesson
from pipelines.fitting import FittedClassifier
from pipelines.training_data import TrainingData

Said = dict[int, float]  # by row of the table: a tuned model's log-odds


@dataclass(frozen=True, slots=True)
class FieldsTrial:
    """Fields and text against the text alone, on the validation part, beside the classifier.

    columns: what was shown. gain: by how much that lowers the log loss a lead, out of fold;
    gain_low: lower end of its 95 % interval. Both None where there were too few leads to say.
    """

    columns: tuple[str, ...]
    leads: int
    gain: float | None = None
    gain_low: float | None = None

    @property
    def is_worth_it(self) -> bool:
        return self.gain_low is not None and self.gain_low > 0

    def __str__(self) -> str:
        shown = f"{', '.join(self.columns)} behind the text"
        if self.gain is None:
            return f"{shown}: not tried on enough leads ({self.leads}); the text alone is shown"
        verdict = "shown" if self.is_worth_it else "the text alone is shown"
        gain = f"{self.gain:+.3f} log loss gained per lead (at least {self.gain_low:+.3f})"
        return f"{shown}: {gain}, {self.leads} leads of the validation part; {verdict}"


def try_fields(
    columns: Sequence[str],
    text: Said,
    both: Said,
    data: TrainingData,
    fitted: FittedClassifier,
) -> FieldsTrial:
    """What two models say about leads of the validation part, each beside the classifier.

    The classifier's opinion is of boosters that had not seen the lead either.
    """
    rows = np.array(sorted(text.keys() & both.keys()), dtype=np.intp)
    won = data.won[rows]
    if len(rows) < FEWEST_LEADS or len(np.unique(won)) < 2:
        return FieldsTrial(tuple(columns), len(rows))
    unseen = dict(zip(fitted.split.train.tolist(), fitted.held_out.tolist(), strict=True))
    gain, low = advantage(
        np.array([unseen[row] for row in rows.tolist()]),
        np.array([both[row] for row in rows.tolist()]),
        np.array([text[row] for row in rows.tolist()]),
        won,
        groups=data.groups[rows],
    )
    return FieldsTrial(tuple(columns), len(rows), gain, low)


def said(lessons: Sequence[Lesson], log_odds: NDArray[np.float64]) -> Said:
    """Log-odds by row."""
    return {lesson.row: x for lesson, x in zip(lessons, log_odds.tolist(), strict=True)}
