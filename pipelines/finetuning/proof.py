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
from models.errors import NotServedAsTuned
from pipelines.evaluation import Judged, Saving, said_alone
from pipelines.gates import Gate
from pipelines.metrics import Interval, Measure, difference, measure
from pipelines.reading import Reading
from pipelines.train import Trained
from pipelines.training_data import TrainingData

Floats = NDArray[np.float64]
MEASURES = (Measure.LOG_LOSS, Measure.AUC)
CLASSIFIER, TEXT, LLM = "classifier", "text model", "LLM"
BEFORE, HYBRID = "before the LLM", "hybrid"
EVERYWHERE, INSIDE, OUTSIDE = "everywhere", "inside the band", "outside the band"
OPEN, SETTLED = "LLM asked", "settled before"


@dataclass(frozen=True)
class Side:
    """The contenders on the same leads. gains: the hybrid minus each of the others, paired.

    Of classifier, text model and LLM each is alone, calibrated; BEFORE is the hybrid where no LLM
    is asked. values and gains are by contender, then by measure; without one of the outcomes both
    are empty.
    """

    where: str
    leads: int
    values: dict[str, dict[str, float]]
    gains: dict[str, dict[str, Interval]]


@dataclass(frozen=True)
class Trial:
    """One seed. gate: whether the adapter might have served.

    llm_share: of the test leads, those that the hybrid asks the LLM about. saving: what the text
    model spares it, None where none reads.
    """

    seed: int
    examples: int
    minutes: float
    peak_memory_mib: int
    sides: tuple[Side, ...]
    gate: Gate
    llm_share: float = 0.0
    saving: Saving | None = None


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
        sides=tuple(_sides(judged, _contenders(trained, judged), trained.options.seed))
        if judged
        else (),
        gate=trained.gates[-1],
        llm_share=float(judged.escalated.mean()) if judged else 0.0,
        saving=trained.comparison.without_text if trained.comparison else None,
    )


def refused(seed: int, why: NotServedAsTuned) -> Trial:
    """One seed whose adapter went no further."""
    gate = Gate("the adapter is served as it was tuned", False, str(why))
    return Trial(seed, 0, 0.0, 0, (), gate)


def _contenders(trained: Trained, judged: Judged) -> dict[str, Floats]:
    """What each says about the leads that were judged, the hybrid last."""
    said = {CLASSIFIER: judged.prior}
    if trained.reading and trained.test_verdicts:
        said |= {TEXT: _text_alone(trained, trained.reading, trained.test_verdicts.rows)}
    said |= {LLM: judged.llm}
    said |= {BEFORE: judged.read} if trained.reading else {}
    return said | {HYBRID: judged.hybrid}


def _text_alone(trained: Trained, reading: Reading, rows: NDArray[np.intp]) -> Floats:
    """By the text model alone, calibrated as the LLM alone is; unread leads by the classifier."""
    learned = [row for row in trained.fitted.split.calibration if row in reading.said]
    said = np.array([reading.said[row] for row in learned])
    alone = said_alone(said, trained.data.won[learned])
    p = trained.fitted.probabilities[rows].copy()
    read = np.array([row in reading.said for row in rows])
    p[read] = alone(np.array([reading.said[row] for row in rows[read]]))
    return p


def _sides(judged: Judged, said: dict[str, Floats], seed: int) -> Iterator[Side]:
    everybody = np.ones_like(judged.in_band)
    for where, chosen in (
        (EVERYWHERE, everybody),
        (INSIDE, judged.in_band),
        (OUTSIDE, ~judged.in_band),
        (OPEN, judged.escalated),
        (SETTLED, ~judged.escalated),
    ):
        there = {name: p[chosen] for name, p in said.items()}
        yield side_of(where, there, judged.won[chosen], seed)


def side_of(where: str, said: dict[str, Floats], won: NDArray[np.int8], seed: int) -> Side:
    """The contenders on some leads, by what each says of them; the last one is the hybrid."""
    if len(np.unique(won)) < 2:
        return Side(where, len(won), {}, {})
    values = {n: {m.value: measure(m, p, won) for m in MEASURES} for n, p in said.items()}
    gains = {
        name: {m.value: difference(m, said[HYBRID], p, won, seed=seed) for m in MEASURES}
        for name, p in said.items()
        if name != HYBRID
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
