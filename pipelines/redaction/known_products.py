"""Products, tools and brands that exist: what a recogniser must not take for a person.

`words/known_tools.txt` holds all titles of the npm packages simple-icons 16.37 (CC0) and
@iconify-json/logos 1.2.19 (CC0), `words/known_brands.txt` those of @cspell/dict-companies 3.2.14
(MIT) and, of countries that write Latin letters, of name-suggestion-index 8.0 (BSD-3-Clause):
whole, up to three words each; `features/ner/LICENSES.txt` has the licences. None was chosen by what
redaction is measured on.
"""

from __future__ import annotations

import random
from functools import cache

from pipelines.redaction.english_words import WORD, all_names, english_kinds_of_base
from pipelines.redaction.held_out_messages import HeldOut, held_out_words
from pipelines.redaction.name_pools import WORDS, coined_name, folded

FILES = {"tool": "known_tools.txt", "brand": "known_brands.txt"}
SHORTEST = 3  # letters of a word that tells a product


@cache
def known_products(kind: str) -> tuple[str, ...]:
    """To learn from: tools or brands, but for those in the messages that are measured on."""
    measured = _measured_words()
    return tuple(product for product in _listed(kind) if not measured.intersection(_words(product)))


def known_product_words() -> frozenset[str]:
    """Words of all products to learn from, in lower case."""
    words = (word for kind in FILES for product in known_products(kind) for word in _words(product))
    return frozenset(word for word in words if len(word) >= SHORTEST)


def coined_product(kind: str, rng: random.Random) -> str:
    """A product that does not exist, and that sounds like those to learn from."""
    name = ""
    while len(name) <= SHORTEST:
        name = coined_name(_capitalised(kind), rng)
    return name


@cache
def _capitalised(kind: str) -> tuple[str, ...]:
    words = (word for product in known_products(kind) for word in WORD.findall(product))
    return tuple(word for word in words if len(word) > SHORTEST and word[0].isupper())


def product_words() -> frozenset[str]:
    """Words in lower case of all listed products that are in no dictionary and nobody's name."""
    words = {word for kind in FILES for product in _listed(kind) for word in _words(product)}
    ordinary, named = english_kinds_of_base(), all_names()
    return frozenset(
        word
        for word in words
        if len(word) >= SHORTEST and word not in ordinary and folded(word) not in named
    )


def _words(product: str) -> list[str]:
    return WORD.findall(product.lower())


@cache
def _listed(kind: str) -> tuple[str, ...]:
    return tuple((WORDS / FILES[kind]).read_text(encoding="utf-8").splitlines())


@cache
def _measured_words() -> frozenset[str]:
    """Words of what is said in held-out messages that are in no dictionary."""
    slots = (slot for kind in HeldOut for slot in held_out_words(kind).values())
    words = {word for choices in slots for choice in choices for word in _words(choice)}
    return frozenset(words.difference(english_kinds_of_base()))
