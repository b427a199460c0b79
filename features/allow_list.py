"""AllowList: what a house's own products, plans and competitors are called. Such words stay.

A network cannot know that `Velora` is a product here and `Grant` a plan; whoever sells them does.
The term is Presidio's; but there it lets any span go by that reads so. Here it overrules guesses
alone: whoever signs, is greeted, has a title or an e-mail address by that name, and the lead's own
identity, go as ever.
"""

from __future__ import annotations

import hashlib
import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from features.found_span import FoundSpan
from features.plain_text import PlainText

# Who is overruled, and about what. A network guesses; a web address says whose it is, which is the
# house's to know (`zellira.io`).
_GUESSES = frozenset({"PERSON", "ORGANIZATION", "STREET_ADDRESS"})
OVERRULED = {"NamedEntities": _GUESSES, "SecondLook": _GUESSES, "Urls": frozenset({"URL"})}
# And about what is within a longer phrase: `Martens` in `Dr. Martens`, where the title is listed.
OVERRULED_WITHIN = {"TitledNames": frozenset({"PERSON"})}
CERTAIN = 1.0  # part of a full name or of a mailbox elsewhere in the text
MOST_PHRASES = 1_000
MOST_CHARS = 100  # of a phrase
LETTERS = re.compile(r"[^\W\d_]{2}")
BLANKS = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class AllowList:
    """Phrases in any case, of one word or more. An empty list allows nothing.

    Raises:
        ValueError: one of them is no name of anything, or there are too many.
    """

    phrases: tuple[str, ...] = ()
    _pattern: re.Pattern[str] | None = field(init=False, repr=False, compare=False, default=None)

    def __post_init__(self) -> None:
        if len(self.phrases) > MOST_PHRASES:
            raise ValueError(f"an allow list holds at most {MOST_PHRASES:,} phrases")
        for phrase in self.phrases:
            _require_name(phrase)
        if self.phrases:
            longest_first = sorted(map(_plain, self.phrases), key=lambda phrase: -len(phrase))
            object.__setattr__(self, "_pattern", _pattern(longest_first))

    @property
    def digest(self) -> str:
        """Of the phrases, in whatever case and order they are listed: 8 hex digits."""
        plain = sorted({_plain(phrase).casefold() for phrase in self.phrases})
        return hashlib.sha256("\n".join(plain).encode()).hexdigest()[:8]

    def allowed(self, found: Iterable[FoundSpan], text: str) -> frozenset[FoundSpan]:
        """Those of the spans found in `text` that are guesses, and lie within a phrase."""
        if self._pattern is None:
            return frozenset()
        phrases = [match.span() for match in self._pattern.finditer(text)]
        return frozenset(span for span in (found if phrases else ()) if _has(phrases, span))


def _has(phrases: Sequence[tuple[int, int]], span: FoundSpan) -> bool:
    """phrases: where they are in the text, in order and disjoint."""
    before = bisect_right(phrases, span.start, key=lambda phrase: phrase[0])
    if not before or span.end > phrases[before - 1][1]:
        return False
    is_longer = phrases[before - 1] != (span.start, span.end)
    within = OVERRULED_WITHIN.get(span.recognizer, frozenset())
    return is_guess(span) or (is_longer and span.entity_type in within)


class Found(Protocol):
    """Of a span that a recognizer found, what tells if it is a guess."""

    @property
    def entity_type(self) -> str: ...
    @property
    def score(self) -> float: ...
    @property
    def recognizer(self) -> str: ...


def is_guess(span: Found) -> bool:
    """True where a list may overrule it."""
    kinds = OVERRULED.get(span.recognizer, frozenset())
    return span.entity_type in kinds and span.score < CERTAIN


def _require_name(phrase: str) -> None:
    if not LETTERS.search(phrase) or "@" in phrase or not phrase.isprintable():
        raise ValueError(f"{phrase!r} is not what a product, a plan or a company is called")
    if len(phrase) > MOST_CHARS:
        raise ValueError(f"{phrase[:20]!r}... has more than {MOST_CHARS} characters")


def _plain(phrase: str) -> str:
    return BLANKS.sub(" ", PlainText.read(phrase).text.strip())


def _pattern(phrases: Iterable[str]) -> re.Pattern[str]:
    """Whole words, whatever blanks are between them. Each phrase is tried once a word."""
    written = (r"\s{1,3}+".join(map(re.escape, phrase.split(" "))) for phrase in phrases)
    return re.compile(rf"(?<!\w)(?:{'|'.join(written)})(?!\w)", re.IGNORECASE)
