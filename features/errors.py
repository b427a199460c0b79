"""Errors of the features layer, and the root of all our errors.

ScoringError
├── InvalidLead          one lead cannot be read: the field, the problem, the fix
├── InvalidLeadSpec      leads.toml cannot be used
└── RedactionFailed      a text could not be redacted, so it may not leave
"""

from __future__ import annotations


class ScoringError(Exception):
    """Root of every error that Tiebreak raises on purpose. Its message says what to do next."""


class InvalidLead(ScoringError):
    """A lead that cannot be read. The message never repeats the value: it may be personal data."""

    def __init__(self, field: str, problem: str, fix: str) -> None:
        super().__init__(f"{field}: {problem}. {fix}")
        self.field = field
        self.problem = problem
        self.fix = fix


class InvalidLeadSpec(ScoringError):
    """`leads.toml` is not a usable lead spec."""


class RedactionFailed(ScoringError):
    """The text was not redacted, whatever the cause: it must not be sent anywhere."""
