"""TuningBench: runs the proof on a table, seed after seed, and prints it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

from features.lead_spec import LeadSpec
from pipelines.display import Display
from pipelines.finetuning.proof import CONTENDERS, MEASURES, Side, Trial, trial_of
from pipelines.finetuning.proof import with_texts_dealt_anew as dealt_anew
from pipelines.finetuning.tuned_llm import TunedLlm
from pipelines.train import Trained, TrainingOptions, train_on
from pipelines.training_data import read_training_data
from pipelines.training_run import llm_to_train_with
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
) -> list[Trial]:
    """A trial for each seed from options.seed on; nothing is registered.

    keep: leave checkpoints and answers, so that the same bench says the same again at once. What
    is cut goes on from them in any case: they are removed once every seed is through.

    Raises:
        UnusableTable, TrainingRefused, LlmUnavailable
    """
    data = read_training_data(table, spec)
    trials: list[Trial] = []
    tuned: list[TunedLlm] = []
    with llm_to_train_with(settings) as (endpoint, record):
        for seed in range(options.seed, options.seed + seeds):
            drawn = dealt_anew(data, seed=seed) if permuted else data
            trained: Trained = train_on(
                drawn,
                replace(options, seed=seed),
                endpoint=endpoint,
                settings=settings,
                record=record,
                display=display,
            )
            trials.append(trial_of(trained))
            display.say(f"Seed {seed}: gate {trials[-1].gate}")
            tuned += [trained.tuned] if trained.tuned else []
    for one in () if keep else tuned:
        one.forget()
    return trials


def show_trials(trials: Sequence[Trial]) -> None:
    """Log loss and AUC by seed and side, and by how much the hybrid is better."""
    columns = [f"{name}, {m.value}" for m in MEASURES for name in CONTENDERS]
    against = [f"hybrid - {name}, {m.value}" for m in MEASURES for name in CONTENDERS[:2]]
    values = Table("seed", "leads", *columns, title="on test leads that chose nothing")
    gains = Table("seed", "leads", *against, title="paired, 95 % intervals")
    for trial in trials:
        for side in trial.sides:
            who = (f"{trial.seed}", f"{side.leads} {side.where}")
            values.add_row(*who, *_values(side))
            gains.add_row(*who, *_gains(side))
    out = Console()
    out.print(values, gains)
    for trial in trials:
        verdict = "passed" if trial.gate.passed else "refused"
        out.print(
            f"Seed {trial.seed}: {verdict}, {trial.gate.figure}; {trial.examples:,} examples, "
            f"{trial.minutes:.1f} minutes, {trial.peak_memory_mib:,} MiB.",
            highlight=False,
        )


def _values(side: Side) -> list[str]:
    return [
        f"{side.values[name][m.value]:.3f}" if side.values else "-"
        for m in MEASURES
        for name in CONTENDERS
    ]


def _gains(side: Side) -> list[str]:
    return [
        str(side.gains[name][m.value]) if side.gains else "-"
        for m in MEASURES
        for name in CONTENDERS[:2]
    ]
