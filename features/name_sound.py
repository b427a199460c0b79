"""NameSound: whether a word that is on no list sounds like a name, by the letters in it."""

from __future__ import annotations

import zlib

import numpy as np
from numpy.typing import NDArray

ROWS = 4096
SIZES = (2, 3, 4)
LONGEST = 24  # letters that are listened to


class NameSound:
    """A sum of weights, one for each two, three and four letters in a row.

    Greater: more like names, less like products and English words.
    """

    def __init__(self, weights: NDArray[np.float32]) -> None:
        """weights: shape (ROWS,)."""
        self._weights: list[float] = weights.tolist()

    def of(self, word: str) -> float:
        """Of a word in plain small letters."""
        weights = self._weights
        return sum([weights[row] for row in rows(word)])


def rows(word: str) -> list[int]:
    """Where the weights of a word's letters are."""
    edged = f"^{word[:LONGEST]}$".encode()
    size, crc32 = len(edged), zlib.crc32
    return [crc32(edged[i : i + n]) % ROWS for n in SIZES for i in range(size - n + 1)]
