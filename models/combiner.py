"""Combiner: classifier probability + what a text model and an LLM say -> final probability.

What the two may do together is bounded.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from models.band import Band
from models.decision import CUT
from models.log_odds import log_odds, probability
from models.prompt import EvidenceKind

Floats = NDArray[np.float64]
DEFAULT_BOUND = 3.0  # log-odds: no text can multiply the odds by more than e^3 = 20, either way


@dataclass(frozen=True, slots=True)
class Pull:
    """log-odds added for an opinion: intercept + slope * the opinion's log-odds. slope >= 0."""

    intercept: float = 0.0
    slope: float = 0.0

    def of(self, opinion: float) -> float:
        """Not bounded; 0 for an opinion that is no number."""
        pull = self.intercept + self.slope * opinion
        return 0.0 if math.isnan(pull) else pull

    def to_json(self) -> dict[str, float]:
        return {"intercept": self.intercept, "slope": self.slope}


NO_PULL = Pull()


@dataclass(frozen=True)
class Combiner:
    """What a verdict may do to a probability. A kind of evidence without a Pull does nothing.

    pulls: of the LLM's verdicts. text: of the text model's opinion, None where there is no such
    model. Where both speak, their pulls add up, and the sum is bounded.
    """

    bound: float
    pulls: Mapping[EvidenceKind, Pull] = field(default_factory=dict)
    text: Pull | None = None

    @property
    def is_identity(self) -> bool:
        return not self.pulls and self.text is None

    def pull(
        self, kind: EvidenceKind, verdict_log_odds: float, text_log_odds: float | None = None
    ) -> float:
        """log-odds to add, in [-bound, bound] for any opinions at all; 0 for one that is no number.

        This is the guarantee of the whole cascade: no text can push a decision further.
        """
        verdict = self.pulls.get(kind, NO_PULL).of(verdict_log_odds)
        return self._bounded(verdict + self._of_text(text_log_odds))

    def combine(
        self,
        prior: float,
        kind: EvidenceKind,
        verdict_log_odds: float,
        text_log_odds: float | None = None,
    ) -> float:
        """Final win probability in [0, 1] from the log-odds of all who spoke."""
        return _pulled(prior, self.pull(kind, verdict_log_odds, text_log_odds))

    def read(self, prior: float, text_log_odds: float) -> float:
        """Win probability in [0, 1] once the text model has read the text, and before any LLM."""
        return _pulled(prior, self._bounded(self._of_text(text_log_odds)))

    def _of_text(self, text_log_odds: float | None) -> float:
        return 0.0 if self.text is None or text_log_odds is None else self.text.of(text_log_odds)

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


@dataclass(frozen=True, slots=True)
class PullTrial:
    """A fitted pull, and whether it earns its place.

    gain: mean fall of the log loss per lead, out of fold; gain_low: lower end of its interval, the
    one-sided 90 % one unless asked otherwise; spread: the 5th and 95th percentile of the pulls
    seen, in log-odds.
    """

    kind: EvidenceKind
    leads: int
    pull: Pull
    gain: float
    gain_low: float
    spread: tuple[float, float]

    @property
    def is_worth_it(self) -> bool:
        return self.gain_low > 0

    @property
    def reach(self) -> Band:
        """Where a usual pull can move the answer across the cut: further away nothing flips."""
        strongest_down, strongest_up = self.spread
        middle = log_odds(CUT)
        low, high = middle - max(strongest_up, 0.0), middle - min(strongest_down, 0.0)
        return Band(probability(low), probability(high))


FOLDS = 10
ONE_SIDED_90, TWO_SIDED_95 = 1.2816, 1.9600  # standard errors below the mean
FEWEST_LEADS = 40  # fewer verdicts than this fit nothing that could be trusted


def try_pull(
    kind: EvidenceKind,
    priors: Floats,
    verdicts: Floats,
    won: NDArray[np.int8],
    *,
    bound: float,
    errors_below: float = ONE_SIDED_90,
) -> PullTrial | None:
    """Fit a pull on leads with verdicts (log-odds), and measure it out of fold.

    Logistic regression with the classifier's log-odds as offset, slope >= 0, and a ridge that pulls
    both towards "no effect". None where there are too few leads, or only one outcome.

    errors_below: how many standard errors below the gain `gain_low` lies.
    """
    if len(won) < FEWEST_LEADS or len(np.unique(won)) < 2:
        return None
    offset = log_odds(priors)
    held_out = held_out_pulls(priors, verdicts, won, bound=bound)
    gains = _log_loss(offset, won) - _log_loss(offset + held_out, won)
    pull = _fit(offset, verdicts, won)
    low, high = np.quantile(bounded_pulls(pull, verdicts, bound), [0.05, 0.95])
    error = float(gains.std(ddof=1)) / math.sqrt(len(won))
    gain, spread = float(gains.mean()), (float(low), float(high))
    return PullTrial(kind, len(won), pull, gain, gain - errors_below * error, spread)


def held_out_pulls(
    priors: Floats, verdicts: Floats, won: NDArray[np.int8], *, bound: float
) -> Floats:
    """What is added to each lead's log-odds by a pull that was fitted without it."""
    offset = log_odds(priors)
    folds = np.arange(len(won)) % FOLDS
    held_out = np.empty(len(won))
    for fold in range(FOLDS):
        fit, held = folds != fold, folds == fold
        pull = _fit(offset[fit], verdicts[fit], won[fit])
        held_out[held] = bounded_pulls(pull, verdicts[held], bound)
    return held_out


def bounded_pulls(pull: Pull, verdicts: Floats, bound: float) -> Floats:
    """log-odds added for each of many opinions (log-odds), in [-bound, bound]."""
    return np.clip(pull.intercept + pull.slope * verdicts, -bound, bound)


def _log_loss(log_odds_: Floats, won: NDArray[np.int8]) -> Floats:
    return np.logaddexp(0, np.where(won == 1, -log_odds_, log_odds_))


def _fit(offset: Floats, verdicts: Floats, won: NDArray[np.int8]) -> Pull:
    from scipy.optimize import minimize

    centre, scale = float(verdicts.mean()), float(verdicts.std()) or 1.0
    x = (verdicts - centre) / scale

    def loss(weights: Floats) -> tuple[float, Floats]:
        eta = offset + weights[0] + weights[1] * x
        error = probability(eta) - won
        value = _log_loss(eta, won).sum() + 0.5 * (weights**2).sum()
        return float(value), np.array([error.sum(), (error * x).sum()]) + weights

    bounds = [(None, None), (0.0, None)]
    best = minimize(loss, np.zeros(2), jac=True, method="L-BFGS-B", bounds=bounds).x
    slope = float(best[1]) / scale
    return Pull(intercept=float(best[0]) - slope * centre, slope=slope)
