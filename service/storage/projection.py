"""Projection: rows read off the ledger's entries, so that questions are answered in a second.

Pure: the same entries make the same rows, at any time. What an auditor wants proven is in the
entries; these rows only find them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table

from service.ledger.log import Entry
from service.storage.direct_sql import BulkInsert
from service.storage.tables import (
    Row,
    decisions,
    erasures,
    llm_calls,
    outcomes,
    overrides,
    redacted_spans,
    redactions,
)

Rows = Iterable[tuple[Table, Row]]
Fields = Mapping[str, Any]


def project(connection: Connection, entries: Sequence[Entry]) -> None:
    """Insert the rows of these entries."""
    rows: dict[Table, list[Row]] = {}
    for entry in entries:
        for table, row in rows_of(entry.seq, entry.at, entry.draft.kind, entry.draft.fields):
            rows.setdefault(table, []).append(row)
    for table, made in rows.items():
        ADD[table](connection, made)


def rows_of(seq: int, at: str, kind: str, fields: Fields) -> Rows:
    """The rows of one entry, and their tables; none for kinds that are only counted by entry."""
    read = _READERS.get(kind)
    if read is not None:
        yield from ((table, {"seq": seq, "at": at, **row}) for table, row in read(fields))


def _decision(fields: Fields) -> Rows:
    usage = fields["usage"]
    yield (
        decisions,
        {
            "id": fields["decision_id"],
            "key_id": fields["key"],
            "subject": fields["subject"],
            "release": fields["release"],
            "route": fields["route"],
            "reason": fields["reason"],
            "policy": fields["policy"],
            "probability": fields["probability"],
            "classifier_probability": fields["classifier_probability"],
            "prompt_tokens": usage["prompt_tokens"],
            "completion_tokens": usage["completion_tokens"],
            "cost_usd": usage["cost_usd"],
            "latency_ms": fields["latency_ms"],
        },
    )


def _redaction(fields: Fields) -> Rows:
    same = {"policy": fields["policy"], "subject": fields["subject"]}
    yield (
        redactions,
        {
            "about": fields["question_id"],
            "purpose": fields["purpose"],
            "failed": fields["failed"],
            **same,
        },
    )
    counts = Counter((span["type"], span["recognizer"]) for span in fields["spans"])
    for (entity_type, recognizer), spans in counts.items():
        row = {"entity_type": entity_type, "recognizer": recognizer, "spans": spans}
        yield redacted_spans, row | same


def _llm_call(fields: Fields) -> Rows:
    named = ("call_id", "request_id", "provider", "model", "cause")
    yield llm_calls, {"about": fields["question_id"], **{name: fields[name] for name in named}}


def _outcome(fields: Fields) -> Rows:
    row = {"decision_id": fields["decision_id"], "won": fields["won"], "key_id": fields["key"]}
    yield outcomes, row


def _override(fields: Fields) -> Rows:
    named = ("decision_id", "pursue", "because")
    yield overrides, {"key_id": fields["key"], **{name: fields[name] for name in named}}


def _erasure(fields: Fields) -> Rows:
    yield erasures, {"subject": fields["subject"], "because": fields["because"]}


READ_OFF = (decisions, redactions, redacted_spans, llm_calls, outcomes, overrides, erasures)
ADD = {table: BulkInsert(table) for table in READ_OFF}
_READERS: Mapping[str, Callable[[Fields], Rows]] = {
    "decision": _decision,
    "redaction": _redaction,
    "llm_call": _llm_call,
    "outcome": _outcome,
    "override": _override,
    "erasure": _erasure,
}
