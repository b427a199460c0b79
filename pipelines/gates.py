"""Gates: what a release must show before `--promote` makes it live."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipelines.evaluation import Comparison
from pipelines.metrics import Interval, Measure, ece_by_chance

MAX_ECE = 0.08  # where test leads are few, perfect probabilities show more than that by chance
WITHOUT_LLM = "with --llm-calls 0 to do without its pull"
MAX_LOSS = 0.005  # log loss that whoever reads texts may cost before that is called harmful


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
    text_change: Interval | None = None,
    may_pull: bool = False,
) -> tuple[Gate, ...]:
    """The conditions, on the test part.

    probabilities: the classifier's, of all test leads. text_change: log loss with the text model
    minus that of the classifier alone; None where there is none. may_pull: the LLM may change
    decisions.
    """
    auc = measures[Measure.AUC]
    gates = [
        Gate("the classifier ranks better than chance", auc.low > 0.5, f"AUC {auc}"),
        _honest(measures[Measure.ECE].value, ece_by_chance(probabilities, seed=seed)),
    ]
    if text_change is not None:
        gates.append(_harmless("the text model does no harm", text_change, "with --no-text-model"))
    change = comparison.llm_changes.get(Measure.LOG_LOSS) if comparison else None
    if change is not None:
        remedy = f"with more leads, or more --llm-calls where not all were asked, or {WITHOUT_LLM}"
        gates.append(_harmless("the LLM does no harm", change, remedy))
    elif may_pull:
        untried = f"train again with --llm-test-calls 200, or {WITHOUT_LLM}"
        gates.append(Gate("the LLM was asked about test leads", False, untried))
    return tuple(gates)


def _harmless(name: str, change: Interval, remedy: str) -> Gate:
    passed, figure = change.value <= MAX_LOSS, f"log loss {change.value:+.4f}"
    return Gate(name, passed, figure if passed else f"{figure}; train again {remedy}")


def _honest(ece: float, by_chance: float) -> Gate:
    name = f"its probabilities are honest (ECE <= {MAX_ECE}, or no more than chance explains)"
    figure = f"ECE {ece:.3f}; honest ones show up to {by_chance:.3f} on so many leads"
    return Gate(name, ece <= max(MAX_ECE, by_chance), figure)
