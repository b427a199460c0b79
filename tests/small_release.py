"""A real release, trained in a second on a few synthetic leads: for tests that need one."""

from __future__ import annotations

import tempfile
import warnings
from functools import cache
from pathlib import Path

from features.lead_spec import LeadSpec
from models.combiner import Combiner, Pull
from models.llm_version import LlmVersion
from models.prompt import EvidenceKind
from models.registry import Registry
from models.release import UNREGISTERED, Release
from models.routing import RoutingPolicy
from models.text_model import TextModel
from pipelines.column_kinds import infer_spec
from pipelines.example_lead import example_lead
from pipelines.fitting import FittedClassifier, fit_classifier
from pipelines.sample_leads import write_sample
from pipelines.tables import read_table
from pipelines.training_data import TrainingData, read_training_data
from tests.fakes import llm_version

ROWS = 900


@cache
def sample_data() -> TrainingData:
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "sample.csv"
        write_sample(table, rows=ROWS)
        spec = infer_spec(read_table(table), "Won", "yes")
        return read_training_data(table, LeadSpec.from_mapping(spec.to_mapping()))


@cache
def small_fit(seed: int = 0) -> FittedClassifier:
    return fit_classifier(sample_data(), trials=2, max_error=0.2, confidence=0.8, seed=seed)


def small_release(
    policy: RoutingPolicy,
    *,
    combiner: Combiner | None = None,
    llm: LlmVersion | None = None,
    fields_shown: tuple[str, ...] = ("Lead source", "Employees", "Demo requested"),
    text: TextModel | None = None,
) -> Release:
    """A release around the small classifier, with the policy that a test wants to see at work."""
    llm = llm or llm_version()
    return Release(
        version=UNREGISTERED,
        spec=sample_data().spec,
        classifier=small_fit().classifier,
        policy=policy,
        combiner=combiner or Combiner(3.0, dict.fromkeys(EvidenceKind, Pull(0.0, 1.0))),
        llm=llm,
        fields_shown=fields_shown,
        versions={"lead_spec": sample_data().spec.digest[:12]},
        examples=example_lead(sample_data(), small_fit().classifier.encoder),
        text=text,
    )


def publish(registry: Registry, folder: Path, releases: list[Release]) -> list[Release]:
    """Releases in MLflow, as `tiebreak train` registers them; their files in `folder`."""
    import mlflow

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # MLflow's own
        mlflow.set_tracking_uri(registry.tracking_uri)
        mlflow.set_registry_uri(registry.tracking_uri)
        experiment = mlflow.create_experiment("test", artifact_location=(folder / "a").as_uri())
        published = []
        for release in releases:
            with mlflow.start_run(experiment_id=experiment):
                tested = sample_data().naming(small_fit().split.test)
                metrics = {"test_auc": 0.8}
                published.append(registry.publish(release, metrics=metrics, test_leads=tested))
    return published
