"""Proof: whether tuning earns its place on a table: several seeds, leads that chose nothing.

Each seed splits, trains and tunes anew; over all of them together the intervals are narrower. The
same can be asked of a table whose texts were dealt out anew to other leads: they say nothing then,
and every gate must refuse.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from features.lead import Lead
from models.errors import NotServedAsTuned
from pipelines.evaluation import Flags, Saving, said_alone
from pipelines.gates import Gate
from pipelines.metrics import Interval, Measure, Paired, difference, mean_difference, measure
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
    """The contenders on the same leads. changes: the hybrid minus each of the others, paired.

    Of classifier, text model and LLM each is alone, calibrated; BEFORE is the hybrid where no LLM
    is asked. values and changes are by contender, then by measure; without one of the outcomes both
    are empty.
    """

    where: str
    leads: int
    values: dict[str, dict[str, float]]
    changes: dict[str, dict[str, Interval]]


@dataclass(frozen=True)
class Trial:
    """One seed. gate: whether the adapter might have served.

    llm_share: of the test leads, those that the hybrid asks the LLM about. saving: what the text
    model spares it, None where none reads. depth: layers that the tuned LLM kept; None: all.
    """

    seed: int
    examples: int
    minutes: float
    peak_memory_mib: int
    sides: tuple[Side, ...]
    gate: Gate
    llm_share: float = 0.0
    saving: Saving | None = None
    depth: int | None = None


@dataclass(frozen=True)
class Contest:
    """What each contender said of the same test leads, the hybrid last.

    rows: of the table. groups: the same number for leads with the same text.
    """

    rows: NDArray[np.intp]
    groups: NDArray[np.intp]
    won: NDArray[np.int8]
    said: dict[str, Floats]
    in_band: Flags
    asked: Flags

    def of(self, chosen: Flags) -> Contest:
        """The same of some of the leads."""
        said = {name: p[chosen] for name, p in self.said.items()}
        flags = self.in_band[chosen], self.asked[chosen]
        return Contest(self.rows[chosen], self.groups[chosen], self.won[chosen], said, *flags)

    def among(self, groups: NDArray[np.intp]) -> Contest:
        """The same in groups of the table's leads that do not hang on the seed."""
        return replace(self, groups=groups[self.rows])


@dataclass(frozen=True)
class Proof:
    """A trial for each seed, and what they say together; nothing of one seed alone."""

    trials: tuple[Trial, ...]
    together: tuple[Side, ...]


def contest_of(trained: Trained) -> Contest | None:
    """None where nobody was asked about test leads."""
    judged, verdicts = trained.comparison and trained.comparison.judged, trained.test_verdicts
    if not judged or not verdicts:
        return None
    said = {CLASSIFIER: judged.prior}
    if trained.reading:
        said |= {TEXT: _text_alone(trained, trained.reading, verdicts.rows)}
    said |= {LLM: judged.llm}
    said |= {BEFORE: judged.read} if trained.reading else {}
    said |= {HYBRID: judged.hybrid}
    rows = verdicts.rows
    return Contest(rows, judged.groups, judged.won, said, judged.in_band, judged.escalated)


def trial_of(trained: Trained, contest: Contest | None) -> Trial:
    """What one training with tuning showed. `trained` was tuned, and asked about test leads."""
    assert trained.tuned is not None  # noqa: S101  (its options said so)
    adapter = trained.tuned.adapter
    return Trial(
        seed=trained.options.seed,
        examples=adapter.examples,
        minutes=adapter.minutes or 0.0,
        peak_memory_mib=adapter.peak_memory_mib or 0,
        sides=tuple(_sides(contest, trained.options.seed)) if contest else (),
        gate=trained.gates[-1],
        llm_share=float(contest.asked.mean()) if contest else 0.0,
        saving=trained.comparison.without_text if trained.comparison else None,
        depth=adapter.depth,
    )


def refused(seed: int, why: NotServedAsTuned) -> Trial:
    """One seed whose adapter went no further."""
    gate = Gate("the adapter is served as it was tuned", False, str(why))
    return Trial(seed, 0, 0.0, 0, (), gate)


def _text_alone(trained: Trained, reading: Reading, rows: NDArray[np.intp]) -> Floats:
    """By the text model alone, calibrated as the LLM alone is; unread leads by the classifier."""
    learned = [row for row in trained.fitted.split.calibration if row in reading.said]
    said = np.array([reading.said[row] for row in learned])
    alone = said_alone(said, trained.data.won[learned])
    p = trained.fitted.probabilities[rows].copy()
    read = np.array([row in reading.said for row in rows])
    p[read] = alone(np.array([reading.said[row] for row in rows[read]]))
    return p


def _sides(contest: Contest, seed: int) -> Iterator[Side]:
    for where, chosen in (
        (EVERYWHERE, np.ones_like(contest.asked)),
        (INSIDE, contest.in_band),
        (OUTSIDE, ~contest.in_band),
        (OPEN, contest.asked),
        (SETTLED, ~contest.asked),
    ):
        there = contest.of(chosen)
        yield side_of(where, there.said, there.won, seed, there.groups)


def together(contests: Sequence[Contest], seed: int) -> tuple[Side, ...]:
    """The contenders of several seeds: means over them, with intervals over all their leads."""
    if len(contests) < 2:
        return ()
    asked = [contest.of(contest.asked) for contest in contests]
    sides = {EVERYWHERE: contests} | ({OPEN: asked} if all(map(_is_mixed, asked)) else {})
    return tuple(_together(where, parts, seed) for where, parts in sides.items())


def _is_mixed(contest: Contest) -> bool:
    return len(np.unique(contest.won)) == 2


def _together(where: str, contests: Sequence[Contest], seed: int) -> Side:
    names = [name for name in contests[0].said if all(name in c.said for c in contests)]

    def mean(name: str, m: Measure) -> float:
        return float(np.mean([measure(m, c.said[name], c.won) for c in contests]))

    def change(name: str, m: Measure) -> Interval:
        pairs = [Paired(c.groups, c.said[HYBRID], c.said[name], c.won) for c in contests]
        return mean_difference(m, pairs, seed=seed)

    values = {name: {m.value: mean(name, m) for m in MEASURES} for name in names}
    others = [name for name in names if name != HYBRID]
    changes = {name: {m.value: change(name, m) for m in MEASURES} for name in others}
    return Side(where, sum(len(c.groups) for c in contests), values, changes)


def side_of(
    where: str,
    said: dict[str, Floats],
    won: NDArray[np.int8],
    seed: int,
    groups: NDArray[np.intp] | None = None,
) -> Side:
    """The contenders on some leads, by what each says of them; the last one is the hybrid.

    groups: of `Contest`.
    """
    if len(np.unique(won)) < 2:
        return Side(where, len(won), {}, {})
    values = {n: {m.value: measure(m, p, won) for m in MEASURES} for n, p in said.items()}
    changes = {
        name: {
            m.value: difference(m, said[HYBRID], p, won, groups=groups, seed=seed) for m in MEASURES
        }
        for name, p in said.items()
        if name != HYBRID
    }
    return Side(where, len(won), values, changes)


def with_texts_dealt_anew(data: TrainingData, *, seed: int) -> TrainingData:
    """The same leads, each with the text of another that is drawn by chance.

    Whoever wrote it comes along: it is redacted, kept and forgotten as theirs.
    """
    rows = [row for row, lead in enumerate(data.leads) if lead.has_text]
    leads = list(data.leads)
    for row, other in zip(rows, np.random.default_rng(seed).permutation(rows), strict=True):
        leads[row] = _with_texts_of(data.leads[row], data.leads[other])
    return replace(data, leads=leads, name=f"{data.name}, texts dealt anew")


def _with_texts_of(lead: Lead, other: Lead) -> Lead:
    return replace(lead, texts=other.texts, contacts=other.contacts)
