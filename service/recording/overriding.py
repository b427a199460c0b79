"""Overriding: a person decides otherwise, and the ledger says so (EU AI Act, Art. 14)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select

from service.errors import MalformedRequest, NoSuchEntry
from service.recording import entry
from service.recording.entry import Because
from service.schemas import decision_id_in, parse_object
from service.storage.tables import decisions, overrides
from service.storage.writing import Writing


@dataclass(frozen=True, slots=True)
class Override:
    """What a person decided about a lead. pursue: whether the house goes on with it."""

    decision_id: str
    pursue: bool
    because: Because

    @classmethod
    def parse(cls, body: bytes) -> Override:
        """Raises MalformedRequest."""
        return cls.of(parse_object(body, {"decision_id", "pursue", "because"}))

    @classmethod
    def of(cls, tree: Mapping[str, object]) -> Override:
        """Raises MalformedRequest."""
        decision_id, pursue = decision_id_in(tree), tree.get("pursue")
        because = tree.get("because", Because.OTHER.value)
        if not isinstance(pursue, bool):
            fix = "Send a boolean: whether to go on with this lead."
            raise MalformedRequest("It is neither true nor false.", fix, field="pursue")
        if not isinstance(because, str) or because not in set(Because):
            fix = f"Send one of: {', '.join(Because)}."
            raise MalformedRequest("It is no known reason.", fix, field="because")
        return cls(decision_id, pursue, Because(because))


def record_override(writing: Writing, override: Override, key_id: str) -> None:
    """Append it, unless it is what the latest one says: sent again, it is one. Raises NoSuchEntry.

    The latest of a decision counts.
    """
    writing.take_turn()
    query = select(decisions.c.id).where(decisions.c.id == override.decision_id)
    if writing.connection.scalar(query) is None:
        raise NoSuchEntry("There is no such decision. Send the decision_id of an answer.")
    columns = (overrides.c.pursue, overrides.c.because, overrides.c.key_id)
    mine = select(*columns).where(overrides.c.decision_id == override.decision_id)
    latest = writing.connection.execute(mine.order_by(overrides.c.seq.desc()).limit(1)).first()
    said = (override.pursue, override.because.value, key_id)
    if latest is not None and (bool(latest.pursue), *latest[1:]) == said:
        return
    draft = entry.override(
        override.decision_id, pursue=override.pursue, because=override.because, key_id=key_id
    )
    writing.append([draft])
