"""Projection: rows read off the ledger's entries, so that questions are answered in a second.

Pure: the same entries make the same rows, at any time. What an auditor wants proven is in the
entries; these rows only find them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sqlalchemy import Table

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
ReadOff = tuple[str, tuple[Any, ...]]  # name of a table; a row's values, but for place and time


def read_off(kind: str, fields: Fields) -> tuple[ReadOff, ...]:
    """The rows of an entry of this kind, before it has a place and a time."""
    rows = _rows(kind, fields)
    return tuple((t.name, tuple(map(row.__getitem__, VALUES[t.name]))) for t, row in rows)


def rows_about(rows: Iterable[ReadOff], subject: str) -> tuple[ReadOff, ...]:
    """The same rows, of an entry that is about this subject."""
    return tuple((table, _with(values, SUBJECTS.get(table), subject)) for table, values in rows)


def _with(values: tuple[Any, ...], place: int | None, subject: str) -> tuple[Any, ...]:
    if place is None:
        return values
    return (*values[:place], subject, *values[place + 1 :])


def rows_of(seq: int, at: str, kind: str, fields: Fields) -> Rows:
    """The rows of one entry, and their tables; none for kinds that are only counted by entry."""
    yield from ((t, {"seq": seq, "at": at, **row}) for t, row in _rows(kind, fields))


def _rows(kind: str, fields: Fields) -> Rows:
    read = _READERS.get(kind)
    return read(fields) if read is not None else ()


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
FIRST = ("seq", "at")  # known when an entry is in the log
# In the order of a row's values.
VALUES = {
    table.name: tuple(column.name for column in table.columns if column.name not in FIRST)
    for table in READ_OFF
}
SUBJECTS = {name: VALUES[name].index("subject") for name in VALUES if "subject" in VALUES[name]}
ADD = {table.name: BulkInsert(table, (*FIRST, *VALUES[table.name])) for table in READ_OFF}
_READERS: Mapping[str, Callable[[Fields], Rows]] = {
    "decision": _decision,
    "redaction": _redaction,
    "llm_call": _llm_call,
    "outcome": _outcome,
    "override": _override,
    "erasure": _erasure,
}
