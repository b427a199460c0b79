"""RedactionTrace: what every recognizer proposed, and what became of it; for whoever asks why."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from features.found_span import FoundSpan
from features.plain_text import PlainText, folded, folded_text
from features.redaction_policy import Action, RedactionPolicy


class Fate(StrEnum):
    """What became of a proposed span."""

    TAKEN_OUT = "taken_out"
    LOST = "lost_to_an_overlap"  # another span went in its place, and covers it
    BELOW = "below_threshold"
    ALLOWED = "allowed_by_policy"
    LISTED = "on_the_allow_list"


@dataclass(frozen=True, slots=True)
class Proposal:
    """One span that a recognizer proposed. Offsets are in the original text."""

    start: int
    end: int
    entity_type: str
    score: float
    threshold: float
    recognizer: str
    version: str
    fate: Fate


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One place where a value stands. Offsets are in the original text.

    Attributes:
        went: nothing of it that can be read is left.
        proposals: all that overlap it; none: no recognizer proposed it.
    """

    start: int
    end: int
    went: bool
    proposals: tuple[Proposal, ...]


@dataclass(frozen=True, slots=True)
class RedactionTrace:
    """One text's redaction, step by step. It holds offsets, never values."""

    policy: str
    proposals: tuple[Proposal, ...]
    _plain: PlainText = field(repr=False)

    def occurrences(self, value: str) -> Iterator[Occurrence]:
        """Where `value` stands in the text, in any case and accents, and what became of it."""
        text = folded(self._plain.text)
        wanted = folded_text(PlainText.read(value).text.strip())
        at = text.text.find(wanted) if wanted else -1
        while at >= 0:
            plain = text.source_span(at, at + len(wanted))
            yield self._occurrence(*plain)
            at = text.text.find(wanted, at + len(wanted))

    def _occurrence(self, start: int, end: int) -> Occurrence:
        source = self._plain.source_span(start, end)
        near = tuple(p for p in self.proposals if p.start < source[1] and source[0] < p.end)
        went = {Fate.TAKEN_OUT, Fate.LOST}
        left = [
            i
            for i in range(start, end)
            if self._plain.text[i].isalnum()
            and not any(
                p.start <= self._plain.source_span(i, i + 1)[0] < p.end
                for p in near
                if p.fate in went
            )
        ]
        return Occurrence(*source, not left, near)


def traced(
    found: Sequence[FoundSpan],
    gone: Sequence[FoundSpan],
    plain: PlainText,
    policy: RedactionPolicy,
) -> RedactionTrace:
    """The trace of what was `found` in a plain text, of which `gone` (disjoint) went."""
    ends = [span.end for span in gone]
    listed = policy.allow_list.allowed(found, plain.text)

    def fate(span: FoundSpan) -> Fate:
        rule = policy.rule(span.entity_type)
        if rule.action is Action.KEEP:
            return Fate.ALLOWED
        if span.score < rule.threshold:
            return Fate.BELOW
        if span in listed:
            return Fate.LISTED
        went_as = gone[bisect_left(ends, span.start + 1)].entity_type
        return Fate.TAKEN_OUT if went_as == span.entity_type else Fate.LOST

    proposals = (
        Proposal(
            *plain.source_span(span.start, span.end),
            span.entity_type,
            span.score,
            policy.rule(span.entity_type).threshold,
            span.recognizer,
            span.version,
            fate(span),
        )
        for span in sorted(set(found), key=lambda s: (s.start, -s.end, s.entity_type))
    )
    return RedactionTrace(policy.version, tuple(proposals), plain)
