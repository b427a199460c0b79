"""Pull fitting: what an opinion may do to a probability is fitted, bounded and judged.

By logistic regression on leads with outcomes, out of fold: stacking (Wolpert 1992).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
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
# Of opinions of one standard deviation: 0.3 is C = 3.3 of scikit-learn. Chosen on verdicts of tuned
# LLMs as they were, under noise, and dealt to other leads: docs/figures.md has what came of it.
RIDGE, RIDGE_OF_PRIOR = 0.3, 10.0
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

    Logistic regression, slope and weights >= 0, with a ridge. None where there are too few leads or
    groups, or only one outcome.

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
    own = log_odds(priors)
    anew = np.empty(len(won))
    for fit, held in _folds(np.arange(len(won))):
        pull = _recalibrated(own[fit], won[fit])
        anew[held] = probability(pull.intercept + pull.prior * own[held])
    before, after = (float(_log_loss(log_odds(p), won).mean()) for p in (priors, anew))
    return anew if after < before else priors


def putting_right(priors: Floats, won: NDArray[np.int8]) -> Pull:
    """What `put_right` does to leads that are not among these; nothing where it does not."""
    if put_right(priors, won) is priors:
        return NO_PULL
    return _recalibrated(log_odds(priors), won)


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
    held_out = np.empty(len(won))
    for fit, held in _folds(_numbered(groups, len(won))):
        beside = None if text is None else text[fit]
        pull = _fit(offset[fit], verdicts[fit], won[fit], beside)
        beside = None if text is None else text[held]
        held_out[held] = bounded_pulls(pull, offset[held], verdicts[held], bound, beside)
    return held_out


def _folds(groups: Indices) -> Iterator[tuple[NDArray[np.bool_], NDArray[np.bool_]]]:
    """What is learned from, and what is held out; those of a group are together."""
    for fold in range(FOLDS):
        yield groups % FOLDS != fold, groups % FOLDS == fold


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
    """What the log-odds of those who spoke count for beside each other, with the least log loss.

    The verdict, and what stood before it (the classifier, with the text model's pull), are drawn
    to 0 alike, and gently; the classifier is drawn firmly to count for as much as the text model's
    pull, that was fitted beside it on more leads than have a verdict.
    """
    if text is None:
        beside = np.column_stack([verdicts, offset])
        intercept, (slope, prior) = _regression(beside, won, [RIDGE, RIDGE], [0.0, 0.0])
        return Pull(intercept, slope, prior=prior)
    beside = np.column_stack([verdicts, offset + text, offset])
    strength, at_least = [RIDGE, RIDGE, RIDGE_OF_PRIOR], [0.0, 0.0, -math.inf]
    intercept, (slope, before, apart) = _regression(beside, won, strength, at_least)
    return Pull(intercept, slope, before, prior=max(0.0, before + apart))


def _recalibrated(offset: Floats, won: NDArray[np.int8]) -> Pull:
    """Log-odds shifted and stretched (Cox 1958); as they are unless the outcomes say otherwise."""
    intercept, (more,) = _regression(offset[:, None], won, [RIDGE], [-1.0], base=offset)
    return Pull(intercept, prior=1.0 + more)


def _regression(
    opinions: Floats,
    won: NDArray[np.int8],
    strength: Sequence[float],
    at_least: Sequence[float],
    base: Floats | float = 0.0,
) -> tuple[float, list[float]]:
    """Intercept and weights of log-odds, shape (leads, opinions), with least log loss and ridge.

    The ridge is the same for all opinions, however far their log-odds are spread. strength: of the
    ridge; at_least: each weight; base: log-odds that are there anyway.
    """
    from scipy.optimize import minimize

    centre, scale = opinions.mean(axis=0), opinions.std(axis=0)
    scale[scale == 0] = 1.0
    x = np.column_stack([np.ones(len(won)), (opinions - centre) / scale])
    ridge = np.array([0.0, *strength])

    def loss(weights: Floats) -> tuple[float, Floats]:
        eta = base + x @ weights
        value = _log_loss(eta, won).sum() + 0.5 * (ridge * weights**2).sum()
        return float(value), x.T @ (probability(eta) - won) + ridge * weights

    bounds = [
        (None, None),
        *((low * spread, None) for low, spread in zip(at_least, scale, strict=True)),
    ]
    best = minimize(loss, np.zeros(x.shape[1]), jac=True, method="L-BFGS-B", bounds=bounds).x
    weights = best[1:] / scale
    return float(best[0] - weights @ centre), [float(weight) for weight in weights]
