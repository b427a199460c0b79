"""A ladder run: climb, and log table, figures and plot to MLflow."""

from __future__ import annotations

import math
import tempfile
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.markup import escape

from features.lead_spec import LeadSpec
from models.errors import LlmUnavailable
from models.registry import Registry
from models.release import write_json
from pipelines.display import Display
from pipelines.ladder.ladder import Ladder, LadderOptions, climb
from pipelines.ladder.ladder_plot import ladder_plot
from pipelines.ladder.ladder_table import Bill, ladder_json
from pipelines.ladder.llm_rungs import Llms
from pipelines.local_llm import endpoint_running
from pipelines.processes import stoppable
from pipelines.training_run import experiment, quiet_mlflow
from service.bootstrap import open_store, open_subjects
from service.llm.endpoint import configured_endpoint, prices
from service.recording.question_record import QuestionRecord
from service.settings import Settings


def run_ladder(
    table: Path,
    spec: LeadSpec,
    options: LadderOptions,
    *,
    settings: Settings,
    display: Display,
    tuned: str | None = None,
    fine_tunes: bool = False,
) -> tuple[Ladder, Bill]:
    """Measure every rung on a table, and log what was found; where that fails it says so.

    tuned: the version of a release whose LLM has an adapter. fine_tunes: have the configured
    provider make a model of this table.

    Raises:
        UnusableTable, TrainingRefused, LlmUnavailable, RegistryUnavailable, ReleaseNotFound:
            nothing was logged.
    """
    with display.stage("Asking MLflow"), quiet_mlflow():
        registry = Registry(settings.mlflow_uri).require()
    llms = replace(known_llms(settings), fine_tunes=fine_tunes)
    with stoppable() as running:  # a fine-tuning job that is paid for is cancelled, too
        if tuned is not None:
            folder = Path(running.enter_context(tempfile.TemporaryDirectory()))
            llms = replace(llms, tuned=registry.load(tuned, folder))
        if llms.embedded is not None:
            asked = options.calls > 0
            running.enter_context(endpoint_running(settings, llms.embedded, is_asked=asked))
        store = running.enter_context(closing(open_store(settings)))
        subjects = running.enter_context(closing(open_subjects(settings)))
        record = QuestionRecord(store, subjects)
        ladder = climb(
            table, spec, options, llms=llms, settings=settings, record=record, display=display
        )
    bill = bill_of(ladder, settings)
    try:
        with display.stage("Logging to MLflow"), quiet_mlflow():
            _log(ladder, bill, settings)
    except Exception as error:  # of MLflow, a database, a disk: what took hours is not lost for it
        display.say(f"The ladder was not logged to MLflow ({_said(error)}).")
    return ladder, bill


def _said(error: Exception) -> str:
    """Its kind and its first line: some go on for a page."""
    line = next(iter(str(error).splitlines()), "")
    return escape(f"{type(error).__name__}: {line[:200]}")


def known_llms(settings: Settings) -> Llms:
    """The embedded LLM where it is installed, and the configured one where there is one."""
    ours = settings.model_copy(update={"llm_base_url": None})
    try:
        embedded = configured_endpoint(ours)
    except LlmUnavailable:
        embedded = None
    managed = configured_endpoint(settings) if settings.llm_base_url else None
    return Llms(embedded, managed)


def bill_of(ladder: Ladder, settings: Settings) -> Bill:
    """What the rungs cost at the prices in the settings."""
    return Bill(ladder.share_read, settings.machine_price_usd_per_hour, prices(settings))


def _log(ladder: Ladder, bill: Bill, settings: Settings) -> None:
    import mlflow

    mlflow.set_tracking_uri(settings.mlflow_uri)
    tree = ladder_json(ladder, bill)
    name = f"ladder of {Path(ladder.data.name).stem} seed {ladder.options.seed}"
    with mlflow.start_run(experiment_id=experiment(settings), run_name=name):
        advice = ladder.recommendation
        mlflow.log_params({"data_sha256": ladder.data.digest, "recommended": advice.rung})
        mlflow.log_params({"calls": ladder.options.calls, "seed": ladder.options.seed})
        mlflow.log_metrics(_metrics(ladder))
        note = f"### Recommended: {advice.rung}\n{advice.reason} {advice.enough}"
        mlflow.set_tags({"data": ladder.data.name, "mlflow.note.content": note})
        mlflow.log_table(_columns(tree), "ladder_table.json")
        mlflow.log_figure(ladder_plot(ladder), "plots/ladder.png")
        with tempfile.TemporaryDirectory() as folder:
            write_json(Path(folder) / "ladder.json", tree)
            prompts = {name: prompt.to_json() for name, prompt in ladder.prompts.items()}
            write_json(Path(folder) / "prompts.json", prompts)
            mlflow.log_artifacts(folder)


def _metrics(ladder: Ladder) -> dict[str, float]:
    flat = {f"no_text_{m.value}": v.value for m, v in ladder.no_text.measures.items()}
    for one in ladder.standings:
        name = "".join(c if c.isalnum() else "_" for c in one.rung.name)
        flat |= {f"{name}_{m.value}": v.value for m, v in one.combined.items()}
        flat |= {f"{name}_log_loss_change": one.change.value}
    return {name: value for name, value in flat.items() if not math.isnan(value)}


def _columns(tree: dict[str, Any]) -> dict[str, list[Any]]:
    """The table as MLflow shows it: one list a column."""
    rungs = tree["rungs"]
    return {
        "rung": [one["name"] for one in rungs],
        "leads": [one["leads"] for one in rungs],
        "AUC alone": [one["alone"]["auc"]["value"] for one in rungs],
        "AUC": [one["combined"]["auc"]["value"] for one in rungs],
        "log loss": [one["combined"]["log_loss"]["value"] for one in rungs],
        "log loss change": [one["change"]["value"] for one in rungs],
        "log loss change low": [one["change"]["low"] for one in rungs],
        "log loss change high": [one["change"]["high"] for one in rungs],
        "gate passed": [one["gate"]["passed"] for one in rungs],
        "calls": [one["cost"]["calls"] for one in rungs],
        "ms a lead": [one["cost"]["ms_per_lead"] for one in rungs],
        "MiB": [one["cost"]["memory_mib"] for one in rungs],
    }
