"""SecondLook: is a single word, or two, that a network takes for a person's name really one?

A network knows few names and fewer products: to it "moving off Avalara" could be a colleague. What
tells, beside what the network says of the words around: how many people bear the name, whether it
is English or a product, how it sounds, what it is listed with. All of that is weighed by a
logistic regression (`ner/second_look.txt` names each sign and its weight).

It also asks of words that the network only nearly took for names: what a frequent name makes likely
is found again, and pays for what an unknown product no longer costs.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from features.found_span import LIKELY
from features.name_counts import NameCounts, plain_letters
from features.name_reader import GROUPS, PERSON, Reading
from features.name_sound import NameSound
from features.name_tokens import Lexicon

LEAST = 0.002  # of a probability: a word that is less of a person is not asked about
CERTAIN = 0.00001  # no probability is nearer to 0 or 1 than this
SHORTEST = 3  # letters of a name that is recognised elsewhere
NEAR = 8  # words before and after
MOST_NEAR = 3
JOINED = frozenset({",", "and", "or", "but", "&", "/", "+", "vs", "plus", "und", "et", "y"})
KINDS = {"noun": "n", "verb": "v", "adjective": "a", "adverb": "r"}
SIDES = ("before", "after")
WORD_SIGNS = (
    "given", "family", "no given", "no family", "unlisted", "product", "english", "of english stem",
    *KINDS, "english and listed", "sound", "length", "short", "lower", "title", "upper", "mixed",
    "accented",
)  # fmt: skip
SPAN_SIGNS = (
    "bias", "nearly taken", "two words", "with initial", "said again", "products near",
    "people near", *(f"likely {group}" for group in GROUPS),
    *(f"{side} joined {sign}" for side in SIDES for sign in (*GROUPS, "product", "given")),
)  # fmt: skip
PLACES = ("only", "first", "last")  # of a word among those of its span
SIGNS = (*SPAN_SIGNS, *(f"{place} word {sign}" for place in PLACES for sign in WORD_SIGNS))
AT = {sign: i for i, sign in enumerate(SIGNS)}


@dataclass(frozen=True, slots=True)
class Look:
    """Words that may be somebody's name: the first, the one after the last.

    taken: the network says that they are one; it only nearly says so of others.
    """

    first: int
    after: int
    taken: bool


@dataclass(frozen=True, slots=True)
class Judged:
    """A look at a reading. sure: the probability, in [0, 1], that it is somebody's name."""

    reading: Reading
    look: Look
    sure: float

    def is_in(self, known: Collection[str]) -> bool:
        """True where it is one word, no shorter than a name, of those that are known."""
        words = self.reading.words[self.look.first : self.look.after]
        names = [plain_letters(word) for word in words if is_word(word)]
        return len(names) == 1 and len(names[0]) >= SHORTEST and names[0] in known


class SecondLook:
    """How sure it is that words are somebody's name. Safe to share between threads."""

    def __init__(
        self, lexicon: Lexicon, counts: NameCounts, sound: NameSound, weights: Mapping[str, float]
    ) -> None:
        """weights: of each of SIGNS; their sum is 0 where what is kept and what goes part."""
        self._lexicon = lexicon
        self._counts = counts
        self._sound = sound
        self._weights = np.array([weights[sign] for sign in SIGNS], dtype=np.float32)

    def sure(self, readings: Sequence[Reading], mailed: Collection[str] = ()) -> Iterator[Judged]:
        """All looks at the pieces of a text, each with the probability that it is a name.

        mailed: plain words of the text's e-mail addresses. One that is in a mailbox, or in a full
        name elsewhere in the text, is somebody's for sure.
        """
        judged = [
            Judged(reading, look, self._probability(signs))
            for reading in readings
            for look, signs in self.looks(reading)
        ]
        doubted = {(id(j.reading), j.look.first) for j in judged if j.sure < LIKELY}
        known = frozenset(mailed).union(
            plain_letters(word)
            for reading in readings
            for first, after, label in reading.names
            if label == PERSON and after - first > 1 and (id(reading), first) not in doubted
            for word in reading.words[first:after]
        )
        for one in judged:
            yield replace(one, sure=1.0) if one.is_in(known) else one

    def _probability(self, signs: NDArray[np.float32]) -> float:
        return 1 / (1 + math.exp(-float(signs @ self._weights)))

    def looks(self, reading: Reading) -> Iterator[tuple[Look, NDArray[np.float32]]]:
        """What is looked at twice, and the signs of each."""
        if not reading.words:
            return
        groups, labels = reading.groups(), reading.labels()
        for look in self._candidates(reading, groups, labels):
            names = [w for w in reading.words[look.first : look.after] if is_word(w)]
            if names:
                yield look, self._signs(reading, look, names, groups, labels)

    def _candidates(
        self, reading: Reading, groups: NDArray[np.float32], labels: Sequence[str]
    ) -> Iterator[Look]:
        words = reading.words
        for first, after, label in reading.names:
            if label == PERSON and sum(w[0].isalpha() for w in words[first:after]) <= 2:  # words
                yield Look(first, after, taken=True)
        for i in np.flatnonzero(groups[:, GROUPS.index(PERSON)] > LEAST).tolist():
            if labels[i] in {"O", "MISC"} and self._may_be_name(words[i]):
                yield Look(i, i + 1, taken=False)

    def _may_be_name(self, word: str) -> bool:
        """Written as a name; in small letters only a name that is listed, and no other word."""
        if not is_word(word) or any(map(str.isdigit, word)):
            return False
        if not word.islower():
            return True
        return word not in self._lexicon.kinds and any(self._counts.of(plain_letters(word)))

    def _signs(
        self,
        reading: Reading,
        look: Look,
        names: Sequence[str],
        groups: NDArray[np.float32],
        labels: Sequence[str],
    ) -> NDArray[np.float32]:
        signs = np.zeros(len(SIGNS), dtype=np.float32)
        words = reading.words
        first, after = look.first, look.after
        inside = range(first, after)
        near = [
            i for i in range(max(0, first - NEAR), min(len(words), after + NEAR)) if i not in inside
        ]
        products = sum(labels[i] == "MISC" or self._is_product(words[i]) for i in near)
        lettered = sum(word[0].isalpha() for word in words[first:after])
        signs[: len(SPAN_SIGNS) - 2 * (len(GROUPS) + 2)] = (
            1, not look.taken, len(names) > 1, len(names) < lettered,
            words.count(names[0]) > 1, min(MOST_NEAR, products),
            min(MOST_NEAR, sum(labels[i] == PERSON for i in near)),
            *_log_odds(groups[first:after]),
        )  # fmt: skip
        for side, at, step in (("before", first - 1, -1), ("after", after, 1)):
            other = _joined(words, at, step)
            if other is not None:
                signs[AT[f"{side} joined {labels[other]}"]] = 1
                signs[AT[f"{side} joined product"]] = self._is_product(words[other])
                given, _ = self._counts.of(plain_letters(words[other]))
                signs[AT[f"{side} joined given"]] = given
        places = {"only": names[0]} if len(names) == 1 else {"first": names[0], "last": names[-1]}
        for place, name in places.items():
            at = AT[f"{place} word {WORD_SIGNS[0]}"]
            signs[at : at + len(WORD_SIGNS)] = self._of_word(name)
        return signs

    def _is_product(self, word: str) -> bool:
        return word.lower() in self._lexicon.products

    def _of_word(self, word: str) -> tuple[float, ...]:
        """In the order of WORD_SIGNS."""
        lower, plain = word.lower(), plain_letters(word)
        given, family = self._counts.of(plain)
        kinds = self._lexicon.kind(lower)
        english = lower in self._lexicon.kinds
        title = word[1:].islower() and word[0].isupper()
        upper = word.isupper()
        return (
            given, family, not given, not family, not (given or family), self._is_product(word),
            english, kinds.startswith("+"), *(letter in kinds for letter in KINDS.values()),
            max(given, family) if english else 0, self._sound.of(plain), len(word) / 10,
            len(word) < 4, word.islower(), title, upper,  # letters
            not (word.islower() or title or upper), not word.isascii(),
        )  # fmt: skip


def is_word(word: str) -> bool:
    """False for signs, numbers and initials."""
    return len(word) > 1 and word[0].isalpha() and word[1] != "."


def _log_odds(groups: NDArray[np.float32]) -> list[float]:
    """Of each of GROUPS, the mean over some words."""
    safe = np.clip(groups, CERTAIN, 1 - CERTAIN)
    odds: list[float] = np.log(safe / (1 - safe)).mean(axis=0).tolist()
    return odds


def _joined(words: Sequence[str], at: int, step: int) -> int | None:
    """The word that is listed with what ends before `at`: behind `and`, a comma and the like."""
    start = at
    while 0 <= at < len(words) and words[at].lower() in JOINED:
        at += step
    return at if at != start and 0 <= at < len(words) else None
