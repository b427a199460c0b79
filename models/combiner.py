"""Combiner: classifier probability + verdict -> final probability; the LLM's pull is bounded."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from models.log_odds import log_odds, probability
from models.prompt import EvidenceKind

Floats = NDArray[np.float64]
DEFAULT_BOUND = 3.0  # log-odds: the LLM can multiply the odds by at most e^3 = 20, either way


@dataclass(frozen=True, slots=True)
class Pull:
    """log-odds added for a verdict: intercept + slope * verdict's log-odds. slope >= 0."""

    intercept: float = 0.0
    slope: float = 0.0


@dataclass(frozen=True)
class Combiner:
    """What a verdict may do to a probability. A kind of evidence without a Pull does nothing."""

    bound: float
    pulls: Mapping[EvidenceKind, Pull] = field(default_factory=dict)

    @property
    def is_identity(self) -> bool:
        return not self.pulls

    def pull(self, kind: EvidenceKind, verdict_log_odds: float) -> float:
        """log-odds to add, in [-bound, bound] for any verdict at all; 0 for one that is no number.

        This is the guarantee of the whole cascade: no text can push a decision further.
        """
        pull = self.pulls.get(kind)
        if pull is None:
            return 0.0
        raw = pull.intercept + pull.slope * verdict_log_odds
        return 0.0 if math.isnan(raw) else max(-self.bound, min(self.bound, raw))

    def combine(self, prior: float, kind: EvidenceKind, verdict_log_odds: float) -> float:
        """Final win probability in [0, 1] from the classifier's and a verdict's log-odds."""
        pull = self.pull(kind, verdict_log_odds)
        return probability(log_odds(prior) + pull) if pull else prior

    def to_json(self) -> dict[str, Any]:
        pulls = {
            kind.value: {"intercept": pull.intercept, "slope": pull.slope}
            for kind, pull in self.pulls.items()
        }
        return {"bound": self.bound, "pulls": pulls}

    @classmethod
    def from_json(cls, tree: dict[str, Any]) -> Self:
        pulls = {EvidenceKind(kind): Pull(**pull) for kind, pull in tree["pulls"].items()}
        return cls(tree["bound"], pulls)


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
    low, high = np.quantile(_applied(pull, verdicts, bound), [0.05, 0.95])
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
        held_out[held] = _applied(pull, verdicts[held], bound)
    return held_out


def _applied(pull: Pull, verdicts: Floats, bound: float) -> Floats:
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
