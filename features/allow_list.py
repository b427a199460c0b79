"""AllowList: what a house's own products, plans and competitors are called. Such words stay.

A network cannot know that `Velora` is a product here and `Grant` a tier; whoever sells them does.
The term is Presidio's; but there it lets any span go by that reads so. Here it overrules guesses
alone, and none where the text itself says that somebody is called so: they sign, are greeted, have
a title, a mailbox or a full name by it. The lead's own identity goes as ever.
"""

from __future__ import annotations

import hashlib
import re
from bisect import bisect_right
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

from features.edit import in_lower_case
from features.found_span import FoundSpan
from features.plain_text import PlainText, folded_text

# Who is overruled, and about what. A network guesses; what a web address is, the house may know.
GUESSES = frozenset({"PERSON", "ORGANIZATION", "STREET_ADDRESS"})
OVERRULED = {"NamedEntities": GUESSES, "SecondLook": GUESSES, "Urls": frozenset({"URL"})}
# And about what is within a phrase that has the title too: `Martens` in `Dr. Martens`.
OVERRULED_AFTER = {"TitledNames": frozenset({"PERSON"})}
NAMING = frozenset({"PERSON", "EMAIL_ADDRESS", "SOCIAL_HANDLE"})  # say what somebody is called
CERTAIN = 1.0  # part of a full name or of a mailbox elsewhere in the text
SHORTEST = 3  # letters of what is looked for in a name or a mailbox
MOST_PHRASES = 1_000
MOST_CHARS = 100  # of a phrase
LETTER = re.compile(r"[^\W\d_]")
POSSESSIVE = re.compile(r"'[sS]$")
BLANKS = re.compile(r"\s+")
GAP = r"[^\S\r\n]{1,3}+"  # between two words of a phrase
Extent = tuple[int, int]


@dataclass(frozen=True)
class AllowList:
    """Phrases in any case, of one word or more. An empty list allows nothing.

    Raises:
        ValueError: one of them is no name of anything, or there are too many.
    """

    phrases: tuple[str, ...] = ()
    _plain: tuple[str, ...] = field(init=False, repr=False, compare=False, default=())

    def __post_init__(self) -> None:
        if len(self.phrases) > MOST_PHRASES:
            raise ValueError(f"an allow list holds at most {MOST_PHRASES:,} phrases")
        plain = [BLANKS.sub(" ", PlainText.read(one).text.strip()) for one in self.phrases]
        for phrase, read in zip(self.phrases, plain, strict=True):
            _require_name(phrase, read)
        object.__setattr__(self, "_plain", tuple(dict.fromkeys(plain)))

    @cached_property
    def digest(self) -> str:
        """Of the phrases, in whatever case and order they are listed: 8 hex digits."""
        same = sorted({phrase.lower() for phrase in self._plain})
        return hashlib.sha256("\n".join(same).encode()).hexdigest()[:8]

    def allowed(self, found: Collection[FoundSpan], text: str) -> frozenset[FoundSpan]:
        """Those of the spans found in `text` that are guesses, lie within a phrase, and are not
        what somebody is called elsewhere in it.
        """
        if not self.phrases:
            return frozenset()
        phrases = [match.span() for match in self._pattern.finditer(text)]
        allowed = {span for span in (found if phrases else ()) if _has(phrases, span)}
        naming = {s for s in found if s.entity_type in NAMING and s not in allowed}
        names = "\n".join({_read(text, span) for span in naming if allowed})
        return frozenset(span for span in allowed if not _is_called(_read(text, span), names))

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        """Whole words, on one line, whatever blanks are between them. The longest comes first."""
        written = _written([in_lower_case(phrase).split(" ") for phrase in self._plain])
        return re.compile(rf"(?<!\w){written}(?!\w)", re.IGNORECASE)


def _written(phrases: Iterable[Sequence[str]]) -> str:
    """A pattern of phrases by their words, in lower case: what many begin with is read once."""
    rests: dict[str, list[Sequence[str]]] = {}
    for first, *rest in phrases:
        rests.setdefault(first, []).append(rest)
    parts = []
    for first in sorted(rests, key=len, reverse=True):
        more = [rest for rest in rests[first] if rest]
        ends = "?" if len(more) < len(rests[first]) else ""
        parts.append(re.escape(first) + (f"(?:{GAP}{_written(more)}){ends}" if more else ""))
    return f"(?:{'|'.join(parts)})"


def _has(phrases: Sequence[Extent], span: FoundSpan) -> bool:
    """phrases: where they are in the text, in order and disjoint."""
    before = bisect_right(phrases, span.start, key=lambda phrase: phrase[0])
    if not before or span.end > phrases[before - 1][1]:
        return False
    is_behind_more = phrases[before - 1][0] < span.start
    behind = OVERRULED_AFTER.get(span.recognizer, frozenset())
    return is_guess(span) or (is_behind_more and span.entity_type in behind)


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


def _read(text: str, span: FoundSpan) -> str:
    """Its letters, plain; of an e-mail address those of the mailbox."""
    value = POSSESSIVE.sub("", text[span.start : span.end])
    if span.entity_type == "EMAIL_ADDRESS":
        value = value.partition("@")[0]
    return "".join(LETTER.findall(folded_text(value)))


def _is_called(value: str, names: str) -> bool:
    """names: one a line. A value of a letter or two must be all of one."""
    return value in names if len(value) >= SHORTEST else value in names.split("\n")


def _require_name(phrase: str, plain: str) -> None:
    if not LETTER.search(plain) or len(plain) < 2 or "@" in plain or not plain.isprintable():
        raise ValueError(f"{phrase!r} is not what a product, a plan or a company is called")
    if len(phrase) > MOST_CHARS:
        raise ValueError(f"{phrase[:20]!r}... has more than {MOST_CHARS} characters")
