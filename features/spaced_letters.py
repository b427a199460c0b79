"""Spaced letters: words and numbers that are spread out, letter by letter."""

from __future__ import annotations

import re
from collections.abc import Iterator

from features.edit import Edit

# Latin, Greek, Cyrillic, Armenian: not the scripts that write words in one sign.
NO_DIGIT = r"[A-Za-z\u00c0-\u024f\u0370-\u058f]"
LETTER = rf"[0-9{NO_DIGIT[1:]}"
SIGN = r"[\w@.+'-]"  # also what stands between the letters of an address
SPREAD = re.compile(rf"[ ]{LETTER}[ ]{{1,4}}{LETTER}[ ]")
SPACED = re.compile(
    rf"(?<![^\s(\"'<:]){SIGN}(?!\S) (?:[ ]{{1,4}}{SIGN}(?![^\s.,;:!?)\"'>]))++", re.VERBOSE
)
DASHED = re.compile(
    rf"(?<![\w.*-])(?:{LETTER}(?:-{LETTER}){{3,}}+|{LETTER}(?:_{LETTER}){{3,}}+"
    rf"|{LETTER}(?:\*{LETTER}){{3,}}+|{NO_DIGIT}(?:\.{NO_DIGIT}){{5,}}+)(?![\w*-])"
)
THIN = re.compile(rf"([-_*.]){LETTER}\1{LETTER}\1")
GAP = re.compile(r" +")
THREE_TOGETHER = re.compile(rf"{LETTER}([ ]+){LETTER}\1{LETTER}")
LEAST_LETTERS = 4
LEAST_DIGITS = 6  # fewer are scores, and marks on a scale


def spaced_letters(text: str) -> Iterator[Edit]:
    """The edits that read `j a n e  s m i t h` as `jane smith`."""
    if SPREAD.search(text):
        for run in SPACED.finditer(text):
            if _is_spread(run[0]) and THREE_TOGETHER.search(run[0]):
                yield from _gaps_closed(run[0], run.start())


def dashed_letters(text: str) -> Iterator[Edit]:
    """The edits that read `j-a-n-e` as `jane`; also with stars, underscores and many dots."""
    if THIN.search(text):
        for run in DASHED.finditer(text):
            if _is_spread(run[0]):
                yield from ((i, i + 1, "") for i in range(run.start() + 1, run.end(), 2))


def _is_spread(run: str) -> bool:
    """True for a word or a number.

    False for few digits, for one letter again and again, and for `A B C D`, which is a list.
    """
    letters = [c for c in run if c.isalnum()]
    if len(letters) < (LEAST_DIGITS if "".join(letters).isdecimal() else LEAST_LETTERS):
        return False
    if letters[0].isalpha() and len(set(letters)) == 1:
        return False
    first = ord(letters[0])
    return any(ord(c) != first + i for i, c in enumerate(letters))


def _gaps_closed(run: str, at: int) -> Iterator[Edit]:
    """Between letters nothing; between words, which have the wider gaps, one space."""
    gaps = list(GAP.finditer(run))
    within = min(len(gap[0]) for gap in gaps)
    for gap in gaps:
        start, end = gap.span()
        new_word = end - start > within or (run[start - 1].islower() and run[end].isupper())
        if not new_word or end - start > 1:
            yield (at + start, at + end, " " if new_word else "")
