"""Gates refuse what is proven to be bad, and nothing that chance alone explains."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from models.log_odds import log_odds, probability
from pipelines.gates import Gate, check_gates
from pipelines.metrics import Measure, with_interval


def honest_gate(
    said: NDArray[np.float64], true: NDArray[np.float64], rng: np.random.Generator
) -> Gate:
    """The gate on ECE, of leads that are won with probability `true`."""
    won = (rng.random(len(true)) < true).astype(np.int8)
    measures = {m: with_interval(m, said, won, draws=20) for m in Measure}
    _, gate = check_gates(measures, None, probabilities=said, seed=0)
    return gate


@pytest.mark.parametrize("leads", [16, 80, 200, 600])
def test_honest_probabilities_are_seldom_refused_however_few_the_leads(leads: int) -> None:
    rng = np.random.default_rng(leads)
    drawn = rng.beta(2, 3, (200, leads))
    refused = sum(not honest_gate(p, p, rng).passed for p in drawn)
    assert refused <= 20  # of 200, some 10 are expected where the limit of 0.08 is passed at all


@pytest.mark.parametrize("leads", [80, 600, 2_000])
def test_probabilities_that_exaggerate_are_refused_with_what_chance_would_show(leads: int) -> None:
    rng = np.random.default_rng(1)
    true = rng.beta(3, 3, leads)
    gate = honest_gate(probability(4 * log_odds(true)), true, rng)
    assert not gate.passed
    assert "honest ones show up to" in gate.figure


def test_what_is_below_the_limit_passes_however_many_leads_prove_it() -> None:
    rng = np.random.default_rng(1)
    true = rng.beta(2, 3, 20_000)
    assert honest_gate(np.clip(true + 0.06, 0, 1), true, rng).passed
