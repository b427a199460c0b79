"""Band: where the classifier may not decide alone; fitted, with a finite-sample guarantee."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from models.decision import CUT

Floats = NDArray[np.float64]
MAX_STEPS = 200  # thresholds tried on each side


@dataclass(frozen=True, slots=True)
class Band:
    """The open interval (low, high) of win probability. Empty where low >= high."""

    low: float
    high: float

    def __contains__(self, probability: float) -> bool:
        return self.low < probability < self.high

    def covers(self, probabilities: Floats) -> NDArray[np.bool_]:
        return (self.low < probabilities) & (probabilities < self.high)

    def to_json(self) -> dict[str, Any]:
        return {"low": self.low, "high": self.high}

    @classmethod
    def from_json(cls, tree: dict[str, Any]) -> Self:
        return cls(tree["low"], tree["high"])


EVERYTHING = Band(-math.inf, math.inf)
NOTHING = Band(math.inf, -math.inf)


def fit_band(
    probabilities: Floats, won: NDArray[np.int8], *, max_error: float, confidence: float
) -> Band:
    """The narrowest band outside which the classifier errs rarely enough.

    With probability at least `confidence` over the draw of these leads, both hold for new leads
    from the same source: of those with p <= low at most `max_error` are won, and of those with
    p >= high at most `max_error` are lost. A side that cannot keep it is left to the band
    altogether (low = -inf, or high = inf). Neither side reaches beyond CUT: where nearly all are
    lost, calling everybody lost errs rarely too, but not those who are expected to win.

    The probabilities must come from a classifier and a calibrator that never saw these leads.

    Learn then Test (Angelopoulos et al. 2021, arXiv:2110.01052): thresholds are tested from the
    strictest on, in an order that does not depend on the outcomes, and the search stops at the
    first that fails (fixed-sequence testing, Bauer 1991), so no correction for their number is
    due; each test is the exact binomial one (Clopper & Pearson 1934); the two sides share the
    error probability equally (Bonferroni).
    """
    delta = (1 - confidence) / 2
    loses, wins = probabilities < CUT, probabilities >= CUT
    low = _last_safe(-probabilities[loses], won[loses] == 1, max_error, delta)
    high = _last_safe(probabilities[wins], won[wins] == 0, max_error, delta)
    return Band(-math.inf if low is None else -low, math.inf if high is None else high)


def _last_safe(
    certainty: Floats, wrong: NDArray[np.bool_], max_error: float, delta: float
) -> float | None:
    """The lowest certainty t such that deciding all leads with certainty >= t is safe."""
    order = np.argsort(-certainty, kind="stable")
    certainty, errors = certainty[order], np.cumsum(wrong[order])
    is_safe = _exact_binomial_test(max_error, delta)
    safe: float | None = None
    for taken in _sequence(certainty, _fewest_leads(max_error, delta)):
        if not is_safe(int(errors[taken - 1]), taken):
            break
        safe = float(certainty[taken - 1])
    return safe


def _sequence(certainty: Floats, fewest: int) -> list[int]:
    """How many of the most certain leads each test takes: whole groups of equal certainty."""
    ends = np.flatnonzero(np.append(np.diff(certainty) != 0, True)) + 1
    ends = ends[ends >= fewest]
    stride = max(1, math.ceil(len(ends) / MAX_STEPS))
    return [int(n) for n in ends[::stride]]


def _fewest_leads(max_error: float, delta: float) -> int:
    """Where the sequence starts: half an error budget more leads than a flawless record needs.

    Starting at the very first lead that could pass would let one early error end the search.
    """
    return math.ceil(math.log(delta) / math.log1p(-max_error)) + math.ceil(5 / max_error)


def _exact_binomial_test(max_error: float, delta: float) -> Callable[[int, int], bool]:
    from scipy.stats import binom

    def is_safe(errors: int, leads: int) -> bool:
        """Reject "the error rate exceeds max_error" at level delta."""
        return bool(binom.cdf(errors, leads, max_error) <= delta)

    return is_safe
