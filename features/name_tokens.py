"""NameTokens: the words of a text, and what the name recognizer's network sees of each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# In the order in which they are tried. UNREAD of `named_entities` bounds what each can run over.
TOKEN = re.compile(
    r"""\n\s*+                                # a line end, and the blank lines after it
    | [\w.+%-]++@[\w.-]++                     # an e-mail address is one word
    | [^\W\d_]\.(?!\w\w)                      # an initial
    | '(?:s|m|re|ve|ll|d|S|M|RE|VE|LL|D)\b    # it's, I'm
    | \w++(?:(?<=\w\w[nN])'[tT]\b)?+         # don't is one word
    | \S""",
    re.VERBOSE,
)
# What the network sees of a word: the first four as spaCy has them, so that its weights fit.
SEEN = ("norm", "prefix", "suffix", "shape", "kind", "start", "ending")
WORD = SEEN.index("norm")
ENDINGS = ("s", "es", "ed", "ing", "ly", "er", "est", "y", "ers")
LONGEST_RUN = 4  # of one kind of letter, in a shape


@dataclass(frozen=True, slots=True)
class Lexicon:
    """What is known of words, all in lower case.

    kinds: of an English word, some of n, v, a, r (noun, verb, adjective, adverb).
    given, family: names.
    products: words of tools and brands, neither English nor a name.
    common: words that people say often and write small (`would`, `looks`, `with`).
    """

    kinds: Mapping[str, str]
    given: frozenset[str]
    family: frozenset[str]
    products: frozenset[str]
    common: frozenset[str] = frozenset()

    def kind(self, word: str) -> str:
        """What a word in lower case is: `nv`, `+n` where only its stem is known.

        `G` or `F` a name, `B` a brand's.
        """
        kinds = self.kinds.get(word) or self._of_stem(word)
        named = "G" * (word in self.given) + "F" * (word in self.family)
        return kinds + named + "B" * (word in self.products)

    def is_name(self, word: str) -> bool:
        """True for a name in lower case."""
        return word in self.given or word in self.family

    def is_listed(self, word: str) -> bool:
        """True for a name or a product in lower case."""
        return self.is_name(word) or word in self.products

    def is_ordinary(self, word: str) -> bool:
        """True for an English word in lower case that is no name."""
        return (word in self.kinds or word in self.common) and not self.is_name(word)

    def _of_stem(self, word: str) -> str:
        for ending in ENDINGS:
            if not word.endswith(ending):
                continue
            stem = word[: -len(ending)]
            kinds = self.kinds.get(stem) or self.kinds.get(stem + "e")
            if not kinds and len(stem) > 2 and stem[-1] == stem[-2]:
                kinds = self.kinds.get(stem[:-1])
            if kinds and len(stem) > 2:
                return "+" + kinds
        return ""


def seen_of(word: str, kind: str) -> tuple[str, ...]:
    """What the network sees of a word, in the order of SEEN."""
    lower = word.lower()
    return lower, word[0], word[-3:], shape(word), kind, "^" + lower[:3], lower[-4:] + "$"


def shape(word: str) -> str:
    """`Xxxx`, `dd`, `xxxx'x`: its kinds of letters, no more than four of a kind in a row."""
    if word.isalpha():
        if word.islower():
            return "xxxx"[: len(word)]
        if word[1:].islower():
            return "X" + "xxxx"[: len(word) - 1]
        if word.isupper():
            return "XXXX"[: len(word)]
    parts: list[str] = []
    last, run = "", 0
    for c in word[:100]:
        kind = ("X" if c.isupper() else "x") if c.isalpha() else "d" if c.isdigit() else c
        run = run + 1 if kind == last else 1
        last = kind
        if run <= LONGEST_RUN:
            parts.append(kind)
    return "".join(parts)


class Features:
    """What the network sees of words, as numbers: looked up for ordinary words, made for others.

    Only words that say nothing of anybody are kept: those of the dictionary, common ones, and the
    shortest.
    """

    MOST_KEPT = 50_000
    SHORTEST = 3  # letters: `the`, `,`

    def __init__(self, lexicon: Lexicon) -> None:
        from spacy.strings import get_string_id

        self._lexicon = lexicon
        self._hashed = get_string_id
        self._kept: dict[str, tuple[int, ...]] = {}

    def of(self, words: Iterable[str]) -> NDArray[np.uint64]:
        """Shape (words, len(SEEN))."""
        kept, made = self._kept, self._made
        rows = [kept.get(word) or made(word) for word in words]
        return np.array(rows, dtype=np.uint64).reshape(len(rows), len(SEEN))

    def _made(self, word: str) -> tuple[int, ...]:
        low = word.lower()
        row = tuple(map(self._hashed, seen_of(word, self._lexicon.kind(low))))
        if len(self._kept) < self.MOST_KEPT and self.may_keep(word):
            self._kept[word] = row
        return row

    def may_keep(self, word: str) -> bool:
        """True where a word says nothing of anybody."""
        low = word.lower()
        return len(word) <= self.SHORTEST or low.endswith("n't") or self._lexicon.is_ordinary(low)
