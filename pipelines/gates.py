"""Gates: what a release must show before `--promote` makes it live."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipelines.evaluation import Comparison
from pipelines.metrics import Interval, Measure, ece_by_chance

MAX_ECE = 0.08  # where test leads are few, perfect probabilities show more than that by chance
MAX_LOSS = 0.005  # log loss that the LLM may cost before it is called harmful


@dataclass(frozen=True, slots=True)
class Gate:
    """One condition, in words, with the figure that decided it."""

    name: str
    passed: bool
    figure: str


def check_gates(
    measures: Mapping[Measure, Interval],
    comparison: Comparison | None,
    *,
    probabilities: NDArray[np.float64],
    seed: int,
) -> tuple[Gate, ...]:
    """The conditions, on the test part. probabilities: the classifier's, of all test leads."""
    auc = measures[Measure.AUC]
    gates = [
        Gate("the classifier ranks better than chance", auc.low > 0.5, f"AUC {auc}"),
        _honest(measures[Measure.ECE].value, ece_by_chance(probabilities, seed=seed)),
    ]
    gain = comparison.llm_gains.get(Measure.LOG_LOSS) if comparison else None
    if gain is not None:
        harmless = gain.value <= MAX_LOSS
        gates.append(Gate("the LLM does no harm", harmless, f"log loss {gain.value:+.4f}"))
    return tuple(gates)


def _honest(ece: float, by_chance: float) -> Gate:
    name = f"its probabilities are honest (ECE <= {MAX_ECE}, or no more than chance explains)"
    figure = f"ECE {ece:.3f}; honest ones show up to {by_chance:.3f} on so many leads"
    return Gate(name, ece <= max(MAX_ECE, by_chance), figure)
