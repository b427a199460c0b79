"""Reconciling: decisions, redactions and LLM calls pair up one to one, here and at the provider.

One way through all entries, some at a time. Whatever is read off them for quick answers is compared
with what they say, so that the answers can be believed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import Connection, Table, func, select

from models.decision import RouteReason
from service.recording.entry import Kind, Purpose
from service.storage.database import iso
from service.storage.projection import rows_of
from service.storage.subject_keys import StoredKeys
from service.storage.tables import (
    Row,
    decisions,
    entries,
    erasures,
    llm_calls,
    outcomes,
    overrides,
    redacted_spans,
    redactions,
)

AT_ONCE = 500
MOST_TOLD = 1_000
IN_FLIGHT = timedelta(minutes=1)  # a text that left less than this ago may still be waited for
READ_OFF = (decisions, redactions, redacted_spans, llm_calls, outcomes, overrides, erasures)


@dataclass
class Reconciled:
    """findings: one sentence for each thing that does not pair, the first MOST_TOLD."""

    entries: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    findings: list[str] = field(default_factory=list)
    findings_in_all: int = 0
    notes: list[str] = field(default_factory=list)

    @property
    def pairs(self) -> bool:
        return self.findings_in_all == 0

    def wrong(self, sentence: str) -> None:
        self.findings_in_all += 1
        if len(self.findings) < MOST_TOLD:
            self.findings.append(sentence)

    def tree(self) -> dict[str, Any]:
        return {
            "pairs": self.pairs,
            "entries": self.entries,
            "counts": dict(sorted(self.counts.items())),
            "findings": self.findings,
            "findings_in_all": self.findings_in_all,
            "notes": self.notes,
        }


@dataclass(frozen=True, slots=True)
class _Seen:
    seq: int
    at: str
    tree: dict[str, Any]


def reconcile(connection: Connection, keys: StoredKeys, report: Reconciled) -> Iterator[int]:
    """Fill the report. Yields how many entries were gone through: progress."""
    start = 0
    while True:
        columns = (entries.c.seq, entries.c.at, entries.c.kind, entries.c.about, entries.c.body)
        query = select(*columns).where(entries.c.seq >= start).order_by(entries.c.seq)
        rows = connection.execute(query.limit(AT_ONCE)).all()
        if not rows:
            break
        seen = [_Seen(row.seq, row.at, orjson.loads(row.body)) for row in rows]
        for row, one in zip(rows, seen, strict=True):
            _check_columns(row, one, report)
        last = seen[-1].seq
        _check_read_off(connection, seen, start, last, report)
        _check_pairs(connection, seen, report)
        _check_keys(connection, keys, seen, report)
        report.entries += len(seen)
        report.counts.update(one.tree["kind"] for one in seen)
        start = last + 1
        yield len(seen)
    for table in READ_OFF:
        beyond = connection.scalar(
            select(func.count()).select_from(table).where(table.c.seq >= start)
        )
        if beyond:
            report.wrong(f"The table {table.name} has {beyond} rows of entries that are not there.")


def _check_columns(row: Any, one: _Seen, report: Reconciled) -> None:
    tree = one.tree
    about = tree.get("question_id", tree.get("decision_id"))
    if (row.at, row.kind, row.about) != (tree["at"], tree["kind"], about):
        report.wrong(f"Entry {one.seq} is filed under another time, kind or decision than it says.")


def _check_read_off(
    connection: Connection, seen: Sequence[_Seen], first: int, last: int, report: Reconciled
) -> None:
    expected: dict[str, Counter[str]] = {table.name: Counter() for table in READ_OFF}
    for one in seen:
        for table, row in rows_of(one.seq, one.at, one.tree["kind"], one.tree):
            expected[table.name][_written(table, row)] += 1
    for table in READ_OFF:
        query = select(table).where(table.c.seq.between(first, last))
        there = Counter(_written(table, dict(r)) for r in connection.execute(query).mappings())
        differing = (expected[table.name] - there) + (there - expected[table.name])
        for seq in sorted({orjson.loads(written)["seq"] for written in differing}):
            report.wrong(f"The table {table.name} does not say what entry {seq} says.")


def _written(table: Table, row: Row) -> str:
    """A row in one spelling: a database may give 1 for true and 1.0 for 1."""
    plain = {
        str(column.name): float(value)
        if isinstance(value := row[column.name], int | float) and column.name != "seq"
        else value
        for column in table.columns
    }
    return orjson.dumps(plain, option=orjson.OPT_SORT_KEYS).decode()


def _check_pairs(connection: Connection, seen: Sequence[_Seen], report: Reconciled) -> None:
    ids = {_about(one) for one in seen} - {""}
    calls = _count(connection, llm_calls, ids)
    asked = redactions.c.about
    query = select(asked, redactions.c.failed, redactions.c.purpose).where(asked.in_(ids))
    texts: dict[str, list[Any]] = {}
    for row in connection.execute(query):
        texts.setdefault(row.about, []).append(row)
    decided = set(connection.scalars(select(decisions.c.id).where(decisions.c.id.in_(ids))))
    recent = iso(datetime.now(UTC) - IN_FLIGHT)
    for one in seen:
        kind, about = one.tree["kind"], _about(one)
        if kind == Kind.DECISION:
            _check_decision(one.tree, texts.get(about, []), calls[about], report)
        elif kind == Kind.REDACTION:
            _check_text(one, about in decided, calls[about], recent, report)
        elif kind == Kind.LLM_CALL and not any(not text.failed for text in texts.get(about, [])):
            report.wrong(f"Call {one.tree['call_id']} (entry {one.seq}) has no redaction.")
        elif kind == Kind.LLM_CALL and one.tree["purpose"] == Purpose.DECISION:
            if about not in decided:
                report.wrong(f"Call {one.tree['call_id']} (entry {one.seq}) has no decision.")
        elif kind in (Kind.OUTCOME, Kind.OVERRIDE) and about not in decided:
            report.wrong(f"The {kind} of entry {one.seq} has no decision.")


def _check_decision(
    tree: Mapping[str, Any], texts: Sequence[Any], calls: int, report: Reconciled
) -> None:
    name = f"Decision {tree['decision_id']}"
    has_failed = tree["reason"] == RouteReason.REDACTION_FAILED
    wanted = [True] if has_failed else [False] if tree["policy"] is not None else []
    if [bool(text.failed) for text in texts] != wanted:
        what = "a failed redaction" if has_failed else f"{len(wanted)} redactions"
        report.wrong(f"{name} should have {what}, and has {len(texts)}.")
    said = (tree["llm"] or {}).get("calls", 0)
    if calls != said:
        report.wrong(f"{name} says {said} calls to the LLM, and {calls} are in the ledger.")


def _check_text(one: _Seen, is_decided: bool, calls: int, recent: str, report: Reconciled) -> None:
    tree = one.tree
    is_answered = is_decided if tree["purpose"] == Purpose.DECISION else calls > 0
    if is_answered or tree["failed"]:
        return
    what = "decision" if tree["purpose"] == Purpose.DECISION else "call"
    if one.at >= recent:
        report.notes.append(f"The text of entry {one.seq} left just now; its {what} is awaited.")
    else:
        report.wrong(
            f"The text of entry {one.seq} has no {what}: interrupted, it may have been sent."
        )


def _check_keys(
    connection: Connection, keys: StoredKeys, seen: Sequence[_Seen], report: Reconciled
) -> None:
    """Who was erased has no key any more, and who was not still has one."""
    named = (Kind.DECISION, Kind.REDACTION, Kind.ERASURE)
    subjects = sorted({one.tree["subject"] for one in seen if one.tree["kind"] in named})
    query = select(erasures.c.subject).where(erasures.c.subject.in_(subjects))
    erased, kept = set(connection.scalars(query)), keys.kept(subjects)
    for one in seen:
        if one.tree["kind"] == Kind.ERASURE and one.tree["subject"] in kept:
            report.wrong(
                f"Subject {one.tree['subject']} was erased (entry {one.seq}), but their key is "
                "still there. Erase them again."
            )
    for subject in set(subjects) - erased - kept:
        sentence = f"The key of subject {subject} is gone, and no entry says that it was destroyed."
        if sentence not in report.findings:
            report.wrong(sentence)


def _count(connection: Connection, table: Table, ids: Iterable[str]) -> Counter[str]:
    query = select(table.c.about, func.count()).where(table.c.about.in_(ids))
    rows = connection.execute(query.group_by(table.c.about))
    return Counter({about: number for about, number in rows})  # noqa: C416 a Row is no pair


def _about(one: _Seen) -> str:
    return str(one.tree.get("question_id") or one.tree.get("decision_id") or "")
