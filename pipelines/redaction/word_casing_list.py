"""Word casing list: how people write words, which the name network and the second look go by.

From probabilities of English words as the package spacy-lookups-data 1.0.5 (MIT) ships them, whole:
nothing was added or taken off by what redaction is measured on.

`python -m pipelines.redaction.word_casing_list EN_LEXEME_PROB.json.gz` writes it anew.
"""

from __future__ import annotations

import gzip
import json
import math
import sys
from collections import defaultdict
from functools import cache
from pathlib import Path

from features.ner_component import SHIPPED
from features.word_casing import TENTHS, WordCasing

RAREST = 1e-8  # of all words: what is rarer is not listed
DOUBT = 5e-9  # as if each word had been seen so often in either case


@cache
def word_casing() -> WordCasing:
    """The list that ships."""
    return WordCasing.read(SHIPPED)


def main(probabilities: Path) -> None:
    """Write the list, from the natural logarithms of each spelling's share of all words."""
    with gzip.open(probabilities) as file:
        logs: dict[str, float] = json.load(file)
    small: defaultdict[str, float] = defaultdict(float)
    titled: defaultdict[str, float] = defaultdict(float)
    for word, log in logs.items():
        if len(word) > 1 and word.isascii() and word.isalpha():
            if word.islower():
                small[word] += math.exp(log)
            elif word[0].isupper() and word[1:].islower():
                titled[word.lower()] += math.exp(log)
    sizes: dict[str, tuple[int, int]] = {}
    for word in {*small, *titled}:
        share = small[word] + titled[word]
        if share >= RAREST:
            tenths = TENTHS * (titled[word] + DOUBT) / (share + 2 * DOUBT)
            sizes[word] = round(tenths), round(2 * math.log10(share * 1e9))
    WordCasing(sizes).write(SHIPPED)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
