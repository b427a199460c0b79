"""Span scores: what a redactor found of what it should have, with intervals.

A span is found where one that was taken out has an intersection over union of at least `IOU` with
it, in letters and digits. On both sides, spans of one type parted by blanks and punctuation alone
are one. What the policy keeps (places, dates, nationalities, titles, ages) is neither to be found
nor wrong to take out; under the key `ALL_BUT_KEPT` it counts as blank, so that an address is one
span although a town in it is annotated apart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pipelines.metrics import Interval
from pipelines.redaction.example import Span
from pipelines.redaction.held_out_corpus import Message

IOU = 0.5
NEUTRAL = frozenset({"LOCATION", "DATE_TIME", "NRP", "TITLE", "AGE"})
COUNTS = ("found", "missed", "mistyped", "false", "clear", "chars")
DRAWS = 1_000
OWN = "own identity"  # of the lead: what its contact columns hold
ALL, ALL_BUT_KEPT = "all", "all, without what is kept"
Measure = Callable[[Mapping[str, float]], float]  # from the counts of a `Tally`


@dataclass(slots=True)
class Tally:
    """What was counted on one message, or on many. Keys: entity types, `ALL`, `OWN`...

    Attributes:
        found, missed: true spans that were found, and not.
        mistyped: of the found ones, those found as another type.
        false: spans that were taken out, and match no true one.
        clear, chars: letters and digits of true spans: those left in clear, and all.
    """

    found: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)
    mistyped: Counter[str] = field(default_factory=Counter)
    false: Counter[str] = field(default_factory=Counter)
    clear: Counter[str] = field(default_factory=Counter)
    chars: Counter[str] = field(default_factory=Counter)

    def add(self, other: Tally) -> None:
        """Count what `other` counted too."""
        for mine, theirs in zip(self._counters(), other._counters(), strict=True):
            mine.update(theirs)

    def of(self, kind: str) -> dict[str, int]:
        """The counts of one type, by name."""
        return {name: counter[kind] for name, counter in zip(COUNTS, self._counters(), strict=True)}

    def _counters(self) -> tuple[Counter[str], ...]:
        return self.found, self.missed, self.mistyped, self.false, self.clear, self.chars


def tally(message: Message, taken_out: Sequence[Span]) -> Tally:
    """Compare what was taken out of a message with what is known to be in it."""
    example = message.example
    blank = {i for i, c in enumerate(example.text) if not c.isalnum()}
    kept = blank.union(i for s in example.spans if s.entity_type in NEUTRAL for i in _offsets(s))
    truth = [s for s in example.spans if s.entity_type not in NEUTRAL]
    guesses = [
        s
        for s in taken_out
        if s.entity_type not in NEUTRAL and any(i not in kept for i in _offsets(s))
    ]
    counts = Tally()
    _count_spans(counts, merged(truth, blank), merged(guesses, blank), blank)
    _count_spans(counts, merged(truth, kept), merged(guesses, kept), kept, ALL_BUT_KEPT)
    _count_clear(counts, message, taken_out)
    return counts


def _count_spans(
    counts: Tally,
    truth: Sequence[Span],
    guesses: Sequence[Span],
    blank: Collection[int],
    key: str = "",
) -> None:
    """Under `key`, or else under each span's type and `ALL`."""
    matches = _matches(truth, guesses, blank)
    for i, span in enumerate(truth):
        for kind in (key,) if key else (span.entity_type, ALL):
            (counts.found if i in matches else counts.missed)[kind] += 1
            if i in matches and guesses[matches[i]].entity_type != span.entity_type:
                counts.mistyped[kind] += 1
    used = set(matches.values())
    for i, guess in enumerate(guesses):
        if i not in used:
            counts.false.update((key,) if key else (guess.entity_type, ALL))


def _offsets(span: Span) -> range:
    return range(span.start, span.end)


def _count_clear(counts: Tally, message: Message, taken_out: Sequence[Span]) -> None:
    example = message.example
    gone = {i for span in taken_out for i in _offsets(span)}
    for place, span in enumerate(example.spans):
        if span.entity_type in NEUTRAL:
            continue
        seen = [i for i in _offsets(span) if example.text[i].isalnum()]
        clear = sum(1 for i in seen if i not in gone)
        for kind in (span.entity_type, ALL, *([OWN] if place in message.own else [])):
            counts.clear[kind] += clear
            counts.chars[kind] += len(seen)


def merged(spans: Iterable[Span], blank: Collection[int]) -> list[Span]:
    """`spans` in order, those of one type that touch, or have only blanks between, as one.

    Those that are all blank are left out. blank: offsets of characters that count for nothing.
    """
    kept: list[Span] = []
    for span in sorted(spans, key=lambda s: (s.start, -s.end)):
        if all(i in blank for i in _offsets(span)):
            continue
        last = kept[-1] if kept else None
        if (
            last
            and last.entity_type == span.entity_type
            and all(i in blank for i in range(last.end, span.start))
        ):
            kept[-1] = Span(last.start, max(last.end, span.end), span.entity_type)
        else:
            kept.append(span)
    return kept


def _matches(
    truth: Sequence[Span], guesses: Sequence[Span], blank: Collection[int]
) -> dict[int, int]:
    """For each true span that was found, the guess that overlaps it most; each guess once."""
    overlaps = []
    sizes = [[_size(s, blank) for s in spans] for spans in (truth, guesses)]
    for i, span in enumerate(truth):
        for j, guess in enumerate(guesses):
            start, end = max(span.start, guess.start), min(span.end, guess.end)
            common = _size(Span(start, end, ""), blank) if start < end else 0
            iou = common / (sizes[0][i] + sizes[1][j] - common) if common else 0.0
            if iou >= IOU:
                overlaps.append((-iou, i, j))
    matches: dict[int, int] = {}
    for _, i, j in sorted(overlaps):
        if i not in matches and j not in matches.values():
            matches[i] = j
    return matches


def _size(span: Span, blank: Collection[int]) -> int:
    return sum(1 for i in _offsets(span) if i not in blank)


@dataclass(frozen=True, slots=True)
class Tallies:
    """Tallies of many messages, each with the name of its template."""

    templates: tuple[str, ...]
    each: tuple[Tally, ...]

    def total(self) -> Tally:
        """All messages together."""
        total = Tally()
        for one in self.each:
            total.add(one)
        return total

    def where(self, chosen: Sequence[bool]) -> Tallies:
        """Some of the messages."""
        pairs = [
            (template, one)
            for template, one, keep in zip(self.templates, self.each, chosen, strict=True)
            if keep
        ]
        return Tallies(tuple(t for t, _ in pairs), tuple(e for _, e in pairs))

    def interval(self, measure: Measure, kind: str = ALL) -> Interval:
        """`measure` of the counts of `kind`, with a 95 % interval: bootstrap over templates.

        Messages of one template stand or fall together, so that templates are what is drawn.
        NaN where nothing was counted.
        """
        return _interval(*self._drawn(measure, kind))

    def change(self, other: Tallies, measure: Measure) -> Interval:
        """`measure` of this minus that of `other`: of the same templates, drawn together."""
        mine, theirs = self._drawn(measure, ALL), other._drawn(measure, ALL)
        return _interval(mine[0] - theirs[0], mine[1] - theirs[1])

    def _drawn(self, measure: Measure, kind: str) -> tuple[float, NDArray[np.float64]]:
        """Of all messages, and of each draw."""
        rows: dict[str, NDArray[np.float64]] = {}
        for template, one in zip(self.templates, self.each, strict=True):
            counts = np.array(list(one.of(kind).values()), dtype=np.float64)
            rows[template] = rows.get(template, np.zeros(len(counts))) + counts
        if not rows:
            return float("nan"), np.array([])
        table = np.array([rows[template] for template in sorted(rows)])
        drawn = _draws(len(table)) @ table
        sums = [table.sum(axis=0).tolist(), *drawn.tolist()]
        values = [measure(dict(zip(COUNTS, row, strict=True))) for row in sums]
        return values[0], np.array(values[1:])


def _draws(clusters: int) -> NDArray[np.float64]:
    """How often each cluster is drawn, in each draw; the same for the same number of clusters."""
    rng = np.random.default_rng(0)
    even = np.full(clusters, 1 / clusters)
    return rng.multinomial(clusters, even, size=DRAWS).astype(np.float64)


def _interval(value: float, drawn: NDArray[np.float64]) -> Interval:
    drawn = drawn[~np.isnan(drawn)]
    if not len(drawn):
        return Interval(value, value, value)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Interval(value, float(low), float(high))


def recall(counts: Mapping[str, float]) -> float:
    """Share of true spans that were found; NaN without any."""
    return _share(counts["found"], counts["found"] + counts["missed"])


def precision(counts: Mapping[str, float]) -> float:
    """Share of the spans taken out that are true ones; NaN without any."""
    return _share(counts["found"], counts["found"] + counts["false"])


def f2(counts: Mapping[str, float]) -> float:
    """F2: recall weighs twice as much as precision."""
    found, missed, false = counts["found"], counts["missed"], counts["false"]
    return _share(5 * found, 5 * found + 4 * missed + false)


def typed_f2(counts: Mapping[str, float]) -> float:
    """F2 where a span found as another type is both missed and false."""
    wrong = counts["mistyped"]
    changed = {"found": counts["found"] - wrong, "missed": counts["missed"] + wrong}
    return f2({**changed, "false": counts["false"] + wrong})


def leak(counts: Mapping[str, float]) -> float:
    """Share of the letters and digits of true spans that stayed in clear."""
    return _share(counts["clear"], counts["chars"])


def _share(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")
