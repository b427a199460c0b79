"""Redactor: free text in, RedactedText out, or RedactionFailed; the only way to the LLM.

A text is read without disguises (`plain_text`), searched by Presidio recognizers (ours are in
`recognizers`, the lead's own identity in `identity`), and every span that the policy takes out is
replaced. What was searched is what is sent: the redacted text is made from the plain text, so
nothing leaves that no recognizer has seen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, NoReturn, Self, final

from features.errors import RedactionFailed
from features.lead import MAX_TEXT_CHARS
from features.plain_text import PlainText
from features.redaction_policy import RedactionPolicy

LANGUAGE = "en"  # the shelf of Presidio's registry that all recognizers are on
LIKELY = 0.5  # a span that scores less names the union only where it is alone
_SEAL = object()


@dataclass(frozen=True, slots=True)
class RedactedSpan:
    """One span that went. start and end are offsets in the original text; score is in [0, 1]."""

    start: int
    end: int
    entity_type: str
    score: float
    recognizer: str


@final
class RedactedText:
    """A text that may leave the house. Only a Redactor makes one.

    Not a str, and no str can pose as one: building, subclassing, changing and unpickling are
    refused. `str` and `repr` show no text.

    Attributes:
        text: what the LLM may see.
        counts: how many spans of each entity type went.
        policy: version of the redaction policy.
        spans: where they were in the original, in order; never their values.
    """

    __slots__ = ("counts", "policy", "spans", "text")

    text: str
    counts: Mapping[str, int]
    policy: str
    spans: tuple[RedactedSpan, ...]

    def __new__(cls, *_: object, seal: object = None, **__: object) -> Self:
        if seal is not _SEAL:
            raise TypeError("Only Redactor.redact makes a RedactedText: call it with the text.")
        return object.__new__(cls)

    def __init__(
        self, text: str, policy: str, spans: tuple[RedactedSpan, ...], *, seal: object
    ) -> None:
        counts = Counter(span.entity_type for span in spans)
        if seal is not _SEAL:
            raise TypeError("Only Redactor.redact makes a RedactedText: call it with the text.")
        object.__setattr__(self, "text", text)
        object.__setattr__(self, "counts", MappingProxyType(dict(sorted(counts.items()))))
        object.__setattr__(self, "policy", policy)
        object.__setattr__(self, "spans", spans)

    def __init_subclass__(cls) -> NoReturn:
        raise TypeError("RedactedText has no subclasses: one could show what was never redacted.")

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError("A RedactedText never changes.")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError("A RedactedText never changes.")

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("A RedactedText is not pickled: redact again where it is needed.")

    def __repr__(self) -> str:
        return f"RedactedText({len(self.text)} characters, {dict(self.counts)}, {self.policy})"


class Redactor:
    """Takes out of a text what the policy says may not leave. Safe to share between threads.

    Making one loads Presidio and a spaCy model (about 2 s); make one per process.
    """

    def __init__(self, policy: RedactionPolicy, recognizers: Sequence[Any] | None = None) -> None:
        """With Presidio's `recognizers`, or those that come with Tiebreak."""
        from presidio_analyzer import RecognizerRegistry
        from presidio_anonymizer import AnonymizerEngine

        from features.placeholders import Numbered
        from features.recognizers import shipped_recognizers

        chosen = shipped_recognizers(policy) if recognizers is None else recognizers
        self._policy = policy
        self._registry = RecognizerRegistry(list(chosen), supported_languages=[LANGUAGE])
        self._anonymizer = AnonymizerEngine()
        self._anonymizer.add_anonymizer(Numbered)

    @classmethod
    def load(cls) -> Redactor:
        """With the shipped policy."""
        return cls(RedactionPolicy.shipped())

    @property
    def policy_version(self) -> str:
        return self._policy.version

    def redact(self, text: str, contacts: Mapping[str, str] | Sequence[str] = ()) -> RedactedText:
        """`text` without what identifies people.

        contacts: what is known of who wrote it (contact columns and their values, or values
        alone); these are found in any case, accents folded, and in part.

        Raises:
            RedactionFailed: whatever went wrong. Its message never holds any of the text.
        """
        try:
            return self._redact(text, contacts)
        except RedactionFailed as refusal:
            reason = str(refusal)
        except Exception as error:
            reason = f"Redaction failed ({type(error).__name__}). Do not send this text."
        # Raised outside `except`: the error of a library may quote the text, and would be chained.
        raise RedactionFailed(reason)

    def _redact(self, text: str, contacts: Mapping[str, str] | Sequence[str]) -> RedactedText:
        if len(text) > MAX_TEXT_CHARS:
            raise RedactionFailed(
                f"The text has {len(text):,} characters. Send at most {MAX_TEXT_CHARS:,}."
            )
        plain = PlainText.read(text)
        spans = _united(self._found(plain.text, contacts))
        safe = self._replaced(plain.text, spans)
        traced = tuple(_traced(span, plain) for span in spans)
        return RedactedText(safe, self._policy.version, traced, seal=_SEAL)

    def _found(self, text: str, contacts: Mapping[str, str] | Sequence[str]) -> list[RedactedSpan]:
        """All spans that may not leave, in no order, overlapping.

        Presidio's recognizers and registry, but not its AnalyzerEngine: that compares every pair
        of spans (seconds on a hostile text), and lifts scores by lemmas, for which spaCy's tagger
        would have to run; our patterns hold their context words themselves.
        """
        from features.identity import LeadIdentity

        own = [LeadIdentity(contacts)] if contacts else []
        found: list[RedactedSpan] = []
        for recognizer in self._registry.get_recognizers(
            language=LANGUAGE, all_fields=True, ad_hoc_recognizers=own
        ):
            for r in recognizer.analyze(text, recognizer.supported_entities, None):
                if not 0 <= r.start < r.end <= len(text):
                    raise RedactionFailed(f"{recognizer.name} gave a span outside of the text.")
                if self._policy.takes_out(r.entity_type, r.score):
                    span = (r.start, r.end, r.entity_type, r.score, recognizer.name)
                    found.append(RedactedSpan(*span))
        return found

    def _replaced(self, text: str, spans: Sequence[RedactedSpan]) -> str:
        from presidio_anonymizer.entities import OperatorConfig, RecognizerResult

        from features.placeholders import Numbered, numbered

        if not spans:
            return text
        numbers = numbered((s.entity_type, text[s.start : s.end]) for s in spans)
        done = self._anonymizer.anonymize(
            text,
            [RecognizerResult(s.entity_type, s.start, s.end, s.score) for s in spans],
            {"DEFAULT": OperatorConfig(Numbered.NAME, {"numbers": numbers})},
            merge_entities_with_spaces=False,
        )
        if len(done.items) != len(spans):
            raise RedactionFailed("The anonymizer left out a span. Do not send this text.")
        return str(done.text)


def _united(found: Iterable[RedactedSpan]) -> list[RedactedSpan]:
    """Disjoint spans that cover every character of those found.

    Overlapping spans become their union, of the type of the longest that is likely at all.
    Spans of one type that touch are one.
    """
    united: list[RedactedSpan] = []
    best = (False, 0, 0.0)
    for span in sorted(found, key=lambda s: (s.start, -s.end, s.entity_type)):
        rank = (span.score >= LIKELY, span.end - span.start, span.score)
        last = united[-1] if united else None
        touching = last and span.start == last.end and span.entity_type == last.entity_type
        if last is None or (span.start >= last.end and not touching):
            united.append(span)
            best = rank
            continue
        winner = span if rank > best else last
        best = max(best, rank)
        united[-1] = replace(winner, start=last.start, end=max(last.end, span.end))
    return united


def _traced(span: RedactedSpan, plain: PlainText) -> RedactedSpan:
    start, end = plain.source_span(span.start, span.end)
    return replace(span, start=start, end=end)
