"""Probability <-> log-odds, the scale on which evidence adds up."""

from __future__ import annotations

from typing import overload

import numpy as np
from numpy.typing import NDArray

EDGE = 1e-6  # probabilities are kept this far from 0 and 1, so that log-odds stay finite


@overload
def log_odds(probability: float) -> float: ...
@overload
def log_odds(probability: NDArray[np.float64]) -> NDArray[np.float64]: ...
def log_odds(probability: float | NDArray[np.float64]) -> float | NDArray[np.float64]:
    """ln(p / (1 - p)) of probabilities in [0, 1], cut to [EDGE, 1 - EDGE]."""
    p = np.clip(probability, EDGE, 1 - EDGE)
    odds = np.log(p) - np.log1p(-p)
    return odds if isinstance(probability, np.ndarray) else float(odds)


@overload
def probability(log_odds: float) -> float: ...
@overload
def probability(log_odds: NDArray[np.float64]) -> NDArray[np.float64]: ...
def probability(log_odds: float | NDArray[np.float64]) -> float | NDArray[np.float64]:
    """1 / (1 + exp(-x)), without overflow for any finite x."""
    p = np.exp(-np.logaddexp(0.0, -np.asarray(log_odds, dtype=np.float64)))
    return p if isinstance(log_odds, np.ndarray) else float(p)
