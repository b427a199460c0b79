"""What the text model leaves open: where an LLM is still asked after a text was read."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.band import EVERYTHING, Band
from models.decision import CUT
from models.log_odds import log_odds, probability
from models.prompt import EvidenceKind
from models.pull_fitting import held_out_pulls
from pipelines.fitting import FittedClassifier
from pipelines.reading import Reading
from pipelines.verdicts import Verdicts

Floats = NDArray[np.float64]
WIDTHS = np.arange(0.25, 8.0, 0.25)  # log-odds on each side of the cut
KEPT = 0.99  # of what the LLM adds to the text model: calls are to be spared, not its judgement


def left_open(
    reading: Reading,
    fitted: FittedClassifier,
    verdicts: Verdicts,
    won: NDArray[np.int8],
    bound: float,
    groups: NDArray[np.intp] | None = None,
) -> Band:
    """The narrowest band around the cut that keeps KEPT of what asking about everything gains.

    What is gained on a lead is the log loss that its text's reading is expected to have more than
    the LLM's and its together, where the latter is right: the Kullback-Leibler divergence. Unlike
    the log loss itself it is not a matter of chance on a hundred verdicts; unlike a fall in
    uncertainty it counts where the LLM takes a certainty away that was not justified. The band is
    widened to `reading.sure`, so that the errors outside it stay as rare as promised. EVERYTHING
    where no band keeps so much.

    bound: what the LLM's pull has earned. groups: the same number for all leads of the table with
    the same text.
    """
    read, with_llm = _before_and_after(reading, fitted, verdicts, won, bound, groups)
    gained = _divergence(with_llm, read)
    distance = np.abs(log_odds(read) - log_odds(CUT))
    for width in WIDTHS:
        if gained[distance < width].sum() >= KEPT * gained.sum():
            low, high = (probability(log_odds(CUT) + side * float(width)) for side in (-1, 1))
            return Band(min(low, reading.sure.low), max(high, reading.sure.high))
    return EVERYTHING


def _before_and_after(
    reading: Reading,
    fitted: FittedClassifier,
    verdicts: Verdicts,
    won: NDArray[np.int8],
    bound: float,
    groups: NDArray[np.intp] | None,
) -> tuple[Floats, Floats]:
    """Of calibration leads that are read and have a verdict; its pull is fitted out of fold."""
    answered = verdicts.of_kind(EvidenceKind.TEXT)
    rows, said = verdicts.rows[answered], verdicts.log_odds[answered]
    prior, read = fitted.probabilities[rows], reading.probabilities[rows]
    text = reading.pulls(rows, prior)
    together = None if groups is None else groups[rows]
    pulls = held_out_pulls(prior, said, won[rows], bound=bound, text=text, groups=together)
    is_read = reading.reads(fitted.band, prior)
    return read[is_read], probability(log_odds(prior) + pulls)[is_read]


def _divergence(p: Floats, q: Floats) -> Floats:
    """Of outcomes that are won with probability p from those that are with q, in nats; >= 0."""
    return p * np.log(p / q) + (1 - p) * np.log((1 - p) / (1 - q))
