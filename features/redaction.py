"""Redactor: free text in, RedactedText out, or RedactionFailed; the only way to the LLM.

A text is read without disguises (`plain_text`), searched by Presidio recognizers (ours are in
`recognizers`, names in `named_entities`, the lead's own identity in `identity`), and every span
that the policy takes out is replaced. What was searched is what is sent: the redacted text is made
from the plain text, so nothing leaves that no recognizer has seen.
"""

from __future__ import annotations

import copy
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NoReturn, Self, TypeVar, final

from features.allow_list import AllowList
from features.cpu_timer import CpuTimer, check_cpu
from features.errors import RedactionFailed
from features.fingerprint import SubjectKey, fingerprint
from features.found_span import FoundSpan, disjoint
from features.lead import MAX_TEXT_CHARS
from features.needful_shelf import NeedfulShelf
from features.plain_text import PlainText
from features.redaction_policy import Action, RedactionPolicy
from features.redaction_trace import RedactionTrace, traced

LANGUAGE = "en"  # the shelf of Presidio's registry that all recognizers are on
LONG = 2_000  # characters: a shorter text, however hostile, is read in half of the limit
MOST_SPANS = 2_000  # found in one text: 20,000 characters of anything honest hold fewer
_SEAL = object()
_T = TypeVar("_T")
Contacts = Mapping[str, str] | Sequence[str]


@dataclass(frozen=True, slots=True)
class RedactedSpan:
    """One span that went: an event for the audit log, without the value.

    Attributes:
        start, end: offsets in the original text.
        score: how sure the recognizer was, in [0, 1].
        recognizer, version: who found it.
        operator: what the policy did with it.
        fingerprint: of the value, under the subject's key: 32 hex digits.
    """

    start: int
    end: int
    entity_type: str
    score: float
    recognizer: str
    version: str
    operator: Action
    fingerprint: str


@final
class RedactedText:
    """A text that may leave the house. Only a Redactor makes one.

    Not a str, and no str can pose as one: building, subclassing, changing and unpickling are
    refused. `str` and `repr` show no text.

    Attributes:
        text: what the LLM may see.
        counts: how many spans of each entity type went.
        policy: version of the redaction policy.
        spans: the events: where they were in the original, in order; never their values.
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

    def __init__(
        self,
        policy: RedactionPolicy,
        recognizers: Sequence[Any] | None = None,
        *,
        clock: Callable[[], float] = time.thread_time,
    ) -> None:
        """With Presidio's `recognizers`, or those that come with Tiebreak.

        clock: CPU seconds of the calling thread.
        """
        from features.presidio_alone import import_presidio_alone

        import_presidio_alone()  # first of all
        from presidio_analyzer import RecognizerRegistry

        from features.disjoint_anonymizer import DisjointAnonymizer
        from features.operators import OPERATORS
        from features.recognizers import shipped_recognizers

        chosen = shipped_recognizers(policy) if recognizers is None else recognizers
        self._policy = policy
        self._clock = clock
        registry = RecognizerRegistry(list(chosen), supported_languages=[LANGUAGE])
        self._shelf = NeedfulShelf(registry.recognizers)
        self._anonymizer = DisjointAnonymizer()
        for operator in OPERATORS:
            self._anonymizer.add_anonymizer(operator)

    @classmethod
    def load(cls) -> Redactor:
        """With the shipped policy."""
        return cls(RedactionPolicy.shipped())

    @property
    def policy_version(self) -> str:
        return self._policy.version

    def allowing(self, allow_list: AllowList) -> Redactor:
        """One that lets these words be, and shares all that was loaded with this one."""
        other = copy.copy(self)
        other._policy = self._policy.allowing(allow_list)
        return other

    def redact(
        self, text: str, contacts: Contacts = (), key: SubjectKey | None = None
    ) -> RedactedText:
        """`text` without what identifies people.

        contacts: what is known of who wrote it (contact columns and their values, or values
        alone); these are found in any case, accents folded, and in part.
        key: whose fingerprints mark what went; without one they link values of this text only.

        Raises:
            RedactionFailed: whatever went wrong. Its message never holds any of the text.
        """
        return _closed(lambda: self._redact(text, contacts, key or SubjectKey.passing()))

    def trace(self, text: str, contacts: Contacts = ()) -> RedactionTrace:
        """What every recognizer proposed, and what became of it. Raises RedactionFailed."""

        def work() -> RedactionTrace:
            with self._timed():
                plain = self._read(text)
                found = self._found(plain.text, contacts)
                return traced(found, self._leaving(found, plain.text), plain, self._policy)

        return _closed(work)

    def _redact(self, text: str, contacts: Contacts, key: SubjectKey) -> RedactedText:
        with self._timed() as timer:
            plain = self._read(text)
            spans = self._leaving(self._found(plain.text, contacts), plain.text)
            timer.check()
            values = [(s.entity_type, plain.text[s.start : s.end]) for s in spans]
            marks = {value: fingerprint(key, *value) for value in dict.fromkeys(values)}
            safe = self._replaced(plain.text, spans, values, marks)
            timer.check()
        events = tuple(
            self._event(span, plain, marks[value])
            for span, value in zip(spans, values, strict=True)
        )
        return RedactedText(safe, self._policy.version, events, seal=_SEAL)

    @contextmanager
    def _timed(self) -> Iterator[CpuTimer]:
        timer = CpuTimer(self._policy.max_cpu, self._clock)
        with timer.running():
            yield timer

    def _read(self, text: str) -> PlainText:
        if len(text) > MAX_TEXT_CHARS:
            raise RedactionFailed(
                f"The text has {len(text):,} characters. Send at most {MAX_TEXT_CHARS:,}."
            )
        return PlainText.read(text)

    def _found(self, text: str, contacts: Contacts) -> list[FoundSpan]:
        """What the recognizers propose, in no order, overlapping.

        Presidio's recognizers and registry, but not its AnalyzerEngine: that compares every pair
        of spans (seconds on a hostile text), and lifts scores by lemmas, for which spaCy's tagger
        would have to run; our patterns hold their context words themselves.
        """
        from features.identity import LeadIdentity

        own = [(LeadIdentity(contacts), None)] if contacts else []
        is_long = len(text) > LONG
        found: list[FoundSpan] = []
        for recognizer, signs in (*self._shelf.for_text(text), *own):
            if is_long:
                check_cpu()
            for r in recognizer.analyze(text, recognizer.supported_entities, signs):
                if not 0 <= r.start < r.end <= len(text):
                    raise RedactionFailed(f"{recognizer.name} gave a span outside of the text.")
                who = (_name_of(r, recognizer), recognizer.version)
                found.append(FoundSpan(r.start, r.end, r.entity_type, r.score, *who))
        return found

    def _leaving(self, found: Sequence[FoundSpan], text: str) -> list[FoundSpan]:
        allowed = self._policy.allow_list.allowed(found, text)
        leaving = dict.fromkeys(
            s for s in found if self._policy.takes_out(s.entity_type, s.score) and s not in allowed
        )
        if len(leaving) > MOST_SPANS:
            raise RedactionFailed(
                f"The text has more than {MOST_SPANS:,} places to redact. Send a shorter one."
            )
        return disjoint(leaving, text)

    def _replaced(
        self,
        text: str,
        spans: Sequence[FoundSpan],
        values: Sequence[tuple[str, str]],
        marks: Mapping[tuple[str, str], str],
    ) -> str:
        from presidio_anonymizer.entities import OperatorConfig

        from features.operators import Fingerprinted, Masked, Numbered
        from features.same_person import numbered

        if not spans:
            return text
        numbers = numbered(values)

        def operator(entity_type: str) -> OperatorConfig:
            rule = self._policy.rule(entity_type)
            if rule.action is Action.MASK:
                return OperatorConfig(Masked.NAME, {"keep_last": rule.keep_last})
            if rule.action is Action.HASH:
                return OperatorConfig(Fingerprinted.NAME, {"fingerprints": marks})
            return OperatorConfig(Numbered.NAME, {"numbers": numbers})

        done = self._anonymizer.anonymize(
            text,
            spans,
            {kind: operator(kind) for kind in {span.entity_type for span in spans}},
        )
        if len(done.items) != len(spans):
            raise RedactionFailed("The anonymizer left out a span. Do not send this text.")
        return str(done.text)

    def _event(self, span: FoundSpan, plain: PlainText, mark: str) -> RedactedSpan:
        return RedactedSpan(
            *plain.source_span(span.start, span.end),
            span.entity_type,
            span.score,
            span.recognizer,
            span.version,
            self._policy.rule(span.entity_type).action,
            mark,
        )


def _name_of(result: Any, recognizer: Any) -> str:
    """Who found it: as the result says; the recognizer where it does not."""
    said = (result.recognition_metadata or {}).get(result.RECOGNIZER_NAME_KEY)
    return str(said or recognizer.name)


def _closed(work: Callable[[], _T]) -> _T:
    """What `work` gives, or RedactionFailed: whatever went wrong, it fails closed."""
    try:
        return work()
    except RedactionFailed as refusal:
        reason = str(refusal)
    except Exception as error:
        reason = f"Redaction failed ({type(error).__name__}). Do not send this text."
    # Raised outside `except`: the error of a library may quote the text, and would be chained.
    raise RedactionFailed(reason)
