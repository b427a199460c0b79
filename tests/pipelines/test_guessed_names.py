"""What many leads write is seldom a person: whoever has the table is shown it, and may list it."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from features.allow_list import AllowList
from features.lead import Lead
from features.lead_spec import Column, Kind, LeadSpec
from features.redaction import Redactor
from pipelines.cli import app
from pipelines.display import Display
from pipelines.guessed_names import (
    GuessedName,
    guessed_names,
    namesakes_note,
    show_guessed_names,
)

SPEC = LeadSpec("Won", "1", (), (Column("Note", Kind.TEXT, True),))
ABOUT = ("We moved off Velora last year.", "Is Velora down?", "We left Velora", "I spoke to Grant.")


@pytest.fixture(scope="module")
def redactor() -> Redactor:
    return Redactor.load()


def leads(*texts: str) -> list[Lead]:
    return [Lead.parse(SPEC, {"Note": text}) for text in texts]


def test_what_several_leads_write_is_shown_and_equal_texts_count_once(redactor: Redactor) -> None:
    table = leads(*ABOUT, *["I spoke to Grant."] * 5, "No names here.")
    (velora,) = guessed_names(table, redactor, 2, Display())
    assert (velora.name, velora.leads, velora.taken_for, velora.people) == (
        "Velora", 3, "PERSON", False,
    )  # fmt: skip
    found = {name.name: name for name in guessed_names(table, redactor, 1, Display())}
    assert found["Grant"].people
    assert found["Grant"].leads == 1


def test_texts_that_cannot_be_redacted_are_left_out_and_said_so(
    redactor: Redactor,
) -> None:
    console = Console(file=StringIO())
    (velora,) = guessed_names(leads(*ABOUT, "ab " * 6_000), redactor, 2, Display(console))
    assert velora.leads == 3
    assert "1 texts cannot be redacted" in console.file.getvalue()  # type: ignore[attr-defined]


def test_what_is_listed_is_not_shown_again(redactor: Redactor) -> None:
    listing = redactor.allowing(AllowList(("Velora",)))
    assert guessed_names(leads(*ABOUT), listing, 2, Display()) == []


def test_what_no_guess_took_is_not_shown(redactor: Redactor) -> None:
    signed = [f"Call me about {what}\nBest regards\nVelora" for what in ("price", "seats", "help")]
    assert guessed_names(leads(*signed), redactor, 1, Display()) == []


def test_the_command_shows_them_and_says_what_to_do(tmp_path: Path) -> None:
    rows = [f'"{text}",{i % 2}' for i, text in enumerate([*ABOUT, "hello", "[b]"])]
    table = tmp_path / "t.csv"
    table.write_text("\n".join(["Note,Won", *rows]) + "\n")
    spec = tmp_path / "leads.toml"
    spec.write_text('[outcome]\ncolumn="Won"\nwon="1"\n[columns.Note]\nkind="text"\n')
    run = ["names", str(table), "--spec", str(spec)]
    done = CliRunner().invoke(app, run)
    assert done.exit_code == 0, done.output
    assert "Velora" in done.output
    assert "allow list" in done.output
    (velora,) = json.loads(CliRunner().invoke(app, [*run, "--json"]).stdout)["names"]
    assert velora["leads"] == 3
    spec.write_text('[redaction]\nallow_list=["velora"]\n' + spec.read_text())
    done = CliRunner().invoke(app, run)
    assert "No word is taken for a name in 3 leads or more." in done.output


@pytest.mark.parametrize(
    ("people", "likely", "more"),
    [([True, True], True, True), ([True, False], False, True), ([False], False, False)],
)
def test_the_advice_fits_whether_people_are_called_so(
    people: list[bool], likely: bool, more: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    show_guessed_names([GuessedName("Grant", 3, "PERSON", people=is_one) for is_one in people], 3)
    shown = " ".join(capsys.readouterr().out.split())
    assert ("likely people: then there is nothing to do" in shown) is likely
    assert ("put it on the allow list" in shown) is not likely
    assert ("more of its name" in shown and "`Grant tier`" in shown) is more


def test_a_name_cannot_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    show_guessed_names([GuessedName("[red]Ve\x1blora", 3, "PERSON", people=True)], 3)
    shown = capsys.readouterr().out
    assert "\x1b" not in shown
    assert "[red]" in shown


def test_whoever_lists_what_people_are_called_is_told_so() -> None:
    listed = ("Grant", "smith", "Mary Kay", "Grant's", "Smith-Jones", "Dr. Smith", "GRANT®")
    note = namesakes_note(AllowList(("Velora", "Grant tier", *listed)))
    assert note is not None
    assert f": {', '.join(listed)}." in note
    assert namesakes_note(AllowList(("Velora", "Grant tier"))) is None
    assert namesakes_note(AllowList()) is None
