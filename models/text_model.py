"""TextModel: what the words of a redacted text say, as log-odds. TF-IDF and logistic regression.

Read with a dictionary and a few sums: no scikit-learn, no pandas, nothing unpickled.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
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


@dataclass(frozen=True)
class TextModel:
    """A linear model over terms.

    idf, weights: by term, the same terms in both.
    examples: texts it was fitted on. fewest_writers: each term was written by that many of them.
    """

    idf: Mapping[str, float]
    weights: Mapping[str, float]
    intercept: float
    examples: int
    fewest_writers: int

    def log_odds(self, text: RedactedText) -> float:
        """ln(p / (1 - p)) of winning by this text alone: not calibrated, a Pull sees to that.

        Sublinear TF-IDF of unit length (Salton & Buckley 1988), as scikit-learn computes it.

        Raises:
            TypeError: `text` is not a RedactedText.
        """
        counts = terms_of(text)
        values = {
            term: (1 + math.log(n)) * self.idf[term]
            for term, n in counts.items()
            if term in self.idf
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
        return {
            "intercept": self.intercept,
            "examples": self.examples,
            "fewest_writers": self.fewest_writers,
            "terms": {term: [self.idf[term], self.weights[term]] for term in sorted(self.idf)},
        }

    @classmethod
    def from_json(cls, tree: Mapping[str, Any]) -> Self:
        """The model that `to_json` wrote. Raises KeyError or ValueError where it is damaged."""
        terms = tree["terms"]
        return cls(
            idf={term: float(idf) for term, (idf, _) in terms.items()},
            weights={term: float(weight) for term, (_, weight) in terms.items()},
            intercept=float(tree["intercept"]),
            examples=int(tree["examples"]),
            fewest_writers=int(tree["fewest_writers"]),
        )
