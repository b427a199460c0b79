"""NameSigns: what tells if a single word, or two, that a network takes for a name really is one.

What the network says of the words around, how many people bear the name, whether it is English or a
product, how people write it, how it sounds, what it is listed with. `SecondLook` judges by them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.cpu_timer import check_cpu
from features.name_counts import NameCounts, plain_letters
from features.name_reader import GROUPS, PERSON, Reading
from features.name_sound import NameSound
from features.name_tokens import Lexicon
from features.word_casing import WordCasing

# Of a probability: a word that is less of a person is not asked about. Of 1,400 words below the
# second none was found to be a name, but for some that are somebody's elsewhere in the text.
LEAST_NAMED, LEAST = 0.002, 0.01
CERTAIN = 0.00001  # no probability is nearer to 0 or 1 than this
MOST_WORDS = 2  # of a name that is looked at twice; longer ones hardly ever are none
NEAR = 8  # words before and after
MOST_NEAR = 3
JOINED = frozenset({",", "and", "or", "but", "&", "/", "+", "vs", "plus", "und", "et", "y"})
KINDS = {"noun": "n", "verb": "v", "adjective": "a", "adverb": "r"}
SIDES = ("before", "after")
WORD_SIGNS = (
    "given", "family", "no given", "no family", "unlisted", "product", "english", "of english stem",
    *KINDS, "english and listed", "sound", "length", "short", "lower", "title", "upper", "mixed",
    "accented", "said", "titled", "said often", "english and titled", "listed and titled",
)  # fmt: skip
SPAN_SIGNS = (
    "nearly taken", "two words", "with initial", "said again", "english text", "products near",
    "people near", *(f"likely {group}" for group in GROUPS),
    *(f"{side} joined {sign}" for side in SIDES for sign in (*GROUPS, "product", "given")),
)  # fmt: skip
PLACES = ("only", "first", "last")  # of a word among those of its span
SIGNS = (*SPAN_SIGNS, *(f"{place} word {sign}" for place in PLACES for sign in WORD_SIGNS))
NEVER_SAID = (0.0,) * 5
NO_WORD = (0.0,) * len(WORD_SIGNS)
OF_GROUP = {group: tuple(float(group == other) for other in GROUPS) for group in GROUPS}
NOT_JOINED = (0.0,) * (len(GROUPS) + 2)
Signs = Sequence[float]  # in the order of SIGNS


@dataclass(frozen=True, slots=True)
class Look:
    """Words that may be somebody's name: the first, the one after the last.

    taken: the network says that they are one; it only nearly says so of others.
    """

    first: int
    after: int
    taken: bool


@dataclass(frozen=True, slots=True)
class _Page:
    """What is known of all words of a reading.

    products: which are tools and brands, by the network or by the list. said: how often each word.
    english: the share of words that are; in German every noun has a capital.
    odds: the logarithms of how likely each is of each of GROUPS, against the rest.
    """

    words: Sequence[str]
    labels: list[str]
    products: Sequence[bool]
    said: Counter[str]
    english: float
    odds: NDArray[np.float32]


class NameSigns:
    """Finds what is to be looked at twice, and the signs of it. Safe to share between threads."""

    def __init__(
        self, lexicon: Lexicon, counts: NameCounts, casing: WordCasing, sound: NameSound
    ) -> None:
        self._lexicon = lexicon
        self._counts = counts
        self._casing = casing
        self._sound = sound

    def looks(self, reading: Reading, named: Collection[str] = ()) -> Iterator[tuple[Look, Signs]]:
        """What is looked at twice, and the signs of each.

        named: plain words of names and mailboxes in the text; one of them need be less likely.
        """
        check_cpu()
        if not reading.words:
            return
        groups, labels = reading.groups(), reading.labels()
        looks = list(self._candidates(reading, groups, labels, named))
        if not looks:
            return
        said = Counter(reading.words)
        known = self._lexicon.products
        products = [
            label == "MISC" or word in known
            for word, label in zip(map(str.lower, reading.words), labels, strict=True)
        ]
        safe = np.clip(groups, CERTAIN, 1 - CERTAIN)
        odds = np.log(safe / (1 - safe))
        page = _Page(reading.words, labels, products, said, self._english(said), odds)
        for look in looks:
            names = [w for w in reading.words[look.first : look.after] if is_word(w)]
            if names:
                yield look, self._signs(page, look, names)

    def _candidates(
        self,
        reading: Reading,
        groups: NDArray[np.float32],
        labels: Sequence[str],
        named: Collection[str],
    ) -> Iterator[Look]:
        words = reading.words
        for first, after, label in reading.names:
            if label == PERSON and sum(w[0].isalpha() for w in words[first:after]) <= MOST_WORDS:
                yield Look(first, after, taken=True)
        likely = groups[:, GROUPS.index(PERSON)]
        for i in np.flatnonzero(likely > (LEAST_NAMED if named else LEAST)).tolist():
            if labels[i] not in {"O", "MISC"} or not self._may_be_name(words[i]):
                continue
            if likely[i] > LEAST or plain_letters(words[i]) in named:
                yield Look(i, i + 1, taken=False)

    def _english(self, said: Counter[str]) -> float:
        """The share of different words that are English; 0 of none."""
        words = [word for word in said if word.isalpha()]
        known = self._lexicon.kinds
        return sum(word.lower() in known for word in words) / len(words) if words else 0.0

    def _may_be_name(self, word: str) -> bool:
        """Written as a name; in small letters only a name that is listed, and no other word."""
        if not is_word(word) or any(map(str.isdigit, word)):
            return False
        if not word.islower():
            return True
        return word not in self._lexicon.kinds and any(self._counts.of(plain_letters(word)))

    def _signs(self, page: _Page, look: Look, names: Sequence[str]) -> Signs:
        words, labels = page.words, page.labels
        first, after = look.first, look.after
        begin, end = max(0, first - NEAR), after + NEAR
        lettered = sum(word[0].isalpha() for word in words[first:after])
        products = sum(page.products[begin:first]) + sum(page.products[after:end])
        people = labels[begin:first].count(PERSON) + labels[after:end].count(PERSON)
        signs = [
            not look.taken, len(names) > 1, len(names) < lettered, page.said[names[0]] > 1,
            page.english, min(MOST_NEAR, products), min(MOST_NEAR, people),
            *_mean(page.odds[first:after]),
        ]  # fmt: skip
        for at, step in ((first - 1, -1), (after, 1)):
            signs += self._of_joined(words, labels, _joined(words, at, step))
        only = self._of_word(names[0])
        if len(names) == 1:
            signs += [*only, *NO_WORD, *NO_WORD]
        else:
            signs += [*NO_WORD, *only, *self._of_word(names[-1])]
        return signs

    def _of_joined(
        self, words: Sequence[str], labels: Sequence[str], at: int | None
    ) -> tuple[float, ...]:
        """Of the word that a name is listed with."""
        if at is None:
            return NOT_JOINED
        given, _ = self._counts.of(plain_letters(words[at]))
        return (*OF_GROUP[labels[at]], self._is_product(words[at]), given)

    def _cased(self, plain: str, *, english: bool, listed: bool) -> tuple[float, ...]:
        """How people write a word: the last of WORD_SIGNS."""
        found = self._casing.of(plain)
        if found is None:
            return NEVER_SAID
        titled, said = found
        return 1.0, titled, said, titled * english, titled * listed

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
            *self._cased(plain, english=english, listed=bool(given or family)),
        )  # fmt: skip


def _mean(rows: NDArray[np.float32]) -> list[float]:
    """Of each column. Most are of one row, where NumPy's takes ten times as long."""
    mean: list[float] = (rows.mean(axis=0) if len(rows) > 1 else rows[0]).tolist()
    return mean


def is_word(word: str) -> bool:
    """False for signs, numbers and initials."""
    return len(word) > 1 and word[0].isalpha() and word[1] != "."


def _joined(words: Sequence[str], at: int, step: int) -> int | None:
    """The word that is listed with what ends before `at`: behind `and`, a comma and the like."""
    start = at
    while 0 <= at < len(words) and words[at].lower() in JOINED:
        at += step
    return at if at != start and 0 <= at < len(words) else None
