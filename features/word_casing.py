"""WordCasing: how often people begin a word with a capital, and how often they say it at all.

`Price` is a name too, but who writes `price` hardly ever means one; `Grace` is another matter. A
census knows who is called so, not what else the word is said for.

`ner/word_casing.txt` is made of the probabilities of English words that the package
spacy-lookups-data 1.0.5 (MIT) ships (`pipelines/redaction/word_casing_list.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from features.word_sizes import Sizes, read_sizes, write_sizes

FILE = "word_casing.txt"
TENTHS = 10
SMALL = 2  # tenths with a capital: those that begin a sentence
OFTEN = 6  # twice the decimal logarithm, of a billion


@dataclass(frozen=True, slots=True)
class WordCasing:
    """By word, in plain small letters: tenths of it with a first capital, of those with that or
    none; and twice the decimal logarithm of how often it is said in a billion words.
    """

    sizes: Sizes

    @classmethod
    def read(cls, folder: Path) -> WordCasing:
        """The list of a folder."""
        return cls(read_sizes(folder / FILE))

    def write(self, folder: Path) -> None:
        """Write the list."""
        write_sizes(self.sizes, folder / FILE)

    def common(self) -> dict[str, float]:
        """Words said once in a million or more, and written small, with the logarithm."""
        return {
            word: said / 2
            for word, (tenths, said) in self.sizes.items()
            if tenths <= SMALL and said >= OFTEN
        }

    def of(self, plain: str) -> tuple[float, float] | None:
        """Of a word in plain small letters: the share with a capital, and the logarithm; None
        where hardly anybody says it.
        """
        found = self.sizes.get(plain)
        return found and (found[0] / TENTHS, found[1] / 2)
