"""Disguise: how identifiers are hidden or bent, in messages where each of them is known."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from enum import StrEnum
from types import MappingProxyType

from pipelines.redaction.example import Span
from pipelines.redaction.held_out_corpus import Message
from pipelines.redaction.span_scores import NEUTRAL

INVISIBLE = ("\u200b", "\u200c", "\u200d", "\u2060", "\ufeff")
SOFT_HYPHEN = "\xad"
# Cyrillic and Greek letters that look like Latin ones.
LOOKALIKES = str.maketrans("ABCEHIKMOPTXYaceijopsxy", "АВСЕНІКМОРТХУасеіјорѕху")  # noqa: RUF001
AT_DOT: tuple[tuple[str, str], ...] = (("(at)", "."), (" (at) ", " (dot) "), (" [at] ", "[dot]"))
AT_DOT += ((" at ", " dot "), (" AT ", " DOT "), ("[at]", "."), (" (at) ", "."))
DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
NOT_A_DIGIT = re.compile(r"[^0-9+]+")
Bend = Callable[[str, random.Random], str]


class Disguise(StrEnum):
    """How identifiers are written."""

    NONE = "none"
    ZERO_WIDTH = "zero-width"
    SOFT_HYPHEN = "soft hyphen"
    HOMOGLYPH = "homoglyph"
    FULL_WIDTH = "full-width"
    HTML_ENTITIES = "HTML entities"
    AT_DOT = "(at) and dot"
    SPELLED_DIGITS = "spelled digits"
    LOWER_CASE = "lower case"
    UPPER_CASE = "upper case"


CASES = (Disguise.LOWER_CASE, Disguise.UPPER_CASE)


def disguised(message: Message, disguise: Disguise) -> Message:
    """The message with its identifiers written so, and spans that say where they are now.

    The same message is disguised in the same way whenever it is.
    """
    example = message.example
    rng = random.Random(f"{disguise}:{example.text}")  # noqa: S311  # no secret is drawn
    parts: list[str] = []
    spans: list[Span] = []
    at = size = 0
    for span in example.spans:
        before, value = example.text[at : span.start], example.text[span.start : span.end]
        written = _written(value, span.entity_type, disguise, rng)
        parts += [before, written]
        size += len(before)
        spans.append(Span(size, size + len(written), span.entity_type))
        size += len(written)
        at = span.end
    text = "".join([*parts, example.text[at:]])
    return replace(message, example=replace(example, text=text, spans=tuple(spans)))


def _written(value: str, entity_type: str, disguise: Disguise, rng: random.Random) -> str:
    bent = TYPES.get(disguise)
    if entity_type in NEUTRAL or (bent is not None and entity_type not in bent):
        return value
    if disguise in CASES and entity_type == "CREDENTIAL":  # another case is another password
        return value
    return BENDS[disguise](value, rng)


def _between(signs: tuple[str, ...]) -> Bend:
    def bend(value: str, rng: random.Random) -> str:
        """A sign after every letter or two, not after the last."""
        return value[:1] + "".join(
            (rng.choice(signs) if rng.random() < 0.6 else "") + c for c in value[1:]
        )

    return bend


def _lookalikes(value: str, rng: random.Random) -> str:
    return "".join(c.translate(LOOKALIKES) if rng.random() < 0.5 else c for c in value)


def _full_width(value: str, _: random.Random) -> str:
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in value)


def _entities(value: str, rng: random.Random) -> str:
    shapes = ("&#{};", "&#x{:x};")
    return "".join(
        rng.choice(shapes).format(ord(c)) if rng.random() < 0.5 and not c.isspace() else c
        for c in value
    )


def _at_dot(value: str, rng: random.Random) -> str:
    at, dot = rng.choice(AT_DOT)
    local, sign, host = value.rpartition("@")
    return local + (at if sign else "") + host.replace(".", dot)


def _spelled(value: str, rng: random.Random) -> str:
    """`+49 30` as `plus four nine three zero`, or `... three oh`, or with hyphens."""
    zero, between = rng.choice(("zero", "zero", "oh")), rng.choice((" ", " ", " ", "-", ", "))
    words = {"+": "plus", "0": zero} | {str(i): DIGITS[i] for i in range(1, 10)}
    return between.join(words[c] for c in NOT_A_DIGIT.sub("", value)) or value


BENDS: Mapping[Disguise, Bend] = MappingProxyType(
    {
        Disguise.NONE: lambda value, _: value,
        Disguise.ZERO_WIDTH: _between(INVISIBLE),
        Disguise.SOFT_HYPHEN: _between((SOFT_HYPHEN,)),
        Disguise.HOMOGLYPH: _lookalikes,
        Disguise.FULL_WIDTH: _full_width,
        Disguise.HTML_ENTITIES: _entities,
        Disguise.AT_DOT: _at_dot,
        Disguise.SPELLED_DIGITS: _spelled,
        Disguise.LOWER_CASE: lambda value, _: value.lower(),
        Disguise.UPPER_CASE: lambda value, _: value.upper(),
    }
)
# Which types are written so at all; all where none are named.
TYPES: Mapping[Disguise, frozenset[str]] = MappingProxyType(
    {
        Disguise.AT_DOT: frozenset({"EMAIL_ADDRESS", "URL"}),
        Disguise.SPELLED_DIGITS: frozenset({"PHONE_NUMBER", "CREDIT_CARD"}),
    }
)
