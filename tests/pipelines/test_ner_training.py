from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

pytest.importorskip("faker", reason="the extra `bench` is not installed")

from features.name_network import NameNetwork
from features.name_tags import LABELS, logs
from features.name_tokens import TOKEN, Features, Lexicon
from features.named_entities import NamedEntities
from features.ner_component import FILES, LISTS, META, SHIPPED, WEIGHTS
from pipelines.display import Display
from pipelines.redaction import ner_training, second_look_training
from pipelines.redaction.census_names import learned_names
from pipelines.redaction.english_words import BASE_MODEL, family_names, given_names
from pipelines.redaction.known_products import product_words
from pipelines.redaction.name_network_training import arrays, untrained
from pipelines.redaction.ner_training import TrainingSummary, train


def quiet() -> Display:
    return Display(Console(file=io.StringIO()))


def small_second_look(patched: pytest.MonkeyPatch) -> None:
    few = dict(list(learned_names().items())[::100])
    patched.setattr(second_look_training, "EXAMPLES", {"second look": 300, "validation": 100})
    patched.setattr(second_look_training, "learned_names", lambda: few)


@pytest.fixture(scope="module")
def small_runs(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[TrainingSummary, Path]]:
    """Two runs of one seed, far too small to be any good."""
    folders = [tmp_path_factory.mktemp("ner") for _ in range(2)]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(ner_training, "EXAMPLES", 300)
        patched.setattr(ner_training, "EPOCHS", 1)
        small_second_look(patched)
        return [(train(3, 5.0, folder, quiet()), folder) for folder in folders]


def test_the_same_seed_trains_the_same_weights(
    small_runs: list[tuple[TrainingSummary, Path]],
) -> None:
    (first, a), (second, b) = small_runs
    assert first.digest == second.digest
    assert first.corpus == second.corpus
    for name in FILES:
        assert (a / name).read_bytes() == (b / name).read_bytes()


def test_what_was_trained_can_be_loaded_and_says_where_it_comes_from(
    small_runs: list[tuple[TrainingSummary, Path]],
) -> None:
    summary, folder = small_runs[0]
    names = NamedEntities(BASE_MODEL, summary.digest, 1_000, folder)
    names.analyze("My name is Ann Lee.", names.supported_entities)
    about = json.loads((folder / META).read_text())
    assert about["sha256"] == summary.digest
    assert about["seed"] == 3
    assert about["corpus_sha256"] == summary.corpus
    assert tuple(about["labels"]) == LABELS
    assert set(summary.scores) <= set(LABELS)


def test_a_run_without_time_stops_with_what_it_has(tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(ner_training, "EXAMPLES", 200)
        small_second_look(patched)
        summary = train(1, 0.0, tmp_path, quiet())
    assert summary.epochs < 1
    assert (tmp_path / WEIGHTS).exists()


def test_the_shipped_component_is_small_and_was_trained_by_this_pipeline() -> None:
    about = json.loads((SHIPPED / META).read_text())
    assert about["base_model"] == BASE_MODEL
    assert about["version"] == ner_training.VERSION
    assert sum(path.stat().st_size for path in SHIPPED.iterdir()) < 9_000_000
    shipped = {
        field: (SHIPPED / file).read_text(encoding="utf-8").split() for field, file in LISTS.items()
    }
    assert shipped["given"] == sorted(given_names())
    assert shipped["family"] == sorted(family_names())
    assert shipped["products"] == sorted(product_words())


def test_what_ships_reads_as_what_was_trained() -> None:
    """NumPy's network gives each word the scores that thinc's gives it, in texts of any length."""
    network = untrained()
    features = Features(Lexicon({}, frozenset(), frozenset(), frozenset()))
    texts = ["Hi, I am Ann Lee from Acme.\nCall me!", "Ann", "a b"]
    seen = [features.of(TOKEN.findall(text)) for text in texts]
    shipped = NameNetwork(arrays(network))
    for one, learned in zip(seen, network.predict(seen), strict=True):
        np.testing.assert_allclose(
            np.exp(logs(shipped.scores(shipped.read(one)))), learned, atol=1e-6
        )
