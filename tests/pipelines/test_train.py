from __future__ import annotations

import io
import json
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from rich.console import Console
from typer.testing import CliRunner

from models.decision import RouteReason
from models.errors import MissingExtra, TrainingRefused
from models.llm_version import Api
from models.prompt import EvidenceKind
from pipelines.cli import app
from pipelines.display import Display
from pipelines.evaluation import Judged, compare
from pipelines.finetuning.tuning_options import TuningOptions
from pipelines.gates import Gate
from pipelines.reading import NotRead
from pipelines.report import training_json
from pipelines.spec_file import looks_note, write_spec
from pipelines.tie_breaking import draw_test_calls, sample_calls
from pipelines.train import Trained, TrainingOptions, require_answers, train_on
from pipelines.training_run import TrainingRun
from pipelines.verdicts import Verdicts, Witness
from service.errors import StorageUnavailable
from service.llm.endpoint import EMBEDDED, LlmEndpoint
from service.llm.server import MODEL_ID
from tests.fakes import email_redactor
from tests.small_release import sample_data, small_fit


def test_a_missing_extra_is_said_before_anything_is_fitted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.sentence_embedding.NEEDS", ("no_such_package",))
    with pytest.raises(MissingExtra, match="extra `ladder`"):
        train_untouched(TrainingOptions(embeddings=True))
    monkeypatch.setattr("pipelines.train.can_tune", lambda: False)
    with pytest.raises(TrainingRefused, match="make tuning"):
        train_untouched(TrainingOptions(tuning=TuningOptions()))


@pytest.mark.parametrize(
    "options", [["--depth", "8"], ["--minutes", "5"], ["--embeddings", "--no-text-model"]]
)
def test_an_option_that_would_do_nothing_is_refused(options: list[str]) -> None:
    result = CliRunner().invoke(app, ["train", __file__, *options])
    assert result.exit_code == 2
    assert options[0] in result.output


def test_that_another_llm_cannot_be_tuned_is_said_before_anything_is_fitted() -> None:
    managed = LlmEndpoint("openai", "m", Api.CHAT, "http://llm.test/v1")
    with pytest.raises(TrainingRefused, match="Only the embedded LLM"):
        train_untouched(TrainingOptions(tuning=TuningOptions()), managed)


@pytest.mark.parametrize(
    ("cause", "is_tuned", "advice"),
    [("no_answer", True, "--minutes"), ("connection", True, "goes on"), ("x", False, "BASE_URL")],
)
def test_an_llm_that_does_not_answer_is_refused_with_what_to_do(
    cause: str, is_tuned: bool, advice: str
) -> None:
    kinds, nothing = (EvidenceKind.TEXT,) * 4, np.full(4, np.nan)
    verdicts = Verdicts(np.arange(4), kinds, nothing, (None,) * 4, {cause: 4})
    with pytest.raises(TrainingRefused, match=advice):
        require_answers(verdicts, is_tuned=is_tuned)


def test_leads_that_nobody_was_asked_about_are_no_failures_of_the_llm() -> None:
    kinds, said = (EvidenceKind.TEXT,) * 10, np.full(10, np.nan)
    silent: dict[str, int] = {"no_evidence": 4, "redaction_failed": 5}
    require_answers(Verdicts(np.arange(10), kinds, said, (None,) * 10, silent))
    with pytest.raises(TrainingRefused, match=r"no verdict on 1 of 1 leads \(timeout: 1\)"):
        require_answers(Verdicts(np.arange(10), kinds, said, (None,) * 10, silent | {"timeout": 1}))


def test_no_lead_is_sampled_of_which_there_is_nothing_to_show() -> None:
    data, fitted, kinds = sample_data(), small_fit(), tuple(EvidenceKind)
    witness = Witness(email_redactor(), fitted.classifier.encoder, ("Lead source",))
    leads = [
        replace(lead, values={}, texts={}) if i % 2 else lead for i, lead in enumerate(data.leads)
    ]
    halved = replace(data, leads=leads)
    for draw in (sample_calls, draw_test_calls):
        calls = draw(halved, fitted, witness, kinds, calls=len(leads), seed=0)
        assert {kind for _, kind in calls} == set(kinds)
        assert all(witness.has_evidence(leads[row], kind) for row, kind in calls)
        before = draw(data, fitted, witness, kinds, calls=len(leads), seed=0)
        assert calls == [call for call in before if call[0] % 2 == 0]


def test_a_text_model_is_judged_on_all_test_leads_where_no_llm_is_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("pipelines.train.Redactor.load", email_redactor)
    file = io.StringIO()
    display = Display(Console(file=file, width=1_000))
    trained = train_untouched(TrainingOptions(trials=1, llm_calls=0), display=display)
    assert trained.reading is not None
    assert trained.comparison is None
    assert trained.metrics["text_model_log_loss_change"] < 0
    assert trained.test_leads == sample_data().naming(trained.fitted.split.test)
    assert trained.llm_test_leads == ""
    assert [g.passed for g in trained.gates if g.name == "the text model does no harm"] == [True]
    tested = len(trained.fitted.split.test)
    assert any(f"on {tested:,} test leads" in note for note in trained.text_notes)
    # What is reported at the end is not said before: it stood there twice.
    assert len(trained.notes) > len(trained.text_notes) > 0
    assert not [note for note in trained.notes if note in file.getvalue()]
    # For programs too, after the looks that nobody has decided.
    for_programs = training_json(TrainingRun(trained, trained.release, "a run", promoted=False))
    assert [looks_note(trained.data.spec), *trained.notes] == for_programs["notes"]
    assert "'Lead source'" in for_programs["notes"][0]
    assert for_programs["not_live"] is None


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("as_json", [True, False])
def test_what_was_trained_is_reported_though_it_cannot_go_live(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, as_json: bool
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise StorageUnavailable("Nothing was decided or changed")

    monkeypatch.setattr("pipelines.train.Redactor.load", email_redactor)
    trained = train_untouched(TrainingOptions(trials=1, llm_calls=0), display=Display())
    trained = replace(trained, gates=(Gate("it is good", True, "1"),))
    made = {
        "train": trained,
        "_log": (replace(trained.release, version="5"), "a run"),
        "llm_to_train_with": nullcontext((None, None)),
    }
    for name, what in made.items():
        monkeypatch.setattr(f"pipelines.training_run.{name}", lambda *_, what=what, **__: what)
    monkeypatch.setattr("models.registry.Registry.require", lambda self: self)
    monkeypatch.setattr("models.registry.Registry.promote", refuse)
    monkeypatch.setenv("TIEBREAK_HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "300")
    write_spec(tmp_path / "leads.toml", trained.data.spec)
    command = ["train", "x.csv", "--spec", str(tmp_path / "leads.toml"), "--promote"]
    result = CliRunner().invoke(app, [*command, "--json"] if as_json else command)
    assert result.exit_code == 3
    said = result.stderr if as_json else result.stdout
    assert "Release 5 is registered but not live: the ledger cannot be written to" in said
    assert "`tiebreak promote 5`" in said
    assert "or changed" not in result.output
    if as_json:
        tree = json.loads(result.stdout)
        assert (tree["release"], tree["promoted"]) == ("5", False)
        assert "ledger" in tree["not_live"]
    else:
        assert "Gate passed: it is good" in said


def test_a_text_model_that_is_left_out_is_noted_with_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.train.Redactor.load", email_redactor)
    monkeypatch.setattr("pipelines.train.fit_reading", lambda *_, **__: NotRead("Left out."))
    trained = train_untouched(TrainingOptions(trials=1, llm_calls=0), display=Display())
    assert trained.text_notes == ("Left out.",)
    assert trained.notes[0] == "Left out."


def test_a_change_is_what_the_hybrid_is_minus_what_the_classifier_is() -> None:
    rng = np.random.default_rng(0)
    prior, won = np.full(200, 0.5), rng.integers(0, 2, 200).astype(np.int8)
    better, asked = np.where(won, 0.8, 0.2), np.ones(200, dtype=bool)
    reasons = (RouteReason.AMBIGUOUS,) * 200
    judged = Judged(won, prior, prior, better, better, asked, asked, reasons, np.arange(200))
    nothing: Any = {"measures": {}, "_band_share": 1.0, "text_change": None, "tuned": None}
    trained: Any = SimpleNamespace(comparison=compare(judged, seed=0), **nothing)
    flat = Trained.metrics.fget(trained)
    for m in ("auc", "log_loss", "brier"):
        change = flat[f"hybrid_{m}"] - flat[f"classifier_alone_{m}"]
        assert flat[f"hybrid_{m}_change"] == pytest.approx(change)
        assert flat[f"hybrid_{m}_change_low"] <= flat[f"hybrid_{m}_change_high"]
    assert flat["hybrid_log_loss_change"] < 0 < flat["hybrid_auc_change"]


def train_untouched(
    options: TrainingOptions, endpoint: LlmEndpoint | None = None, display: Any = None
) -> Trained:
    """Without settings or a record: whoever asks an LLM fails on that."""
    embedded = LlmEndpoint(EMBEDDED, MODEL_ID, Api.COMPLETION, "http://127.0.0.1:1/v1")
    untouched: Any = None
    return train_on(
        sample_data(),
        options,
        endpoint=endpoint or embedded,
        settings=untouched,
        record=untouched,
        display=display,
    )
