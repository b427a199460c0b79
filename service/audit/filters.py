"""Filters: which entries an auditor asks for. They are written into the ledger with the question.

So each takes values of its own kind and no others: times, random ids, numbers of releases, words
that the code has; and of names of rules only those that the ledger or the live policy has
(`known_names`). No name of a person fits into one. Whoever asks for somebody by contact values asks
for the subjects that these resolve to.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any, Self

from models.decision import Route, RouteReason
from service.errors import MalformedRequest
from service.recording.entry import Kind
from service.schemas import DECISION_ID
from service.storage.database import iso

SUBJECT = re.compile(r"[0-9a-f]{32}")
KEY_ID = re.compile(r"[0-9a-f]{8}|command|service|none")
RELEASE = re.compile(r"[1-9][0-9]{0,5}")  # MLflow counts them; no phone number is so short
RULE = re.compile(r"[A-Za-z0-9_.:/+-]{1,100}")


@dataclass(frozen=True, slots=True)
class Filters:
    """An entry is asked for if it, or the decision that it belongs to, matches all that is set.

    since, until: ISO 8601 in UTC with milliseconds; `until` is the first moment after.
    decision_id: also that of a question asked in training. key: the API key that asked, or read.
    cause: why an LLM gave no answer. failed: texts that could not be redacted, also in training.
    latest: only the newest entry of each decision.
    """

    since: str | None = None
    until: str | None = None
    kind: str | None = None
    decision_id: str | None = None
    subject: str | None = None
    key: str | None = None
    route: str | None = None
    reason: str | None = None
    release: str | None = None
    policy: str | None = None
    entity_type: str | None = None
    recognizer: str | None = None
    provider: str | None = None
    cause: str | None = None
    failed: bool = False
    latest: bool = False

    @classmethod
    def parse(cls, values: Mapping[str, str | None]) -> Self:
        """From words, as in a query string. Raises MalformedRequest, without repeating a value."""
        given = {name: value for name, value in values.items() if value is not None}
        if given.keys() - set(NAMES):  # not named: anything may stand there, also an address
            fix = f"Filters are: {', '.join(NAMES)}."
            raise MalformedRequest("There is no such filter.", fix)
        read: dict[str, Any] = {name: READERS[name](name, v) for name, v in given.items()}
        return cls(**read)

    def tree(self) -> dict[str, str | bool]:
        """What is set, as it is written down."""
        values = ((f.name, getattr(self, f.name)) for f in fields(self))
        return {name: value for name, value in values if value}


def moment(name: str, text: str) -> str:
    """A day or a time, UTC unless it says otherwise. Raises MalformedRequest."""
    try:
        at = datetime.fromisoformat(text)
        return iso(at if at.tzinfo else at.replace(tzinfo=UTC))
    except (ValueError, OverflowError):  # the latter: of the years 1 and 9999, in another zone
        fix = "Write 2026-01-31, or 2026-01-31T12:00:00Z."
        raise MalformedRequest("It is no day and no time.", fix, field=name) from None


def _one_of(words: type[Kind | Route | RouteReason]) -> Callable[[str, str], str]:
    def read(name: str, text: str) -> str:
        if text not in [word.value for word in words]:
            fix = f"Name one of: {', '.join(word.value for word in words)}."
            raise MalformedRequest(f"There is no such {name}.", fix, field=name)
        return text

    return read


def _like(pattern: re.Pattern[str], fix: str) -> Callable[[str, str], str]:
    def read(name: str, text: str) -> str:
        if not pattern.fullmatch(text):
            problem = f"It cannot be a {name.replace('_', ' ')}."
            raise MalformedRequest(problem, fix, field=name)
        return text

    return read


def yes_or_no(name: str, text: str) -> bool:
    """Raises MalformedRequest."""
    if text not in ("true", "false"):
        raise MalformedRequest("It is neither true nor false.", "Write true.", field=name)
    return text == "true"


_rule = _like(RULE, "Write it as an entry has it: letters, digits and _.:/+- only.")
decision_id = _like(DECISION_ID, "Send the decision_id of an answer.")

READERS: Mapping[str, Callable[[str, str], str | bool]] = {
    "since": moment,
    "until": moment,
    "kind": _one_of(Kind),
    "decision_id": decision_id,
    "subject": _like(SUBJECT, "Send the 32 hex digits that entries name."),
    "key": _like(KEY_ID, "`tiebreak keys list` shows the ids of API keys."),
    "route": _one_of(Route),
    "reason": _one_of(RouteReason),
    "release": _like(RELEASE, "Write its number, as `tiebreak releases` shows it."),
    "policy": _rule,
    "entity_type": _rule,
    "recognizer": _rule,
    "provider": _rule,
    "cause": _rule,
    "failed": yes_or_no,
    "latest": yes_or_no,
}
NAMES = tuple(READERS)
