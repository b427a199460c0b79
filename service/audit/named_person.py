"""NamedPerson: whom a request is about, by contact values, or as whom a decision is about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from features.lead import MAX_VALUE_CHARS
from service.errors import MalformedRequest
from service.schemas import decision_id_in, parse_object


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
        contacts = tree.get("contacts", {})
        decision_id = None if tree.get("decision_id") is None else decision_id_in(tree)
        fix = 'Send {"decision_id": "..."} or {"contacts": {"email": "..."}}.'
        if not isinstance(contacts, Mapping) or not all(
            isinstance(value, str) for value in contacts.values()
        ):
            raise MalformedRequest("They are no texts by column.", fix, field="contacts")
        if any(len(value.strip()) > MAX_VALUE_CHARS for value in contacts.values()):
            fix = f"Send at most {MAX_VALUE_CHARS:,} characters, as in a lead."
            raise MalformedRequest("A value is too long.", fix, field="contacts")
        if bool(contacts) == bool(decision_id):
            raise MalformedRequest("It does not say about whom.", fix)
        return cls(contacts, decision_id)
