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
class TextRouting:
    """Bounds of the text model, win probabilities in [0, 1].

    reach: of the classifier: a text can move the answer across the cut from here.
    open: after the text was read: inside it is not settled, and the LLM is asked where it may be.
    """

    reach: Band
    open: Band

    def to_json(self) -> dict[str, Any]:
        return {"reach": self.reach.to_json(), "open": self.open.to_json()}

    @classmethod
    def from_json(cls, tree: dict[str, Any]) -> Self:
        return cls(Band.from_json(tree["reach"]), Band.from_json(tree["open"]))


@dataclass(frozen=True, slots=True)
class RoutingPolicy:
    """Bounds are calibrated win probabilities in [0, 1].

    band: the classifier may not decide alone here.
    reach: a text can move the answer across the cut from here; outside it nothing flips.
    asks: which kinds of evidence the LLM has proven to judge better than chance, or is asked about
        all the same. A lead with text is judged by its text or not at all.
    text: where a text model reads before any LLM; None where there is none.
    """

    band: Band
    reach: Band
    asks: frozenset[EvidenceKind]
    text: TextRouting | None = None

    def route(self, probability: float, *, has_text: bool) -> Routing:
        """The way of a lead with this classifier's probability.

        Route.TEXT: the text model reads it, and `after_reading` says how it goes on.
        """
        if has_text and self.text is not None:
            return self._read(probability, self.text)
        kind = EvidenceKind.TEXT if has_text else EvidenceKind.FIELDS
        is_asked = kind in self.asks
        if probability in self.band:
            if is_asked:
                return Routing(Route.LLM, RouteReason.AMBIGUOUS, kind)
            return Routing(Route.CLASSIFIER, RouteReason.AMBIGUOUS)
        if has_text and is_asked and probability in self.reach:
            return Routing(Route.LLM, RouteReason.FREE_TEXT, kind)
        return Routing(Route.CLASSIFIER, RouteReason.CONFIDENT)

    def may_ask(self, *, has_text: bool) -> bool:
        """Whether a text model or an LLM may be asked about such a lead, however sure one is."""
        kind = EvidenceKind.TEXT if has_text else EvidenceKind.FIELDS
        return kind in self.asks or (has_text and self.text is not None)

    def after_reading(self, probability: float, before: Routing) -> Routing:
        """The way of a lead that the text model has read; probability: with its pull."""
        is_open = self.text is not None and probability in self.text.open
        if is_open and EvidenceKind.TEXT in self.asks:
            return Routing(Route.LLM, before.reason, EvidenceKind.TEXT)
        return Routing(Route.TEXT, before.reason)

    def _read(self, probability: float, text: TextRouting) -> Routing:
        if probability in self.band:
            return Routing(Route.TEXT, RouteReason.AMBIGUOUS, EvidenceKind.TEXT)
        if probability in text.reach:
            return Routing(Route.TEXT, RouteReason.FREE_TEXT, EvidenceKind.TEXT)
        return Routing(Route.CLASSIFIER, RouteReason.CONFIDENT)

    def to_json(self) -> dict[str, Any]:
        return {
            "band": self.band.to_json(),
            "reach": self.reach.to_json(),
            "asks": sorted(kind.value for kind in self.asks),
            "text": None if self.text is None else self.text.to_json(),
        }

    @classmethod
    def from_json(cls, tree: dict[str, Any]) -> Self:
        return cls(
            Band.from_json(tree["band"]),
            Band.from_json(tree["reach"]),
            frozenset(EvidenceKind(kind) for kind in tree["asks"]),
            None if tree.get("text") is None else TextRouting.from_json(tree["text"]),
        )
