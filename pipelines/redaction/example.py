"""Example: a text in which every span of personal data is known."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

SLOT = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Span:
    """Characters start to end of a text. entity_type: a name of the redaction policy's."""

    start: int
    end: int
    entity_type: str


@dataclass(frozen=True, slots=True)
class Example:
    """A text with its spans, disjoint and in order.

    template: what it was made from; nothing is both trained and reported on.
    contacts: contact columns of the lead that wrote it, as the service would have them.
    """

    text: str
    spans: tuple[Span, ...]
    template: str
    locale: str = "en_US"
    contacts: Mapping[str, str] = field(default_factory=dict)


def filled(
    template: str, values: Mapping[str, str], kinds: Mapping[str, str | None]
) -> tuple[str, tuple[Span, ...]]:
    """`template` with each `{slot}` replaced by its value, and where those came to stand.

    kinds: the entity type of each slot; None for a decoy, which is text and no span.
    """
    parts: list[str] = []
    spans: list[Span] = []
    at = size = 0
    for slot in SLOT.finditer(template):
        before, value = template[at : slot.start()], values[slot[1]]
        parts += [before, value]
        size += len(before)
        kind = kinds[slot[1]]
        if kind is not None and value:
            spans.append(Span(size, size + len(value), kind))
        size += len(value)
        at = slot.end()
    return "".join([*parts, template[at:]]), tuple(spans)
