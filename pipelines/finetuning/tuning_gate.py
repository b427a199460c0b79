"""TuningGate: whether an adapter may serve. It must lower the log loss where it will be asked."""

from __future__ import annotations

import numpy as np

from models.pull_fitting import FEWEST_LEADS
from pipelines.evaluation import Comparison
from pipelines.gates import Gate
from pipelines.metrics import Measure

NAME = "the tuned LLM lowers the log loss inside the band"


def tuning_gate(comparison: Comparison | None) -> Gate:
    """On test leads inside the band: everything before the LLM, with and without it, paired.

    It passes where the lower end of the 95 % interval of the gain is above zero.
    """
    changes = comparison.llm_changes_in_band if comparison else {}
    change = changes.get(Measure.LOG_LOSS)
    if comparison is None or change is None:
        return Gate(NAME, False, "too few test leads inside the band, or the LLM was not asked")
    leads = int(comparison.judged.in_band.sum())
    texts = len(np.unique(comparison.judged.groups[comparison.judged.in_band]))
    if texts < FEWEST_LEADS:  # of so few even a guess looks good by chance, one time in five
        few = f"{texts} different test leads inside the band are too few: {FEWEST_LEADS} at least"
        return Gate(NAME, False, few)
    figure = f"gain {-change.value:+.4f} [{-change.high:+.4f}, {-change.low:+.4f}], {leads} leads"
    return Gate(NAME, change.high < 0, figure)
