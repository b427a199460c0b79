"""Outcomes: how leads ended. Reporting one twice changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, insert, select

from service.schemas import ReportedOutcome
from service.store import Row, decisions, iso, outcomes


@dataclass(frozen=True, slots=True)
class OutcomesResult:
    """What became of each outcome, by its place in the list."""

    recorded: tuple[int, ...]
    unchanged: tuple[int, ...]
    unknown: tuple[int, ...]


def record_outcomes(
    connection: Connection, reported: Sequence[ReportedOutcome], key_id: str
) -> OutcomesResult:
    """Append what is new, or corrects what was reported before. The latest row counts."""
    ids = {outcome.decision_id for outcome in reported}
    known = set(connection.scalars(select(decisions.c.id).where(decisions.c.id.in_(ids))))
    latest = _latest(connection, ids)
    at = iso(datetime.now(UTC))
    rows: list[Row] = []
    places: dict[str, list[int]] = {"recorded": [], "unchanged": [], "unknown": []}
    for place, outcome in enumerate(reported):
        if outcome.decision_id not in known:
            places["unknown"].append(place)
        elif latest.get(outcome.decision_id) is outcome.won:
            places["unchanged"].append(place)
        else:
            places["recorded"].append(place)
            latest[outcome.decision_id] = outcome.won
            row = {"decision_id": outcome.decision_id, "won": outcome.won}
            rows.append(row | {"at": at, "key_id": key_id})
    if rows:
        connection.execute(insert(outcomes), rows)
    return OutcomesResult(**{name: tuple(found) for name, found in places.items()})


def _latest(connection: Connection, ids: set[str]) -> dict[str, bool]:
    query = (
        select(outcomes.c.decision_id, outcomes.c.won)
        .where(outcomes.c.decision_id.in_(ids))
        .order_by(outcomes.c.id)
    )
    return {row.decision_id: bool(row.won) for row in connection.execute(query)}
