"""Places: countries, states and large towns. They identify nobody, and stay.

To a network that knows few of them `Costa Rica` could be a colleague, and `Kuala Lumpur` part of
an address. `ner/places.txt` is made of GeoNames (`pipelines/redaction/place_list.py`).
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from features.name_counts import plain_letters

FILE = "places.txt"
NEIGHBOUR_BEFORE = re.compile(r"([^\W\d_]+)[ ]$")
NEIGHBOUR_AFTER = re.compile(r"[ ]([^\W\d_]+)")
LONGEST = 20  # letters of such a neighbour
WORD = re.compile(r"[^\W\d_]+")
NAMESAKE = "?"  # behind a place on the list


@dataclass(frozen=True, slots=True)
class Places:
    """Their names in English, as `place_key` writes them.

    nobodys: those that nobody is called by: `Costa Rica`, `Kuala Lumpur`.
    namesakes: the others, and every town of one word: `Jordan`, `Florence`, `Santa Rosa`.
    """

    nobodys: Collection[str]
    namesakes: Collection[str]

    @classmethod
    def read(cls, folder: Path) -> Places:
        """The list of a folder."""
        lines = (folder / FILE).read_text(encoding="ascii").splitlines()
        return cls(
            frozenset(line for line in lines if not line.endswith(NAMESAKE)),
            frozenset(line.removesuffix(NAMESAKE) for line in lines if line.endswith(NAMESAKE)),
        )

    def write(self, folder: Path) -> None:
        """Write the list."""
        lines = [*self.nobodys, *(place + NAMESAKE for place in self.namesakes)]
        text = "".join(f"{line}\n" for line in sorted(lines))
        (folder / FILE).write_text(text, encoding="ascii", newline="\n")

    def has(self, value: str) -> bool:
        """True for the whole name of a place, nothing more."""
        key = place_key(value)
        return key in self.nobodys or key in self.namesakes

    def are_part_at(self, text: str, start: int, end: int) -> bool:
        """True where a word is half of a place's name: `North Carolina`, `Los Angeles`.

        Both halves have a capital: `our fort Wayne mentioned`. That somebody is `in Georgia`, or a
        state stands behind a comma, says too little: `bring in Madison`, `Austin, Virginia and I`.
        """
        value = text[start:end]
        before = NEIGHBOUR_BEFORE.search(text, max(0, start - LONGEST), start)
        after = NEIGHBOUR_AFTER.match(text, end)
        wider = [f"{before[1]} {value}"] if before and before[1].istitle() else []
        wider += [f"{value} {after[1]}"] if after and after[1].istitle() else []
        return value.istitle() and any(map(self.has, wider))

    def are(self, value: str, entity_type: str) -> bool:
        """True where what a network takes for a person, or for an address, is but a place."""
        if entity_type == "PERSON":
            return place_key(value) in self.nobodys
        return entity_type == "STREET_ADDRESS" and self.has(value)


def place_key(value: str) -> str:
    """Its words in plain letters; empty where there are figures."""
    if any(map(str.isdigit, value)):
        return ""
    return " ".join(map(plain_letters, WORD.findall(value)))
