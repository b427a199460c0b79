"""What the command line refuses, and what it says beside its results."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from features.errors import InvalidLeadSpec
from features.lead_spec import Column, Kind, LeadSpec
from models.prompt import EvidenceKind
from models.registry import ReleaseSummary
from pipelines.cli import app
from pipelines.errors import UnusableFile, UnusableTable
from pipelines.metrics import Interval, Measure
from pipelines.report import measures_line, other_outcome, show_releases
from pipelines.spec_file import write_spec
from pipelines.tie_breaking import fit_tie_breaking
from pipelines.training_data import read_training_data
from tests.small_release import sample_data, small_fit


def test_a_sample_is_never_written_over_a_table_unless_forced(tmp_path: Path) -> None:
    table = tmp_path / "leads.csv"
    run = ["sample", str(table), "--rows", "100"]
    table.write_text("Name\nmine\n", encoding="utf-8")
    refused = CliRunner().invoke(app, run)
    assert isinstance(refused.exception, UnusableFile)
    assert "--force" in str(refused.exception)
    assert table.read_text(encoding="utf-8") == "Name\nmine\n"
    assert CliRunner().invoke(app, [*run, "--force"]).exit_code == 0
    assert len(table.read_text(encoding="utf-8").splitlines()) > 100
    table.unlink()
    assert CliRunner().invoke(app, run).exit_code == 0


def test_a_second_key_of_one_name_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIEBREAK_HOME", str(tmp_path))
    first, second = (CliRunner().invoke(app, ["keys", "create", "crm"]) for _ in range(2))
    key_id = first.stdout.split("_")[1]
    assert first.stderr == ""
    assert f"{key_id}, role score, is still valid" in second.stderr
    assert CliRunner().invoke(app, ["keys", "revoke", key_id]).exit_code == 0
    third = CliRunner().invoke(app, ["keys", "create", "crm"])
    assert key_id not in third.stderr


@pytest.mark.parametrize(
    "command",
    [
        ["releases"],
        ["promote"],
        ["rollback"],
        ["decide", "lead.json"],
        ["score", "leads.csv", "-o", "scores.csv"],
        ["keys", "list"],
        ["keys", "revoke", "1234"],
        ["audit", "verify"],
    ],
)
def test_where_nothing_was_ever_trained_asking_makes_nothing_and_says_where_it_looked(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "300")
    for name in ("HOME", "MLFLOW_URI", "DATABASE_URL", "LEDGER_KEY"):
        monkeypatch.delenv(f"TIEBREAK_{name}", raising=False)
    (tmp_path / "lead.json").write_text("{}", encoding="utf-8")
    (tmp_path / "leads.csv").write_text("Age\n3\n", encoding="utf-8")
    before = set(tmp_path.rglob("*"))
    done = CliRunner().invoke(app, command)
    assert str(tmp_path / "var") in f"{done.output} {done.exception}"
    assert set(tmp_path.rglob("*")) == before


def test_a_spec_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(InvalidLeadSpec, match=r"There is no file .*leads\.toml\. Write one"):
        LeadSpec.read(tmp_path / "leads.toml")
    with pytest.raises(InvalidLeadSpec, match=r"cannot be read\. Check that it is a file"):
        LeadSpec.read(tmp_path)


def test_an_outcome_that_the_table_lacks_is_said_to_come_from_the_spec(tmp_path: Path) -> None:
    table, spec = tmp_path / "leads.csv", tmp_path / "other.toml"
    table.write_text("Age,Won\n3,yes\n", encoding="utf-8")
    columns = '[columns."Age"]\nkind = "numeric"\n'
    spec.write_text(f'[outcome]\ncolumn = "Recommended IND"\nwon = "1"\n{columns}')
    with pytest.raises(UnusableTable, match=r"'Recommended IND', which .*other\.toml names"):
        read_training_data(table, LeadSpec.read(spec))


def test_where_a_spec_was_read_makes_no_other_spec() -> None:
    columns = (Column("Age", Kind.NUMERIC, True),)
    assert LeadSpec("Won", "1", (), columns) == LeadSpec("Won", "1", (), columns, source="a.toml")


@pytest.mark.parametrize("always_ask", [False, True])
def test_an_llm_that_was_never_tried_is_said_to_be_and_is_not_asked_unless_one_insists(
    always_ask: bool,
) -> None:
    kinds = (EvidenceKind.TEXT,)
    found = fit_tie_breaking(
        small_fit(), None, sample_data().won, kinds, bound=3.0, always_ask=always_ask
    )
    assert "not tried, for training asked it about no lead" in found.notes[0]
    assert "--llm-calls above 0" in found.notes[0]
    assert found.policy.asks == frozenset(kinds if always_ask else ())
    assert not found.combiner.pulls


def test_no_interval_is_shown_that_the_value_may_be_outside_of() -> None:
    ece, auc = Interval(0.004, 0.006, 0.033), Interval(0.8, 0.75, 0.85)
    shown = measures_line({Measure.AUC: auc, Measure.ECE: ece})
    assert shown == "auc 0.800 [0.750, 0.850], ece 0.004"


@pytest.mark.parametrize(
    ("live", "before", "warned"),
    [
        ("Won = 1", "Won = 1", False),
        ("Won = 1", "Converted = 1", True),
        ("Won = 1", "", False),  # released before this was kept
        ("", "Won = 1", False),
    ],
)
def test_going_to_a_release_that_decides_something_else_is_warned_of(
    live: str, before: str, warned: bool
) -> None:
    then = replace(released("4", ""), outcome=before, aliases=("champion",))
    said = other_outcome("1", [then, replace(released("1", ""), outcome=live)])
    assert bool(said) is warned
    assert ("Won = 1" in said and "Converted = 1" in said and "promote 4" in said) is warned


def test_training_names_the_looks_that_nobody_decided_before_it_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object, **__: object) -> None:
        raise UnusableTable("Stopped.")

    monkeypatch.setattr("pipelines.training_run.run_training", stop)
    monkeypatch.setenv("TIEBREAK_HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "300")
    columns = (
        Column("Age", Kind.NUMERIC, True),
        Column("Stage [x]", Kind.CATEGORICAL, True, look="Known before?"),
    )
    write_spec(tmp_path / "leads.toml", LeadSpec("Won", "1", (), columns))
    command = ["train", "leads.csv", "--spec", str(tmp_path / "leads.toml"), "--promote"]
    said = CliRunner().invoke(app, command).stderr
    assert "Used, though a `look` still asks: 'Stage [x]'." in said


def released(version: str, test_leads: str, llm_test_leads: str = "") -> ReleaseSummary:
    metrics = {"test_auc": "0.8123", "test_ece": "0.0213", "test_log_loss": "0.4123"}
    metrics |= {"hybrid_log_loss_change": "-0.0213"} if llm_test_leads else {}
    day = datetime(2026, 1, 1, tzinfo=UTC)
    return ReleaseSummary(version, day, (), "1", "1", metrics, "passed", test_leads, llm_test_leads)


@pytest.mark.parametrize(
    ("releases", "compare"),
    [
        ([released("1", "")], True),
        ([released("2", "9 leads a"), released("1", "9 leads a")], True),
        ([released("2", "9 leads a", "3 leads c"), released("1", "9 leads a")], True),
        ([released("2", "9 leads a"), released("1", "9 leads b")], False),
        ([released("2", "9 leads a"), released("1", "")], False),
        ([released("2", ""), released("1", "")], False),
        ([released("2", "9 leads a", "3 leads c"), released("1", "9 leads a", "3 leads d")], False),
    ],
)
def test_releases_whose_figures_do_not_compare_are_said_to(
    releases: list[ReleaseSummary],
    compare: bool,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    show_releases(releases, "sqlite:///mlflow.db")
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    shown = " ".join(lines)
    assert ("Not all of these figures are of the same test leads" in shown) is not compare
    figures = "test_auc 0.8123, test_ece 0.0213, test_log_loss 0.4123"
    assert f"{releases[0].test_leads or 'unknown leads'}: {figures}" in lines
    if asked := releases[0].llm_test_leads:
        assert f"{asked}: hybrid_log_loss_change -0.0213" in lines


def test_when_a_release_went_live_is_no_figure_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    release = replace(released("1", "9 leads a"), promoted_at="2026-01-02T03:04:05+00:00")
    show_releases([release], "sqlite:///mlflow.db")
    created, *_, figures = capsys.readouterr().out.splitlines()[1:]
    assert "created 2026-01-01 00:00, made live last 2026-01-02T03:04:05+00:00" in created
    assert "2026" not in figures


@pytest.mark.parametrize(
    ("asks", "text", "said"),
    [
        ("never", "", "no text model reads texts, no LLM is asked"),
        ("never", "3", "text model 3 reads texts, no LLM is asked"),
        ("fields, text", "3", "text model 3 reads texts, llm 1 may be asked about fields, text"),
        ("", "", "no text model reads texts, llm 1 may be asked"),  # from before this was kept
    ],
)
def test_a_release_is_listed_with_who_reads_texts_and_no_llm_that_it_does_not_ask(
    asks: str, text: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    show_releases([replace(released("1", "9 leads a"), asks=asks, text=text)], "mlflow.db")
    assert said in [line.strip() for line in capsys.readouterr().out.splitlines()]


def test_leads_are_told_apart_by_the_file_their_rows_and_how_they_ended() -> None:
    data, rows = sample_data(), small_fit().split.test
    name = data.naming(rows)
    assert name.startswith(f"{len(rows):,} leads ")
    assert data.naming(rows[::-1]) == name
    others = data.naming(rows[1:]), data.naming(small_fit().split.calibration)
    relabelled, edited = replace(data, won=1 - data.won), replace(data, digest="another file's")
    assert name not in {*others, relabelled.naming(rows), edited.naming(rows)}
