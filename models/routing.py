"""RoutingPolicy: which leads are worth an LLM call. Pure: no clock, no network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

from models.band import Band
from models.decision import Route, RouteReason
from models.prompt import EvidenceKind


@dataclass(frozen=True, slots=True)
class Routing:
    """Where one lead goes, and what the LLM is shown there (None: it is not asked)."""

    route: Route
    reason: RouteReason
    evidence: EvidenceKind | None = None


@dataclass(frozen=True, slots=True)
class RoutingPolicy:
    """Bounds are calibrated win probabilities in [0, 1].

    band: the classifier may not decide alone here.
    reach: a text can move the answer across the cut from here; outside it nothing flips.
    asks: which kinds of evidence the LLM has proven to judge better than chance (or that were
        never tried: with no evidence against it, the LLM is asked about what is ambiguous).
    """

    band: Band
    reach: Band
    asks: frozenset[EvidenceKind]

    def route(self, probability: float, *, has_text: bool) -> Routing:
        """The way of a lead with this classifier's probability."""
        asks_text = has_text and EvidenceKind.TEXT in self.asks
        if probability in self.band:
            if asks_text:
                return Routing(Route.LLM, RouteReason.AMBIGUOUS, EvidenceKind.TEXT)
            if EvidenceKind.FIELDS in self.asks:
                return Routing(Route.LLM, RouteReason.AMBIGUOUS, EvidenceKind.FIELDS)
            return Routing(Route.CLASSIFIER, RouteReason.AMBIGUOUS)
        if asks_text and probability in self.reach:
            return Routing(Route.LLM, RouteReason.FREE_TEXT, EvidenceKind.TEXT)
        return Routing(Route.CLASSIFIER, RouteReason.CONFIDENT)

    def to_json(self) -> dict[str, Any]:
        return {
            "band": self.band.to_json(),
            "reach": self.reach.to_json(),
            "asks": sorted(kind.value for kind in self.asks),
        }

    @classmethod
    def from_json(cls, tree: dict[str, Any]) -> Self:
        return cls(
            Band.from_json(tree["band"]),
            Band.from_json(tree["reach"]),
            frozenset(EvidenceKind(kind) for kind in tree["asks"]),
        )
