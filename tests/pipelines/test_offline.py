"""What the command line decides without a server is answered, and kept like any decision."""

from __future__ import annotations

import csv
import json
import warnings
from contextlib import closing
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import func, select

from models.band import NOTHING
from models.errors import ReleaseNotFound
from models.registry import Registry
from models.routing import RoutingPolicy
from pipelines.display import Display
from pipelines.errors import UnusableFile, UnusableTable
from pipelines.offline import AT_ONCE, decide_file, live_release, score_table
from pipelines.report import absent_note, show_decision, show_scores
from pipelines.sample_leads import write_sample
from service.audit.auditor import Auditor, Reader
from service.bootstrap import open_store, open_subjects
from service.errors import StorageUnavailable
from service.recording.recorder import Recorder
from service.settings import Settings
from service.storage.tables import decisions
from tests.small_release import publish, small_release

# Nobody is asked: no text leaves, and a lead's key is made where its decision is written.
ALL_ARE_SURE = RoutingPolicy(NOTHING, NOTHING, frozenset())


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A house where a release is live, and whose LLM does not answer."""
    settings = Settings(home=tmp_path / "home", llm_base_url="http://127.0.0.1:9/v1")
    settings.home.mkdir()
    registry = Registry(settings.mlflow_uri)
    publish(registry, tmp_path, [small_release(ALL_ARE_SURE)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # MLflow's own
        registry.promote()
    return settings


def kept_decisions(settings: Settings) -> int:
    with closing(open_store(settings)) as store, store.reading() as connection:
        return connection.scalar(select(func.count()).select_from(decisions)) or 0


def reasons_kept(settings: Settings) -> list[dict[str, Any]]:
    """What is sealed with each decision, in their order."""
    with (
        closing(open_subjects(settings)) as keys,
        closing(open_store(settings, subjects=keys)) as store,
    ):
        with store.reading() as connection:
            ids = list(connection.scalars(select(decisions.c.id).order_by(decisions.c.seq)))
        auditor = Auditor(store, keys, Reader.at_the_machine())
        return [auditor.sent(one)["decision"]["reasons"] for one in ids]


@pytest.mark.journey
@pytest.mark.filterwarnings("ignore")
def test_a_lead_and_a_table_are_decided_and_kept(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table, output, lead = (tmp_path / name for name in ("leads.csv", "scores.csv", "lead.json"))
    write_sample(table, rows=20)
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    lead.write_text(json.dumps({k: v for k, v in rows[0].items() if v}), encoding="utf-8")

    decided = decide_file(lead, settings)
    answer = decided.answer
    assert answer["route"] == "classifier"
    assert decided.unknown == []
    summary = score_table(table, output, settings, Display())
    assert summary["classifier"] == len(rows)
    with output.open(encoding="utf-8", newline="") as file:
        scores = list(csv.DictReader(file))
    assert [score["error"] for score in scores] == [""] * len(rows)
    assert float(scores[0]["probability"]) == pytest.approx(answer["probability"])
    assert kept_decisions(settings) == 1 + len(rows)
    first, second = reasons_kept(settings)[:2]  # of the lead, alone and in the table
    assert first == second == answer["reasons"]
    assert first["for"] or first["against"]
    show_scores(summary)
    assert "20 by the classifier" in " ".join(capsys.readouterr().out.split())

    assert summary["absent_columns"] == []

    pd.read_csv(table, dtype=str).drop(columns=["Employees", "Message"]).to_csv(table, index=False)
    before = output.read_bytes()
    with pytest.raises(UnusableFile, match="write over it with --force"):
        score_table(table, output, settings, Display())
    assert output.read_bytes() == before
    assert kept_decisions(settings) == 1 + len(rows)
    summary = score_table(table, output, settings, Display(), force=True)
    assert summary["absent_columns"] == ["Employees", "Message"]
    said = " ".join(capsys.readouterr().err.split())
    assert "reads 13 columns, and the table lacks 2 of them: 'Employees', 'Message'" in said
    assert "Most are absent" not in said

    before = table.read_bytes()
    with pytest.raises(UnusableFile, match="the table itself"):
        score_table(table, table, settings, Display(), force=True)
    assert table.read_bytes() == before


@pytest.mark.journey
@pytest.mark.filterwarnings("ignore")
def test_columns_are_kept_beside_the_answers_and_go_nowhere_else(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table, output = tmp_path / "leads.csv", tmp_path / "scores.csv"
    person = "Zorblatt, the 1st"
    lead = {"Employees": "30", "Country": "Ireland", "Who": person}
    pd.DataFrame([lead, {**lead, "Who": ""}]).to_csv(table, index=False)
    summary = score_table(table, output, settings, Display(), keep=("Who", " Employees", "Who"))
    with output.open(encoding="utf-8", newline="") as file:
        scores = list(csv.DictReader(file))
    assert list(scores[0])[:4] == ["row", "Who", "Employees", "probability"]
    assert [(s["row"], s["Who"], s["Employees"]) for s in scores] == [
        ("1", person, "30"),
        ("2", "", "30"),
    ]
    said = "".join(capsys.readouterr()) + json.dumps(summary)
    elsewhere = [file for file in settings.home.rglob("*") if file.is_file()]
    assert elsewhere
    assert "Zorblatt" not in said
    assert not [file for file in elsewhere if b"Zorblatt" in file.read_bytes()]


@pytest.mark.journey
@pytest.mark.filterwarnings("ignore")
def test_a_run_that_fails_leaves_the_answers_of_an_earlier_one_as_they_were(
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    table, output, link = (tmp_path / name for name in ("leads.csv", "scores.csv", "link.csv"))
    part = tmp_path / "scores.csv.part"
    write_sample(table, rows=20)
    output.write_text("of an earlier run\n", encoding="utf-8")
    output.chmod(0o640)
    link.symlink_to(output)
    keep, kept, most = Recorder.keep, 0, 0

    async def keep_some(self: Recorder, *arguments: Any, **named: Any) -> None:
        nonlocal kept
        if kept == most:
            raise StorageUnavailable("not now")
        kept += 1
        await keep(self, *arguments, **named)

    monkeypatch.setattr(Recorder, "keep", keep_some)
    for answers in (0, 8):
        kept, most = 0, answers // AT_ONCE
        with pytest.raises(StorageUnavailable):
            score_table(table, link, settings, Display(), force=True)
        assert output.read_text(encoding="utf-8") == "of an earlier run\n"
        assert part.exists() is (answers > 0)
    assert "8 answers are in" in " ".join(capsys.readouterr().err.split())
    assert len(part.read_text(encoding="utf-8").splitlines()) == 1 + 8
    most = -1
    score_table(table, link, settings, Display(), force=True)
    assert link.is_symlink()
    assert not part.exists()
    assert len(output.read_text(encoding="utf-8").splitlines()) == 1 + 20
    assert output.stat().st_mode & 0o777 == 0o640

    with pytest.raises(UnusableFile, match="cannot be written"):
        score_table(table, tmp_path / "home", settings, Display(), force=True)
    with pytest.raises(UnusableFile, match="cannot be written"):
        score_table(table, tmp_path / "nowhere" / "scores.csv", settings, Display())


@pytest.mark.journey
@pytest.mark.filterwarnings("ignore")
def test_standard_output_is_written_to_wherever_the_shell_leads_it(
    settings: Settings, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "leads.csv"  # capfd: standard output is a file that is there
    write_sample(table, rows=20)
    print("before", flush=True)  # noqa: T201
    show_scores(score_table(table, Path("/dev/stdout"), settings, Display()))  # not among them
    print("behind", flush=True)  # noqa: T201
    lines = capfd.readouterr().out.splitlines()
    assert (lines[0], lines[1][:4], lines[-1], len(lines)) == ("before", "row,", "behind", 23)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("lead id", "Did you mean 'Lead ID'"),
        ("xyz", "The table has: 'Lead ID', 'score'"),
        ("score", "of their own. Rename it"),
    ],
)
def test_a_column_that_cannot_be_kept_is_refused_before_anybody_is_decided(
    tmp_path: Path, name: str, says: str
) -> None:
    table, output = tmp_path / "leads.csv", tmp_path / "scores.csv"
    table.write_text("Lead ID,score\n1,2\n", encoding="utf-8")
    with pytest.raises(UnusableTable, match=says):
        score_table(table, output, Settings(home=tmp_path), Display(), keep=[name])
    assert not output.exists()


@pytest.mark.journey
@pytest.mark.filterwarnings("ignore")
def test_what_is_misspelt_is_said(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lead = tmp_path / "lead.json"
    lead.write_text(json.dumps({"Employes [x]\x1b": 30, "Country": "Ireland"}), encoding="utf-8")
    decided = decide_file(lead, settings)
    assert decided.unknown == ["Employes [x]\x1b"]
    assert "Employees" in decided.absent
    assert "Country" not in decided.absent
    assert "Employes" not in json.dumps(decided.answer)  # kept: a name may be anything
    show_decision(decided.answer, unknown=decided.unknown, absent=decided.absent)
    said = capsys.readouterr().out
    assert "1 field not in the spec of release 1, so not read: 'Employes [x]\\x1b'" in said
    assert "leads.toml" not in said
    assert "'Employees'" in said


@pytest.mark.journey
@pytest.mark.filterwarnings("ignore")
def test_a_table_with_no_column_of_the_release_is_refused_before_anybody_is_decided(
    settings: Settings, tmp_path: Path
) -> None:
    table, output = tmp_path / "other.csv", tmp_path / "scores.csv"
    table.write_text("Email,Shoe size\njane@example.com,39\n", encoding="utf-8")
    with pytest.raises(UnusableTable, match="Nobody was decided"):
        score_table(table, output, settings, Display())
    assert not output.exists()
    assert kept_decisions(settings) == 0


def test_a_table_that_lacks_most_of_what_the_release_reads_is_asked_about() -> None:
    said = absent_note(["a", "b"], ["a", "b", "c"])
    assert "The release reads 3 columns, and the table lacks 2 of them" in said
    assert "is it a table of such leads?" in said
    assert "such leads" not in absent_note(["a"], ["a", "b"])


@pytest.mark.filterwarnings("ignore")
def test_where_nothing_is_live_it_is_said_where_it_was_looked_for(tmp_path: Path) -> None:
    with (
        pytest.raises(ReleaseNotFound, match="elsewhere, set TIEBREAK_HOME") as caught,
        live_release(Settings(home=tmp_path)),
    ):
        pass
    assert f"Looked in {tmp_path / 'mlflow.db'}" in str(caught.value)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("gates", "says"),
    [
        (["refused: AUC"], "1 release is registered, but its gates refused it."),
        (
            ["refused: AUC", "refused: AUC"],
            "2 releases are registered, but their gates refused them. `tiebreak releases` says "
            "why; `tiebreak promote 2 --force` makes",
        ),
        (
            ["passed", "refused: AUC"],
            "though 2 releases are registered (`tiebreak releases`). `tiebreak promote 1` makes",
        ),
    ],
)
def test_where_releases_are_there_and_none_is_live_nobody_is_told_to_train(
    tmp_path: Path, gates: list[str], says: str
) -> None:
    settings = Settings(home=tmp_path)
    client = Registry(settings.mlflow_uri)._client
    client.create_registered_model("lead-release")
    for each in gates:
        client.create_model_version("lead-release", source="/nowhere", tags={"gates": each})
    with pytest.raises(ReleaseNotFound) as caught, live_release(settings):
        pass
    assert says in str(caught.value)
    assert "tiebreak train" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "There is no file"),
        ('{"Age": 3,\n "Name": Jane}', "not valid JSON at line 2, column 10"),
        ("[]", "holds no JSON object"),
    ],
)
def test_a_file_without_a_lead_says_what_is_wrong(
    tmp_path: Path, text: str | None, says: str
) -> None:
    lead = tmp_path / "lead.json"
    if text is not None:
        lead.write_text(text, encoding="utf-8")
    with pytest.raises(UnusableFile, match=says) as refused:
        decide_file(lead, Settings(home=tmp_path))
    assert "Jane" not in str(refused.value)
