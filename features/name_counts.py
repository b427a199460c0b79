"""NameCounts: how many people bear a name, by a census.

`ner/census_names.txt` is the whole list of the US Census of 2020 (public domain): every given and
family name that about 100 people or more bear, with the size of their number. A country of
immigrants, so it holds names of most languages in Latin letters.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

FILE = "census_names.txt"
LETTERS = str.maketrans({"ß": "ss", "ø": "o", "ł": "l", "đ": "d", "æ": "ae", "œ": "oe"})


@dataclass(frozen=True, slots=True)
class NameCounts:
    """By name, in plain small letters: twice the decimal logarithm of how many bear it as given
    name, and as family name; 0: too few to be listed.
    """

    sizes: Mapping[str, tuple[int, int]]

    @classmethod
    def read(cls, folder: Path) -> NameCounts:
        """The list of a folder: `smith 7 13`, one name a line."""
        pairs: dict[str, tuple[int, int]] = {}  # few differ: a tuple for each name is 10 MB
        sizes: dict[str, tuple[int, int]] = {}
        with (folder / FILE).open(encoding="ascii") as lines:
            for line in lines:
                name, _, size = line.partition(" ")
                if size not in pairs:
                    given, family = size.split()
                    pairs[size] = int(given), int(family)
                sizes[name] = pairs[size]
        return cls(sizes)

    def write(self, folder: Path) -> None:
        """Write the list."""
        lines = (f"{name} {given} {family}\n" for name, (given, family) in self.sorted())
        (folder / FILE).write_text("".join(lines), encoding="ascii", newline="\n")

    def sorted(self) -> Iterable[tuple[str, tuple[int, int]]]:
        """All names, in order."""
        return sorted(self.sizes.items())

    def of(self, word: str) -> tuple[float, float]:
        """Of a word in plain letters: the decimal logarithms, given and family."""
        given, family = self.sizes.get(word, (0, 0))
        return given / 2, family / 2


def plain_letters(word: str) -> str:
    """A word in small letters a to z, as a census writes it; other scripts as they are."""
    if word.isascii():
        return word.lower()
    base = unicodedata.normalize("NFKD", word.casefold().translate(LETTERS))
    return "".join(c for c in base if not unicodedata.combining(c))
