"""Errors of the models layer.

ScoringError
├── LlmUnavailable           no verdict in time, whatever the cause: the classifier's answer stands
│   └── MalformedVerdict     the LLM answered, but not the question
├── ReleaseNotFound          nothing is live, or there is no such version
├── ReleaseRefused           its gates say that it must not go live
├── RegistryUnavailable      MLflow does not answer where it should
├── TrainingRefused          the table or the settings cannot give an honest model
│   └── NotServedAsTuned     what is served says something else than what was tuned
├── WrongAdapter             a file is not the adapter that its LLM version names
└── MissingExtra             a part that is not installed: the message says which extra brings it
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from features.errors import ScoringError

if TYPE_CHECKING:
    from models.verdict import LlmCall


class LlmUnavailable(ScoringError):
    """No verdict in time. `cause` is a short word for metrics: timeout, connection, http_500...

    calls: the requests that were sent nevertheless.
    """

    calls: tuple[LlmCall, ...] = ()

    def __init__(self, cause: str, message: str = "") -> None:
        super().__init__(message or f"The LLM gave no verdict: {cause}.")
        self.cause = cause


class MalformedVerdict(LlmUnavailable):
    """The LLM answered, but its answer holds no verdict."""


class ReleaseNotFound(ScoringError):
    """Nothing is live, or there is no such version."""


class ReleaseRefused(ScoringError):
    """Its gates say that it must not go live. The message says which, and how to insist."""


class RegistryUnavailable(ScoringError):
    """MLflow does not answer where it should."""


class TrainingRefused(ScoringError):
    """The table or the settings cannot give an honest model."""


class NotServedAsTuned(TrainingRefused):
    """What is served says something else than what was tuned."""


class WrongAdapter(ScoringError):
    """A file is not the adapter that its LLM version names."""


class MissingExtra(ScoringError):
    """A part that is not installed. The message says which extra brings it."""
