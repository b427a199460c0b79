from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from features.redaction import Redactor
from features.redaction_policy import RedactionPolicy
from pipelines.cli import app
from pipelines.redaction_report import redaction_json, show_redaction, why_it_stayed
from tests.features.test_redaction import Fixed
from tests.features.test_redaction_policy import POLICY

TEXT = "Jane Smith, hi of Rome\x1b[2J, call Bob"


@pytest.fixture
def redactor() -> Redactor:
    spans = [("PERSON", 0, 10, 0.9), ("URL", 5, 10, 0.9), ("PERSON", 28, 31, 0.2)]
    found = Fixed(*spans, ("LOCATION", 18, 22, 0.9), ("PERSON", 24, 26, 0.9))
    return Redactor(RedactionPolicy.parse(POLICY), [found])


@pytest.mark.parametrize(
    ("value", "stage"),
    [
        ("jane", "taken_out"),
        ("smith", "taken_out"),
        ("rome", "allowed_by_policy"),
        ("of", "not_proposed"),
        ("call", "in_part_not_proposed"),
    ],
)
def test_each_stage_that_let_a_value_stay_is_named(
    redactor: Redactor, value: str, stage: str
) -> None:
    (stay,) = why_it_stayed(redactor.trace("Jane Smith, hi of Rome. call Bob"), value)
    assert stay.stage == stage


def test_a_text_is_shown_with_its_spans_marked_and_cannot_steer_the_terminal(
    redactor: Redactor, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = {"nobody": why_it_stayed(redactor.trace(TEXT), "nobody")}
    show_redaction(TEXT, redactor.redact(TEXT), asked)
    shown = capsys.readouterr().out
    assert "[Jane Smith](PERSON)" in shown
    assert "<PERSON_1>" in shown
    assert "\x1b[2J" not in shown
    assert "does not hold it" in shown


def test_of_an_empty_text_no_table_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    redactor = Redactor(RedactionPolicy.parse(POLICY), [Fixed()])
    show_redaction(" \n", redactor.redact(" \n"), {})
    assert capsys.readouterr().out == "The text is empty: there is nothing to redact.\n"


def test_where_nothing_is_found_that_is_said_and_no_empty_table_shown(
    capsys: pytest.CaptureFixture[str],
) -> None:
    redactor = Redactor(RedactionPolicy.parse(POLICY), [Fixed()])
    asked = {"price": why_it_stayed(redactor.trace("a fair price"), "price")}
    show_redaction("a fair price", redactor.redact("a fair price"), asked)
    shown = capsys.readouterr().out
    assert "Nothing was found to redact. Policy" in shown
    assert "found by" not in shown
    assert "no recognizer proposed it" in shown


def test_json_holds_no_value_that_went(redactor: Redactor) -> None:
    tree = redaction_json(redactor.redact(TEXT), [why_it_stayed(redactor.trace(TEXT), "Jane")])
    assert "Jane" not in json.dumps(tree)
    assert {"recognizer", "version", "operator", "fingerprint"} <= tree["spans"][0].keys()
    assert tree["why_not"][0][0]["went"]


def test_the_command_finds_what_is_known_of_the_writer(tmp_path: Path) -> None:
    file = tmp_path / "note.txt"
    file.write_text("write to zorblatt please", encoding="utf-8")
    run = ["redact", str(file), "--contact", "company=Zorblatt Ltd", "--why-not", "zorblatt"]
    done = CliRunner().invoke(app, [*run, "--json"])
    tree = json.loads(done.stdout)
    assert tree["text"] == "write to <ORGANIZATION_1> please"
    assert tree["why_not"][0][0]["went"]
    assert CliRunner().invoke(app, ["redact", str(file), "--contact", "nonsense"]).exit_code == 2


def test_the_command_reads_the_allow_list_of_a_spec(tmp_path: Path) -> None:
    file, spec = tmp_path / "note.txt", tmp_path / "leads.toml"
    file.write_text("We moved off Velora last year.")
    spec.write_text(
        '[outcome]\ncolumn="a"\nwon="1"\n[redaction]\nallow_list=["Velora"]\n'
        '[columns.b]\nkind="text"\n'
    )
    run = ["redact", str(file), "--why-not", "Velora", "--json"]
    shown = [
        json.loads(CliRunner().invoke(app, [*run, *more]).stdout)
        for more in ((), ("--spec", str(spec)))
    ]
    assert ["Velora" in tree["text"] for tree in shown] == [False, True]
    assert shown[1]["why_not"][0][0]["stage"] == "on_the_allow_list"
    assert shown[1]["policy"].startswith(f"{shown[0]['policy']}+")
