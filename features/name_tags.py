"""NameTags: which words of a text are one name, from a network's score of each word's part in it.

BILUO: a word begins a name, is inside of it, ends it, or is all of it; or is in none.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

# MISC: tools, products, brands and titles. Never reported: it keeps the others off them.
LABELS = ("PERSON", "ORGANIZATION", "STREET_ADDRESS", "LOCATION", "NRP", "DATE_TIME", "MISC")
PARTS = "BILU"
TAGS = ("O", *(f"{part}-{label}" for label in LABELS for part in PARTS))
OUTSIDE = 0
SURE = np.float32(np.log(0.98))  # that a word is in no name: nothing beside it changes that

Words = tuple[int, int, str]  # the first word, the one after the last, and the label


def tag_of(part: str, label: str) -> int:
    """The place of a tag among TAGS."""
    return 1 + len(PARTS) * LABELS.index(label) + PARTS.index(part)


def _follows(before: int, after: int) -> bool:
    """True where one tag may stand behind another."""
    part, label = TAGS[before][:1], TAGS[before][2:]
    if part in "BI":
        return TAGS[after][:1] in "IL" and TAGS[after][2:] == label
    return TAGS[after][:1] in "OBU"


FITS = frozenset((a, b) for a in range(len(TAGS)) for b in range(len(TAGS)) if _follows(a, b))
NEVER = np.full((len(TAGS), len(TAGS)), -np.inf, dtype=np.float32)
NEVER[tuple(np.array(sorted(FITS)).T)] = 0


def logs(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """Log-probabilities of each word's tags (softmax)."""
    below = scores - scores.max(axis=1, keepdims=True)
    certain: NDArray[np.float32] = below - np.log(np.exp(below).sum(axis=1, keepdims=True))
    return certain


def probabilities(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """Of each word's tags (softmax)."""
    shares: NDArray[np.float32] = np.exp(scores - scores.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    return shares


def spans(scores: NDArray[np.float32]) -> Iterator[Words]:
    """The names with the best scores altogether. scores: what the network says of each word."""
    best = scores.argmax(axis=1).tolist()
    # Nothing changes where the best tags of all words fit together: hardly ever do they not.
    if not _fit(best):
        certain = logs(scores)
        for start, end in _unsure(certain):
            if not _fit(best[start:end]):
                best[start:end] = _fitting(certain[start:end]).tolist()
    start = 0
    for i, tag in enumerate(best):
        if tag == OUTSIDE:
            continue
        part = TAGS[tag][0]
        if part in "BU":
            start = i
        if part in "LU":
            yield start, i + 1, TAGS[tag][2:]


def _fit(tags: list[int]) -> bool:
    """True for tags that may stand together, between words outside of names."""
    return all(map(FITS.__contains__, pairwise([OUTSIDE, *tags, OUTSIDE])))


def _unsure(scores: NDArray[np.float32]) -> Iterator[tuple[int, int]]:
    """Runs of words that may be in a name."""
    sure = np.concatenate([[-1], np.flatnonzero(scores[:, OUTSIDE] > SURE), [len(scores)]])
    yield from ((a + 1, b) for a, b in pairwise(sure.tolist()) if b > a + 1)


def _fitting(scores: NDArray[np.float32]) -> NDArray[np.int64]:
    """The tags with the best sum of scores of those that fit together (Viterbi)."""
    so_far = scores[0] + NEVER[OUTSIDE]
    came_from = np.zeros(scores.shape, dtype=np.int64)
    for i in range(1, len(scores)):
        reached = so_far[:, None] + NEVER
        came_from[i] = reached.argmax(axis=0)
        so_far = reached.max(axis=0) + scores[i]
    path = np.empty(len(scores), dtype=np.int64)
    path[-1] = (so_far + NEVER[:, OUTSIDE]).argmax()
    for i in range(len(scores) - 1, 0, -1):
        path[i - 1] = came_from[i, path[i]]
    return path
