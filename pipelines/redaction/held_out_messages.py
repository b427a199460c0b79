"""Held-out messages: what leads write, with slots for identities. Nothing is trained on these.

`templates/held_out_leads.txt` holds messages of leads, `held_out_decoys.txt` and
`held_out_trade_talk.txt` messages full of words that look like names and are none: rules were
tuned on the first, and none on the second. `held_out_notes.txt` holds short notes about people, by
one word mostly, and about things; who wrote them knew none of the others, and who tunes has read
none of them. A template begins with a line `=== NAME LANGUAGE
[CASE]`; a slot `{full}` is of the sender, `{b_full}`, `{c_full}`, `{d_full}` are of three others.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

HEADER = re.compile(r"^=== (\S+) (\w\w)(?: (lower|upper))?$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Template:
    """A message with slots.

    language: ISO 639-1.
    case: "lower" or "upper": how the names in it are typed; "" as they are.
    """

    name: str
    language: str
    case: str
    text: str


@cache
def lead_templates() -> tuple[Template, ...]:
    """What leads write: forms, chat, signatures, complaints, notes; four languages."""
    return _templates("held_out_leads.txt")


@cache
def decoy_templates() -> tuple[Template, ...]:
    """Products, tools, months, prices, places, titles; few people or none."""
    return _templates("held_out_decoys.txt")


@cache
def decoy_words() -> dict[str, list[str]]:
    """What the slots of decoys are filled with, by slot."""
    return tomllib.loads(_read("held_out_decoys.toml"))


@cache
def trade_templates() -> tuple[Template, ...]:
    """Tiers, features, campaigns, papers, job titles, tools, devices, shops; few people or none."""
    return _templates("held_out_trade_talk.txt")


@cache
def trade_words() -> dict[str, list[str]]:
    """What the slots of trade talk are filled with, by slot."""
    return tomllib.loads(_read("held_out_trade_talk.toml"))


@cache
def note_templates() -> tuple[Template, ...]:
    """Notes of sales, support and customers: people, by one word mostly, and products."""
    return _templates("held_out_notes.txt")


@cache
def note_words() -> dict[str, list[str]]:
    """What the slots of notes are filled with, by slot."""
    return tomllib.loads(_read("held_out_notes.toml"))


def _templates(file: str) -> tuple[Template, ...]:
    _, *parts = HEADER.split(_read(file))
    fours = zip(parts[::4], parts[1::4], parts[2::4], parts[3::4], strict=True)
    return tuple(
        Template(name, language, case or "", text.strip("\n"))
        for name, language, case, text in fours
    )


def _read(file: str) -> str:
    return files(__package__).joinpath("templates", file).read_text(encoding="utf-8")
