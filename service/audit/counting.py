"""Counting: how much of what, and how it changes. Read off the entries; `reconcile` checks that."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import orjson
from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Select,
    Table,
    and_,
    case,
    exists,
    func,
    literal_column,
    select,
)

from models.decision import CUT
from service.audit.filters import Filters
from service.errors import MalformedRequest
from service.recording.entry import Kind
from service.storage.tables import (
    decisions,
    entries,
    erasures,
    llm_calls,
    outcomes,
    overrides,
    redacted_spans,
    redactions,
)

MOST_ROWS = 10_000  # of one answer


class Counted(StrEnum):
    """What is counted."""

    ENTRIES = "entries"
    DECISIONS = "decisions"
    COSTS = "costs"  # tokens and dollars of decisions; the unknown is counted, never taken for 0
    REDACTIONS = "redactions"  # texts
    SPANS = "spans"  # what went out of them
    CALLS = "calls"  # requests to LLMs
    OUTCOMES = "outcomes"  # the latest of each decision, and how far off its probability was
    OVERRIDES = "overrides"  # the latest of each decision
    ERASURES = "erasures"
    READS = "reads"


class Per(StrEnum):
    """The length of a period: of days, months and hours in UTC."""

    HOUR = "hour"
    DAY = "day"
    MONTH = "month"


PREFIX = {Per.HOUR: 13, Per.DAY: 10, Per.MONTH: 7}  # characters of a time
DECIDED = ("release", "route", "reason", "policy", "key")
COLUMN = {"key": "key_id"}


@dataclass(frozen=True, slots=True)
class _Source:
    table: Table
    by: tuple[str, ...]
    also: tuple[str, ...] = ()  # columns of the decision that it belongs to

    @property
    def names(self) -> tuple[str, ...]:
        return (*self.by, *self.also)


SOURCES: Mapping[Counted, _Source] = {
    Counted.ENTRIES: _Source(entries, ("kind",)),
    Counted.DECISIONS: _Source(decisions, DECIDED),
    Counted.COSTS: _Source(decisions, DECIDED),
    Counted.REDACTIONS: _Source(redactions, ("policy", "purpose", "failed")),
    Counted.SPANS: _Source(redacted_spans, ("entity_type", "recognizer", "policy")),
    Counted.CALLS: _Source(llm_calls, ("provider", "model", "cause")),
    Counted.OUTCOMES: _Source(outcomes, ("won",), DECIDED),
    Counted.OVERRIDES: _Source(overrides, ("because", "pursue"), DECIDED),
    Counted.ERASURES: _Source(erasures, ("because",)),
    Counted.READS: _Source(entries, ("key", "question")),
}


@dataclass(frozen=True, slots=True)
class Counting:
    """What to count, by what, per which period, between which moments."""

    of: Counted = Counted.DECISIONS
    by: tuple[str, ...] = ()
    per: Per | None = None
    since: str | None = None
    until: str | None = None

    @classmethod
    def parse(cls, of: str, by: str, per: str | None, filters: Filters) -> Counting:
        """by: names with commas between. Raises MalformedRequest."""
        if of not in set(Counted):
            fix = f"Count one of: {', '.join(Counted)}."
            raise MalformedRequest("This cannot be counted.", fix, field="of")
        if per is not None and per not in set(Per):
            raise MalformedRequest(
                "There is no such period.", "Use hour, day or month.", field="per"
            )
        names = tuple(name for name in by.split(",") if name)
        known = SOURCES[Counted(of)].names
        if not set(names) <= set(known):
            fix = f"Name some of these, with commas between: {', '.join(known)}."
            others = [o.value for o, source in SOURCES.items() if set(names) <= set(source.names)]
            if others:
                fix += f" What is counted by this: {', '.join(others)}."
            raise MalformedRequest(f"{of.capitalize()} are not counted by this.", fix, field="by")
        period = Per(per) if per is not None else None
        return cls(Counted(of), names, period, filters.since, filters.until)

    def tree(self) -> dict[str, Any]:
        """As it is written down."""
        named = {"of": self.of.value, "by": list(self.by), "per": self.per}
        return named | {"since": self.since, "until": self.until}


def count(connection: Connection, asked: Counting) -> list[dict[str, Any]]:
    """One row a group, in order of period and names."""
    if asked.of is Counted.READS:
        return list(_reads(connection, asked))
    source = SOURCES[asked.of]
    table = source.table
    groups = _groups(asked, source)
    query: Select[Any] = select(*groups, *_figures(asked.of)).where(*_during(asked, table))
    query = query.select_from(_origin(source))
    if asked.of in (Counted.OUTCOMES, Counted.OVERRIDES):
        query = query.where(_is_latest(table))
    if groups:
        query = query.group_by(*groups).order_by(*groups)
    rows = connection.execute(query.limit(MOST_ROWS + 1)).mappings().all()
    if len(rows) > MOST_ROWS:
        problem = f"That is more than {MOST_ROWS:,} rows."
        raise MalformedRequest(problem, "Narrow it with since and until, or count by less.")
    return [dict(row) for row in rows]


def _groups(asked: Counting, source: _Source) -> list[ColumnElement[Any]]:
    groups: list[ColumnElement[Any]] = []
    if asked.per is not None:
        # Written out: PostgreSQL would take two parameters for two different expressions.
        length: ColumnElement[int] = literal_column(str(PREFIX[asked.per]))
        groups.append(func.substr(source.table.c.at, literal_column("1"), length).label("period"))
    for name in asked.by:
        table = source.table if name in source.by else decisions
        groups.append(table.c[COLUMN.get(name, name)].label(name))
    return groups


def _origin(source: _Source) -> FromClause:
    table = source.table
    if not source.also:
        return table
    return table.join(decisions, decisions.c.id == table.c.decision_id)


def _figures(of: Counted) -> Sequence[ColumnElement[Any]]:
    if of is Counted.SPANS:
        return [func.sum(redacted_spans.c.spans).label("spans"), func.count().label("texts")]
    if of is Counted.COSTS:
        d = decisions.c
        unknown = func.sum(case((d.cost_usd.is_(None), 1), else_=0))
        return [
            func.count().label("decisions"),
            func.sum(d.prompt_tokens).label("prompt_tokens"),
            func.sum(d.completion_tokens).label("completion_tokens"),
            func.sum(d.cost_usd).label("cost_usd"),
            unknown.label("of_unknown_cost"),
        ]
    if of is Counted.OUTCOMES:
        won = case((outcomes.c.won, 1.0), else_=0.0)
        off = decisions.c.probability - won
        return [
            func.count().label("outcomes"),
            func.avg(won).label("share_won"),
            func.avg(decisions.c.probability).label("mean_probability"),
            func.avg(off * off).label("brier"),
        ]
    if of is Counted.OVERRIDES:
        expected = case((decisions.c.probability >= CUT, True), else_=False)
        against = func.sum(case((overrides.c.pursue != expected, 1), else_=0))
        return [func.count().label("overrides"), against.label("against_the_score")]
    return [func.count().label(of.value)]


def _during(asked: Counting, table: Table) -> Iterator[ColumnElement[bool]]:
    if asked.since is not None:
        yield table.c.at >= asked.since
    if asked.until is not None:
        yield table.c.at < asked.until


def _is_latest(table: Table) -> ColumnElement[bool]:
    newer = table.alias("newer")
    same = newer.c.decision_id == table.c.decision_id
    return ~exists().where(and_(same, newer.c.seq > table.c.seq))


def _reads(connection: Connection, asked: Counting) -> Iterator[dict[str, Any]]:
    """Of what only the entries say: they are few."""
    query = select(entries.c.body).where(
        entries.c.kind == Kind.READ.value, *_during(asked, entries)
    )
    counts: Counter[tuple[str, ...]] = Counter()
    for body in connection.scalars(query.order_by(entries.c.seq)):
        tree = orjson.loads(body)
        period = (tree["at"][: PREFIX[asked.per]],) if asked.per else ()
        counts[*period, *(tree[name] for name in asked.by)] += 1
    names = (*(("period",) if asked.per else ()), *asked.by)
    for group, reads in sorted(counts.items()):
        yield dict(zip(names, group, strict=True)) | {"reads": reads}
