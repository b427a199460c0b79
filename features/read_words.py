"""ReadWords: what the name network reads of each word alone, kept for ordinary words.

Two words of three in a message are ordinary, and cost most of what can be known without their
neighbours. No word that may be of somebody is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock

import numpy as np

from features.name_network import READ, Floats, NameNetwork
from features.name_tokens import Features, Lexicon

NEW = -1  # the row of a word that is not kept


class ReadWords:
    """Safe to share between threads: a kept word is known only once its row is whole."""

    MOST_KEPT = 4_000  # 4 kB each

    def __init__(self, network: NameNetwork, lexicon: Lexicon) -> None:
        self._network = network
        self._features = Features(lexicon)
        self._rows = np.empty((self.MOST_KEPT, READ), dtype=np.float32)
        self._kept: dict[str, int] = {}  # the row of each word
        self._keeping = Lock()

    def of(self, words: Sequence[str]) -> Floats:
        """Shape (words, READ), for `NameNetwork.scores`."""
        places = [self._kept.get(word, NEW) for word in words]
        read: Floats = self._rows.take(np.array(places, dtype=np.intp), axis=0, mode="clip")
        new = [i for i, place in enumerate(places) if place == NEW]
        if new:
            made = self._network.read(self._features.of([words[i] for i in new]))
            read[new] = made
            for i, row in zip(new, made, strict=True):
                self._keep(words[i], row)
        return read

    def _keep(self, word: str, row: Floats) -> None:
        if len(self._kept) >= self.MOST_KEPT or not self._features.may_keep(word):
            return
        with self._keeping:
            place = len(self._kept)
            if place < self.MOST_KEPT and word not in self._kept:
                self._rows[place] = row
                self._kept[word] = place
