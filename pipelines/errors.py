"""Errors of the pipelines layer.

ScoringError
├── UnusableTable    a table of leads cannot be read, or its outcome cannot be learned
├── UnusableFile     a file that a command was given cannot be read or written
└── DidNotStart      a process that `tiebreak up` needs did not come up, or did not stay
"""

from __future__ import annotations

from pathlib import Path

from features.errors import ScoringError


class UnusableTable(ScoringError):
    """A table that cannot be used. The message says what to do, and repeats no lead's values."""


class UnusableFile(ScoringError):
    """A file that a command was given. The message repeats nothing of what is in it."""


def already_there(path: Path) -> UnusableFile:
    """Nobody asked to write over this file, and it may be all there is of something."""
    fix = "Name another file, or write over it with --force."
    return UnusableFile(f"{path} is there already. {fix}")


class DidNotStart(ScoringError):
    """A process that `tiebreak up` needs did not come up, or did not stay up.

    The message says where its log is.
    """
