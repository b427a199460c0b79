"""Outcomes: how leads ended. Reporting one twice changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from service.ledger.draft import Draft
from service.recording import entry
from service.schemas import ReportedOutcome
from service.storage.tables import decisions, outcomes
from service.storage.writing import Writing


@dataclass(frozen=True, slots=True)
class OutcomesResult:
    """What became of each outcome, by its place in the list."""

    recorded: tuple[int, ...]
    unchanged: tuple[int, ...]
    unknown: tuple[int, ...]


def record_outcomes(
    writing: Writing, reported: Sequence[ReportedOutcome], key_id: str
) -> OutcomesResult:
    """Append what is new, or corrects what was reported before. The latest entry counts."""
    writing.take_turn()
    connection = writing.connection
    ids = {outcome.decision_id for outcome in reported}
    known = set(connection.scalars(select(decisions.c.id).where(decisions.c.id.in_(ids))))
    latest = _latest(connection, ids)
    drafts: list[Draft] = []
    places: dict[str, list[int]] = {"recorded": [], "unchanged": [], "unknown": []}
    for place, outcome in enumerate(reported):
        if outcome.decision_id not in known:
            places["unknown"].append(place)
        elif latest.get(outcome.decision_id) is outcome.won:
            places["unchanged"].append(place)
        else:
            places["recorded"].append(place)
            latest[outcome.decision_id] = outcome.won
            drafts.append(entry.outcome(outcome.decision_id, won=outcome.won, key_id=key_id))
    writing.append(drafts)
    return OutcomesResult(**{name: tuple(found) for name, found in places.items()})


def _latest(connection: Connection, ids: set[str]) -> dict[str, bool]:
    query = (
        select(outcomes.c.decision_id, outcomes.c.won)
        .where(outcomes.c.decision_id.in_(ids))
        .order_by(outcomes.c.seq)
    )
    return {row.decision_id: bool(row.won) for row in connection.execute(query)}
