"""NamePools: first names, surnames and invented words of a locale, in three parts.

Faker brings the lists. A stable hash puts each word in one part, the same in every locale, so that
what a recognizer is trained on never says who the people are that it is measured with.
"""

from __future__ import annotations

import hashlib
import random
import tomllib
import unicodedata
from collections.abc import Iterable
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

TEST_SHARE, VALIDATION_SHARE = 0.3, 0.1
LONGEST_COINED = 11
WORDS = Path(__file__).with_name("words")


class Part(StrEnum):
    """Which part of all words an identity is made of.

    VALIDATION: of the people by whom a training is judged, and may be tuned.
    """

    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"


CYRILLIC = "абвгдежзийклмнопрстуфхцчшщъыьэюяєіїґ"
GREEK = "αβγδεζηθικλμνξοπρσςτυφχψω"
IN_LATIN = """
a b v g d e zh z i y k l m n o p r s t u f kh ts ch sh shch . y . e yu ya ye i yi g
a v g d e z i th i k l m n x o p r s s t y f ch ps o
"""
LATIN = dict(zip(CYRILLIC + GREEK, IN_LATIN.split(), strict=True))


@cache
def read_words(name: str) -> dict[str, Any]:
    """A file of `words/`."""
    return tomllib.loads((WORDS / f"{name}.toml").read_text(encoding="utf-8"))


def folded(word: str) -> str:
    """A word without case and accents: two spellings of one name are one name."""
    base = unicodedata.normalize("NFKD", word.casefold())
    return "".join(c for c in base if not unicodedata.combining(c))


def latin(word: str) -> str:
    """A Cyrillic or Greek word in Latin letters; others as they are."""
    base = "".join(c for c in unicodedata.normalize("NFD", word) if not unicodedata.combining(c))
    if not any(c in LATIN for c in base.lower()):
        return word
    return "".join(LATIN.get(c, c).strip(".") for c in base.lower()).title()


@cache
def part_of(word: str) -> Part:
    """The part that a word belongs to, for good."""
    digest = hashlib.blake2b(folded(word).encode(), digest_size=2).digest()
    share = int.from_bytes(digest) / 65536
    if share < TEST_SHARE:
        return Part.TEST
    return Part.VALIDATION if share < TEST_SHARE + VALIDATION_SHARE else Part.TRAIN


def of_part(words: Iterable[str], part: Part) -> tuple[str, ...]:
    """The words that belong to a part, each once."""
    return tuple(word for word in dict.fromkeys(words) if part_of(word) is part)


def _letters(word: str) -> bool:
    """False for what is no name in Latin letters: initials, other scripts."""
    plain = word.replace("-", "").replace("'", "").replace(" ", "")
    return len(plain) > 1 and plain.isalpha() and ord(max(plain)) < 0x1F00


def _provider(locale: str, kind: str) -> Any:
    return next(
        p for p in faker(locale).get_providers() if type(p).__module__.split(".")[2] == kind
    )


@cache
def faker(locale: str) -> Any:
    """Faker of a locale; seed it before each use that must repeat."""
    from faker import Faker

    return Faker(locale)


ROMANIZED = ("ja_JP", "zh_CN")


@cache
def surnames(locale: str, part: Part) -> tuple[str, ...]:
    """Surnames of a locale, the frequent ones first, where Faker knows them."""
    person = _provider(locale, "person")
    if locale in ROMANIZED:
        words = list(person.last_romanized_names)
    else:
        words = [*read_words("surnames").get(locale, "").split(), *person.last_names]
    return of_part(filter(_letters, map(latin, words)), part)


@cache
def first_names(locale: str, part: Part) -> tuple[str, ...]:
    """First names of a locale, of men and women."""
    person = _provider(locale, "person")
    if locale in ROMANIZED:
        words = list(person.first_romanized_names)
    else:
        male, female = person.first_names_male, person.first_names_female
        words = [*male, *female] if male and female else list(person.first_names)
    return of_part(filter(_letters, map(latin, words)), part)


def coined_name(names: tuple[str, ...], rng: random.Random) -> str:
    """A name that nobody bears, and that sounds like `names`: by which letters follow which two."""
    follows = _follows(names)
    name = ""
    while len(name) < LONGEST_COINED:
        letter = rng.choice(follows[name[-2:]])
        if not letter:
            break
        name += letter
    return name.title()


@cache
def _follows(names: tuple[str, ...]) -> dict[str, list[str]]:
    """What stands behind each two letters of these names; "" at the end."""
    follows: dict[str, list[str]] = {}
    for name in names:
        lower = name.lower()
        for i, letter in enumerate([*lower, ""]):
            follows.setdefault(lower[max(0, i - 2) : i], []).append(letter)
    return follows


@cache
def street_words(locale: str, part: Part) -> tuple[str, ...]:
    """What streets are named after, and streets of a locale whose name says nothing of a kind."""
    address = _provider(locale, "address")
    streets = (*(getattr(address, "streets", ()) or ()), *(getattr(address, "street_names", ())))
    return of_part((s for s in streets if s and s[0].isupper() and len(s) < 25), part)


@cache
def towns(locale: str) -> tuple[str, ...]:
    """Towns that Faker lists for a locale; none for some."""
    address = _provider(locale, "address")
    listed = sorted(set(getattr(address, "cities", ())))  # some are sets, in no order
    return tuple(town for town in listed if town and len(town) < 25)[:600]


@cache
def frequent_words() -> tuple[str, ...]:
    """About a thousand of the most frequent English words."""
    return tuple(dict.fromkeys(_provider("en_US", "lorem").word_list))


@cache
def plain_words(locale: str) -> tuple[str, ...]:
    """Words of a language that say nothing of anybody, as Faker strings them together."""
    return tuple(dict.fromkeys(_provider(locale, "lorem").word_list))


@cache
def invented_words(part: Part) -> tuple[str, ...]:
    """Words that mean nothing, as companies like them: Corlytics, Velora."""
    parts = read_words("companies")
    starts, endings = parts["syllables"].split(), parts["endings"].split()
    words = (
        (a + (starts[(i * 7 + j) % len(starts)] if (i + j) % 3 else "") + b).capitalize()
        for i, a in enumerate(starts)
        for j, b in enumerate(endings)
    )
    return of_part((w for w in words if 4 < len(w) < 13), part)
