"""Lead: one lead, validated once against its spec, frozen afterwards."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from features.errors import InvalidLead
from features.lead_spec import Column, Kind, LeadSpec

MAX_TEXT_CHARS = 20_000  # the redactor's promise of a bounded time ends here
MAX_NUMBER = 3.4e38  # the classifier's row is float32
MAX_VALUE_CHARS = 1_000  # of one structured or contact value

WHOLE_FLOAT = re.compile(r"[+-]?\d+\.0")  # what gaps make of a column of whole numbers

TRUE_WORDS = frozenset({"1", "1.0", "true", "t", "yes", "y", "on"})
FALSE_WORDS = frozenset({"0", "0.0", "false", "f", "no", "n", "off"})

NUMBERS = (int, float)  # a bool is none: True is not the 1 that may mean "not known"

Value = float | str | bool


@dataclass(frozen=True, slots=True)
class Lead:
    """One lead. A column that is absent from its mapping is missing.

    numbers and flags hold floats (a flag is 0.0 or 1.0), categories the word as `category` has it.
    texts is what the lead wrote, contacts who the lead is: neither is ever a feature.
    """

    values: Mapping[str, float | str]
    texts: Mapping[str, str]
    contacts: Mapping[str, str]
    unknown_fields: int = 0

    @property
    def has_text(self) -> bool:
        return bool(self.texts)

    @property
    def text(self) -> str:
        """What it wrote, one text column after the other. Raw: only a Redactor may take it."""
        return "\n".join(self.texts.values())

    @classmethod
    def parse(
        cls,
        spec: LeadSpec,
        fields: Mapping[str, object],
        *,
        max_text_chars: float = MAX_TEXT_CHARS,
    ) -> Lead:
        """A lead from a caller's fields (JSON values, or a row of a table).

        Missing columns and missing-value words are data, not errors; fields that the spec does
        not know are counted.

        max_text_chars: of one text. More than MAX_TEXT_CHARS no Redactor reads.

        Raises:
            InvalidLead: a value has the wrong type, or is longer than anything honest.
        """
        values: dict[str, float | str] = {}
        texts: dict[str, str] = {}
        contacts: dict[str, str] = {}
        unknown_fields = 0
        readable, missing, missing_numbers = spec.readable, spec.missing, spec.missing_numbers
        for name, raw in fields.items():
            column = readable.get(name)
            if column is None:
                unknown_fields += name not in spec.known
                continue
            if raw is None or (type(raw) is float and math.isnan(raw)):
                continue
            if isinstance(raw, str) and raw.strip().casefold() in missing:
                continue
            if type(raw) in NUMBERS and raw in missing_numbers:
                continue
            kind = column.kind
            if kind is Kind.NUMERIC:
                values[name] = _number(column, raw)
            elif kind is Kind.BOOLEAN:
                values[name] = _flag(column, raw)
            elif kind is Kind.CATEGORICAL:
                values[name] = category(_word(column, raw, MAX_VALUE_CHARS))
            elif kind is Kind.TEXT:
                texts[name] = _word(column, raw, max_text_chars)
            else:
                contacts[name] = _word(column, raw, MAX_VALUE_CHARS)
        # In the spec's order, whatever the caller's was: the same lead is the same text.
        texts = {c.name: texts[c.name] for c in spec.texts if c.name in texts}
        contacts = {c.name: contacts[c.name] for c in spec.contacts if c.name in contacts}
        return cls(values, texts, contacts, unknown_fields)


def category(word: str) -> str:
    """One spelling for what CSV, Parquet and JSON write differently: 7 and 7.0, true and True."""
    if WHOLE_FLOAT.fullmatch(word):
        return word[:-2]
    return word.capitalize() if word.casefold() in ("true", "false") else word


def _number(column: Column, raw: object) -> float:
    number = math.nan
    if isinstance(raw, int | float | str):
        try:
            number = float(raw)
        except (ValueError, OverflowError):
            number = math.nan
    if not abs(number) <= MAX_NUMBER:
        fix = "Send a number, or null where it is not known"
        raise InvalidLead(column.name, "is not a finite number", fix)
    return number


def _flag(column: Column, raw: object) -> float:
    # str of a list that is nested deeply ends in a RecursionError, which is nobody's to mend.
    word = str(raw).strip().casefold() if isinstance(raw, str | int | float) else ""
    if word in TRUE_WORDS:
        return 1.0
    if word in FALSE_WORDS:
        return 0.0
    raise InvalidLead(column.name, "is not a yes or no", "Send true or false, or null")


def _word(column: Column, raw: object, limit: float) -> str:
    if isinstance(raw, float) and raw.is_integer():
        raw = int(raw)  # 7.0 in a column with gaps is the category "7"
    if not isinstance(raw, str | int | float):
        raise InvalidLead(column.name, "is not a text", "Send a string, or null")
    word = str(raw).strip()
    if len(word) > limit:
        fix = f"Send at most {limit:,} characters"
        raise InvalidLead(column.name, f"has {len(word):,} characters", fix)
    return word
