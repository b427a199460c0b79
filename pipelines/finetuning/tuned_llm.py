"""TunedLlm: the embedded LLM, tuned on a table's own outcomes. Start reading here."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.adapter import Adapter, file_digest
from models.llm_version import LlmVersion
from models.prompt import EvidenceKind, Prompt
from pipelines.display import Display
from pipelines.finetuning.adapter_file import adapter_bytes
from pipelines.finetuning.agreement import Agreement
from pipelines.finetuning.base_model import load_base_model
from pipelines.finetuning.checkpoint import Checkpoint
from pipelines.finetuning.hidden_states import HiddenStates
from pipelines.finetuning.lessons import Lesson, Lessons, draw_lessons
from pipelines.finetuning.machine_share import MachineShare, peak_memory_mib
from pipelines.finetuning.recipe import SEEN_BY_SHALLOW, Recipe
from pipelines.finetuning.tuner import Ending, Tuned, Tuner
from pipelines.finetuning.tuning_options import TuningOptions
from pipelines.fitting import FittedClassifier
from pipelines.kept_answers import KeptAnswers
from pipelines.training_data import TrainingData
from pipelines.verdicts import Call, Verdicts, Witness
from service.llm.embedded_model import LAYERS, model_digest, model_file

CHECKPOINTS = 5  # the version of what is in them
COMPARED = 60  # leads of the validation part on which served and tuned model must agree


@dataclass(frozen=True)
class TunedLlm:
    """A new version of the LLM, and how it came to be.

    compared: lessons of the validation part, and `expected`: the tuned model's log-odds on them.
    checkpoint, answers: from which a process that was cut goes on.
    """

    version: LlmVersion
    file: bytes
    lessons: Lessons
    tuned: Tuned
    recipe: Recipe
    compared: tuple[Lesson, ...]
    expected: NDArray[np.float64]
    checkpoint: Checkpoint
    answers: KeptAnswers | None = None
    agreement: Agreement | None = None

    @property
    def adapter(self) -> Adapter:
        assert self.version.adapter is not None  # noqa: S101  (tune_llm made it)
        return self.version.adapter

    @property
    def prompt_version(self) -> str:
        return self.version.prompts[EvidenceKind.TEXT].version

    def forget(self) -> None:
        """Leave nothing to go on from: the same tuning begins anew."""
        self.checkpoint.remove()
        if self.answers:
            self.answers.remove()

    def checked(self, ask: Callable[[list[Call]], Verdicts | None]) -> TunedLlm:
        """Itself, once the served model has said the same about `compared`.

        Raises:
            TrainingRefused: it says something else.
        """
        answers = ask([(lesson.row, EvidenceKind.TEXT) for lesson in self.compared])
        if answers is None:
            return self
        answered = answers.of_kind(EvidenceKind.TEXT)
        agreement = Agreement.between(answers.log_odds[answered], self.expected[answered])
        if not agreement.holds and self.answers:
            self.answers.remove()  # another time another server may be asked
        return replace(self, agreement=agreement.require())


def tune_llm(
    data: TrainingData,
    fitted: FittedClassifier,
    witness: Witness,
    llm: LlmVersion,
    options: TuningOptions,
    *,
    home: Path,
    share: MachineShare,
    seed: int,
    display: Display,
) -> TunedLlm:
    """Tune on the training part alone. `llm` is what is tuned: the embedded model, untuned.

    Raises:
        TrainingRefused: there is too little to learn from.
    """
    began = time.monotonic()
    prompt = Prompt.bare(EvidenceKind.TEXT, outcome=data.spec.outcome, won=data.spec.won)
    with display.stage("Redacting what the LLM is tuned on"):
        lessons = draw_lessons(data, fitted, witness, prompt, at_most=options.examples, seed=seed)
    recipe = Recipe.for_lessons(len(lessons.learning), depth=options.depth, seed=seed)
    share.take()
    with display.stage("Loading the embedded LLM into torch"):
        file = model_file(home / "llm")
        base = load_base_model(file, model_digest(), upper_layers=recipe.layers, depth=recipe.depth)
        states = HiddenStates(base)
    named = checkpoint_name(lessons, recipe, states.base.digest)
    checkpoint = Checkpoint(home / "tuning" / f"{named}.pt")
    left = options.minutes - (time.monotonic() - began) / 60
    with display.steps(f"Tuning on {len(lessons.learning):,} leads") as on_step:
        tuner = Tuner(states, lessons, recipe, checkpoint, minutes=left, on_step=on_step)
        tuned = tuner.tune()
    display.say(_said_of(tuned, recipe, len(lessons.learning)))
    made = _exported(llm, prompt, lessons, recipe, states, tuned, checkpoint, options)
    answers = KeptAnswers(home / "tuning" / f"{_answers_name(data, made.version)}.jsonl")
    return replace(made, answers=answers)


def _exported(
    llm: LlmVersion,
    prompt: Prompt,
    lessons: Lessons,
    recipe: Recipe,
    states: HiddenStates,
    tuned: Tuned,
    checkpoint: Checkpoint,
    options: TuningOptions,
) -> TunedLlm:
    """What was tuned as a file and a version, with what it says about a few leads."""
    arrays = {name: tensor.numpy() for name, tensor in tuned.tensors.items()}
    file = adapter_bytes(arrays, alpha=recipe.alpha)
    adapter = Adapter(
        digest=file_digest(file),
        base=states.base.digest,
        data=lessons.digest,
        examples=min(tuned.examples, len(lessons.learning)),
        rank=recipe.rank,
        alpha=recipe.alpha,
        layers=recipe.layers,
        minutes=round(tuned.seconds / 60, 2),
        peak_memory_mib=peak_memory_mib(),
        drawn=options.examples,
        depth=recipe.depth,
    )
    compared = lessons.validation[:COMPARED]
    return TunedLlm(
        version=replace(llm, prompts={EvidenceKind.TEXT: prompt}, adapter=adapter),
        file=file,
        lessons=lessons,
        tuned=tuned,
        recipe=recipe,
        compared=compared,
        expected=states.log_odds([lesson.prompt for lesson in compared]),
        checkpoint=checkpoint,
    )


def checkpoint_name(lessons: Lessons, recipe: Recipe, base: str) -> str:
    """What a checkpoint belongs to: another table, seed, recipe or model is another tuning."""
    return _name_of([CHECKPOINTS, lessons.digest, base, recipe.to_json()])


def _answers_name(data: TrainingData, llm: LlmVersion) -> str:
    return _name_of([data.name, data.digest, data.spec.digest, llm.version])


def _name_of(tree: Sequence[object]) -> str:
    return hashlib.sha256(json.dumps(tree, sort_keys=True).encode()).hexdigest()[:16]


def _said_of(tuned: Tuned, recipe: Recipe, leads: int) -> str:
    best = max(tuned.curve, key=lambda point: point.examples == tuned.examples)
    again = f", each shown up to {recipe.epochs} times" if recipe.epochs > 1 else ""
    return (
        f"Tuned {recipe.tuned_layers} on {leads:,} leads{again}, in "
        f"{tuned.seconds / 60:.1f} minutes ({tuned.tokens_per_second:.0f} tokens/s): "
        f"{tuned.ending}. Taken as it was when {tuned.examples:,} had been shown: on the "
        f"validation part AUC {best.auc:.3f}, log loss {best.settled_log_loss:.3f}."
        f"{_hint(tuned, recipe)}"
    )


def _hint(tuned: Tuned, recipe: Recipe) -> str:
    """What to do where few layers had no time to learn."""
    shown = tuned.curve[-1].examples
    if recipe.depth is None or tuned.ending is not Ending.TIME or shown >= SEEN_BY_SHALLOW:
        return ""
    return (
        f" So few layers learn late, and were shown {shown:,} of {SEEN_BY_SHALLOW:,}: give more "
        f"--minutes, or keep all with --depth {LAYERS}."
    )
