"""Gates refuse what is proven to be bad, and nothing that chance alone explains."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from models.log_odds import log_odds, probability
from pipelines.gates import Gate, check_gates
from pipelines.metrics import Interval, Measure, with_interval


def honest_gate(
    said: NDArray[np.float64], true: NDArray[np.float64], rng: np.random.Generator
) -> Gate:
    """The gate on ECE, of leads that are won with probability `true`."""
    won = (rng.random(len(true)) < true).astype(np.int8)
    measures = {m: with_interval(m, said, won, draws=20) for m in Measure}
    _, gate = check_gates(measures, None, probabilities=said, seed=0)
    return gate


@pytest.mark.parametrize("leads", [16, 80, 200])
def test_honest_probabilities_are_seldom_refused_however_few_the_leads(leads: int) -> None:
    rng = np.random.default_rng(leads)
    drawn = rng.beta(2, 3, (60, leads))
    refused = sum(not honest_gate(p, p, rng).passed for p in drawn)
    assert refused <= 9  # of 60; 3 are expected where chance passes the limit of 0.08


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


def gates(**more: Any) -> dict[str, Gate]:
    """Of a good classifier, beside what a test wants to see."""
    p = np.random.default_rng(1).beta(0.5, 0.5, 300)
    won = (np.random.default_rng(2).random(300) < p).astype(np.int8)
    measures = {m: with_interval(m, p, won, draws=20) for m in Measure}
    return {g.name: g for g in check_gates(measures, None, probabilities=p, seed=0, **more)}


@pytest.mark.parametrize(("change", "passes"), [(-0.05, True), (0.004, True), (0.006, False)])
def test_a_text_model_that_does_harm_is_refused(change: float, passes: bool) -> None:
    gate = gates(text_change=Interval(change, change - 0.1, change + 0.1))[
        "the text model does no harm"
    ]
    assert gate.passed == passes
    assert f"{change:+.4f}" in gate.figure
    assert ("train again with --no-text-model" in gate.figure) != passes


def test_an_llm_that_may_pull_and_was_tried_on_no_test_lead_is_refused_with_what_to_do() -> None:
    assert all(gate.passed for gate in gates().values())
    gate = gates(may_pull=True)["the LLM was asked about test leads"]
    assert not gate.passed
    assert "--llm-test-calls 200" in gate.figure
