"""NamedPerson: whom a request is about, by contact values, or as whom a decision is about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from service.errors import MalformedRequest
from service.schemas import parse_object


@dataclass(frozen=True, slots=True)
class NamedPerson:
    """One of the two is there."""

    contacts: Mapping[str, str]
    decision_id: str | None = None

    @classmethod
    def parse(cls, body: bytes) -> NamedPerson:
        """Raises MalformedRequest."""
        return cls.of(parse_object(body, {"contacts", "decision_id"}))

    @classmethod
    def of(cls, tree: Mapping[str, object]) -> NamedPerson:
        """From a parsed body. Raises MalformedRequest."""
        contacts, decision_id = tree.get("contacts", {}), tree.get("decision_id")
        fix = 'Send {"decision_id": "..."} or {"contacts": {"email": "..."}}.'
        if decision_id is not None and not isinstance(decision_id, str):
            raise MalformedRequest("It is no decision id.", fix, field="decision_id")
        if not isinstance(contacts, Mapping) or not all(
            isinstance(value, str) for value in contacts.values()
        ):
            raise MalformedRequest("They are no texts by column.", fix, field="contacts")
        if bool(contacts) == bool(decision_id):
            raise MalformedRequest("It does not say about whom.", fix)
        return cls(contacts, decision_id)
