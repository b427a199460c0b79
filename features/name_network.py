"""NameNetwork: a small network that reads words and scores each one's part in a name.

What spaCy's recognizer begins with (hashed features, mixed; then convolutions over a word and its
neighbours), and a score for each tag at once instead of its transitions. Plain NumPy: on a typical
message the rest of spaCy costs more than the arithmetic.

What a word alone adds to the sums (`read`) needs no neighbour, so it can be kept (`read_words`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.name_tags import TAGS
from features.name_tokens import SEEN

Floats = NDArray[np.float32]

WIDTH, PIECES, LAYERS = 96, 3, 4
BEYOND = LAYERS - 1  # rows on each side of a text that the layers above the first look at
# Of each feature of SEEN: the rows of its table, their width, the seed of their hash.
TABLES = (
    (5000, 96, 8),
    (1000, 96, 9),
    (2500, 96, 10),
    (2500, 96, 11),
    (400, 32, 12),
    (2500, 48, 13),
    (2500, 48, 14),
)
COUNTS = np.array([[count] for count, _, _ in TABLES], dtype=np.uint32)
FIRSTS = np.cumsum(COUNTS, axis=0, dtype=np.uint32) - COUNTS  # of each table's rows, among all
EMBEDDED = sum(width for _, width, _ in TABLES)
SUMS = PIECES * WIDTH
READ = WIDTH + 3 * SUMS  # what `NameNetwork.read` says of a word
ROWS_AT_ONCE = 4  # of a product: BLAS takes rows that are over one by one, and a third longer
MEAN = np.full((WIDTH, 1), 1 / WIDTH, dtype=np.float32)  # a product is cheaper than `mean`
TINY = np.float32(1e-8)  # thinc's, in its layer normalisation


def shapes() -> dict[str, tuple[int, ...]]:
    """Of every array of weights, in the order in which they are on disk."""
    named: dict[str, tuple[int, ...]] = {
        f"{name}.E": (rows, width) for name, (rows, width, _) in zip(SEEN, TABLES, strict=True)
    }
    inputs = {"mix": EMBEDDED} | {f"layer{i}": 3 * WIDTH for i in range(LAYERS)}
    for name, size in inputs.items():
        named[f"{name}.W"] = (WIDTH, PIECES, size)
        named[f"{name}.b"] = (WIDTH, PIECES)
        named[f"{name}.G"] = (WIDTH,)
        named[f"{name}.B"] = (WIDTH,)
    return named | {"tags.W": (len(TAGS), WIDTH), "tags.b": (len(TAGS),)}


@dataclass(frozen=True, slots=True)
class _Maxout:
    """The greatest of three linear maps, normalised."""

    weights: Floats  # (inputs, PIECES * WIDTH)
    bias: Floats
    gain: Floats
    shift: Floats

    @classmethod
    def of(cls, name: str, arrays: Mapping[str, Floats]) -> _Maxout:
        pieces = arrays[f"{name}.W"].transpose(2, 1, 0)  # a piece's columns beside each other
        return cls(
            np.ascontiguousarray(pieces.reshape(len(pieces), -1)),
            arrays[f"{name}.b"].T.ravel(),
            arrays[f"{name}.G"],
            arrays[f"{name}.B"],
        )

    def __call__(self, inputs: Floats) -> Floats:
        return self.greatest(inputs @ self.weights)

    def greatest(self, pieces: Floats) -> Floats:
        """Of the products of inputs and weights, which it changes."""
        pieces += self.bias
        best: Floats = np.maximum(pieces[:, :WIDTH], pieces[:, WIDTH : 2 * WIDTH])
        np.maximum(best, pieces[:, 2 * WIDTH :], out=best)
        best -= best @ MEAN
        variance: Floats = np.vecdot(best, best)
        variance *= np.float32(1 / WIDTH)
        variance += TINY
        best /= np.sqrt(variance, out=variance)[:, None]
        best *= self.gain
        best += self.shift
        return best


class NameNetwork:
    """Scores words. Safe to share between threads: nothing in it changes."""

    def __init__(self, arrays: Mapping[str, Floats]) -> None:
        """arrays: by name, of the shapes of `shapes`."""
        from thinc.backends import NumpyOps

        self._hash = NumpyOps().hash
        self._mix = _Maxout.of("mix", arrays)
        self._rows = _mixed_rows(arrays, self._mix.weights)
        self._layers = [_Maxout.of(f"layer{i}", arrays) for i in range(LAYERS)]
        # Of the first layer: a word's share in the sums of the word after it, of itself, and of
        # the word before it.
        thirds = np.split(self._layers[0].weights, 3)
        self._shares = np.ascontiguousarray(np.concatenate(thirds, axis=1))
        self._tags = np.ascontiguousarray(arrays["tags.W"].T)
        self._bias = arrays["tags.b"]

    def read(self, features: NDArray[np.uint64]) -> Floats:
        """What each word alone comes to, shape (words, READ): its vector, and its shares.

        features: what `name_tokens.Features` sees of the words.
        """
        read = np.empty((len(features), READ), dtype=np.float32)
        read[:, :WIDTH] = self._mix.greatest(self._mixed(features))
        np.matmul(read[:, :WIDTH], self._shares, out=read[:, WIDTH:])
        return read

    def scores(self, read: Floats) -> Floats:
        """Of each word's tags, shape (words, len(TAGS)); `name_tags.logs` makes probabilities.

        read: what `read` says of the words.
        """
        # Rows that stand for no word, as the layers saw them at both ends in training: as many as
        # the layers above still look at. Each needs one less on each side.
        words = np.zeros((len(read) + 2 * BEYOND, WIDTH), dtype=np.float32)
        words[BEYOND:-BEYOND] = read[:, :WIDTH]
        words += self._layers[0].greatest(_sums(read))
        windows = np.zeros((len(words) + ROWS_AT_ONCE, 3 * WIDTH), dtype=np.float32)
        for layer in self._layers[1:]:
            rows = len(words) - 2
            windows[:rows, :WIDTH] = words[:-2]
            windows[:rows, WIDTH : 2 * WIDTH] = words[1:-1]
            windows[:rows, 2 * WIDTH :] = words[2:]
            words = words[1:-1]
            words += layer(windows[: rows + -rows % ROWS_AT_ONCE])[:rows]
        scores: Floats = words @ self._tags
        scores += self._bias
        return scores

    def _mixed(self, features: NDArray[np.uint64]) -> Floats:
        """The mix's sums: of four rows for each feature of a word."""
        rows = np.empty((len(features), len(TABLES), 4), dtype=np.uint32)
        for column, (_, _, seed) in enumerate(TABLES):
            rows[:, column] = self._hash(np.ascontiguousarray(features[:, column]), seed)
        rows %= COUNTS
        rows += FIRSTS
        found = self._rows.take(rows.reshape(len(features), -1), axis=0)
        sums: Floats = np.add.reduce(found, axis=1)
        return sums


def _mixed_rows(arrays: Mapping[str, Floats], mix: Floats) -> Floats:
    """Every row of every table, times the mix's weights: sums of these are the mix's sums."""
    ends = np.cumsum([width for _, width, _ in TABLES])[:-1]
    parts_of_mix = np.split(mix, ends)
    tables = (arrays[f"{name}.E"] for name in SEEN)
    return np.concatenate([t @ part for t, part in zip(tables, parts_of_mix, strict=True)])


def _sums(read: Floats) -> Floats:
    """The first layer's, of words and of what stands for none at both ends."""
    sums = np.zeros((len(read) + 2 * BEYOND, SUMS), dtype=np.float32)
    for shift, share in ((1, 0), (0, 1), (-1, 2)):
        at = WIDTH + share * SUMS
        sums[BEYOND + shift : BEYOND + shift + len(read)] += read[:, at : at + SUMS]
    return sums


def parts(flat: Floats) -> Iterator[tuple[str, Floats]]:
    """Each array of weights by name, from all of them in a row."""
    at = 0
    for name, shape in shapes().items():
        size = int(np.prod(shape))
        yield name, flat[at : at + size].reshape(shape)
        at += size


def size() -> int:
    """How many weights there are."""
    return sum(int(np.prod(shape)) for shape in shapes().values())


def in_a_row(arrays: Mapping[str, Any]) -> Floats:
    """All arrays of weights, one after the other."""
    return np.concatenate([np.ravel(arrays[name]) for name in shapes()]).astype(np.float32)
