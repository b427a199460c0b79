"""Pull fitting: what an opinion may do to a probability is fitted, bounded and judged.

By logistic regression on leads with outcomes, out of fold: stacking (Wolpert 1992).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from models.band import Band
from models.combiner import NO_PULL, Pull
from models.decision import CUT
from models.log_odds import EDGE, log_odds, probability
from models.prompt import EvidenceKind

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]
FOLDS = 10
ONE_SIDED_90, TWO_SIDED_95 = 1.2816, 1.9600  # standard errors below the mean
FEWEST_LEADS = 40  # fewer verdicts than this fit nothing that could be trusted
FEWEST_GROUPS = 10  # of leads with the same text: of fewer no error can be told
BOUND_STEP = 0.5  # log-odds
BOUND_KEEPS = 0.999  # of what a wider bound would gain


@dataclass(frozen=True, slots=True)
class PullTrial:
    """A fitted pull, and whether it earns its place.

    pull: with the bound that it has earned. gain: mean fall of the log loss per lead, out of fold,
    beyond what calibrating all leads anew gains, for which nobody needs to be asked; gain_low:
    lower end of its interval, the one-sided 90 % one unless asked otherwise; spread: the 5th and
    95th percentile of what was said, in the classifier's log-odds that it outweighs.
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
        """Where a usual opinion can move the answer across the cut: further away nothing flips."""
        strongest_down, strongest_up = self.spread
        middle = log_odds(CUT)
        low, high = middle - max(strongest_up, 0.0), middle - min(strongest_down, 0.0)
        return Band(probability(low), probability(high))


def try_pull(
    kind: EvidenceKind,
    priors: Floats,
    verdicts: Floats,
    won: NDArray[np.int8],
    *,
    bound: float,
    errors_below: float = ONE_SIDED_90,
    text: Floats | None = None,
    groups: Indices | None = None,
) -> PullTrial | None:
    """Fit a pull on leads with verdicts (log-odds), and measure it out of fold.

    Logistic regression, slope and weights >= 0, with a ridge that pulls them towards "no effect":
    the classifier and the text model as they were without a verdict. None where there are too few
    leads or groups, or only one outcome.

    bound: most that it may move the log-odds; it is narrowed to what is earned.
    errors_below: how many standard errors below the gain `gain_low` lies.
    text: the text model's pull on each lead; then what is gained is gained beyond it.
    groups: the number of each lead's group: those with the same text stand or fall together, in one
    fold, and with one error. Each by itself unless given.
    """
    numbered = _numbered(groups, len(won))
    too_few = len(won) < FEWEST_LEADS or numbered.max() + 1 < FEWEST_GROUPS
    if too_few or len(np.unique(won)) < 2:
        return None
    offset = log_odds(priors)
    before = np.zeros(len(won)) if text is None else np.clip(text, -bound, bound)
    losses = _log_loss(log_odds(put_right(probability(offset + before), won)), won)
    held_out = held_out_pulls(priors, verdicts, won, bound=bound, text=text, groups=groups)
    gains = losses - _log_loss(offset + held_out, won)  # before a bound is chosen on these leads
    bound = narrowest_bound(offset, held_out, won, widest=bound, loss=float(losses.mean()))
    pull = replace(_fit(offset, verdicts, won, text), bound=bound)
    low, high = np.quantile(_outweighed(pull, verdicts, text), [0.05, 0.95])
    error = _standard_error(gains, numbered)
    gain, spread = float(gains.mean()), (float(low), float(high))
    return PullTrial(kind, len(won), pull, gain, gain - errors_below * error, spread)


def put_right(priors: Floats, won: NDArray[np.int8]) -> Floats:
    """Probabilities calibrated anew, out of fold: their log-odds shifted and stretched (Cox 1958).

    As they are if that is better. Where time has passed since a classifier learned, this alone
    lowers its log loss.
    """
    pulls = held_out_pulls(priors, np.zeros(len(won)), won, bound=math.inf)
    anew = probability(log_odds(priors) + pulls)
    before, after = (float(_log_loss(log_odds(p), won).mean()) for p in (priors, anew))
    return anew if after < before else priors


def putting_right(priors: Floats, won: NDArray[np.int8]) -> Pull:
    """What `put_right` does to leads that are not among these; nothing where it does not."""
    if put_right(priors, won) is priors:
        return NO_PULL
    return _fit(log_odds(priors), np.zeros(len(won)), won)


def narrowest_bound(
    offset: Floats, pulls: Floats, won: NDArray[np.int8], *, widest: float, loss: float
) -> float:
    """The narrowest bound on pulls that keeps BOUND_KEEPS of the log loss that the best one gains.

    What a text can do to a decision at most is so small as the outcomes allow: an LLM that is right
    when it is sure earns a wide bound, any other a narrow one.

    offset: the classifier's log-odds; pulls: what is added to them, out of fold, in [-widest,
    widest]; loss: the log loss without them.
    """
    bounds = [*np.arange(BOUND_STEP, widest, BOUND_STEP), widest]
    gains = [loss - _log_loss(offset + np.clip(pulls, -b, b), won).mean() for b in bounds]
    enough = BOUND_KEEPS * max(gains)
    return float(next((b for b, g in zip(bounds, gains, strict=True) if g >= enough > 0), widest))


def held_out_pulls(
    priors: Floats,
    verdicts: Floats,
    won: NDArray[np.int8],
    *,
    bound: float,
    text: Floats | None = None,
    groups: Indices | None = None,
) -> Floats:
    """What is added to each lead's log-odds by a pull that was fitted without it, and its group.

    text: the text model's pull on each lead; what is added holds it, by its weight.
    """
    offset = log_odds(priors)
    folds = _numbered(groups, len(won)) % FOLDS
    held_out = np.empty(len(won))
    for fold in range(FOLDS):
        fit, held = folds != fold, folds == fold
        beside = None if text is None else text[fit]
        pull = _fit(offset[fit], verdicts[fit], won[fit], beside)
        beside = None if text is None else text[held]
        held_out[held] = bounded_pulls(pull, offset[held], verdicts[held], bound, beside)
    return held_out


def _numbered(groups: Indices | None, leads: int) -> Indices:
    """The groups from 0 on, as they come."""
    if groups is None:
        return np.arange(leads)
    _, firsts, places = np.unique(groups, return_index=True, return_inverse=True)
    return np.asarray(np.argsort(np.argsort(firsts))[places], dtype=np.intp)


def _standard_error(values: Floats, groups: Indices) -> float:
    """Of their mean, where those of a group depend on each other (Liang & Zeger 1986)."""
    sums = np.bincount(groups, values - values.mean())
    count = len(sums)
    return math.sqrt(float(sums @ sums) * count / (count - 1)) / len(values)


def bounded_pulls(
    pull: Pull, priors: Floats, verdicts: Floats, bound: float, text: Floats | None = None
) -> Floats:
    """log-odds added for each of many opinions, in [-bound, bound] and pull.bound.

    priors: the classifier's, and verdicts: in log-odds, both. text: the text model's pull on each
    lead, where it speaks too.
    """
    pulls, bound = (pull.prior - 1) * priors + _said(pull, verdicts, text), min(bound, pull.bound)
    return np.clip(pulls, -bound, bound)


def _said(pull: Pull, verdicts: Floats, text: Floats | None) -> Floats:
    own = pull.intercept + pull.slope * verdicts
    return own if text is None else own + pull.text * text


def _outweighed(pull: Pull, verdicts: Floats, text: Floats | None) -> Floats:
    """The classifier's log-odds, turned around, at which a lead would come out even."""
    said = _said(pull, verdicts, text) / max(pull.prior, EDGE)
    return np.clip(said, -pull.bound, pull.bound)


def _log_loss(log_odds_: Floats, won: NDArray[np.int8]) -> Floats:
    return np.logaddexp(0, np.where(won == 1, -log_odds_, log_odds_))


def _fit(
    offset: Floats, verdicts: Floats, won: NDArray[np.int8], text: Floats | None = None
) -> Pull:
    """The numbers with the least log loss and ridge.

    The ridge is the same for all opinions, however far their log-odds are spread, and is 0 where
    the verdict counts for nothing, and classifier and text model for as much as without one.
    """
    from scipy.optimize import minimize

    beside = [offset] if text is None else [offset, text]
    base = np.sum(beside, axis=0)
    opinions = np.column_stack([verdicts, *beside])
    centre, scale = opinions.mean(axis=0), opinions.std(axis=0)
    scale[scale == 0] = 1.0
    x = np.column_stack([np.ones(len(won)), (opinions - centre) / scale])

    def loss(weights: Floats) -> tuple[float, Floats]:
        eta = base + x @ weights
        value = _log_loss(eta, won).sum() + 0.5 * (weights**2).sum()
        return float(value), x.T @ (probability(eta) - won) + weights

    bounds = [(None, None), (0.0, None), *((-spread, None) for spread in scale[1:])]
    best = minimize(loss, np.zeros(x.shape[1]), jac=True, method="L-BFGS-B", bounds=bounds).x
    slopes = best[1:] / scale
    prior, *counts = (max(0.0, 1.0 + float(slope)) for slope in slopes[1:])
    intercept = float(best[0] - slopes @ centre)
    return Pull(intercept, float(slopes[0]), counts[0] if counts else 1.0, prior=prior)
