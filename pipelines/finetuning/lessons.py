"""Lessons: redacted leads of the training part, and what became of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from features.redaction import RedactedText
from models.errors import TrainingRefused
from models.prompt import Prompt
from pipelines.fitting import FittedClassifier
from pipelines.split import cross_validation, text_groups
from pipelines.training_data import TrainingData
from pipelines.verdicts import Witness

FEWEST = 100  # lessons; `tiebreak train` offers to tune from ENOUGH on
ENOUGH = 500
FEWEST_OF_EACH = 3  # outcome, among those that are drawn
VALIDATION_FOLDS = 7  # one of them validates
MOST_VALIDATING = 200  # each look at them costs seconds, so there are
VALIDATING_SHARE = 4  # times as many to learn from, at least


@dataclass(frozen=True, slots=True)
class Lesson:
    """One past lead as a tuned model is shown it, and whether it was won. Make it with `of`.

    row: number of the lead in its table.
    """

    prompt: str
    won: bool
    row: int

    @classmethod
    def of(cls, evidence: RedactedText, prompt: Prompt, *, won: bool, row: int) -> Self:
        """The only way from a lead to a lesson: after redaction, and through what will serve.

        Raises:
            TypeError: `evidence` is not a RedactedText.
        """
        return cls(prompt.render_completion(evidence), won, row)


@dataclass(frozen=True)
class Lessons:
    """learning: in the order of the table. validation: looked at meanwhile, never learned from."""

    learning: tuple[Lesson, ...]
    validation: tuple[Lesson, ...]

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the prompts and outcomes, those of the validation part too: they choose."""
        parts = (self.learning, self.validation)
        tree = [[[lesson.prompt, lesson.won] for lesson in part] for part in parts]
        return hashlib.sha256(json.dumps(tree, ensure_ascii=True).encode()).hexdigest()


def draw_lessons(
    data: TrainingData,
    fitted: FittedClassifier,
    witness: Witness,
    prompt: Prompt,
    *,
    at_most: int | None,
    seed: int,
    on_lead: Callable[[], None] = lambda: None,
) -> Lessons:
    """Redacted leads of the training part that wrote something; repeated texts stay together.

    at_most: lessons to learn from, drawn by chance; all of them unless given.

    Raises:
        TrainingRefused: too few leads, or only one outcome.
    """
    rows = np.array([row for row in fitted.split.train if data.leads[row].has_text], dtype=np.intp)
    _require_enough(data.won[rows])
    learning, validating = _parted(data, rows, seed)
    drawn = _some(learning, data.won, at_most, seed)
    most = min(MOST_VALIDATING, len(drawn) // VALIDATING_SHARE)
    looked_at = _some(validating, data.won, most, seed)

    def lessons(chosen: NDArray[np.intp]) -> tuple[Lesson, ...]:
        return tuple(_lessons(data, witness, prompt, chosen, on_lead))

    made = Lessons(lessons(drawn), lessons(looked_at))
    for part in (made.learning, made.validation):
        if len({lesson.won for lesson in part}) < 2:
            raise TrainingRefused(
                "The leads that the LLM would be tuned on, or those that it would be looked at by, "
                "all have one outcome. Give it more --examples, or train without it."
            )
    return made


def _parted(
    data: TrainingData, rows: NDArray[np.intp], seed: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    won, groups = data.won[rows], text_groups(data.part(rows))
    learning, validating = next(iter(cross_validation(won, groups, VALIDATION_FOLDS, seed)))
    return rows[learning], rows[validating]


def _some(
    rows: NDArray[np.intp], won: NDArray[np.int8], most: int | None, seed: int
) -> NDArray[np.intp]:
    """So many of them by chance, in order; a few of each outcome, however rare it is."""
    order = np.random.default_rng(seed).permutation(rows)
    if most is None or most >= len(order):
        return np.sort(order)
    chosen, others = order[:most], order[most:]
    for outcome in (0, 1):
        missing = FEWEST_OF_EACH - int((won[chosen] == outcome).sum())
        wanted = others[won[others] == outcome][: max(0, missing)]
        spare = np.flatnonzero(won[chosen] != outcome)[::-1][: len(wanted)]
        chosen[spare] = wanted[: len(spare)]
    return np.sort(chosen)


def _lessons(
    data: TrainingData,
    witness: Witness,
    prompt: Prompt,
    rows: NDArray[np.intp],
    on_lead: Callable[[], None],
) -> list[Lesson]:
    """One a row, less those whose text cannot be redacted."""
    lessons: list[Lesson] = []
    for row in rows:
        evidence = witness.evidence(data.leads[row], prompt.kind)
        if evidence is not None:
            lessons.append(Lesson.of(evidence, prompt, won=bool(data.won[row]), row=int(row)))
        on_lead()
    return lessons


def _require_enough(won: NDArray[np.int8]) -> None:
    counts = np.bincount(won, minlength=2)
    if len(won) < FEWEST or counts.min() < VALIDATION_FOLDS:
        message = (
            f"Only {len(won):,} leads of the training part wrote something ({counts[1]:,} won): "
            f"tuning needs {FEWEST}, some of each outcome. Train without it."
        )
        raise TrainingRefused(message)


def batches(lengths: Sequence[int], *, size: int, bucket: int, seed: int) -> list[list[int]]:
    """Every lesson's number once, `size` at a time, in an order that the seed alone decides.

    Lessons of like length share a batch, so that little is padded; which of them come first is
    left to chance. bucket: lessons that are sorted by length together.
    """
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(lengths))
    made: list[list[int]] = []
    for start in range(0, len(order), bucket):
        by_length = sorted(order[start : start + bucket].tolist(), key=lambda i: (lengths[i], i))
        cut = [by_length[i : i + size] for i in range(0, len(by_length), size)]
        made += [cut[i] for i in rng.permutation(len(cut))]
    return made
