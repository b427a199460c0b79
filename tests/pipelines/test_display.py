"""Progress is for whoever watches: a file gets what was said, and nothing else."""

from __future__ import annotations

import io
import itertools

import pytest
from rich.console import Console

from pipelines.display import Display


def shown(*, is_terminal: bool) -> str:
    file = io.StringIO()
    display = Display(Console(file=file, force_terminal=is_terminal, force_interactive=is_terminal))
    with display.stage("Reading"):
        pass
    display.say("Read.")
    with display.bar("Deciding", 2) as advance:
        advance()
        advance()
    with display.steps("Tuning") as show:
        show(1, 2)
    display.say("Done.")
    return file.getvalue()


def test_a_file_gets_no_empty_lines_for_the_progress_that_it_cannot_show() -> None:
    assert shown(is_terminal=False) == "Read.\nDone.\n"


def test_a_file_is_told_how_long_a_long_step_takes_soon_and_at_its_quarters(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seconds = itertools.count(0, 2)  # which each look at the clock takes
    monkeypatch.setattr("pipelines.display.monotonic", lambda: next(seconds))
    file = io.StringIO()
    display = Display(Console(file=file, width=100))
    with display.bar("Asking [the LLM]", 100) as advance:
        for _ in range(100):
            advance()
    with display.steps("Tuning") as show:
        show(0, 0)
        for done in range(12):
            show(done, 12)
    assert file.getvalue().splitlines() == [
        "Asking [the LLM]: 5 of 100, about 3 min left.",
        "Asking [the LLM]: 25 of 100, about 2 min left.",
        "Asking [the LLM]: 50 of 100, about 2 min left.",
        "Asking [the LLM]: 75 of 100, about 50 s left.",
        "Tuning: 3 of 12, about 30 s left.",
        "Tuning: 8 of 12, about 10 s left.",
    ]


def test_a_terminal_gets_progress() -> None:
    text = shown(is_terminal=True)
    assert all(stage in text for stage in ("Reading", "Deciding", "Tuning", "Done."))
