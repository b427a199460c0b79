"""Errors of the service layer, and one table: our error -> HTTP status.

ScoringError
├── RequestRefused          the caller can mend it: field, problem, fix
│   ├── MalformedRequest        not JSON, or not the shape that the endpoint reads
│   ├── UnsupportedContentType
│   ├── BodyTooLarge
│   ├── BodyTooSlow
│   ├── NotAuthenticated        no API key, or not a valid one
│   ├── NotAllowed              the key's role does not cover this
│   ├── NoSuchEndpoint
│   ├── WrongMethod
│   ├── IdempotencyMismatch     the key was used with another request
│   └── Overloaded              too many requests in flight
├── StorageUnavailable      nothing can be made durable now, so no decision leaves
├── AlreadyAnswered         another request with the same idempotency key was first
├── NoSuchApiKey            nothing to revoke
├── NoSuchEntry             nothing in the ledger is about this
├── KeyDestroyed            the key of whom this is about was destroyed
├── SealBroken              a sealed part was changed, or is not where it belongs
└── InvalidSettings         an environment variable cannot be used
"""

from __future__ import annotations

from dataclasses import dataclass

import orjson

from features.errors import InvalidLead, InvalidLeadSpec, RedactionFailed, ScoringError
from models.errors import (
    LlmUnavailable,
    MissingExtra,
    RegistryUnavailable,
    ReleaseNotFound,
    ReleaseRefused,
    TrainingRefused,
    WrongAdapter,
)
from service.ledger.errors import LedgerError


class RequestRefused(ScoringError):
    """A request that its sender can mend. The message never repeats a value that was sent."""

    def __init__(self, problem: str, fix: str, *, field: str | None = None) -> None:
        super().__init__(f"{problem} {fix}")
        self.field = field
        self.problem = problem
        self.fix = fix


class MalformedRequest(RequestRefused):
    """Not JSON, or not the shape that the endpoint reads."""


class UnsupportedContentType(RequestRefused):
    """Only application/json is read."""


class BodyTooSlow(RequestRefused):
    """The body did not come in time."""


class BodyTooLarge(RequestRefused):
    """More bytes, or more leads, than one request may hold."""


class NotAuthenticated(RequestRefused):
    """No API key, or not a valid one."""


class NotAllowed(RequestRefused):
    """The key is valid, but its role does not cover this endpoint."""


class NoSuchEndpoint(RequestRefused):
    """Nothing is served under this path."""


class WrongMethod(RequestRefused):
    """The path exists, with other methods: `allowed`."""

    def __init__(self, allowed: str) -> None:
        super().__init__("This endpoint has another method.", f"Use {allowed}.")
        self.allowed = allowed


class IdempotencyMismatch(RequestRefused):
    """The idempotency key was used before, with another request."""


class Overloaded(RequestRefused):
    """More requests in flight than the service holds."""


class StorageUnavailable(ScoringError):
    """Nothing can be made durable now, so no decision leaves. Mends itself."""


class AlreadyAnswered(ScoringError):
    """Another request with the same idempotency key was first: read its answer."""


class NoSuchApiKey(ScoringError):
    """There is no such API key."""


class NoSuchEntry(ScoringError):
    """Nothing in the ledger is about this id."""


class KeyDestroyed(ScoringError):
    """The key of whom this is about was destroyed: nobody can read it any more."""


class SealBroken(ScoringError):
    """A sealed part of an entry was changed, or belongs elsewhere."""


class InvalidSettings(ScoringError):
    """An environment variable cannot be used. The message names it, without its value."""


Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class HttpError:
    """How an error looks to a caller."""

    status: int
    code: str
    headers: Headers = ()


RETRY_SOON: Headers = (("retry-after", "1"),)
# A browser asks its user for the key (as password) on Basic; programs use Bearer. Two lines: some
# browsers read one challenge a line.
CHALLENGE: Headers = (
    ("www-authenticate", 'Basic realm="Tiebreak: any user name, API key as password"'),
    ("www-authenticate", "Bearer"),
)

STATUS_BY_ERROR: dict[type[ScoringError], HttpError] = {
    InvalidLead: HttpError(422, "invalid_lead"),
    MalformedRequest: HttpError(400, "malformed_request"),
    UnsupportedContentType: HttpError(415, "unsupported_content_type"),
    BodyTooLarge: HttpError(413, "too_large"),
    BodyTooSlow: HttpError(408, "too_slow"),
    NotAuthenticated: HttpError(401, "not_authenticated", CHALLENGE),
    NotAllowed: HttpError(403, "not_allowed"),
    NoSuchEndpoint: HttpError(404, "no_such_endpoint"),
    NoSuchApiKey: HttpError(404, "no_such_api_key"),
    NoSuchEntry: HttpError(404, "no_such_entry"),
    KeyDestroyed: HttpError(410, "key_destroyed"),
    SealBroken: HttpError(500, "seal_broken"),
    WrongMethod: HttpError(405, "wrong_method"),
    AlreadyAnswered: HttpError(409, "already_answered"),
    IdempotencyMismatch: HttpError(422, "idempotency_mismatch"),
    Overloaded: HttpError(503, "overloaded", RETRY_SOON),
    StorageUnavailable: HttpError(503, "storage_unavailable", RETRY_SOON),
    LedgerError: HttpError(503, "ledger_unavailable", RETRY_SOON),
    ReleaseNotFound: HttpError(503, "no_release", RETRY_SOON),
    RegistryUnavailable: HttpError(503, "registry_unavailable", RETRY_SOON),
    WrongAdapter: HttpError(503, "wrong_adapter", RETRY_SOON),
    # The cascade turns these into degraded decisions; should one slip through, it is our fault.
    LlmUnavailable: HttpError(503, "llm_unavailable", RETRY_SOON),
    RedactionFailed: HttpError(503, "redaction_failed", RETRY_SOON),
    # Met on the way to a release or a running service, not by a caller of it.
    InvalidLeadSpec: HttpError(500, "invalid_lead_spec"),
    TrainingRefused: HttpError(500, "training_refused"),
    ReleaseRefused: HttpError(500, "release_refused"),
    MissingExtra: HttpError(500, "missing_extra"),
    InvalidSettings: HttpError(500, "invalid_settings"),
}
INTERNAL = HttpError(500, "internal")


def http_error(error: BaseException) -> HttpError:
    """The row of the nearest class in the table; 500 for what is not ours."""
    known = (STATUS_BY_ERROR[c] for c in type(error).__mro__ if c in STATUS_BY_ERROR)
    return next(known, INTERNAL)


def error_tree(error: BaseException) -> dict[str, str | None]:
    """What a caller is told: code, field, problem and fix. Nothing of an error that is not ours."""
    code = http_error(error).code
    if isinstance(error, RequestRefused):
        return {"code": code, "field": error.field, "problem": error.problem, "fix": error.fix}
    if isinstance(error, InvalidLead):
        problem, fix = f"It {error.problem}.", f"{error.fix}."
        return {"code": code, "field": error.field, "problem": problem, "fix": fix}
    if isinstance(error, ScoringError):
        problem, _, fix = str(error).partition(". ")
        problem, fix = problem.rstrip("."), fix.rstrip(".") or "Try again"
        return {"code": code, "field": None, "problem": f"{problem}.", "fix": f"{fix}."}
    problem, fix = "The service failed.", "Try again; if it stays, its log has the place."
    return {"code": code, "field": None, "problem": problem, "fix": fix}


def error_body(error: BaseException) -> bytes:
    """`{"error": {"code", "field", "problem", "fix"}}`."""
    return orjson.dumps({"error": error_tree(error)})


def error_headers(error: BaseException) -> Headers:
    """Headers that a caller needs beside the body."""
    if isinstance(error, WrongMethod):
        return (("allow", error.allowed),)
    return http_error(error).headers
