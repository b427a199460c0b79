"""Gates: what a release must show before `--promote` makes it live."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipelines.evaluation import Comparison
from pipelines.metrics import Interval, Measure

MAX_ECE = 0.08  # on a few hundred test leads even perfect probabilities show about 0.04
MAX_LOSS = 0.005  # log loss that the LLM may cost before it is called harmful


@dataclass(frozen=True, slots=True)
class Gate:
    """One condition, in words, with the figure that decided it."""

    name: str
    passed: bool
    figure: str


def check_gates(
    measures: Mapping[Measure, Interval], comparison: Comparison | None
) -> tuple[Gate, ...]:
    """The conditions, on the test part."""
    auc, ece = measures[Measure.AUC], measures[Measure.ECE]
    honest = ece.value <= MAX_ECE
    gates = [
        Gate("the classifier ranks better than chance", auc.low > 0.5, f"AUC {auc}"),
        Gate(f"its probabilities are honest (ECE <= {MAX_ECE})", honest, f"ECE {ece.value:.3f}"),
    ]
    gain = comparison.llm_gains.get(Measure.LOG_LOSS) if comparison else None
    if gain is not None:
        harmless = gain.value <= MAX_LOSS
        gates.append(Gate("the LLM does no harm", harmless, f"log loss {gain.value:+.4f}"))
    return tuple(gates)
