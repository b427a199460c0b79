"""TuningOffer: what tuning would cost on a table, said in a line where it could be worth it."""

from __future__ import annotations

import numpy as np

from models.prompt import BARE_LIMIT
from pipelines.finetuning.lessons import ENOUGH, VALIDATION_FOLDS
from pipelines.finetuning.machine_share import can_tune
from pipelines.finetuning.recipe import Recipe
from pipelines.finetuning.tuning_options import MINUTES
from pipelines.fitting import FittedClassifier
from pipelines.training_data import TrainingData

# Estimates, not promises: 350 to 500 tokens a second were measured on two cores, and 4.6 to
# 6.4 GB for a thousand leads (docs/figures.md).
TOKENS_PER_CHARACTER = 0.24
TOKENS_OF_QUESTION = 8
TOKENS_PER_SECOND = 350.0
MEMORY_GB = 6
ENOUGH_TIME = 0.7  # of the minutes there are: of more, the estimate may fall short


def tuning_offer(data: TrainingData, fitted: FittedClassifier) -> str | None:
    """None where nothing was written, too few leads wrote, or the extra is not installed."""
    written = [lead for lead in data.part(fitted.split.train) if lead.has_text]
    if len(written) < ENOUGH or not can_tune():
        return None
    lessons = len(written) * (VALIDATION_FOLDS - 1) // VALIDATION_FOLDS
    characters = [min(BARE_LIMIT, sum(map(len, lead.texts.values()))) for lead in written]
    tokens = float(np.sum(characters)) * TOKENS_PER_CHARACTER + len(written) * TOKENS_OF_QUESTION
    epochs = Recipe.for_lessons(lessons, depth=None, seed=0).epochs
    minutes = max(1, round(epochs * tokens / TOKENS_PER_SECOND / 60))
    how = "--tune" if minutes < ENOUGH_TIME * MINUTES else f"--tune --minutes {2 * minutes}"
    return (
        f"{len(written):,} leads of the training part wrote something: the LLM can be tuned on "
        f"them ({how}), in about {minutes} minutes of two cores and {MEMORY_GB} GB of memory."
    )
