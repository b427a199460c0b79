"""numbered: `<PERSON_1>`, `<PERSON_2>`; in one text the same value, and person, has one number."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from features.plain_text import folded_text

Numbers = Mapping[tuple[str, str], int]
Words = frozenset[str]

WORD = re.compile(r"[^\W_]+")
HONORIFICS = frozenset(
    "mr mrs ms mx dr prof sir madam herr herrn frau mme madame monsieur senor senora".split()  # noqa: SIM905
)
MOST_PEOPLE = 100  # in one text: each name is compared with all of them


def numbered(values: Iterable[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """A number from 1 for each (entity type, value), in order of first mention, per type.

    Case, accents and spacing make no difference. Who is named in full in one place and in part
    in another (`Jane Smith`, `Jane`, `Smith, Jane`, `J. Smith`) is one person.
    """
    listed = list(dict.fromkeys(values))
    people = _people(value for entity_type, value in listed if entity_type == "PERSON")
    known: dict[tuple[str, object], int] = {}
    last: dict[str, int] = {}
    numbers: dict[tuple[str, str], int] = {}
    for entity_type, value in listed:
        same = people.get(value) if entity_type == "PERSON" else None
        key = (entity_type, _plainly(value) if same is None else same)
        if key not in known:
            last[entity_type] = known[key] = last.get(entity_type, 0) + 1
        numbers[entity_type, value] = known[key]
    return numbers


def _people(names: Iterable[str]) -> dict[str, int]:
    """Which person each name is of."""
    fullest: list[Words] = []
    of: dict[str, int] = {}
    for name in names:
        words = frozenset(WORD.findall(folded_text(name))) - HONORIFICS
        if not words:
            continue
        who = next((i for i, known in enumerate(fullest) if _is_one(words, known)), len(fullest))
        if who == len(fullest):
            if who == MOST_PEOPLE:
                continue
            fullest.append(words)
        elif len(words) > len(fullest[who]):
            fullest[who] = words
        of[name] = who
    return of


def _is_one(words: Words, known: Words) -> bool:
    fewer, more = (words, known) if len(words) <= len(known) else (known, words)
    rest = fewer - more
    if not rest:
        return True
    letters = {word[0] for word in more - fewer}
    return rest < fewer and all(len(word) == 1 and word in letters for word in rest)


def _plainly(value: str) -> str:
    return " ".join(value.casefold().split())
