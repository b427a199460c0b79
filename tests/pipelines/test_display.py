"""Progress is for whoever watches: a file gets what was said, and nothing else."""

from __future__ import annotations

import io

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


def test_a_terminal_gets_progress() -> None:
    text = shown(is_terminal=True)
    assert all(stage in text for stage in ("Reading", "Deciding", "Tuning", "Done."))
