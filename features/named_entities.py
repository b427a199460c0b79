"""NamedEntities: people, companies, addresses and places, by a network taught for lead messages.

It began as the recognizer of a spaCy model from PyPI (`ner_component`).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

from presidio_analyzer import LocalRecognizer, RecognizerResult

from features.errors import RedactionFailed
from features.found_span import LIKELY
from features.name_counts import plain_letters
from features.name_reader import PERSON, NameReader, Reading
from features.ner_component import SHIPPED, load_component

VERSION = "2026-12.4"
SCORE = 0.85
REPORTED = ("PERSON", "ORGANIZATION", "STREET_ADDRESS", "LOCATION", "NRP", "DATE_TIME")
# Runs that no name is in, and that make the tokenizer slow; and signs that no name has.
# Marks in front of each line, as in quoted mails, hide that a line begins.
UNREAD = re.compile(r"\S{61,}+|[^\w\s!-~£€°º]|(?m:^[ \t]*+[>?|*#~=+!/-]{1,8}+(?=[ \t]))")
WORD = re.compile(r"\w++|[^\w\s]")
MOST_WORDS = 120  # in one piece: about 2 ms
FEWEST_WORDS = 40  # before a cut that is not between any two words
CUTS = re.compile(r"(?P<blank_line>\n\s*\n\s*)|(?P<sentence>(?<=[.!?])\s+)|(?P<line>\n\s*)|\s+")
EDGES = " \t\r\n,;:!?>|*\"'()<#-"
# A unit, or a house number of up to three digits at an end of the line.
STREET_LINE = re.compile(
    r"(?im)\b(?:apt|apartment|suite|ste|unit|flat|floor|room|box|building|bldg|studio)\b"
    r"|^[\W_]*\d{1,3}[a-z]?[,\s]+[^\W\d]|\s\d{1,3}[a-z]?[.\s]*$"
)
NO_ADDRESS = re.compile(r"[\W_]*+(?:\d[\W_]*+){0,3}")  # by itself: a count, a size, an age
CODE = re.compile(r"\w*\d[\w-]*")
LINE = re.compile(r"[^\r\n]+")

MAILBOX = re.compile(r"[\w.+%-]++(?=@)")
LETTERS = re.compile(r"[^\W\d_]{3,}+")
SECOND_LOOK = "SecondLook"  # who gives the scores of people by one word or two

Span = tuple[int, int, str]


class NamedEntities(LocalRecognizer):  # type: ignore[misc]  # Presidio ships no types
    """Names in a text. Its cost is per word; more than `max_words` are refused.

    A long text is read in pieces, so that the CPU timer can stop it.
    """

    def __init__(self, model: str, weights: str, max_words: int, folder: Path = SHIPPED) -> None:
        """With the English words of spaCy's `model` and the weights whose SHA-256 is `weights`."""
        from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

        super().__init__(supported_entities=list(REPORTED), name="NamedEntities", version=VERSION)
        # For good, in this process: on a busy machine the products of a text, shared among
        # threads that wait for each other, cost many times what they cost on one.
        threadpool_limits(limits=1, user_api="blas")
        component = load_component(model, weights, folder)
        self._reader = NameReader(component.network, component.lexicon)
        self._second_look = component.second_look
        self._ordinary = component.ordinary
        self._places = component.places
        self._max_words = max_words
        self._metadata = {
            name: {
                RecognizerResult.RECOGNIZER_NAME_KEY: name,
                RecognizerResult.RECOGNIZER_IDENTIFIER_KEY: self.id,
            }
            for name in (self.name, SECOND_LOOK)
        }

    def load(self) -> None:
        """Nothing: the constructor has loaded it."""

    def analyze(self, text: str, entities: list[str], nlp_artifacts: Any = None) -> list[Any]:  # noqa: ARG002  # Presidio's signature
        """Presidio's results, without explanations: these would hold parts of the text.

        A person by one word or two has the score of the second look, in whose name it is given.

        Raises RedactionFailed: more than `max_words` words.
        """
        return [
            RecognizerResult(kind, start, end, score, recognition_metadata=self._metadata[by])
            for start, end, kind, score, by in self._found(readable(text))
            if kind in entities
        ]

    def _found(self, text: str) -> Iterator[tuple[int, int, str, float, str]]:
        readings = [self._reader.read(text, *piece) for piece in pieces(text, self._max_words)]
        mailed = _mailed(text)
        somebodys = mailed | self._full_names(readings)
        looked = set()
        for one in self._second_look.sure(readings, mailed):
            reading, look = one.reading, one.look
            if look.taken:
                looked.add((id(reading), look.first))
            if look.taken or one.sure >= LIKELY:  # of what was not taken, only what is one
                span = *reading.extent(look.first, look.after), PERSON
                spans = self._cleaned(text, span, somebodys)
                yield from ((*s, one.sure, SECOND_LOOK) for s in spans)
        for reading in readings:
            for first, after, kind in reading.names:
                if (id(reading), first) not in looked:
                    span = *reading.extent(first, after), kind
                    spans = self._cleaned(text, span, somebodys)
                    yield from ((*s, SCORE, self.name) for s in spans)

    def _full_names(self, readings: Sequence[Reading]) -> frozenset[str]:
        """Words, in plain letters, of people's names of two words or more, but for places."""
        names = (
            reading.words[first:after]
            for reading in readings
            for first, after, kind in reading.names
            if kind == PERSON and after - first > 1
        )
        people = (name for name in names if not self._places.are(" ".join(name), PERSON))
        return frozenset(plain_letters(word) for name in people for word in name)

    def _cleaned(self, text: str, span: Span, somebodys: Collection[str]) -> Iterator[Span]:
        """somebodys: plain words that are part of somebody's name in this text."""
        for start, end, kind in cleaned(text, *span):
            value = text[start:end]
            if self._is_place(text, start, end, kind) and not names_somebody(value, somebodys):
                yield start, end, "LOCATION"
            elif _is_named(value, kind, somebodys) or not self._ordinary.holds(
                text, start, end, kind
            ):
                yield start, end, kind

    def _is_place(self, text: str, start: int, end: int, kind: str) -> bool:
        if self._places.are(text[start:end], kind):
            return True
        return kind == PERSON and self._places.are_part_at(text, start, end)


def names_somebody(value: str, somebodys: Collection[str]) -> bool:
    """True where one of its words is among these."""
    return any(plain_letters(word) in somebodys for word in LETTERS.findall(value))


def _is_named(value: str, kind: str, somebodys: Collection[str]) -> bool:
    """True for one word of somebody's name; of two it may be that name itself."""
    return kind == PERSON and plain_letters(value) in somebodys


def _mailed(text: str) -> frozenset[str]:
    """Words, in plain letters, of the mailboxes in a text."""
    if "@" not in text:
        return frozenset()
    mailboxes = map(plain_letters, MAILBOX.findall(text))
    return frozenset(word for mailbox in mailboxes for word in LETTERS.findall(mailbox))


def readable(text: str) -> str:
    """The text with blanks, as many, for what is not read."""
    return UNREAD.sub(lambda run: " " * len(run[0]), text)


def pieces(text: str, max_words: int) -> Iterator[tuple[int, int]]:
    """Where to cut a text: at blank lines, sentence ends or line ends, else between words.

    A run of blanks between two words comes at the latest after 60 characters (`UNREAD`).

    Raises RedactionFailed: more than `max_words` words.
    """
    total = _words(text, 0, len(text))
    if total > max_words:
        raise RedactionFailed(
            f"The text has more than {max_words:,} words to read. Send a shorter one."
        )
    start = words = 0
    cuts: dict[str, tuple[int, int]] = {}  # by kind: the last one, and the words before it
    last = 0
    for gap in CUTS.finditer(text) if total > MOST_WORDS else ():
        count = _words(text, last, gap.start())
        if cuts and words + count > MOST_WORDS:
            kinds = ("blank_line", "sentence", "line", "word")
            good = [cuts[k] for k in kinds if k in cuts and cuts[k][1] >= FEWEST_WORDS]
            at, before = good[0] if good else cuts["word"]
            yield start, at
            start, words = at, words - before
            cuts = {}
        words += count
        last = gap.end()
        cuts["word"] = last, words
        cuts[gap.lastgroup or "word"] = last, words
    if text[start:].strip():
        yield start, len(text)


def _words(text: str, start: int, end: int) -> int:
    return len(WORD.findall(text, start, end))


def cleaned(text: str, start: int, end: int, kind: str) -> Iterator[Span]:
    """A span without what models wrongly take along; none where it can be no such entity."""
    if kind == "STREET_ADDRESS":
        lines = [] if NO_ADDRESS.fullmatch(text, start, end) else address_lines(text, start, end)
    else:  # a name ends with its line
        lines = [line.span() for line in LINE.finditer(text, start, end)]
    for a, b in lines:
        while a < b and text[a] in EDGES:
            a += 1  # noqa: PLW2901
        while b > a and text[b - 1] in EDGES:
            b -= 1  # noqa: PLW2901
        if kind != "ORGANIZATION" and text[a:b].endswith("."):
            b -= 1  # noqa: PLW2901
        if _plausible(text[a:b], kind):
            yield a, b, kind


def address_lines(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """What goes of an address: all of it in running text.

    Of an address block, of lines of its own, the lines of town and country stay, as they do
    anywhere else: only postcodes go with street and unit.
    """
    lines = [line.span() for line in LINE.finditer(text, start, end)]
    if len(lines) < 3 or text[text.rfind("\n", 0, start) + 1 : start].strip(EDGES):
        return [(start, end)]
    parts = [lines[0]]
    for a, b in lines[1:]:
        if STREET_LINE.search(text, a, b):
            parts.append((a, b))
        else:
            codes = [m.span() for m in CODE.finditer(text, a, b)]
            parts += [(codes[0][0], codes[-1][1])] if codes else []
    return parts


def _plausible(value: str, kind: str) -> bool:
    """False for sizes and single letters."""
    letters = sum(map(str.isalpha, value))
    if kind == "PERSON":
        return letters > 1 and not any(map(str.isdigit, value))
    if kind == "ORGANIZATION":
        return letters > 1
    return bool(letters) or any(map(str.isdigit, value))
