"""Display: what a person sees while something takes longer than two seconds. On standard error."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)


class Advance(Protocol):
    """So many more parts are done."""

    def __call__(self, parts: int = 1) -> None: ...


class Display:
    """Progress of one command. Standard output stays free for its result."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(stderr=True)

    def say(self, text: str) -> None:
        """One finished step, in a line."""
        self.console.print(text, highlight=False)

    @contextmanager
    def stage(self, text: str) -> Iterator[None]:
        """A step whose length is not known: a spinner and a clock."""
        columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
        with self._progress(*columns) as progress:
            progress.add_task(text, total=None)
            yield

    @contextmanager
    def bar(self, text: str, total: int) -> Iterator[Advance]:
        """A step of `total` parts; call what it yields after each part, or some of them."""
        with self._progress(*_parts()) as progress:
            task = progress.add_task(text, total=total)
            yield lambda parts=1: progress.advance(task, parts)

    @contextmanager
    def steps(self, text: str) -> Iterator[Callable[[int, int], None]]:
        """The same where `total` may change: call what it yields with (done, total)."""
        with self._progress(*_parts()) as progress:
            task = progress.add_task(text, total=None)
            yield lambda done, total: progress.update(task, completed=done, total=total)

    def _progress(self, *columns: ProgressColumn) -> Progress:
        # In a file nothing of it is ever shown, but rich would leave an empty line for each.
        is_watched = self.console.is_interactive
        return Progress(*columns, console=self.console, transient=True, disable=not is_watched)


def _parts() -> tuple[ProgressColumn, ...]:
    return (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
