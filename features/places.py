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
# What stands before a place, and hardly ever before a person. Not `from` and `to`: people send.
BEFORE = re.compile(r"(?i)\b(?:in|near|outside|across|throughout)[ ]$")
PREPOSITION = 12  # characters, at most, with what is before it
NEIGHBOUR_BEFORE = re.compile(r"([^\W\d_]+)[ ]$")
NEIGHBOUR_AFTER = re.compile(r"[ ]([^\W\d_]+)")
LONGEST = 20  # letters of such a neighbour
REGION_AFTER = re.compile(r",?[ ](?P<state>[A-Z]{2})\b|,[ ](?P<place>[^\W\d_]+(?:[ ][^\W\d_]+)?)")
# Without those that are words or titles too: OK, IN, ID, MD, MA...
STATES = frozenset(
    """
    AL AK AZ AR CA CO CT DE DC FL GA IL IA KS KY LA MI MN MO MT NE NV NH NJ NM NY NC ND OH RI
    SC SD TN TX UT VT VA WA WV WI WY AB BC MB NB NL NS QC SK UK
    """.split()  # noqa: SIM905  # to be read
)
WORD = re.compile(r"[^\W\d_]+")
NAMESAKE = "?"  # behind a place on the list
# Some people are called like these, but hardly anybody like a town, a comma and one of them.
REGIONS = frozenset(
    """
    alabama alaska arizona arkansas california colorado connecticut delaware florida georgia hawaii
    idaho illinois indiana iowa kansas kentucky louisiana maine maryland massachusetts michigan
    minnesota mississippi missouri montana nebraska nevada ohio oklahoma ontario oregon
    pennsylvania quebec tennessee texas utah vermont virginia washington wisconsin wyoming
    england france germany italy scotland spain wales
    """.split()  # noqa: SIM905  # to be read
)


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

    def stand_at(self, text: str, start: int, end: int) -> bool:
        """True where the words around tell that a namesake is meant as a place.

        `in Georgia`, `North Carolina`, `Austin, TX`, `Florence, Italy`; not `in Georgia's name`.
        """
        value = text[start:end]
        if self.has(value):
            if text.startswith("'s", end):
                return False
            if BEFORE.search(text, max(0, start - PREPOSITION), start):
                return True
            if self._has_region(text, end):
                return True
        before = NEIGHBOUR_BEFORE.search(text, max(0, start - LONGEST), start)
        after = NEIGHBOUR_AFTER.match(text, end)
        wider = [f"{before[1]} {value}"] if before else []
        wider += [f"{value} {after[1]}"] if after else []
        return any(map(self.has, wider))

    def _has_region(self, text: str, end: int) -> bool:
        after = REGION_AFTER.match(text, end)
        if after is None:
            return False
        if after["state"]:
            return after["state"] in STATES
        regions = [place_key(after["place"])]
        regions.append(regions[0].partition(" ")[0])
        return any(region in self.nobodys or region in REGIONS for region in regions)

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
