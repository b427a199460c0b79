"""NameReader: what the network makes of a text, word by word, in pieces that it can read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.cpu_timer import check_cpu
from features.name_network import NameNetwork
from features.name_tags import (
    LABELS,
    OUTSIDE,
    PARTS,
    TAGS,
    Words,
    probabilities,
    spans,
    tag_of,
)
from features.name_tokens import TOKEN, Lexicon
from features.read_words import ReadWords

PERSON = "PERSON"
GROUPS = ("O", *LABELS)  # of tags

_MEMBERS = np.zeros((len(TAGS), len(GROUPS)), dtype=np.float32)
_MEMBERS[OUTSIDE, 0] = 1
for _label in LABELS:
    for _part in PARTS:
        _MEMBERS[tag_of(_part, _label), GROUPS.index(_label)] = 1


@dataclass(frozen=True, slots=True)
class Reading:
    """What a network made of the words of a text.

    tokens: where in the text each word is. scores: of each word's tags. names: what it takes for
    names.
    """

    tokens: Sequence[re.Match[str]]
    words: Sequence[str]
    scores: NDArray[np.float32]
    names: Sequence[Words]

    def groups(self) -> NDArray[np.float32]:
        """Of each word: how likely it is of each of GROUPS."""
        likely: NDArray[np.float32] = probabilities(self.scores) @ _MEMBERS
        return likely

    def labels(self) -> list[str]:
        """Of each word: the label of the name that it is in, or "O"."""
        labels = ["O"] * len(self.words)
        for first, after, label in self.names:
            labels[first:after] = [label] * (after - first)
        return labels

    def extent(self, first: int, after: int) -> tuple[int, int]:
        """Characters of the text, from the first of some words to the one before `after`."""
        return self.tokens[first].start(), self.tokens[after - 1].end()


class NameReader:
    """Reads texts with a network. Safe to share between threads."""

    def __init__(self, network: NameNetwork, lexicon: Lexicon) -> None:
        self._network = network
        self._words = ReadWords(network, lexicon)

    def read(self, text: str, start: int, end: int) -> Reading:
        """A piece of a text."""
        check_cpu()
        tokens = list(TOKEN.finditer(text, start, end))
        words = [token[0] for token in tokens]
        scores = self._network.scores(self._words.of(words))
        return Reading(tokens, words, scores, tuple(spans(scores)))
