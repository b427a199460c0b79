"""Numbered: the Presidio operator that puts `<PERSON_1>` where a name stood."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from presidio_anonymizer.operators import Operator, OperatorType

Numbers = Mapping[tuple[str, str], int]


def numbered(values: Iterable[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """A number from 1 for each (entity type, value), in order, per type; the same value the same.

    Case and spacing make no difference.
    """
    numbers: dict[tuple[str, str], int] = {}
    last: dict[str, int] = {}
    for entity_type, value in values:
        key = (entity_type, _same(value))
        if key not in numbers:
            last[entity_type] = numbers[key] = last.get(entity_type, 0) + 1
    return numbers


class Numbered(Operator):  # type: ignore[misc]  # Presidio ships no types
    """Replace by type and number. Parameter `numbers`: what `numbered` gave for the same text."""

    NAME = "number"

    def operate(self, text: str, params: Mapping[str, Any]) -> str:
        entity_type = params["entity_type"]
        return f"<{entity_type}_{params['numbers'][entity_type, _same(text)]}>"

    def validate(self, params: Mapping[str, Any]) -> None:
        if "numbers" not in params:
            raise ValueError("The operator `number` needs `numbers`.")

    def operator_name(self) -> str:
        return self.NAME

    def operator_type(self) -> Any:
        return OperatorType.Anonymize


def _same(value: str) -> str:
    return " ".join(value.casefold().split())
