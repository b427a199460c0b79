"""PlainText: a text without disguises, and where each of its characters came from."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

Piece = tuple[str, int, int]  # what to read, and the part of the source that it stands for

HTML_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});?")
ALREADY_PLAIN = re.compile(r"[\n\r\t -~]*")
ENTITY_PASSES = 3  # `&amp;amp;#64;` is read; deeper nesting is not honest and stays visible as such
MARKS_PER_LETTER = 30  # Unicode's own bound (UAX 15, stream-safe text): longer runs cost n^2
INVISIBLE = frozenset(  # by looks, but letters and marks by category
    "\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0"
    + "".join(map(chr, (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))))  # variation selectors
)
MOST_LETTERS = 4  # of one: a single Arabic ligature stands for 18, and would make texts endless
# One shape for each kind of dash, quote, space and line end: patterns need no other.
ALIKE = {"Pd": "-", "Pi": '"', "Pf": '"', "Zs": " ", "Zl": "\n", "Zp": "\n"}
ALIKE |= {"Cs": "\ufffd"}  # half of a surrogate pair: no encoder downstream takes it
APOSTROPHES = frozenset("\u2018\u2019\u02bc\u00b4")
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
        decoded; zero-width characters, soft hyphens and other invisible ones are gone.
        """
        plain = cls(source, range(len(source)), range(1, len(source) + 1))
        for _ in range(ENTITY_PASSES):
            if not HTML_ENTITY.search(plain.text):
                break
            plain = plain._through(_entities_decoded)
        if ALREADY_PLAIN.fullmatch(plain.text):
            return plain
        return plain._through(_visible)._through(_letters_composed)

    def source_span(self, start: int, end: int) -> tuple[int, int]:
        """The part of the source that characters start to end (at least one) were read from."""
        return self.starts[start], self.ends[end - 1]

    def _through(self, step: Callable[[str], Iterable[Piece]]) -> PlainText:
        return _joined((new, self.starts[a], self.ends[b - 1]) for new, a, b in step(self.text))


def folded(text: str) -> PlainText:
    """`text` without case and accents; `ß` is `ss`, `ø` is `o`."""
    if text.isascii():
        return PlainText(text.lower(), range(len(text)), range(1, len(text) + 1))
    return _joined((_fold(c), i, i + 1) for i, c in enumerate(text))


def _joined(pieces: Iterable[Piece]) -> PlainText:
    letters: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for new, start, end in pieces:
        if not new and ends:
            ends[-1] = end  # what cannot be seen belongs to the letter before it
        letters.append(new)
        starts.extend([start] * len(new))
        ends.extend([end] * len(new))
    return PlainText("".join(letters), starts, ends)


def _entities_decoded(text: str) -> Iterable[Piece]:
    at = 0
    for entity in HTML_ENTITY.finditer(text):
        yield from ((text[i], i, i + 1) for i in range(at, entity.start()))
        yield html.unescape(entity.group()), entity.start(), entity.end()
        at = entity.end()
    yield from ((text[i], i, i + 1) for i in range(at, len(text)))


def _visible(text: str) -> Iterable[Piece]:
    return ((_shown(c), i, i + 1) for i, c in enumerate(text))


def _shown(c: str) -> str:
    category = unicodedata.category(c)
    if category == "Nd":
        return str(unicodedata.decimal(c))
    if c in INVISIBLE or category == "Cf" or (category == "Cc" and not c.isspace()):
        return ""
    return "'" if c in APOSTROPHES else ALIKE.get(category, c)


def _letters_composed(text: str) -> Iterable[Piece]:
    start, size = 0, len(text)
    while start < size:
        end = start + 1
        while end < size and unicodedata.combining(text[end]):
            end += 1
        cluster = text[start : min(end, start + 1 + MARKS_PER_LETTER)]
        plain = unicodedata.normalize("NFKC", cluster)
        yield plain if len(plain) <= MOST_LETTERS * len(cluster) else cluster, start, end
        start = end


def _fold(c: str) -> str:
    if c.isascii():
        return c.lower()
    parts = unicodedata.normalize("NFKD", c)
    if len(parts) > MOST_LETTERS:
        return c
    bare = "".join(d for d in parts if not unicodedata.combining(d))
    whole = unicodedata.normalize("NFC", bare)  # Hangul syllables
    return "".join(DISTINCT_LETTERS.get(d, d) for d in whole.casefold())
