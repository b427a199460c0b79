"""Decision: what every caller receives, whoever decided."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum

from features.redaction import RedactedSpan
from models.verdict import LlmCall, Verdict


class Route(StrEnum):
    """Who decided."""

    CLASSIFIER = "classifier"
    TEXT = "text"  # the text model: it read the redacted text, and no LLM was heard
    LLM = "llm"


class RouteReason(StrEnum):
    """Why that one."""

    CONFIDENT = "confident"  # outside the band, and no text that could change the answer
    AMBIGUOUS = "ambiguous"  # inside the band
    FREE_TEXT = "free_text"  # outside the band, but the text could change the answer
    BUDGET_EXHAUSTED = "budget_exhausted"
    LLM_UNAVAILABLE = "llm_unavailable"
    REDACTION_FAILED = "redaction_failed"


DEGRADED = frozenset(
    {RouteReason.BUDGET_EXHAUSTED, RouteReason.LLM_UNAVAILABLE, RouteReason.REDACTION_FAILED}
)


@dataclass(frozen=True, slots=True)
class FeatureReason:
    """One column's push on the classifier's log-odds (TreeSHAP, Lundberg et al. 2020)."""

    column: str
    value: str | float | bool | None  # only values known from training; None where missing
    log_odds: float  # > 0 speaks for winning


@dataclass(frozen=True, slots=True)
class Redaction:
    """What was taken out of a text before it left; no value of it.

    policy: version of the rules. subject: the opaque id of whose key made the fingerprints.
    """

    policy: str
    subject: str
    events: tuple[RedactedSpan, ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer to one lead.

    Attributes:
        probability: final win probability, in [0, 1].
        classifier_probability: what the classifier alone said, in [0, 1].
        route: who decided; reason: why.
        text_log_odds: what the text model said by the redacted text; None where it read none.
        verdict: the LLM's answer where it was asked and answered.
        redaction: what was taken out of what the LLM was shown; None where it was shown nothing.
        unknown_categories, unknown_fields, missing: data the lead lacked or training never saw.
        llm_calls: the requests that left for an LLM, also those that gave no answer.
        has_text, row: what routing and classifier saw: with these, and the release, it can be
            decided again. row: float32, little-endian, in the encoder's order.
    """

    probability: float
    classifier_probability: float
    route: Route
    reason: RouteReason
    text_log_odds: float | None = None
    verdict: Verdict | None = None
    redaction: Redaction | None = None
    reasons: tuple[FeatureReason, ...] = ()
    unknown_categories: tuple[str, ...] = ()
    unknown_fields: int = 0
    missing: tuple[str, ...] = ()
    llm_failure: str | None = None
    llm_calls: tuple[LlmCall, ...] = ()
    has_text: bool = False
    row: bytes = b""

    @property
    def redacted(self) -> dict[str, int]:
        """How many entities of each type were taken out of what the LLM was shown."""
        events = self.redaction.events if self.redaction else ()
        return dict(sorted(Counter(event.entity_type for event in events).items()))

    @property
    def degraded(self) -> bool:
        """True where the LLM should have been asked but could not be."""
        return self.reason in DEGRADED

    @property
    def score(self) -> int:
        """Win probability in per cent, 0 to 100."""
        return round(100 * self.probability)

    @property
    def grade(self) -> str:
        """A: at least 75 in 100 such leads are won; B: 50; C: 25; D: fewer."""
        return next((g for g, least in GRADES if self.probability >= least), "D")


CUT = 0.5  # of the win probability: a lead above it is expected to be won
GRADES = (("A", 0.75), ("B", 0.50), ("C", 0.25))
