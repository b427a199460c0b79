"""TuningBench: runs the proof on a table, seed after seed, and prints it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

from features.lead_spec import LeadSpec
from models.errors import NotServedAsTuned
from pipelines.display import Display
from pipelines.finetuning.proof import (
    MEASURES,
    Contest,
    Proof,
    Side,
    Trial,
    contest_of,
    refused,
    together,
    trial_of,
)
from pipelines.finetuning.proof import with_texts_dealt_anew as dealt_anew
from pipelines.finetuning.tuned_llm import TunedLlm
from pipelines.train import Trained, TrainingOptions, train_on
from pipelines.training_data import read_training_data
from pipelines.training_run import llm_to_train_with
from service.llm.embedded_model import LAYERS
from service.settings import Settings


def bench_tuning(
    table: Path,
    spec: LeadSpec,
    options: TrainingOptions,
    *,
    seeds: int,
    permuted: bool,
    keep: bool = False,
    settings: Settings,
    display: Display,
) -> Proof:
    """A trial for each seed from options.seed on; nothing is registered.

    keep: leave checkpoints and answers, so that the same bench says the same again at once. What
    is cut goes on from them in any case: they are removed once every seed is through. An adapter
    that is not served as it was tuned is refused, and the next seed's turn comes.

    Raises:
        UnusableTable, TrainingRefused, LlmUnavailable
    """
    data = read_training_data(table, spec)
    trials: list[Trial] = []
    contests: list[Contest] = []
    tuned: list[TunedLlm] = []
    with llm_to_train_with(settings) as (endpoint, record):
        for seed in range(options.seed, options.seed + seeds):
            drawn = dealt_anew(data, seed=seed) if permuted else data
            try:
                trained: Trained = train_on(
                    drawn,
                    replace(options, seed=seed),
                    endpoint=endpoint,
                    settings=settings,
                    record=record,
                    display=display,
                )
            except NotServedAsTuned as refusal:
                trials.append(refused(seed, refusal))
            else:
                for note in trained.notes:
                    display.say(note)
                contest = contest_of(trained)
                contests += [contest.among(data.groups)] if contest else []
                trials.append(trial_of(trained, contest))
                tuned += [trained.tuned] if trained.tuned else []
            display.say(f"Seed {seed}: gate {trials[-1].gate}")
    if not keep:
        for one in tuned:
            one.forget()
    return Proof(tuple(trials), together(contests, options.seed))


def show_proof(proof: Proof) -> None:
    """Log loss and AUC by seed, side and contender, and by how much the hybrid is better."""
    columns = [f"{m.value}{what}" for m in MEASURES for what in ("", ", hybrid minus it")]
    table = Table("seed", "leads", "", *columns, title="test leads that chose nothing; 95 %")
    sides = [(f"{trial.seed}", side) for trial in proof.trials for side in trial.sides]
    for seed, side in (*sides, *(("all", side) for side in proof.together)):
        for name in side.values:
            table.add_row(seed, f"{side.leads:,} {side.where}", name, *_cells(side, name))
    out = Console()
    out.print(table)
    for trial in proof.trials:
        out.print(_said_of(trial), highlight=False)


def _cells(side: Side, name: str) -> Iterator[str]:
    changes = side.changes.get(name, {})
    for m in MEASURES:
        yield f"{side.values[name][m.value]:.3f}"
        yield str(changes[m.value]) if changes else ""


def _said_of(trial: Trial) -> str:
    verdict = "passed" if trial.gate.passed else "refused"
    saving = f" With the text model it {trial.saving}." if trial.saving else ""
    return (
        f"Seed {trial.seed}: {verdict}, {trial.gate.figure}; the hybrid asks the LLM about "
        f"{trial.llm_share:.0%}.{saving} {trial.depth or LAYERS} layers, "
        f"{trial.examples:,} examples, {trial.minutes:.1f} minutes, {trial.peak_memory_mib:,} MiB."
    )
