"""PlainText: a text without disguises, and where each of its characters came from."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from features.disguises import DISGUISES
from features.edit import Edit

LINE_END = re.compile(r"\r\n")
HTML_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});?")
ALREADY_PLAIN = re.compile(r"[\n -~]*+")
# Letters of many languages are as plain: a text of them needs no look at each.
UNUSUAL = re.compile(
    r"[^ -~\n\u00c0-\u0131\u0134-\u013e\u0141-\u0148\u014a-\u017e\u0391-\u03c9\u0400-\u0481"
    r"\u3041-\u3096\u30a1-\u30fa\u4e00-\u9fff\uac00-\ud7a3]"
)
FOLDING = re.compile(r"[^\x00-\x7f\u4e00-\u9fff]")
ENTITY_PASSES = 3  # `&amp;amp;#64;` is read; deeper nesting is not honest and stays visible as such
MARKS_PER_LETTER = 30  # Unicode's own bound (UAX 15, stream-safe text): longer runs cost n^2
MOST_LETTERS = 4  # of one: a single Arabic ligature stands for 18, and would make texts endless
# One shape for each kind of dash, quote, space and line end: patterns need no other.
ALIKE = {"Pd": "-", "Pi": '"', "Pf": '"', "Zs": " ", "Zl": "\n", "Zp": "\n"}
ALIKE |= {"Cs": "\ufffd"}  # half of a surrogate pair: no encoder downstream takes it
ALIKE |= {"Cf": "", "Me": ""}  # formats, and what encloses a letter: the key of a key cap
ALIKE |= {"Co": ""}  # signs of one font alone: what reads the text next leaves them out
NUMBERS = frozenset({"Nd", "No"})
INVISIBLE = (  # by looks, but letters and marks by category
    *"\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0",
    *map(chr, (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))),  # variation selectors
)
SPECIAL = dict.fromkeys(INVISIBLE, "") | dict.fromkeys("\u2018\u2019\u02bc\u00b4", "'")
SPECIAL |= {"\u2800": " "}  # braille without dots
for _first, _letter in ((0x249C, "a"), (0x1F110, "A"), (0x1F150, "A"), (0x1F170, "A")):
    # Letters in circles and squares that NFKC leaves as they are, or puts in parentheses.
    SPECIAL |= {chr(_first + i): chr(ord(_letter) + i) for i in range(26)}
CONTROLS = dict.fromkeys("\n\r\x0b\x0c\x1c\x1d\x1e\x85", "\n") | dict.fromkeys("\t\x1f", " ")
FRACTION_SLASH = "\u2044"
# Marks that strike through, underline or overline: no letter of any language has them.
LINES = frozenset("\u0305\u0332\u0333\u0334\u0335\u0336\u0337\u0338\u033f\u20d2\u20d3\u20e5\u20e6")
DISTINCT_LETTERS = {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe"}
DISTINCT_LETTERS |= {"\u0131": "i", "ħ": "h", "ŧ": "t"}


@dataclass(frozen=True, slots=True)
class PlainText:
    """A text, and for each of its characters the start and end in the text it was read from."""

    text: str
    starts: Sequence[int]
    ends: Sequence[int]

    @classmethod
    def read(cls, source: str) -> PlainText:
        """`source` as a person reads it.

        NFKC (full-width letters, ligatures), every script's digits as 0 to 9, HTML entities
        decoded; zero-width characters, soft hyphens and other invisible ones are gone. Then what
        writers bend, see `disguises`.
        """
        plain = cls._unread(source)
        for _ in range(ENTITY_PASSES):
            if not HTML_ENTITY.search(plain.text):
                break
            plain = plain._through(_entities_decoded)
        if not ALREADY_PLAIN.fullmatch(plain.text):
            plain = (
                plain._through(_lines_ended)
                ._letter_by_letter(_shown, UNUSUAL)
                ._through(_marks_composed)
            )
        for step in DISGUISES:
            plain = plain._through(step)
        return plain

    @classmethod
    def _unread(cls, source: str) -> PlainText:
        return cls(source, range(len(source)), range(1, len(source) + 1))

    def source_span(self, start: int, end: int) -> tuple[int, int]:
        """The part of the source that characters start to end (at least one) were read from."""
        return self.starts[start], self.ends[end - 1]

    def _letter_by_letter(
        self, reading: Callable[[str], str], letters: re.Pattern[str]
    ) -> PlainText:
        """With each of `letters` read on its own."""
        readings = {c: reading(c) for c in set(letters.findall(self.text))}
        alone = {ord(c): new for c, new in readings.items() if len(new) == 1 and c != new}
        text = self.text.translate(alone) if alone else self.text
        return PlainText(text, self.starts, self.ends)._edited(_resized(self.text, readings))

    def _through(self, step: Callable[[str], Iterable[Edit]]) -> PlainText:
        return self._edited(step(self.text))

    def _edited(self, edits: Iterable[Edit]) -> PlainText:
        """With `edits`, in order and disjoint."""
        here = iter(edits)
        first = next(here, None)
        if first is None:
            return self
        letters: list[str] = []
        starts: list[int] = []
        ends: list[int] = []
        from_start, from_end = list(self.starts), list(self.ends)
        at = 0
        for start, end, new in chain((first,), here):
            if at < start:
                letters.append(self.text[at:start])
                starts += from_start[at:start]
                ends += from_end[at:start]
            at = end
            size = len(new)
            if size == end - start:
                starts += from_start[start:end]
                ends += from_end[start:end]
            elif size == 1:
                starts.append(from_start[start])
                ends.append(from_end[end - 1])
            elif size:
                starts += [from_start[start]] * size
                ends += [from_end[end - 1]] * size
            elif ends:
                ends[-1] = from_end[end - 1]
            letters.append(new)
        letters.append(self.text[at:])
        starts += from_start[at:]
        ends += from_end[at:]
        return PlainText("".join(letters), starts, ends)


def folded(text: str) -> PlainText:
    """`text` without case and accents; `ß` is `ss`, `ø` is `o`."""
    if text.isascii():
        return PlainText(text.lower(), range(len(text)), range(1, len(text) + 1))
    return PlainText._unread(text.translate(ASCII_LOWER))._letter_by_letter(_fold, FOLDING)


def folded_text(text: str) -> str:
    """What `folded` reads, where nobody asks for the places of its characters."""
    return text.lower() if text.isascii() else folded(text).text


ASCII_LOWER = {upper: chr(upper + 32) for upper in range(ord("A"), ord("Z") + 1)}


def _resized(text: str, readings: Mapping[str, str]) -> Iterator[Edit]:
    resized = {c for c, new in readings.items() if len(new) != 1}
    if resized:
        yield from ((i, i + 1, readings[c]) for i, c in enumerate(text) if c in resized)


def _lines_ended(text: str) -> Iterator[Edit]:
    """What forms and mails end a line with is one sign."""
    yield from ((*end.span(), "\n") for end in LINE_END.finditer(text))


def _entities_decoded(text: str) -> Iterator[Edit]:
    for entity in HTML_ENTITY.finditer(text):
        yield (*entity.span(), html.unescape(entity[0]))


def _shown(c: str) -> str:
    special = SPECIAL.get(c)
    if special is not None:
        return special
    category = unicodedata.category(c)
    if category in ALIKE:
        return ALIKE[category]
    if category in NUMBERS and (digit := unicodedata.digit(c, None)) is not None:
        return str(digit)
    if category == "Cc":
        return CONTROLS.get(c, "")
    plain = unicodedata.normalize("NFKC", c)
    grown = len(plain) > MOST_LETTERS or FRACTION_SLASH in plain  # 2½ is not 21/2
    return c if grown else plain


def _marks_composed(text: str) -> Iterator[Edit]:
    marks = {c for c in set(UNUSUAL.findall(text)) if unicodedata.combining(c)}
    if not marks:
        return
    read: dict[str, str] = {}
    start = -1  # of the letter whose marks come
    for i, c in enumerate(chain(text, "\0")):
        if c in marks:
            start = max(i - 1, 0) if start < 0 else start
        elif start >= 0:
            cluster = text[start:i]
            new = read.get(cluster)
            if new is None:
                new = read[cluster] = _composed(cluster)
            yield start, i, new
            start = -1


def _composed(cluster: str) -> str:
    """A letter and its marks: as one, where there is such a letter, and without decoration."""
    plain = unicodedata.normalize("NFKC", cluster[: 1 + MARKS_PER_LETTER])
    bare = "".join(c for c in plain if c not in LINES)
    decorated = bare[:1].isascii() and (len(bare) > 2 or not bare[:1].isalpha())
    return bare[:1] if decorated else bare


def _fold(c: str) -> str:
    parts = unicodedata.normalize("NFKD", c)
    if len(parts) > MOST_LETTERS:
        return c
    if parts != c:
        bare = "".join(d for d in parts if not unicodedata.combining(d))
        parts = unicodedata.normalize("NFC", bare)  # Hangul syllables
    elif unicodedata.combining(c):
        return ""
    return "".join(DISTINCT_LETTERS.get(d, d) for d in parts.casefold())
