"""ReadWords: what the name network reads of each word alone, kept for ordinary words.

Two words of three in a message are ordinary, and cost most of what can be known without their
neighbours. No word that may be of somebody is kept.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from features.name_network import READ, Floats, NameNetwork
from features.name_tokens import Features, Lexicon


class ReadWords:
    """Safe to share between threads: each word kept is written once, whole."""

    MOST_KEPT = 4_000  # 4 kB each

    def __init__(self, network: NameNetwork, lexicon: Lexicon) -> None:
        self._network = network
        self._features = Features(lexicon)
        self._kept: dict[str, Floats] = {}

    def of(self, words: Sequence[str]) -> Floats:
        """Shape (words, READ), for `NameNetwork.scores`."""
        rows = list(map(self._kept.get, words))
        new = [i for i, row in enumerate(rows) if row is None]
        if new:
            made = self._network.read(self._features.of([words[i] for i in new]))
            for i, row in zip(new, made, strict=True):
                rows[i] = row
                self._keep(words[i], row)
        return np.array(rows, dtype=np.float32).reshape(len(words), READ)

    def _keep(self, word: str, row: Floats) -> None:
        if len(self._kept) < self.MOST_KEPT and self._features.may_keep(word):
            self._kept[word] = row.copy()
