"""Held-out corpora: messages in which every direct identifier is known, to measure redaction on.

Templates and identities share nothing with what the name recogniser learns from.
"""

from __future__ import annotations

import json
import random
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from pathlib import Path
from typing import Any

from pipelines.redaction.example import SLOT, Example, Span, filled
from pipelines.redaction.held_out_messages import (
    HeldOut,
    Template,
    held_out_templates,
    held_out_words,
)
from pipelines.redaction.identities import (
    SLOT_TYPES,
    TEST_LOCALES,
    Identities,
    Identity,
    Part,
)

OTHERS = ("b_", "c_", "d_")
LOCALES_OF = {"de": ("de_DE",), "fr": ("fr_FR",), "es": ("es_ES",)}  # English is typed everywhere
OTHER_PEOPLE = 1_000  # a kind names nobody that others of the same seed name
EXACT_CASE = frozenset({"token"})  # a password in lower case is another one
# Which contact column a value of the sender's belongs to.
COLUMN = {"first": "name", "last": "name", "full": "name"}
COLUMN |= {column: column for column in ("company", "email", "phone")}
# Labels of pii_synth_dev.json that the redaction policy calls something else.
SYNTH_TYPES = {
    "GPE": "LOCATION",
    "ZIP_CODE": "STREET_ADDRESS",
    "US_DRIVER_LICENSE": "IDENTITY_DOCUMENT",
}


@dataclass(frozen=True, slots=True)
class Message:
    """An example, and which of its spans are the lead's own identity: in its contact columns."""

    example: Example
    own: frozenset[int] = frozenset()


class Half(StrEnum):
    """Of the templates of a public annotated set: the even ones may be looked at, and tuned on."""

    DEVELOPMENT = "development"
    HELD_OUT = "held-out"


def held_out_corpus(kind: HeldOut, seed: int, copies: int = 3) -> list[Message]:
    """Messages of one kind, each template `copies` times; half have contact columns."""
    drawn = seed + OTHER_PEOPLE * list(HeldOut).index(kind)
    return list(_corpus(held_out_templates(kind), held_out_words(kind), drawn, copies))


def annotated_sentences(path: Path, half: Half) -> list[Message]:
    """Half of the sentences of a set in the form of presidio-evaluator (pii_synth_dev.json)."""
    odd = half is Half.HELD_OUT
    rows = json.loads(path.read_text(encoding="utf-8"))
    return [Message(_annotated(row)) for row in rows if row["template_id"] % 2 == odd]


def _annotated(row: Mapping[str, Any]) -> Example:
    rows = sorted(row["spans"], key=lambda s: s["start_position"])
    spans = tuple(Span(s["start_position"], s["end_position"], _renamed(s)) for s in rows)
    return Example(row["full_text"], spans, f"synth-{row['template_id']}")


def _renamed(span: Mapping[str, str]) -> str:
    return SYNTH_TYPES.get(span["entity_type"], span["entity_type"])


def _corpus(
    templates: Sequence[Template], words: Mapping[str, list[str]], seed: int, copies: int
) -> Iterator[Message]:
    identities = Identities(Part.TEST, seed)
    rng = random.Random(f"held-out:{seed}")  # noqa: S311  # no secret is drawn
    for copy in range(copies):
        for place, template in enumerate(templates):
            locales = LOCALES_OF.get(template.language, TEST_LOCALES)
            locale = locales[(place + copy) % len(locales)]
            yield _message(template, words, locale, identities, rng)


def _message(
    template: Template,
    words: Mapping[str, list[str]],
    locale: str,
    identities: Identities,
    rng: random.Random,
) -> Message:
    sender = identities.draw(locale)
    values = _slots(sender, "")
    for prefix in OTHERS:
        values |= _slots(identities.draw(locale), prefix)
    for slot, choices in words.items():
        drawn = rng.sample(choices, 3)
        values |= {slot: drawn[0], f"{slot}_2": drawn[1], f"{slot}_3": drawn[2]}
    values = {slot: _cased(slot, value, template.case) for slot, value in values.items()}
    kinds = {slot: SLOT_TYPES.get(_field(slot)) for slot in values}
    kinds |= {slot: "TITLE" for slot in kinds if _field(slot) == "title"}
    text, spans = filled(template.text, values, kinds)
    contacts = _contacts(sender, rng) if rng.random() < 0.5 else {}
    named = [m[1] for m in SLOT.finditer(template.text) if kinds[m[1]] is not None]
    known = {slot for slot, column in COLUMN.items() if column in contacts}
    if sender.full not in {f"{sender.first} {sender.last}", f"{sender.last}, {sender.first}"}:
        known.discard("full")  # a second surname or an initial is in no column
    own = frozenset(i for i, slot in enumerate(named) if slot in known)
    return Message(Example(text, spans, template.name, locale, contacts), own)


def _slots(identity: Identity, prefix: str) -> dict[str, str]:
    return {prefix + f.name: getattr(identity, f.name) for f in fields(identity)}


def _field(slot: str) -> str:
    return slot[2:] if slot[:2] in OTHERS else slot


def _cased(slot: str, value: str, case: str) -> str:
    if not case or _field(slot) in EXACT_CASE:
        return value
    return value.lower() if case == "lower" else value.upper()


def _contacts(sender: Identity, rng: random.Random) -> dict[str, str]:
    """Contact columns, written as in some other system: order, accents, case, notation."""
    full = f"{sender.first} {sender.last}"
    name = rng.choice([full, full, f"{sender.last}, {sender.first}", full.upper(), _bare(full)])
    contacts = {"name": name, "email": rng.choice([sender.email, sender.email.upper()])}
    if rng.random() < 0.8:
        contacts |= {"phone": _dialled(sender, rng), "company": _bare(sender.company)}
    return contacts


def _dialled(sender: Identity, rng: random.Random) -> str:
    """The phone number as it is in the text, or as a dialler stores it."""
    import phonenumbers

    typed = sender.phone
    number = phonenumbers.parse("+" + typed[2:] if typed[:2] == "00" else typed, sender.locale[3:])
    stored = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return rng.choice([typed, str(stored)])


def _bare(name: str) -> str:
    parts = unicodedata.normalize("NFKD", name)
    return "".join(c for c in parts if not unicodedata.combining(c))
