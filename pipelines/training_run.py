"""A training run: train, log everything to MLflow, register the release, promote it if it may."""

from __future__ import annotations

import logging
import math
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from features.errors import ScoringError
from features.lead_spec import LeadSpec
from models.registry import Registry
from models.release import Release, write_json
from pipelines.display import Display
from pipelines.finetuning.tuning_log import curve_metrics, tuning_lines, tuning_params
from pipelines.local_llm import endpoint_running
from pipelines.train import Trained, TrainingOptions, train
from pipelines.training_plots import training_plots
from service.bootstrap import announcing, open_store, open_subjects
from service.errors import StorageUnavailable
from service.llm.endpoint import LlmEndpoint, configured_endpoint
from service.recording.entry import MovedBecause
from service.recording.question_record import QuestionRecord
from service.settings import Settings

EXPERIMENT = "tiebreak"
ABOUT = (
    "One run for each `tiebreak train`. Its description compares the hybrid with its baselines on "
    "leads that chose nothing; plots are among the artefacts. The models it made: lead-classifier, "
    "lead-llm, lead-redaction, and lead-release, which pins one of each. Its alias `champion` is "
    "live."
)


@dataclass(frozen=True)
class TrainingRun:
    """What was trained, and what became of it.

    not_live: why it is not, though its gates passed and that was asked for.
    """

    trained: Trained
    release: Release
    run_id: str
    promoted: bool
    not_live: str = ""


def run_training(
    table: Path,
    spec: LeadSpec,
    options: TrainingOptions,
    *,
    settings: Settings,
    display: Display,
    promote: bool,
) -> TrainingRun:
    """Train on a table; log and register the release; make it live if asked and the gates pass.

    Raises:
        UnusableTable, TrainingRefused, LlmUnavailable, RegistryUnavailable: nothing was logged.
    """
    with display.stage("Asking MLflow"), quiet_mlflow():
        registry = Registry(settings.mlflow_uri).require()
    is_asked = options.llm_calls > 0 or options.tuning is not None  # what is tuned is tried out
    with llm_to_train_with(settings, is_asked=is_asked) as (endpoint, record):
        trained = train(
            table,
            spec,
            options,
            endpoint=endpoint,
            settings=settings,
            record=record,
            display=display,
        )
    with display.stage("Logging to MLflow"), quiet_mlflow():
        release, run_id = _log(trained, settings)
    if trained.tuned:
        trained.tuned.forget()
    promoted = promote and all(gate.passed for gate in trained.gates)
    not_live = _promote(registry, release, settings) if promoted else ""
    return TrainingRun(trained, release, run_id, promoted and not not_live, not_live)


def _promote(registry: Registry, release: Release, settings: Settings) -> str:
    """Make it live; why it is not, where that fails: it is registered, and shall be shown."""
    announce = announcing(settings, MovedBecause.TRAINING)
    try:
        registry.promote(release.version, announce=announce)
    except StorageUnavailable:
        return "the ledger cannot be written to now, and what is on no record does not go live"
    except ScoringError as error:
        return str(error)
    return ""


@contextmanager
def llm_to_train_with(
    settings: Settings, *, is_asked: bool = True
) -> Iterator[tuple[LlmEndpoint, QuestionRecord]]:
    """The configured LLM, running, and where what it is asked is written down.

    Raises:
        LlmUnavailable: it did not start, or is not configured.
    """
    endpoint = configured_endpoint(settings)
    with ExitStack() as running:
        running.enter_context(endpoint_running(settings, endpoint, is_asked=is_asked))
        store = running.enter_context(closing(open_store(settings)))
        subjects = running.enter_context(closing(open_subjects(settings)))
        yield endpoint, QuestionRecord(store, subjects)


def _log(trained: Trained, settings: Settings) -> tuple[Release, str]:
    import mlflow

    registry = Registry(settings.mlflow_uri)
    mlflow.set_tracking_uri(settings.mlflow_uri)
    mlflow.set_registry_uri(settings.mlflow_uri)
    with mlflow.start_run(experiment_id=experiment(settings), run_name=_run_name(trained)) as run:
        mlflow.log_params(_params(trained))
        mlflow.log_metrics({k: v for k, v in trained.metrics.items() if not math.isnan(v)})
        for examples, measures in curve_metrics(trained.tuned.tuned.curve if trained.tuned else ()):
            mlflow.log_metrics(measures, step=examples)
        mlflow.set_tags({"data": trained.data.name, "mlflow.note.content": _note(trained)})
        mlflow.log_input(_dataset(trained), context="training")
        for name, figure in training_plots(trained):
            mlflow.log_figure(figure, f"plots/{name}.png")
        with tempfile.TemporaryDirectory() as folder:
            write_json(Path(folder) / "comparison.json", _comparison(trained))
            mlflow.log_artifacts(folder)
        refused = [gate.name for gate in trained.gates if not gate.passed]
        release = registry.publish(
            trained.release,
            metrics=_headline(trained),
            test_leads=trained.test_leads,
            llm_test_leads=trained.llm_test_leads,
            refused=refused,
        )
    return release, str(run.info.run_id)


def experiment(settings: Settings) -> str:
    """The experiment of our runs; one that was deleted is restored, or what was made is lost.

    Beside an embedded database, artefacts go under home too.
    """
    from mlflow import MlflowClient
    from mlflow.entities import LifecycleStage

    client = MlflowClient(settings.mlflow_uri)
    found = client.get_experiment_by_name(EXPERIMENT)
    if found is not None:
        if found.lifecycle_stage == LifecycleStage.DELETED:  # its name is taken all the same
            client.restore_experiment(found.experiment_id)
        return str(found.experiment_id)
    is_server = settings.mlflow_uri.startswith("http")
    location = None if is_server else (settings.home / "mlartifacts").as_uri()
    tags = {"mlflow.note.content": ABOUT}
    return str(client.create_experiment(EXPERIMENT, artifact_location=location, tags=tags))


def _run_name(trained: Trained) -> str:
    return f"{Path(trained.data.name).stem} seed {trained.options.seed}"


def _params(trained: Trained) -> dict[str, Any]:
    options, fitted, llm = trained.options, trained.fitted, trained.release.llm
    return {
        "data": trained.data.name,
        "data_sha256": trained.data.digest,
        "leads": len(trained.data.leads),
        "split": fitted.split.by,
        "test_leads": trained.test_leads,
        "llm_test_leads": trained.llm_test_leads or "none",
        "seed": options.seed,
        "trials": options.trials,
        "max_error": options.max_error,
        "confidence": options.confidence,
        "max_pull": options.max_pull,
        "embeddings": options.embeddings,
        "calibration": fitted.classifier.calibrator.method.value,
        "rounds": fitted.rounds,
        "band_low": fitted.band.low,
        "band_high": fitted.band.high,
        "llm_asked_about": ", ".join(sorted(trained.release.policy.asks)) or "nothing",
        "llm_calls": options.llm_calls,
        "llm_provider": llm.provider,
        "llm_model": llm.model,
        "redaction_policy": llm.redaction_policy,
        "lead_spec": trained.data.spec.digest[:12],
        **{f"xgboost_{name}": value for name, value in fitted.params.items()},
        **(tuning_params(trained.tuned) if trained.tuned else {}),
    }


def _headline(trained: Trained) -> dict[str, float]:
    """The few figures that a release is told apart by."""
    wanted = ("test_auc", "test_log_loss", "test_ece", "hybrid_log_loss", "hybrid_log_loss_change")
    return {name: trained.metrics[name] for name in wanted if name in trained.metrics}


def _note(trained: Trained) -> str:
    gates = "\n".join(
        f"- {'passed' if g.passed else 'FAILED'}: {g.name} ({g.figure})" for g in trained.gates
    )
    said = (
        *trained.notes,
        *(tuning_lines(trained.tuned) if trained.tuned else ()),
    )
    notes = "\n".join(f"- {note}" for note in said)
    table = "\n".join(
        f"| {line.name} | {line.llm_share:.0%} | "
        + " | ".join(str(interval) for interval in line.measures.values())
        + " |"
        for line in (trained.comparison.lines if trained.comparison else ())
    )
    heading = "| | asked | AUC | log loss | Brier |\n|---|---|---|---|---|\n"
    compared = f"\n\n### On test leads that chose nothing\n{heading}{table}" if table else ""
    return f"### Gates\n{gates}\n\n### The LLM\n{notes}{compared}"


def _comparison(trained: Trained) -> dict[str, Any]:
    comparison = trained.comparison
    return {
        "metrics": trained.metrics,
        "gates": [{"name": g.name, "passed": g.passed, "figure": g.figure} for g in trained.gates],
        "notes": list(trained.notes),
        "test_leads": len(comparison.judged.won) if comparison else 0,
    }


def _dataset(trained: Trained) -> Any:
    import mlflow.data

    # Names and types of the columns and a digest are kept; values are not.
    return mlflow.data.from_pandas(
        trained.data.table, source=trained.data.name, name=trained.data.name[:100]
    )


@contextmanager
def quiet_mlflow() -> Iterator[None]:
    """MLflow tells of every step, and warns of its own internals; the display is enough."""
    import mlflow  # noqa: F401  (sets its log levels on import; ours come after)

    logger = logging.getLogger("mlflow")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
