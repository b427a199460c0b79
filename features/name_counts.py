"""NameCounts: how many people bear a name, by a census.

`ner/census_names.txt` is the whole list of the US Census of 2020 (public domain): every given and
family name that about 100 people or more bear, with the size of their number. A country of
immigrants, so it holds names of most languages in Latin letters.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from pathlib import Path

from features.word_sizes import Sizes, read_sizes, write_sizes

FILE = "census_names.txt"
LETTERS = str.maketrans({"ß": "ss", "ø": "o", "ł": "l", "đ": "d", "æ": "ae", "œ": "oe"})


@dataclass(frozen=True, slots=True)
class NameCounts:
    """By name, in plain small letters: twice the decimal logarithm of how many bear it as given
    name, and as family name; 0: too few to be listed.
    """

    sizes: Sizes

    @classmethod
    def read(cls, folder: Path) -> NameCounts:
        """The list of a folder."""
        return cls(read_sizes(folder / FILE))

    def write(self, folder: Path) -> None:
        """Write the list."""
        write_sizes(self.sizes, folder / FILE)

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
