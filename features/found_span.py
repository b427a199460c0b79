"""FoundSpan: what a recognizer found; and which of those that overlap goes as what."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from typing import NamedTuple

LIKELY = 0.5  # a span that scores less gives its type only where it is alone
LEAST_REST = 3  # letters and digits: a shorter rest of a span tells nothing by itself


# A tuple: a text comes to a dozen of them, each made, compared and cut anew.
class FoundSpan(NamedTuple):
    """Characters start to end of a plain text, and who says what they are. score is in [0, 1]."""

    start: int
    end: int
    entity_type: str
    score: float
    recognizer: str
    version: str

    @property
    def rank(self) -> tuple[bool, int, float, int, str]:
        """Of two spans that overlap, the higher one keeps its extent."""
        return (
            self.score >= LIKELY,
            self.end - self.start,
            self.score,
            -self.start,
            self.entity_type,
        )


def disjoint(found: Iterable[FoundSpan], text: str) -> list[FoundSpan]:
    """Spans in order, without overlaps, that cover every character of those found, and no other.

    The longest that is likely at all keeps its extent; of another that reaches beyond it, the
    rest goes as its own type, or with its neighbour where nothing can be told from it. Spans of
    one type that touch are one. Of several alike the first found names its recognizer.
    """
    taken: list[FoundSpan] = []
    for span in sorted(dict.fromkeys(found), key=lambda s: s.rank, reverse=True):
        _take(span, taken, text)
    joined: list[FoundSpan] = []
    for span in taken:
        last = joined[-1] if joined else None
        if last and last.end == span.start and last.entity_type == span.entity_type:
            widest = max(last, span, key=lambda s: s.rank)
            joined[-1] = widest._replace(start=last.start, end=span.end)
        else:
            joined.append(span)
    return joined


def _take(span: FoundSpan, taken: list[FoundSpan], text: str) -> None:
    """Add to `taken`, disjoint and in order, what `span` has beyond it."""
    at = span.start
    i = bisect_left(taken, at + 1, key=lambda t: t.end)  # the first that ends after `at`
    while at < span.end:
        following = taken[i] if i < len(taken) else None
        end = min(span.end, following.start) if following else span.end
        if at < end:
            rest = span._replace(start=at, end=end)
            i += _add_rest(rest, i, taken, text, whole=rest == span)
        if following is None or following.start >= span.end:
            return
        at = following.end
        i += 1


def _add_rest(rest: FoundSpan, i: int, taken: list[FoundSpan], text: str, *, whole: bool) -> int:
    """How many spans longer `taken` is with `rest` before its i-th: 0 where a neighbour took it."""
    before = taken[i - 1] if i and taken[i - 1].end == rest.start else None
    after = taken[i] if i < len(taken) and taken[i].start == rest.end else None
    if (before or after) and not whole and not _tells(text, rest):
        if before:
            taken[i - 1] = before._replace(end=rest.end)
        elif after:
            taken[i] = after._replace(start=rest.start)
        return 0
    taken.insert(i, rest)
    return 1


def _tells(text: str, span: FoundSpan) -> bool:
    return sum(map(str.isalnum, text[span.start : span.end])) >= LEAST_REST
