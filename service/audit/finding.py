"""Finding entries. Pages go by the place in the log: nothing is skipped, however many are added.

What was read off the entries finds them; what is returned are the entries themselves.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson
from sqlalchemy import (
    Column as AnyColumn,
)
from sqlalchemy import (
    ColumnElement,
    Connection,
    Table,
    and_,
    exists,
    false,
    or_,
    select,
)

from service.audit.filters import Filters
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

MOST = 1_000  # entries of one page
AT_ONCE = 500  # that are looked up by their place

READ_OFF: dict[Kind, Table] = {
    Kind.DECISION: decisions,
    Kind.REDACTION: redactions,
    Kind.LLM_CALL: llm_calls,
    Kind.OUTCOME: outcomes,
    Kind.OVERRIDE: overrides,
    Kind.ERASURE: erasures,
}
ABOUT = {decisions: "id", outcomes: "decision_id", overrides: "decision_id"}  # else "about"
# What is only in the body of an entry.
IN_BODY = {
    Kind.READ: ("key",),
    Kind.ERASURE: ("key",),
    Kind.PROMOTION: ("release", "key"),
    Kind.RELEASE: ("release",),
}
BY_KEY = (
    Kind.DECISION,
    Kind.OUTCOME,
    Kind.OVERRIDE,
    Kind.PROMOTION,
    Kind.ERASURE,
    Kind.READ,
)
# Which kinds of entries say something of a filter. The first that is set picks them.
SAID_BY: tuple[tuple[tuple[str, ...], tuple[Kind, ...]], ...] = (
    (("route", "reason"), (Kind.DECISION,)),
    (("release",), (Kind.DECISION, Kind.PROMOTION, Kind.RELEASE)),
    (("entity_type", "recognizer", "failed"), (Kind.REDACTION,)),
    (("provider", "cause"), (Kind.LLM_CALL,)),
    (("policy",), (Kind.DECISION, Kind.REDACTION)),
    (("key",), BY_KEY),
    (("subject",), tuple(READ_OFF)),
)


@dataclass(frozen=True, slots=True)
class Found:
    """An entry. seq: its place in the log, from 0. body: the bytes that are in the log."""

    seq: int
    body: bytes

    @property
    def tree(self) -> dict[str, Any]:
        tree: dict[str, Any] = orjson.loads(self.body)
        return tree


@dataclass(frozen=True, slots=True)
class Page:
    """Some entries, in order; `after`: where the next page begins, None where there is none."""

    entries: Sequence[Found]
    after: int | None


def page(
    connection: Connection,
    filters: Filters,
    *,
    after: int | None = None,
    most: int = 100,
    newest_first: bool = False,
    before_seq: int | None = None,
) -> Page:
    """At most `most` entries, oldest first unless said.

    after: the `after` of the page before. before_seq: only entries of a log of this size.
    """
    most = min(most, MOST)
    bounds = _bounds(connection, filters, after, before_seq, newest_first=newest_first)
    if bounds is None:
        return Page([], None)
    places: list[int] = []
    for kind in _kinds(filters):
        places += _places(connection, kind, filters, bounds, most + 1, newest_first=newest_first)
    chosen = sorted(places, reverse=newest_first)[:most]
    more = len(places) > most
    return Page(by_place(connection, chosen), chosen[-1] if more else None)


def walk(connection: Connection, filters: Filters, *, size: int) -> Iterator[Found]:
    """All of them, in order, out of the first `size` entries; few in memory at a time."""
    after: int | None = None
    while True:
        found = page(connection, filters, after=after, most=AT_ONCE, before_seq=size)
        yield from found.entries
        after = found.after
        if after is None:
            return


def by_place(connection: Connection, places: Sequence[int]) -> list[Found]:
    """The entries at these places, in this order."""
    bodies: dict[int, bytes] = {}
    for start in range(0, len(places), AT_ONCE):
        part = places[start : start + AT_ONCE]
        query = select(entries.c.seq, entries.c.body).where(entries.c.seq.in_(part))
        bodies |= {row.seq: bytes(row.body) for row in connection.execute(query)}
    return [Found(place, bodies[place]) for place in places if place in bodies]


def about(connection: Connection, decision_id: str, kind: Kind | None = None) -> list[Found]:
    """All entries about one decision, or question asked in training, in order."""
    query = select(entries.c.seq, entries.c.body).where(entries.c.about == decision_id)
    if kind is not None:
        query = query.where(entries.c.kind == kind.value)
    return [Found(r.seq, bytes(r.body)) for r in connection.execute(query.order_by(entries.c.seq))]


def first_at(connection: Connection, moment: str) -> int | None:
    """The place of the first entry that is not older. None: all are."""
    at, seq = entries.c.at, entries.c.seq
    place = connection.scalar(select(seq).where(at >= moment).order_by(at, seq).limit(1))
    return None if place is None else int(place)


Bounds = tuple[int, int | None]  # the first place, and the first one beyond


def _bounds(
    connection: Connection,
    filters: Filters,
    after: int | None,
    before_seq: int | None,
    *,
    newest_first: bool,
) -> Bounds | None:
    """Times become places: an entry is never older than the one before it."""
    low, highs = 0, [] if before_seq is None else [before_seq]
    if filters.since is not None:
        first = first_at(connection, filters.since)
        if first is None:
            return None
        low = first
    if filters.until is not None and (end := first_at(connection, filters.until)) is not None:
        highs.append(end)
    if after is not None and newest_first:
        highs.append(after)
    elif after is not None:
        low = max(low, after + 1)
    return low, min(highs) if highs else None


def _kinds(filters: Filters) -> Sequence[Kind | None]:
    """None: whatever kind."""
    if filters.kind is not None:
        return [Kind(filters.kind)]
    for names, kinds in SAID_BY:
        if any(getattr(filters, name) not in (None, False) for name in names):
            return kinds
    return [None]


def _places(
    connection: Connection,
    kind: Kind | None,
    filters: Filters,
    bounds: Bounds,
    most: int,
    *,
    newest_first: bool,
) -> list[int]:
    # What is only in the body of an entry is read there: few entries are of these kinds.
    in_body = IN_BODY.get(kind) if kind else None
    wanted = {n: getattr(filters, n) for n in in_body or () if getattr(filters, n) is not None}
    if wanted:
        nothing: dict[str, Any] = dict.fromkeys(wanted)
        filters = replace(filters, **nothing)
    table = READ_OFF.get(kind, entries) if kind else entries
    seq = table.c.seq
    query = select(seq).where(seq >= bounds[0], *_conditions(kind, table, filters))
    if bounds[1] is not None:
        query = query.where(seq < bounds[1])
    query = query.order_by(seq.desc() if newest_first else seq)
    if not wanted:
        return [int(place) for place in connection.scalars(query.limit(most))]
    found = by_place(connection, [int(place) for place in connection.scalars(query)])
    matching = (f.seq for f in found if all(f.tree[n] == v for n, v in wanted.items()))
    return list(matching)[:most]


def _conditions(kind: Kind | None, table: Table, filters: Filters) -> Iterator[ColumnElement[bool]]:
    own = table.c
    link = None if table is erasures else own[ABOUT.get(table, "about")]
    if table is entries and kind is not None:
        yield own.kind == kind.value
    if filters.decision_id is not None:
        yield false() if link is None else link == filters.decision_id
    if filters.subject is not None:
        yield own.subject == filters.subject if "subject" in own else _of(link, filters.subject)
    if filters.latest:
        newer = entries.alias("newer")
        later = exists().where(newer.c.about == link, newer.c.seq > own.seq)
        yield false() if link is None else and_(link.is_not(None), ~later)
    yield from _linked(table, link, filters)


def _of(link: AnyColumn[Any] | None, subject: str) -> ColumnElement[bool]:
    if link is None:
        return false()
    decided = select(decisions.c.id).where(decisions.c.subject == subject)
    redacted = select(redactions.c.about).where(redactions.c.subject == subject)
    return or_(link.in_(decided), link.in_(redacted))


def _linked(
    table: Table, link: AnyColumn[Any] | None, filters: Filters
) -> Iterator[ColumnElement[bool]]:
    """Where the entry does not say it itself, the decision that it belongs to does."""
    own_key = "key_id" in table.c
    said = {
        decisions: {
            "route": filters.route,
            "reason": filters.reason,
            "release": filters.release,
            "key_id": None if own_key and table is not decisions else filters.key,
        },
        llm_calls: {"provider": filters.provider, "cause": filters.cause},
    }
    if own_key and table is not decisions and filters.key is not None:
        yield table.c.key_id == filters.key
    for other, wanted in said.items():
        equal = [other.c[name] == value for name, value in wanted.items() if value is not None]
        if equal and table is other:
            yield and_(*equal)
        elif equal:
            belongs = other.c[ABOUT.get(other, "about")] == link
            yield false() if link is None else exists().where(belongs, *equal)
    if filters.policy is not None:
        if "policy" in table.c:
            yield table.c.policy == filters.policy
        else:
            belongs = redactions.c.about == link
            same = redactions.c.policy == filters.policy
            yield false() if link is None else exists().where(belongs, same)
    if filters.failed and table is redactions:
        yield redactions.c.failed
    elif filters.failed:
        belongs = redactions.c.about == link
        yield false() if link is None else exists().where(belongs, redactions.c.failed)
    spans = {"entity_type": filters.entity_type, "recognizer": filters.recognizer}
    equal = [redacted_spans.c[n] == value for n, value in spans.items() if value is not None]
    if equal and table is redactions:
        yield exists().where(redacted_spans.c.seq == redactions.c.seq, *equal)
    elif equal:
        joined = redacted_spans.c.seq == redactions.c.seq
        belongs = redactions.c.about == link
        yield false() if link is None else exists().where(joined, belongs, *equal)
