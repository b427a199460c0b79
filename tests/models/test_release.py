"""A release: the same bits after every trip to disk and through MLflow; promotion is one move."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from features.lead import Lead
from features.redaction_policy import RedactionPolicy
from models.adapter import Adapter, file_digest
from models.band import Band
from models.errors import ReleaseNotFound, ReleaseRefused, WrongAdapter
from models.prompt import EvidenceKind
from models.registry import Registry
from models.release import Release
from models.routing import RoutingPolicy
from tests.fakes import llm_version
from tests.small_release import publish, sample_data, small_fit, small_release

if TYPE_CHECKING:
    from mlflow import MlflowClient

FILE = b"GGUF of an adapter"
ADAPTER = Adapter(file_digest(FILE), "b" * 64, "d" * 64, examples=500, rank=8, alpha=16, layers=6)
POLICY = RoutingPolicy(Band(0.2, 0.8), Band(0.1, 0.9), frozenset(EvidenceKind))


def same_answers(first: Release, second: Release) -> bool:
    leads = sample_data().leads[:200]
    return np.array_equal(
        first.classifier.win_probabilities(leads), second.classifier.win_probabilities(leads)
    )


def test_a_release_survives_the_disk_to_the_last_bit_without_a_pickle(tmp_path: Path) -> None:
    release = small_release(POLICY)
    release.save(tmp_path)
    again = Release.load(tmp_path)
    assert same_answers(release, again)
    assert again.spec.source == "the release's lead_spec.json"  # no leads.toml is read here
    assert (again.spec, again.policy, again.combiner) == (
        release.spec,
        release.policy,
        release.combiner,
    )
    assert again.llm.version == release.llm.version
    assert {path.suffix for path in tmp_path.rglob("*.*")} == {".json", ".ubj"}


def tuned_release(file: bytes | None = FILE) -> Release:
    untuned = small_release(POLICY)
    return replace(untuned, llm=replace(llm_version(), adapter=ADAPTER), adapter_file=file)


def test_the_adapter_goes_with_its_release_and_no_other_file_passes_for_it(tmp_path: Path) -> None:
    tuned_release().save(tmp_path)
    again = Release.load(tmp_path)
    assert (again.adapter_file, again.llm.adapter) == (FILE, ADAPTER)
    for wrong in (b"other", None):
        with pytest.raises(WrongAdapter, match="adapter-"):
            tuned_release(wrong)
    (tmp_path / "llm" / "adapter.gguf").write_bytes(FILE + b" ")
    with pytest.raises(WrongAdapter, match="SHA-256"):
        Release.load(tmp_path)


def test_the_example_lead_can_be_decided_and_shows_nobodys_details() -> None:
    release = small_release(POLICY)
    lead = Lead.parse(release.spec, release.examples)
    assert 0 <= release.classifier.win_probability(lead) <= 1
    real = {v for lead in sample_data().leads for v in (lead.contacts | lead.texts).values()}
    assert not real & set(map(str, release.examples.values()))


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(f"sqlite:///{tmp_path}/mlflow.db")


@pytest.mark.journey
@pytest.mark.filterwarnings("ignore")
def test_both_models_and_the_prompts_are_in_mlflow_and_the_alias_moves_as_one(
    registry: Registry, tmp_path: Path
) -> None:
    import mlflow.xgboost
    from mlflow import MlflowClient

    assert registry.champion_version() is None
    assert registry.releases() == []
    with pytest.raises(ReleaseNotFound, match="tiebreak train"):
        registry.promote()

    first, second = publish(registry, tmp_path, [small_release(POLICY), tuned_release()])
    assert (first.version, second.version) == ("1", "2")
    assert [r.version for r in registry.releases()] == ["2", "1"]
    tested = sample_data().naming(small_fit().split.test)
    assert [(r.metrics, r.test_leads, r.outcome, r.asks) for r in registry.releases()] == 2 * [
        ({"test_auc": "0.8000"}, tested, "Won = yes", "fields, text")
    ]

    # What a data scientist would do by hand.
    client = MlflowClient(registry.tracking_uri)
    pinned = client.get_model_version("lead-release", "2").tags
    booster = mlflow.xgboost.load_model(f"models:/lead-classifier/{pinned['classifier']}")
    assert booster.num_features() == len(first.classifier.encoder.names)
    llm = registry.load("2", tmp_path / "unpacked").llm
    for kind, uri in llm.prompt_uris.items():
        prompt = client.get_prompt_version(f"lead-verdict-{kind}", uri.rsplit("/", 1)[1])
        assert "{{lead}}" in str(prompt.template)

    # The adapter is with the LLM that it was tuned for, and findable by what it was made of.
    tags = client.get_model_version("lead-llm", pinned["llm"]).tags
    found = (tags["adapter"], tags["base"], tags["data"])
    assert found == (ADAPTER.digest, ADAPTER.base, ADAPTER.data)
    assert (tmp_path / "unpacked" / "llm" / "adapter.gguf").read_bytes() == FILE
    assert registry.load("2", tmp_path / "tuned").adapter_file == FILE

    # One redaction, since nothing in it changed; it is the policy with its name recognizer.
    (redaction,) = client.search_model_versions("name='lead-redaction'")
    assert redaction.tags["policy"] == RedactionPolicy.shipped().version
    assert (first.versions["redaction"], second.versions["redaction"]) == ("1", "1")
    assert pinned["redaction"] == "1"

    # What its gates refused goes live only for who insists; who does not name it gets told.
    client.set_model_version_tag("lead-release", "2", "gates", "the tuned LLM adds nothing")
    for named in (None, "2"):
        with pytest.raises(ReleaseRefused, match=r"adds nothing.*--force"):
            registry.promote(named)
    assert registry.champion_version() is None
    assert registry.promote("2", force=True) == "2"
    client.set_model_version_tag("lead-release", "2", "gates", "passed")

    assert registry.promote() == "2"
    assert registry.promote("1") == "1"
    assert registry.rollback() == "2"
    assert registry.champion_version() == "2"
    assert registry.promote("1") == "1"
    with pytest.raises(ReleaseNotFound, match="no release 9"):
        registry.promote("9")

    loaded = registry.load("1", tmp_path / "again")
    assert loaded.version == "1"
    assert same_answers(first, loaded)
    assert loaded.versions["release"] == "1"
    (stored,) = tmp_path.glob("a/**/adapter.gguf")
    stored.write_bytes(FILE + b" ")
    with pytest.raises(ReleaseNotFound, match="SHA-256"):
        registry.load("2", tmp_path / "damaged")
    folder = tmp_path / "again" / "classifier"
    assert not [p for p in folder.rglob("*") if p.suffix in {".pkl", ".pickle"}]


@pytest.fixture
def client(registry: Registry) -> MlflowClient:
    """Of a registry with four releases that nobody will load."""
    from mlflow import MlflowClient

    client = MlflowClient(registry.tracking_uri, registry.tracking_uri)
    client.create_registered_model("lead-release")
    for _ in range(4):
        client.create_model_version("lead-release", source="/nowhere")
    return client


@pytest.mark.journey
@pytest.mark.filterwarnings("ignore")
def test_each_rollback_goes_one_further_back_and_none_forward(
    registry: Registry, client: MlflowClient
) -> None:
    def aliases() -> dict[str, str]:
        found = client.get_registered_model("lead-release").aliases
        return {alias: str(version) for alias, version in found.items()}

    with pytest.raises(ReleaseNotFound, match="before now"):
        registry.rollback()
    for version in ("1", "2", "3", "3"):  # the last changes nothing
        registry.promote(version)
    assert [registry.rollback(), registry.rollback()] == ["2", "1"]
    assert aliases() == {"champion": "1"}
    said = [(bool(release.promoted_at), dict(release.metrics)) for release in registry.releases()]
    assert said == [(False, {}), *[(True, {})] * 3]  # a time is no metric
    with pytest.raises(ReleaseNotFound, match=r"before release 1.*tiebreak promote RELEASE"):
        registry.rollback()
    assert registry.champion_version() == "1"
    # From 3 back to what was live when it was promoted: 2 had been rolled back from.
    assert registry.promote("3") == "3"
    assert aliases() == {"champion": "3", "previous": "1"}
    assert registry.rollback() == "1"


@pytest.mark.journey
@pytest.mark.filterwarnings("ignore")
def test_a_rollback_finds_its_way_whatever_was_done_to_the_registry_by_hand(
    registry: Registry, client: MlflowClient
) -> None:
    for version in ("1", "2", "3", "4"):
        registry.promote(version)
    client.delete_model_version("lead-release", "3")
    assert registry.rollback() == "2"
    client.set_registered_model_alias("lead-release", "champion", "1")
    with pytest.raises(ReleaseNotFound, match="before release 1"):
        registry.rollback()

    # Where only the alias was kept, as it once was.
    client.delete_registered_model_tag("lead-release", "live_before")
    client.set_registered_model_alias("lead-release", "previous", "2")
    assert registry.rollback() == "2"
    with pytest.raises(ReleaseNotFound, match="before release 2"):
        registry.rollback()
