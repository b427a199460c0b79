"""Ladder: every way of reading texts on one table, side by side, and which one to take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from features.lead_spec import LeadSpec
from features.redaction import RedactedText
from models.combiner import DEFAULT_BOUND
from models.errors import TrainingRefused
from models.prompt import Prompt
from models.sentence_embedding import SentenceEmbedding, is_available
from pipelines.display import Display
from pipelines.fitting import FittedClassifier
from pipelines.ladder.cheap_rungs import CheapRungs, with_text
from pipelines.ladder.llm_rungs import NOBODY, LlmRungs, Llms
from pipelines.ladder.recommendation import Recommendation, recommend
from pipelines.ladder.remembering import Remembering
from pipelines.ladder.rung import Absent, Rows, Rung
from pipelines.ladder.standing import MEASURES, Standing, no_text_candidate, standing
from pipelines.metrics import Interval, Measure, with_interval
from pipelines.table_texts import redacted_texts
from pipelines.tie_breaking import build_prompts
from pipelines.train import TrainingOptions, fit_shown, llm_at, witness_of
from pipelines.training_data import TrainingData, read_training_data
from service.recording.question_record import QuestionRecord
from service.settings import Settings

FEWEST_TEXTS = 40  # of the test part


@dataclass(frozen=True, slots=True)
class LadderOptions:
    """What a person may choose.

    calls: leads of the calibration part, and as many of the test part, that each LLM rung is asked
    about; 0: no LLM is asked. trials: settings tried for the classifier.
    """

    calls: int = 200
    trials: int = 20
    max_error: float = 0.10
    confidence: float = 0.95
    bound: float = DEFAULT_BOUND
    seed: int = 0

    @property
    def search(self) -> TrainingOptions:
        """For the classifier."""
        return TrainingOptions(
            trials=self.trials,
            max_error=self.max_error,
            confidence=self.confidence,
            seed=self.seed,
        )


@dataclass(frozen=True, slots=True)
class NoText:
    """The classifier alone on all test leads that have a text; share_in_band: of these."""

    leads: int
    measures: Mapping[Measure, Interval]
    in_band: Interval | None
    share_in_band: float


@dataclass(frozen=True)
class Ladder:
    """Everything that was found out.

    share_read: of all test leads, those that a second opinion is asked on: with a text, and
    ambiguous to the classifier. prompts: of the rungs that chose one, by their names.
    """

    data: TrainingData
    options: LadderOptions
    fitted: FittedClassifier
    no_text: NoText
    standings: tuple[Standing, ...]
    absent: tuple[Absent, ...]
    recommendation: Recommendation
    share_read: float
    prompts: Mapping[str, Prompt]


def climb(
    table: Path,
    spec: LeadSpec,
    options: LadderOptions,
    *,
    llms: Llms,
    settings: Settings,
    record: QuestionRecord,
    display: Display,
) -> Ladder:
    """Measure every rung on one split of the table. The LLMs must be running.

    Raises:
        UnusableTable, TrainingRefused: the table cannot be used, or no lead wrote anything.
    """
    with display.stage(f"Reading {table.name}"):
        data = read_training_data(table, spec)
    fitted = fit_shown(data, options.search, display)
    with display.stage("Redacting worked examples"):
        witness = witness_of(data, fitted)
        prompts = build_prompts(data, fitted, witness, seed=options.seed)
        llm = llm_at(llms.any or NOBODY, witness, prompts)
    texts = redacted_texts(data, witness, display)
    written = len(with_text(fitted.split.test, texts))
    if written < FEWEST_TEXTS:
        raise TrainingRefused(
            f"{written:,} test leads wrote something, of which {FEWEST_TEXTS} are needed to "
            "compare ways of reading. Bring more leads, or check that leads.toml uses their text."
        )
    sentences = Remembering(SentenceEmbedding()) if is_available() else None
    cheap = CheapRungs(data, fitted, texts, sentences, seed=options.seed)
    with display.stage("Reading words"):
        rungs = [cheap.words(), cheap.ratios()]
    with display.stage("Reading sentences"):
        rungs += [cheap.meanings(), cheap.both()]
    asking = LlmRungs(
        data=data,
        fitted=fitted,
        texts=texts,
        witness=witness,
        llm=llm,
        sentences=sentences,
        calls=options.calls,
        seed=options.seed,
        settings=settings,
        record=record,
        display=display,
    )
    rungs += asking.rungs(llms)
    with display.stage("Comparing"):
        return _judged(data, fitted, texts, rungs, options, asking.prompts)


def _judged(
    data: TrainingData,
    fitted: FittedClassifier,
    texts: Mapping[int, RedactedText],
    rungs: Sequence[Rung | Absent],
    options: LadderOptions,
    prompts: Mapping[str, Prompt],
) -> Ladder:
    standings: list[Standing] = []
    absent = [rung for rung in rungs if isinstance(rung, Absent)]
    for rung in rungs:
        if isinstance(rung, Rung):
            found = standing(rung, fitted, data, bound=options.bound, seed=options.seed)
            if found is None:
                absent.append(Absent(rung.name, "It met one outcome only: ask about more leads."))
            else:
                standings.append(found)
    calibration, test = (
        with_text(part, texts) for part in (fitted.split.calibration, fitted.split.test)
    )
    candidates = [no_text_candidate(fitted, data.won, calibration)]
    candidates += [one.candidate for one in standings if one.is_passed and one.candidate]
    return Ladder(
        data=data,
        options=options,
        fitted=fitted,
        no_text=_no_text(fitted, data, test, options.seed),
        standings=tuple(standings),
        absent=tuple(absent),
        recommendation=recommend(candidates, data.won, groups=data.groups, seed=options.seed),
        share_read=_share_read(fitted, texts),
        prompts=prompts,
    )


def _no_text(fitted: FittedClassifier, data: TrainingData, rows: Rows, seed: int) -> NoText:
    prior, won, groups = fitted.probabilities[rows], data.won[rows], data.groups[rows]
    band = fitted.band.covers(prior)
    loss = Measure.LOG_LOSS
    is_split = len(np.unique(won[band])) == 2
    return NoText(
        leads=len(rows),
        measures={m: with_interval(m, prior, won, groups=groups, seed=seed) for m in MEASURES},
        in_band=with_interval(loss, prior[band], won[band], groups=groups[band], seed=seed)
        if is_split
        else None,
        share_in_band=float(band.mean()),
    )


def _share_read(fitted: FittedClassifier, texts: Mapping[int, RedactedText]) -> float:
    test = fitted.split.test
    read = [row in texts and fitted.probabilities[row] in fitted.band for row in test]
    return float(np.mean(read))
