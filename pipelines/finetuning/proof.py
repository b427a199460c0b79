"""Proof: whether tuning earns its place on a table: several seeds, leads that chose nothing.

Each seed splits, trains and tunes anew. The same can be asked of a table whose texts were dealt out
anew to other leads: they say nothing then, and every gate must refuse.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from features.lead import Lead
from pipelines.evaluation import Judged
from pipelines.gates import Gate
from pipelines.metrics import Interval, Measure, difference, measure
from pipelines.train import Trained
from pipelines.training_data import TrainingData

MEASURES = (Measure.LOG_LOSS, Measure.AUC)
CONTENDERS = ("classifier", "LLM alone", "hybrid")
EVERYWHERE, INSIDE, OUTSIDE = "everywhere", "inside the band", "outside the band"


@dataclass(frozen=True)
class Side:
    """The contenders on the same leads. gains: the hybrid minus each of the others, paired.

    values and gains are by contender, then by measure; without one of the outcomes both are empty.
    """

    where: str
    leads: int
    values: dict[str, dict[str, float]]
    gains: dict[str, dict[str, Interval]]


@dataclass(frozen=True)
class Trial:
    """One seed. gate: whether the adapter might have served."""

    seed: int
    examples: int
    minutes: float
    peak_memory_mib: int
    sides: tuple[Side, ...]
    gate: Gate


def trial_of(trained: Trained) -> Trial:
    """What one training with tuning showed. `trained` was tuned, and asked about test leads."""
    assert trained.tuned is not None  # noqa: S101  (its options said so)
    adapter = trained.tuned.adapter
    judged = trained.comparison.judged if trained.comparison else None
    return Trial(
        seed=trained.options.seed,
        examples=adapter.examples,
        minutes=adapter.minutes or 0.0,
        peak_memory_mib=adapter.peak_memory_mib or 0,
        sides=tuple(_sides(judged, trained.options.seed)) if judged else (),
        gate=trained.gates[-1],
    )


def _sides(judged: Judged, seed: int) -> Iterator[Side]:
    everybody = np.ones_like(judged.in_band)
    for where, chosen in (
        (EVERYWHERE, everybody),
        (INSIDE, judged.in_band),
        (OUTSIDE, ~judged.in_band),
    ):
        yield _side(where, judged, chosen, seed)


def _side(where: str, judged: Judged, chosen: NDArray[np.bool_], seed: int) -> Side:
    won = judged.won[chosen]
    if len(np.unique(won)) < 2:
        return Side(where, len(won), {}, {})
    said = dict(zip(CONTENDERS, (judged.prior, judged.llm, judged.hybrid), strict=True))
    said = {name: p[chosen] for name, p in said.items()}
    values = {n: {m.value: measure(m, p, won) for m in MEASURES} for n, p in said.items()}
    gains = {
        name: {m.value: difference(m, said["hybrid"], said[name], won, seed=seed) for m in MEASURES}
        for name in CONTENDERS[:2]
    }
    return Side(where, len(won), values, gains)


def with_texts_dealt_anew(data: TrainingData, *, seed: int) -> TrainingData:
    """The same leads, each with the text of another that is drawn by chance."""
    rows = [row for row, lead in enumerate(data.leads) if lead.has_text]
    leads = list(data.leads)
    for row, other in zip(rows, np.random.default_rng(seed).permutation(rows), strict=True):
        leads[row] = _with_texts_of(data.leads[row], data.leads[other])
    return replace(data, leads=leads, name=f"{data.name}, texts dealt anew")


def _with_texts_of(lead: Lead, other: Lead) -> Lead:
    return replace(lead, texts=other.texts)
