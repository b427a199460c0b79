"""SecondLook: is a single word, or two, that a network takes for a person's name really one?

A network knows few names and fewer products: to it "moving off Avalara" could be a colleague. What
tells (`name_signs`) is weighed by boosted trees, which learned on messages that the network has
never read.

It also asks of words that the network only nearly took for names: what a frequent name makes likely
is found again, and pays for what an unknown product no longer costs.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from features.boosted_trees import BoostedTrees
from features.found_span import LIKELY
from features.name_counts import plain_letters
from features.name_reader import PERSON, Reading
from features.name_signs import Look, NameSigns, is_word

SHORTEST = 3  # letters of a name that is recognised elsewhere


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

    def __init__(self, signs: NameSigns, trees: BoostedTrees) -> None:
        """trees: of SIGNS; what they say is 0 where what is kept and what goes part."""
        self._signs = signs
        self._trees = trees

    def sure(self, readings: Sequence[Reading], mailed: Collection[str] = ()) -> list[Judged]:
        """All looks at the pieces of a text, each with the probability that it is a name.

        mailed: plain words of the text's e-mail addresses. One that is in a mailbox, or in a full
        name elsewhere in the text, is somebody's for sure.
        """
        full = [
            (reading, first, after)
            for reading in readings
            for first, after, label in reading.names
            if label == PERSON and after - first > 1
        ]
        named = frozenset(mailed).union(*(_plain_words(*name) for name in full))
        judged = [one for reading in readings for one in self._judged(reading, named)]
        doubted = {(id(j.reading), j.look.first) for j in judged if j.sure < LIKELY}
        sure = (name for name in full if (id(name[0]), name[1]) not in doubted)
        known = frozenset(mailed).union(*(_plain_words(*name) for name in sure))
        return [replace(one, sure=1.0) if one.is_in(known) else one for one in judged]

    def _judged(self, reading: Reading, named: Collection[str]) -> list[Judged]:
        """Piece by piece, so that the CPU timer can stop a long text."""
        found = list(self._signs.looks(reading, named))
        if not found:
            return []
        margins = self._trees.margins(np.array([signs for _, signs in found], dtype=np.float32))
        return [
            Judged(reading, look, 1 / (1 + math.exp(-margin)))
            for (look, _), margin in zip(found, margins.tolist(), strict=True)
        ]


def _plain_words(reading: Reading, first: int, after: int) -> Iterator[str]:
    return map(plain_letters, reading.words[first:after])
