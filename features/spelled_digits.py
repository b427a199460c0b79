"""Spelled digits: numbers written in words, as on the phone: `five five five, double three`.

English, German, French and Spanish. Only runs of them are numbers: `one or two`, a price in words
and a list that counts stay.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from features.edit import Edit, in_lower_case

DIGITS = {
    word: str(digit)
    for digit, words in enumerate(
        (
            "zero oh o nought naught nil null zéro cero",
            "one eins un une uno",
            "two zwei zwo deux dos",
            "three drei trois tres",
            "four vier quatre cuatro",
            "five fünf fuenf cinq cinco",
            "six sechs seis",
            "seven sieben sept siete",
            "eight acht huit ocho",
            "nine niner neun neuf nueve",
        )
    )
    for word in words.split()
}
ZEROS = frozenset(word for word, digit in DIGITS.items() if digit == "0")
SPANISH = frozenset("cero uno dos tres cuatro cinco seis siete ocho nueve".split())  # noqa: SIM905
TEENS = {
    word: str(number)
    for number, words in enumerate(
        (
            "ten zehn dix diez",
            "eleven elf onze",  # no `once`, which is English, too
            "twelve zwölf zwoelf douze doce",
            "thirteen dreizehn treize trece",
            "fourteen vierzehn quatorze catorce",
            "fifteen fünfzehn fuenfzehn quinze quince",
            "sixteen sechzehn seize dieciséis",
            "seventeen siebzehn diecisiete",
            "eighteen achtzehn dieciocho",
            "nineteen neunzehn diecinueve",
        ),
        start=10,
    )
    for word in words.split()
}
TENS = {
    word: str(10 * ten)
    for ten, words in enumerate(
        (
            "twenty zwanzig vingt vingts veinte",
            "thirty dreißig dreissig trente treinta",
            "forty fourty vierzig quarante cuarenta",
            "fifty fünfzig fuenfzig cinquante cincuenta",
            "sixty sechzig soixante sesenta",
            "seventy siebzig setenta",
            "eighty achtzig ochenta",
            "ninety neunzig noventa",
        ),
        start=2,
    )
    for word in words.split()
}
GERMAN_TENS = {
    f"{unit}und{ten}": str(int(TENS[ten]) + digit)
    for digit, units in enumerate(
        ("ein", "zwei", "drei", "vier", "fünf fuenf", "sechs", "sieben", "acht", "neun"), start=1
    )
    for unit in units.split()
    for ten in "zwanzig dreißig dreissig vierzig fünfzig fuenfzig sechzig siebzig achtzig neunzig".split()  # noqa: E501, SIM905
}
SPANISH_TWENTIES = {
    f"veinti{unit}": str(number)
    for number, unit in enumerate(
        "uno dós trés cuatro cinco séis siete ocho nueve".split(),  # noqa: SIM905
        start=21,
    )
}
NUMBERS = TEENS | TENS | GERMAN_TENS | SPANISH_TWENTIES
VALUES = DIGITS | NUMBERS
# What may follow a ten in the same number: `dix-sept`, `soixante-quinze`.
COMPOUNDS = dict.fromkeys(TENS, range(1, 10)) | {"soixante": range(1, 17), "dix": range(7, 10)}
COMPOUNDS |= {"quatre": range(20, 21)}
TIMES = {"double": 2, "doppel": 2, "doble": 2, "triple": 3, "treble": 3, "dreimal": 3}
MARKS = {  # between digits, in words
    word: mark
    for mark, words in {
        "-": "dash hyphen minus strich bindestrich tiret guion guión",
        ".": "dot point punkt punto",
        "/": "slash",
    }.items()
    for word in words.split()
}
DIGIT_WORDS = frozenset(DIGITS)
SPOKEN = DIGIT_WORDS | NUMBERS.keys() | TIMES.keys() | MARKS.keys()
LARGER = (
    r"(?:hundred|thousand|million|billion|hundert|tausend|cents?|mille|cien|mil|prozent|percent)"
)

WORDS = "|".join(sorted((*DIGITS, *NUMBERS, *TIMES), key=len, reverse=True))
ONE = re.compile("|".join(w for w in DIGITS if len(w) > 2))
GLUED = rf"(?:{ONE.pattern}){{2,}}+"
IS_GLUED = re.compile(GLUED)
LONGER_THAN_ONE = 5
SEPARATOR = rf"""(?:[ ]{{0,2}}[-,/()+:;\n]{{0,2}}[ ]{{1,3}}[(+]?|[-,/()+:;\n]{{1,2}}|\.
    |[ ](?:{"|".join(MARKS)}|et|y)[ ])"""
ITEM = rf"(?:(?:{WORDS})(?![^\W_])|{GLUED}(?![^\W_])|\d{{1,12}}+(?!\w))"
RUN = re.compile(
    rf"(?:(?<![^\W_])|(?<=\b[^\W\d_]{{2}})) {ITEM}(?:{SEPARATOR}{ITEM})*+", re.VERBOSE
)  # it may follow the country of an IBAN
TOKEN = re.compile(r"[^\W\d_]++|\d++")
OF_NEXT_WORD = re.compile(rf"[ -]{LARGER}\b|[ ]?%|-[^\W\d_]")  # `two hundred`, `two-way`
PLUS_BEFORE = re.compile(r"(?<![^\W_])plus[ ]\Z")  # as in `plus four nine`
NO_WORDS = str.maketrans(dict.fromkeys("-,./()+:;\n!?", " "))

JOINS = frozenset({"", "-", ","})  # what may stand between all digits; a dot is an address's
LEAST_DIGIT_WORDS = 4
LEAST_MIXED_DIGITS = 7  # in figures and words: a phone number


class Number(NamedTuple):
    """Digits somewhere in a run. alone: one or more single digits, not a number of two."""

    start: int
    end: int
    digits: str
    word: str
    alone: bool


def spelled_digits(text: str) -> Iterator[Edit]:
    """The edits that read runs of spelled digits as digits."""
    lower = in_lower_case(text)
    words = lower.translate(NO_WORDS).split()
    several = not DIGIT_WORDS.isdisjoint(words) and any(map(_may_go_on, words, words[1:]))
    if several or any(map(_is_glued, words)):
        for run in RUN.finditer(lower):
            yield from _run_edits(lower, *run.span())


def _may_go_on(word: str, after: str) -> bool:
    return word in DIGITS and (after in SPOKEN or after.isdecimal())


def _is_glued(word: str) -> bool:
    """True for `fivefive`."""
    return len(word) > LONGER_THAN_ONE and IS_GLUED.fullmatch(word) is not None


def _run_edits(text: str, start: int, end: int) -> Iterator[Edit]:
    numbers = _numbers(text, start, end)
    if numbers and OF_NEXT_WORD.match(text, end):
        numbers.pop()
    if not _is_number(text, numbers):
        return
    gaps = [text[a.end : b.start] for a, b in pairwise(numbers)]
    between = [a.alone and b.alone for a, b in pairwise(numbers)]
    single = [g for g, alone in zip(gaps, between, strict=True) if alone and g.strip() in JOINS]
    usual = Counter(single).most_common(1)[0][0] if single else None
    if PLUS_BEFORE.search(text, max(0, start - 6), start):
        yield start - 5, start, "+"
    for number, gap, alone, after in zip(numbers, gaps, between, numbers[1:], strict=False):
        new = "" if alone and gap == usual else _mark(gap, tight=alone)
        if new:
            yield number.start, number.end, number.digits
            yield number.end, after.start, new
        else:
            yield number.start, after.start, number.digits
    yield numbers[-1].start, numbers[-1].end, numbers[-1].digits


def _mark(gap: str, *, tight: bool) -> str:
    """What to read between two digits that are further apart than others; tight: single ones."""
    mark = gap.strip()
    if mark in MARKS:
        return MARKS[mark]
    if mark == "-":
        return mark
    return " " if mark in {"", ","} or (tight and mark == ";") else gap


def _is_number(text: str, numbers: Sequence[Number]) -> bool:
    """True for what somebody dictates, False for what somebody counts."""
    said = [n.word in DIGITS or n.word in TIMES for n in numbers]
    spelled = {n.word for n, is_said in zip(numbers, said, strict=True) if is_said}
    if not spelled or ("o" in spelled and spelled & SPANISH) or _counts(text, numbers):
        return False
    if sum(len(n.digits) for n, is_said in zip(numbers, said, strict=True) if is_said) >= (
        LEAST_DIGIT_WORDS
    ):
        return True
    between = text[numbers[0].end : numbers[-1].start]
    in_a_row = any(a and b for a, b in pairwise(said))
    bracketed_zero = "(" in between and not ZEROS.isdisjoint(spelled)
    digits = sum(len(n.digits) for n in numbers)
    return digits >= LEAST_MIXED_DIGITS and (in_a_row or bracketed_zero)


def _counts(text: str, numbers: Sequence[Number]) -> bool:
    """True for a list: every number larger than the one before, and commas between."""
    return len(numbers) > 1 and all(
        _size(a.digits) < _size(b.digits) and "," in text[a.end : b.start]
        for a, b in pairwise(numbers)
    )


def _size(digits: str) -> tuple[int, str]:
    """Orders numbers of any length, for which `int` takes too long."""
    bare = digits.lstrip("0")
    return len(bare), bare


def _numbers(text: str, start: int, end: int) -> list[Number]:
    """The numbers of a run: `double three` is 33, `trente-quatre` is 34."""
    numbers: list[Number] = []
    times = None
    for token in TOKEN.finditer(text, start, end):
        word = token[0]
        if word in TIMES:
            times = token
            continue
        digits = VALUES.get(word) or (word if word.isdecimal() else "")
        if not digits and _is_glued(word):
            glued = ONE.findall(word)
            word, digits = glued[0], "".join(map(DIGITS.__getitem__, glued))
        if not digits:  # a mark, or `et`
            continue
        alone = len(digits) == 1
        number = Number(*token.span(), digits, word, alone)
        if times is not None and alone:
            number = Number(times.start(), number.end, digits * TIMES[times[0]], times[0], True)
        times = None
        whole = None
        if numbers and numbers[-1].word in COMPOUNDS:
            whole = _compound(text, numbers[-1], number)
        if whole is None:
            numbers.append(number)
        else:
            numbers[-1] = whole
    return numbers


def _compound(text: str, ten: Number, unit: Number) -> Number | None:
    """`twenty-five`, `treinta y cuatro`, `soixante et onze`, `quatre-vingt-dix-sept`."""
    between = text[ten.end : unit.start].strip(" -")
    if between not in {"", "et", "y"} or unit.word.isdecimal():
        return None
    if len(unit.digits) > 2 or int(unit.digits) not in COMPOUNDS[ten.word]:
        return None
    if ten.word == "quatre":
        return Number(ten.start, unit.end, "80", "soixante", False)
    total = str(int(ten.digits) + int(unit.digits))
    return Number(ten.start, unit.end, total, unit.word if unit.word == "dix" else total, False)
