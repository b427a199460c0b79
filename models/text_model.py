"""TextModel: what a redacted text says, as log-odds: its words, and with them what it means.

Words: logistic regression over weighed terms, read with a dictionary and a few sums; no
scikit-learn, no pandas, nothing unpickled. What it means: weights of a sentence embedding, where
these proved to help.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from functools import cached_property
from itertools import pairwise
from operator import mul
from typing import Any, Self

from features.redaction import RedactedText
from models.prompt import require_redacted

# What was taken out counts by its type, without its number. Digits never count: a number that
# slipped through redaction is somebody's.
WORD = re.compile(r"<[A-Z_]+?_?[0-9a-f]*>|[^\W\d_]+(?:['\u2019][^\W\d_]+)?")
PLACEHOLDER = re.compile(r"<([A-Z]+(?:_[A-Z]+)*)_?[0-9a-f]*>")


def terms_of(text: RedactedText) -> Counter[str]:
    """How often each word, and each pair of neighbours, is in the text; case is folded.

    Raises:
        TypeError: `text` is not a RedactedText.
    """
    words = [_plain(word) for word in WORD.findall(require_redacted(text).text)]
    pairs = (f"{first} {second}" for first, second in pairwise(words))
    return Counter([*words, *pairs])


def _plain(word: str) -> str:
    return PLACEHOLDER.sub(r"<\1>", word) if word.startswith("<") else word.casefold()


class Weighting(StrEnum):
    """What a term counts for, beside how often it is in a text.

    IDF: the inverse document frequency (Salton & Buckley 1988). RATIO: how far apart won and lost
    leads are in using it, |ln| of the ratio of their shares (log-count ratio, Wang & Manning 2012).
    """

    IDF = "inverse document frequency"
    RATIO = "log-count ratio"


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a text means, beside its words: a linear model over its sentence embedding.

    embedding: version of the embedding. weights: of the numbers of its vector. words: what the
    log-odds of the words count for beside it, in [0, inf). usual: what texts mean on average, in
    log-odds: it stands in where a text's meaning cannot be told.
    """

    embedding: str
    weights: tuple[float, ...]
    intercept: float
    words: float
    usual: float

    def log_odds(self, words: float, vector: Sequence[float] | None) -> float:
        """Of both together. vector: as long as the weights."""
        meant: float = self.usual if vector is None else sum(map(mul, self.weights, vector))
        return self.intercept + self.words * words + meant

    @classmethod
    def from_json(cls, tree: Mapping[str, Any]) -> Self:
        return cls(
            embedding=tree["embedding"],
            weights=tuple(map(float, tree["weights"])),
            intercept=float(tree["intercept"]),
            words=float(tree["words"]),
            usual=float(tree["usual"]),
        )


@dataclass(frozen=True)
class TextModel:
    """A linear model over terms, and over what they mean together where there is a `meaning`.

    scales, weights: by term, the same terms in both: what it counts for, and what that tells.
    examples: texts it was fitted on. fewest_writers: each term was written by that many of them.
    weighting: where the scales are from.
    """

    scales: Mapping[str, float]
    weights: Mapping[str, float]
    intercept: float
    examples: int
    fewest_writers: int
    meaning: Meaning | None = None
    weighting: Weighting = Weighting.IDF

    def log_odds(self, text: RedactedText, vector: Sequence[float] | None = None) -> float:
        """ln(p / (1 - p)) of winning by this text alone: not calibrated, a Pull sees to that.

        vector: its sentence embedding; without one its words are all that is told of it.

        Raises:
            TypeError: `text` is not a RedactedText.
        """
        words = self._of_words(text)
        return words if self.meaning is None else self.meaning.log_odds(words, vector)

    def _of_words(self, text: RedactedText) -> float:
        """Sublinear term frequency, scaled, of unit length, as scikit-learn computes TF-IDF.

        Raises:
            TypeError: `text` is not a RedactedText.
        """
        counts = terms_of(text)
        values = {
            term: (1 + math.log(n)) * self.scales[term]
            for term, n in counts.items()
            if term in self.scales
        }
        length = math.sqrt(sum(value * value for value in values.values())) or 1.0
        said = sum(value * self.weights[term] for term, value in values.items())
        return self.intercept + said / length

    @cached_property
    def version(self) -> str:
        """Digest of everything that can change an answer, 12 hex digits."""
        content = json.dumps(self.to_json(), sort_keys=True, ensure_ascii=True)
        return hashlib.sha256(content.encode()).hexdigest()[:12]

    def to_json(self) -> dict[str, Any]:
        tree: dict[str, Any] = {
            "intercept": self.intercept,
            "examples": self.examples,
            "fewest_writers": self.fewest_writers,
            "terms": {
                term: [self.scales[term], self.weights[term]] for term in sorted(self.scales)
            },
        }
        if self.weighting is not Weighting.IDF:  # a file without this one is of before there was it
            tree["weighting"] = self.weighting.value
        return tree if self.meaning is None else tree | {"meaning": asdict(self.meaning)}

    @classmethod
    def from_json(cls, tree: Mapping[str, Any]) -> Self:
        """The model that `to_json` wrote. Raises KeyError or ValueError where it is damaged."""
        terms = tree["terms"]
        return cls(
            scales={term: float(scale) for term, (scale, _) in terms.items()},
            weights={term: float(weight) for term, (_, weight) in terms.items()},
            intercept=float(tree["intercept"]),
            examples=int(tree["examples"]),
            fewest_writers=int(tree["fewest_writers"]),
            meaning=None if tree.get("meaning") is None else Meaning.from_json(tree["meaning"]),
            weighting=Weighting(tree.get("weighting", Weighting.IDF)),
        )
