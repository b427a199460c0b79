"""Sent: what exactly an LLM was shown for one decision, and what was read of the lead."""

from __future__ import annotations

import base64
import struct
from typing import Any

from sqlalchemy import Connection

from service.audit.finding import Found, about
from service.errors import KeyDestroyed, NoSuchEntry
from service.recording.entry import Kind
from service.storage.sealing import bound_to, open_sealed
from service.storage.subject_keys import StoredKeys

FLOAT_BYTES = 4


def sent(connection: Connection, keys: StoredKeys, decision_id: str) -> dict[str, Any]:
    """What the entries about a decision (or a question asked in training) say, opened.

    `shown` is the part of the prompt that is about the lead; `prompt` the version of the rest; null
    where no text left. `row`: the classifier's, in the order of its encoder; null where missing,
    unless a typical value stands in: `data` says of which columns the lead had no known value.

    Raises:
        NoSuchEntry: nothing was decided or asked under this id.
        KeyDestroyed: whom it is about was erased; nobody can open it any more.
        SealBroken: a sealed part was changed, or belongs elsewhere.
        StorageUnavailable: the keys cannot be read now.
    """
    found = [entry.tree for entry in about(connection, decision_id)]
    of_kind = {kind: [e for e in found if e["kind"] == kind.value] for kind in Kind}
    decided, redacted = of_kind[Kind.DECISION], of_kind[Kind.REDACTION]
    subject = next((entry["subject"] for entry in (*decided, *redacted)), None)
    if subject is None:
        message = "Nothing was decided or asked under this id. Name the decision_id of an answer."
        raise NoSuchEntry(message)
    key = keys.find(subject)
    if key is None:
        raise KeyDestroyed(
            "Whom this is about was erased, and nobody can open it any more. Its entries are still "
            "there: `tiebreak audit entries --decision-id ID`"
        )
    return {
        "decision_id": decision_id,
        "subject": subject,
        "sent": [_opened_text(entry, key.secret) for entry in redacted],
        "calls": [_call(entry) for entry in of_kind[Kind.LLM_CALL]],
        "decision": _opened_decision(decided[0], key.secret) if decided else None,
    }


def opened(found: Found, secret: bytes) -> dict[str, Any]:
    """The entry with its sealed part in clear, where it has one. Raises SealBroken."""
    tree = found.tree
    sealed = tree.pop("sealed", None)
    if sealed is None:
        return tree
    about_id = tree.get("question_id") or tree["decision_id"]
    return tree | {"opened": open_sealed(secret, bound_to(Kind(tree["kind"]), about_id), sealed)}


def _opened_text(entry: dict[str, Any], secret: bytes) -> dict[str, Any]:
    bound = bound_to(Kind.REDACTION, entry["question_id"])
    text = open_sealed(secret, bound, entry["sealed"])["shown"] if entry["sealed"] else None
    named = ("at", "purpose", "failed", "policy", "evidence", "prompt", "spans")
    return {"shown": text} | {name: entry[name] for name in named}


def _call(entry: dict[str, Any]) -> dict[str, Any]:
    named = ("at", "call_id", "request_id", "provider", "model", "llm", "status", "cause")
    return {name: entry[name] for name in named}


def _opened_decision(entry: dict[str, Any], secret: bytes) -> dict[str, Any]:
    bound = bound_to(Kind.DECISION, entry["decision_id"])
    within = open_sealed(secret, bound, entry["sealed"])
    row = [None if value != value else value for value in floats(within["row"])]  # noqa: PLR0124 NaN
    named = ("at", "route", "reason", "probability", "classifier_probability", "release")
    kept = {name: entry[name] for name in (*named, "versions", "data")}
    kept["text_log_odds"] = entry.get("text_log_odds")  # an older entry has none
    return kept | {"row": row, "reasons": within["reasons"], "evidence": within["evidence"]}


def floats(row: str) -> list[float]:
    """A row as `entry.row_base64` writes it."""
    raw = base64.b64decode(row)
    return list(struct.unpack(f"<{len(raw) // FLOAT_BYTES}f", raw))
