"""NameNetwork: a small network that reads words and scores each one's part in a name.

What spaCy's recognizer begins with (hashed features, mixed; then convolutions over a word and its
neighbours), and a score for each tag at once instead of its transitions. Plain NumPy: on a typical
message the rest of spaCy costs more than the arithmetic.
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
EMBEDDED = sum(width for _, width, _ in TABLES)
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
        pieces: Floats = inputs @ self.weights
        pieces += self.bias
        best: Floats = np.maximum(pieces[:, :WIDTH], pieces[:, WIDTH : 2 * WIDTH])
        np.maximum(best, pieces[:, 2 * WIDTH :], out=best)
        best -= best @ MEAN
        variance = np.einsum("ij,ij->i", best, best)
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
        self._tables = [arrays[f"{name}.E"] for name in SEEN]
        self._mix = _Maxout.of("mix", arrays)
        self._layers = [_Maxout.of(f"layer{i}", arrays) for i in range(LAYERS)]
        self._tags = np.ascontiguousarray(arrays["tags.W"].T)
        self._bias = arrays["tags.b"]

    def scores(self, features: NDArray[np.uint64]) -> Floats:
        """Of each word's tags, shape (words, len(TAGS)); `name_tags.logs` makes probabilities.

        features: what `name_tokens.Features` sees of the words.
        """
        # Rows that stand for no word, as the layers saw them at both ends in training.
        words = np.zeros((len(features) + 2 * LAYERS, WIDTH), dtype=np.float32)
        words[LAYERS:-LAYERS] = self._mix(self._embedded(features))
        windows = np.zeros((len(words), 3 * WIDTH), dtype=np.float32)
        for layer in self._layers:
            windows[1:, :WIDTH] = words[:-1]
            windows[:, WIDTH : 2 * WIDTH] = words
            windows[:-1, 2 * WIDTH :] = words[1:]
            words += layer(windows)
        scores: Floats = words[LAYERS:-LAYERS] @ self._tags
        scores += self._bias
        return scores

    def _embedded(self, features: NDArray[np.uint64]) -> Floats:
        out = np.empty((len(features), EMBEDDED), dtype=np.float32)
        at = 0
        for column, (table, (rows, width, seed)) in enumerate(
            zip(self._tables, TABLES, strict=True)
        ):
            ids = np.ascontiguousarray(features[:, column])
            found = table.take(self._hash(ids, seed) % rows, axis=0)
            np.add.reduce(found, axis=1, out=out[:, at : at + width])
            at += width
        return out


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
