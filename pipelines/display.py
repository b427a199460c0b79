"""Display: what a person sees while something takes longer than two seconds. On standard error.

Where that is no terminal, it is a line now and then, once a step takes longer than ten.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from time import monotonic
from typing import Protocol

from rich.console import Console
from rich.markup import escape
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

QUIET_S = 10  # a step that is over by then needs no line
LINES = 4  # of one step, at its quarters


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
        lines = self._lines(text)
        with self._progress(*_parts()) as progress:
            task = progress.add_task(text, total=total)

            def advance(parts: int = 1) -> None:
                progress.advance(task, parts)
                lines.add(parts, total)

            yield advance

    @contextmanager
    def steps(self, text: str) -> Iterator[Callable[[int, int], None]]:
        """The same where `total` may change: call what it yields with (done, total)."""
        lines = self._lines(text)
        with self._progress(*_parts()) as progress:
            task = progress.add_task(text, total=None)

            def show(done: int, total: int) -> None:
                progress.update(task, completed=done, total=total)
                lines.add(done - lines.done, total)

            yield show

    def _lines(self, text: str) -> _Lines:
        is_watched = self.console.is_interactive
        return _Lines(escape(text), (lambda _: None) if is_watched else self.say)

    def _progress(self, *columns: ProgressColumn) -> Progress:
        # In a file nothing of it is ever shown, but rich would leave an empty line for each.
        is_watched = self.console.is_interactive
        return Progress(*columns, console=self.console, transient=True, disable=not is_watched)


class _Lines:
    """Progress of one step for a file: how long it takes once that can be told, then quarters."""

    def __init__(self, text: str, say: Callable[[str], None]) -> None:
        self.done = 0
        self._text = text
        self._say = say
        self._began = self._said = monotonic()
        self._next = 0.0  # share that is worth the next line
        self._lock = Lock()  # parts are done in several threads

    def add(self, parts: int, total: int) -> None:
        with self._lock:
            self.done += parts
            now, share = monotonic(), self.done / total if total else 1.0
            if not self._next <= share < 1 or now - self._said < QUIET_S or not self.done:
                return
            left = (now - self._began) * (1 - share) / share
            self._said, self._next = now, (int(share * LINES) + 1) / LINES
            self._say(f"{self._text}: {self.done:,} of {total:,}, {_about(left)} left.")


def _about(seconds: float) -> str:
    return f"about {seconds / 60:.0f} min" if seconds >= 90 else f"about {seconds:.0f} s"


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
