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
    asks: which kinds of evidence the LLM has proven to judge better than chance (all of them where
        it was never tried). A lead with text is judged by its text or not at all.
    """

    band: Band
    reach: Band
    asks: frozenset[EvidenceKind]

    def route(self, probability: float, *, has_text: bool) -> Routing:
        """The way of a lead with this classifier's probability."""
        kind = EvidenceKind.TEXT if has_text else EvidenceKind.FIELDS
        is_asked = kind in self.asks
        if probability in self.band:
            if is_asked:
                return Routing(Route.LLM, RouteReason.AMBIGUOUS, kind)
            return Routing(Route.CLASSIFIER, RouteReason.AMBIGUOUS)
        if has_text and is_asked and probability in self.reach:
            return Routing(Route.LLM, RouteReason.FREE_TEXT, kind)
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
