"""Held-out messages: what leads write, with slots for identities. Nothing is trained on these.

A template of `templates/held_out_*.txt` begins with a line `=== NAME LANGUAGE [CASE]`; a slot
`{full}` is of the sender, `{b_full}`, `{c_full}`, `{d_full}` are of three others.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files

LETTERS = re.compile(r"[^\W\d_]{2}")
NOT_SOLD = frozenset({"month", "weekday", "price", "town", "role"})
HEADER = re.compile(r"^=== (\S+) (\w\w)(?: (lower|upper))?$", re.MULTILINE)


class HeldOut(StrEnum):
    """Kinds of messages.

    Attributes:
        LEADS: forms, chat, signatures, complaints, notes; four languages.
        DECOYS: products, tools, months, prices, places, titles; few people. Rules were tuned on
            these.
        TRADE_TALK: tiers, features, campaigns, papers, job titles, tools, devices, shops. No rule
            was tuned on these.
        NOTES: of sales, support and customers: people, by one word mostly, and things. Who wrote
            them knew none of the others, and who tunes has read none of them.
        WEB: reviews, posts and chat of ordinary people: few persons among much else. The same holds
            for who wrote them, and for who tunes.
    """

    LEADS = "leads"
    DECOYS = "decoys"
    TRADE_TALK = "trade talk"
    NOTES = "notes"
    WEB = "web"

    @property
    def stem(self) -> str:
        """Of its files."""
        return "held_out_" + self.replace(" ", "_")


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
def held_out_templates(kind: HeldOut) -> tuple[Template, ...]:
    """All of one kind, in order."""
    _, *parts = HEADER.split(_read(f"{kind.stem}.txt"))
    fours = zip(parts[::4], parts[1::4], parts[2::4], parts[3::4], strict=True)
    return tuple(
        Template(name, language, case or "", text.strip("\n"))
        for name, language, case, text in fours
    )


@cache
def held_out_words(kind: HeldOut) -> dict[str, list[str]]:
    """What slots that are nobody's are filled with, by slot. Leads name what decoys name."""
    words = HeldOut.DECOYS if kind is HeldOut.LEADS else kind
    return tomllib.loads(_read(f"{words.stem}.toml"))


def held_out_products(kind: HeldOut) -> tuple[str, ...]:
    """What of these a house might put on its allow list: whatever is sold, used or launched."""
    slots = held_out_words(kind).items()
    words = [word for slot, words in slots if slot not in NOT_SOLD for word in words]
    return tuple(word for word in words if LETTERS.search(word))


def _read(file: str) -> str:
    return files(__package__).joinpath("templates", file).read_text(encoding="utf-8")
