"""What the text model leaves open: where an LLM is still asked after a text was read."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from models.band import EVERYTHING, Band
from models.combiner import ONE_SIDED_90, held_out_pulls
from models.decision import CUT, Route
from models.log_odds import log_odds, probability
from models.prompt import EvidenceKind
from models.routing import RoutingPolicy
from pipelines.fitting import FittedClassifier
from pipelines.reading import Reading
from pipelines.verdicts import Verdicts

Floats = NDArray[np.float64]
WIDTHS = np.arange(0.25, 8.0, 0.25)  # log-odds on each side of the cut


def left_open(
    without_text: RoutingPolicy,
    reading: Reading,
    fitted: FittedClassifier,
    verdicts: Verdicts,
    won: NDArray[np.int8],
    bound: float,
) -> Band:
    """The narrowest band in which asking the LLM loses nothing against asking about everything.

    Two ways are compared on calibration leads with a verdict, all pulls out of fold: without the
    text model, asking wherever `without_text` does; and with it, asking inside a band around the
    cut only. The narrowest band is taken whose log loss is not above the first way's, at one-sided
    90 %; it is widened to `reading.sure`, so that the errors outside it stay bounded as promised.
    EVERYTHING where no band is narrow enough.
    """
    answered = verdicts.of_kind(EvidenceKind.TEXT)
    rows, said = verdicts.rows[answered], verdicts.log_odds[answered]
    prior, read, y = fitted.probabilities[rows], reading.probabilities[rows], won[rows]
    asked = np.array(
        [without_text.route(float(p), has_text=True).route is Route.LLM for p in prior], dtype=bool
    )
    before = _loss(np.where(asked, _with_llm(prior, said, y, bound), prior), y)
    is_read = without_text.band.covers(prior) | reading.reach.covers(prior)
    with_llm = _with_llm(read, said, y, bound)
    distance = np.abs(log_odds(read) - log_odds(CUT))
    for width in WIDTHS:
        after = np.where(distance < width, with_llm, read)
        change = _loss(np.where(is_read, after, prior), y) - before
        if change.mean() + ONE_SIDED_90 * change.std(ddof=1) / math.sqrt(len(y)) <= 0:
            low, high = (probability(log_odds(CUT) + side * width) for side in (-1, 1))
            return Band(min(low, reading.sure.low), max(high, reading.sure.high))
    return EVERYTHING


def _with_llm(prior: Floats, said: Floats, won: NDArray[np.int8], bound: float) -> Floats:
    return probability(log_odds(prior) + held_out_pulls(prior, said, won, bound=bound))


def _loss(p: Floats, won: NDArray[np.int8]) -> Floats:
    """Log loss of each lead, in nats."""
    return -np.log(np.where(won == 1, p, 1 - p))
