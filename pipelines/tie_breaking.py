"""Tie-breaking: what the LLM is worth on this table, and who is asked from now on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from features.lead import Lead
from models.band import NOTHING
from models.combiner import Combiner
from models.prompt import EvidenceKind, Prompt, choose_examples
from models.pull_fitting import FEWEST_LEADS, PullTrial, try_pull
from models.routing import RoutingPolicy, TextRouting
from pipelines.fitting import FittedClassifier
from pipelines.left_open import left_open
from pipelines.reading import Reading
from pipelines.training_data import TrainingData
from pipelines.verdicts import Call, Verdicts, Witness

Floats = NDArray[np.float64]
EXAMPLE_POOL = 200  # training leads that worked examples are chosen from
FIELDS_SHARE = 0.25  # of the calls, where there is text too: text is the likelier to say something


@dataclass(frozen=True)
class TieBreaking:
    """Policy and combiner, and for each kind of evidence why it is asked or not, in words."""

    policy: RoutingPolicy
    combiner: Combiner
    trials: dict[EvidenceKind, PullTrial]
    notes: tuple[str, ...]


def build_prompts(
    data: TrainingData, fitted: FittedClassifier, witness: Witness, *, seed: int
) -> dict[EvidenceKind, Prompt]:
    """A prompt for each kind of evidence this table has, with worked examples from training."""
    kinds = [EvidenceKind.TEXT] if data.spec.texts else []
    kinds += [EvidenceKind.FIELDS] if witness.fields_shown else []
    return {kind: _prompt(kind, data, fitted, witness, seed) for kind in kinds}


def _prompt(
    kind: EvidenceKind, data: TrainingData, fitted: FittedClassifier, witness: Witness, seed: int
) -> Prompt:
    rows = np.random.default_rng(seed).permutation(fitted.split.train)
    if kind is EvidenceKind.TEXT:
        rows = np.array([i for i in rows if data.leads[i].has_text], dtype=np.intp)
    pool = [
        (evidence, bool(data.won[i]))
        for i in _balanced(rows, data.won)
        if (evidence := witness.evidence(data.leads[i], kind)) is not None
    ]
    examples = choose_examples([e for e, _ in pool], [won for _, won in pool], seed=seed)
    spec = data.spec
    return Prompt.newest(kind, outcome=spec.outcome, won=spec.won, examples=examples)


def _balanced(rows: NDArray[np.intp], won: NDArray[np.int8]) -> list[int]:
    half = EXAMPLE_POOL // 2
    return [int(i) for outcome in (0, 1) for i in rows[won[rows] == outcome][:half]]


def sample_calls(
    data: TrainingData,
    fitted: FittedClassifier,
    witness: Witness,
    kinds: Sequence[EvidenceKind],
    *,
    calls: int,
    seed: int,
) -> list[Call]:
    """Up to `calls` calibration leads: those with text by it, ambiguous ones by their fields.

    One of which there is nothing to show is not among them.
    """
    written: list[Call] = []
    silent: list[Call] = []
    for row in np.random.default_rng(seed).permutation(fitted.split.calibration):
        kind = _kind(data.leads[row], kinds, witness)
        if kind is EvidenceKind.TEXT:
            written.append((int(row), kind))
        elif kind is EvidenceKind.FIELDS and fitted.probabilities[row] in fitted.band:
            silent.append((int(row), kind))
    for_fields = min(len(silent), max(math.ceil(calls * FIELDS_SHARE), calls - len(written)))
    return written[: calls - for_fields] + silent[:for_fields]


def draw_test_calls(
    data: TrainingData,
    fitted: FittedClassifier,
    witness: Witness,
    kinds: Sequence[EvidenceKind],
    *,
    calls: int,
    seed: int,
) -> list[Call]:
    """A plain random draw of the test leads that this LLM can be shown, each with its evidence."""
    drawn = np.random.default_rng(seed).permutation(fitted.split.test)
    found = ((int(row), _kind(data.leads[row], kinds, witness)) for row in drawn)
    return [(row, kind) for row, kind in found if kind is not None][:calls]


def _kind(lead: Lead, kinds: Sequence[EvidenceKind], witness: Witness) -> EvidenceKind | None:
    """What this lead can be judged by; None where there is nothing of it to show."""
    kind = EvidenceKind.FIELDS
    if lead.has_text and EvidenceKind.TEXT in kinds:
        kind = EvidenceKind.TEXT
    return kind if kind in kinds and witness.has_evidence(lead, kind) else None


def fit_tie_breaking(
    fitted: FittedClassifier,
    verdicts: Verdicts | None,
    won: NDArray[np.int8],
    kinds: Sequence[EvidenceKind],
    *,
    bound: float,
    always_ask: bool,
    reading: Reading | None = None,
    groups: NDArray[np.intp] | None = None,
) -> TieBreaking:
    """Combiner and policy from verdicts on calibration leads; `verdicts` None: nobody was asked.

    reading: of a text model that reads first; then the LLM has to add to both. groups: the same
    number for all leads of the table with the same text.

    A kind of evidence that has not proven to lower the log loss, or was never tried, pulls nothing,
    and is not asked (unless `always_ask`).
    """
    trials: dict[EvidenceKind, PullTrial] = {}
    for kind in kinds if verdicts else ():
        trial = _try(kind, fitted, verdicts, won, bound, reading, groups)
        trials |= {kind: trial} if trial else {}
    pulls = {kind: trial.pull for kind, trial in trials.items() if trial.is_worth_it}
    asks = frozenset(k for k in kinds if k in pulls or always_ask)
    text = trials.get(EvidenceKind.TEXT)
    reach = text.reach if text and text.is_worth_it else NOTHING
    notes = tuple(
        _untried(kind, kind in asks)
        if verdicts is None
        else _note(kind, trials.get(kind), kind in asks)
        for kind in kinds
    )
    policy = RoutingPolicy(fitted.band, reach, asks)
    combiner = Combiner(bound, pulls)
    if reading is not None:
        left = reading.sure
        if verdicts is not None and EvidenceKind.TEXT in pulls:
            earned = pulls[EvidenceKind.TEXT].bound
            left = left_open(reading, fitted, verdicts, won, earned, groups)
        policy = replace(policy, text=TextRouting(reading.reach, left))
        combiner = replace(combiner, text=reading.trial.pull)
    return TieBreaking(policy, combiner, trials, notes)


def _try(
    kind: EvidenceKind,
    fitted: FittedClassifier,
    verdicts: Verdicts | None,
    won: NDArray[np.int8],
    bound: float,
    reading: Reading | None,
    groups: NDArray[np.intp] | None,
) -> PullTrial | None:
    assert verdicts is not None  # noqa: S101  (the caller only asks where there are some)
    answered = verdicts.of_kind(kind)
    rows = verdicts.rows[answered]
    prior = fitted.probabilities[rows]
    read = reading if kind is EvidenceKind.TEXT else None
    return try_pull(
        kind,
        prior,
        verdicts.log_odds[answered],
        won[rows],
        bound=bound,
        text=read.pulls(rows, prior) if read else None,
        groups=None if groups is None else groups[rows],
    )


def _untried(kind: EvidenceKind, is_asked: bool) -> str:
    asked = "asked where ambiguous, as you wished, and pulls nothing" if is_asked else "not asked"
    return (
        f"LLM on {_what(kind)}: not tried, for training asked it about no lead; {asked}. Train "
        "with --llm-calls above 0 to find out what it is worth."
    )


def _note(kind: EvidenceKind, trial: PullTrial | None, is_asked: bool) -> str:
    what = _what(kind)
    if trial is None:
        asked = "asked where ambiguous, and pulls nothing" if is_asked else "not asked"
        enough = f"it takes {FEWEST_LEADS} answers; give it more --llm-calls"
        return f"LLM on {what}: not tried on enough leads ({enough}); {asked}."
    gain = f"{trial.gain:+.3f} log loss gained per lead (at least {trial.gain_low:+.3f})"
    if trial.is_worth_it:
        return f"LLM on {what}: worth asking, {gain}, {trial.leads} leads."
    asked = "asked all the same, as you wished" if is_asked else "not asked"
    return f"LLM on {what}: no proven gain, {gain}, {trial.leads} leads; {asked}."


def _what(kind: EvidenceKind) -> str:
    return "what leads wrote" if kind is EvidenceKind.TEXT else "structured fields alone"
