"""Combiner: classifier probability + what a text model and an LLM say -> final probability.

What the two may do together is bounded.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from models.log_odds import log_odds, probability
from models.prompt import EvidenceKind

DEFAULT_BOUND = 6.0  # log-odds; how much of it is used, a pull has to earn: see pull_fitting


@dataclass(frozen=True, slots=True)
class Pull:
    """log-odds added for an opinion: intercept + slope * the opinion's log-odds. slope >= 0.

    text: what the text model's own pull counts for beside this one, in [0, inf): two who read the
    same text say partly the same. 1 where the two were not fitted together.
    bound: most that this opinion may add, with the text model's, either way: what it has earned.
    prior: what the classifier's own log-odds count for beside it, in [0, inf): who knows more of a
    lead is heard more. What that takes away or adds is part of the pull, and of what is bounded.
    """

    intercept: float = 0.0
    slope: float = 0.0
    text: float = 1.0
    bound: float = math.inf
    prior: float = 1.0

    def of(self, prior: float, opinion: float, text: float = 0.0) -> float:
        """In [-bound, bound]; `text`, the text model's pull, for an opinion that is no number.

        prior: the classifier's log-odds.
        """
        own = self.intercept + self.slope * opinion
        if math.isnan(own):
            return text
        pull = (self.prior - 1.0) * prior + own + self.text * text
        return max(-self.bound, min(self.bound, pull))

    def to_json(self) -> dict[str, float]:
        tree = {"intercept": self.intercept, "slope": self.slope, "text": self.text}
        tree |= {"prior": self.prior}
        return tree if math.isinf(self.bound) else tree | {"bound": self.bound}


NO_PULL = Pull()


@dataclass(frozen=True)
class Combiner:
    """What a verdict may do to a probability. A kind of evidence without a Pull does nothing.

    bound: most that a person lets any of them add, in log-odds; each pull keeps to its own too.
    pulls: of the LLM's verdicts. text: of the text model's opinion, None where there is no such
    model. Where both speak, their pulls add up, each by its weight, and the sum is bounded.
    """

    bound: float
    pulls: Mapping[EvidenceKind, Pull] = field(default_factory=dict)
    text: Pull | None = None

    @property
    def is_identity(self) -> bool:
        return not self.pulls and self.text is None

    def pull(
        self,
        prior: float,
        kind: EvidenceKind,
        verdict_log_odds: float,
        text_log_odds: float | None = None,
    ) -> float:
        """log-odds to add, in [-bound, bound] for any opinions at all; 0 for one that is no number.

        prior: the classifier's probability. This is the guarantee of the whole cascade: no text can
        push a decision further.
        """
        own, pull = log_odds(prior), self.pulls.get(kind, NO_PULL)
        return self._bounded(pull.of(own, verdict_log_odds, self._of_text(own, text_log_odds)))

    def combine(
        self,
        prior: float,
        kind: EvidenceKind,
        verdict_log_odds: float,
        text_log_odds: float | None = None,
    ) -> float:
        """Final win probability in [0, 1] from the log-odds of all who spoke."""
        return _pulled(prior, self.pull(prior, kind, verdict_log_odds, text_log_odds))

    def read(self, prior: float, text_log_odds: float) -> float:
        """Win probability in [0, 1] once the text model has read the text, and before any LLM."""
        return _pulled(prior, self._bounded(self._of_text(log_odds(prior), text_log_odds)))

    def _of_text(self, own: float, said: float | None) -> float:
        """own: the classifier's log-odds; said: the text model's, None where it said nothing."""
        return 0.0 if self.text is None or said is None else self.text.of(own, said)

    def _bounded(self, pull: float) -> float:
        return 0.0 if math.isnan(pull) else max(-self.bound, min(self.bound, pull))

    def to_json(self) -> dict[str, Any]:
        pulls = {kind.value: pull.to_json() for kind, pull in self.pulls.items()}
        return {
            "bound": self.bound,
            "pulls": pulls,
            "text": None if self.text is None else self.text.to_json(),
        }

    @classmethod
    def from_json(cls, tree: dict[str, Any]) -> Self:
        pulls = {EvidenceKind(kind): Pull(**pull) for kind, pull in tree["pulls"].items()}
        text = tree.get("text")
        return cls(tree["bound"], pulls, None if text is None else Pull(**text))


def _pulled(prior: float, pull: float) -> float:
    return probability(log_odds(prior) + pull) if pull else prior
