"""What a text model spares the LLM: at its own log loss, and at the one there was before."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models.decision import RouteReason
from models.log_odds import log_odds, probability
from pipelines.evaluation import Judged, Saving, _calls_enough, compare
from pipelines.metrics import Interval, log_loss

LEADS = 1_000


def judged(read: float, *, seed: int = 0) -> tuple[Judged, Judged]:
    """A hybrid with a text model that knows so much of what the LLM knows, and one without."""
    rng = np.random.default_rng(seed)
    known, written = rng.normal(size=(2, LEADS))
    prior = probability(known)
    won = (rng.random(LEADS) < probability(known + 2.0 * written)).astype(np.int8)
    heard = probability(log_odds(prior) + 2.0 * (written + rng.normal(0, 0.3, LEADS)) / 1.09)
    said = probability(log_odds(prior) + 2.0 * read * written)
    asked = np.ones(LEADS, dtype=bool)
    reasons = (RouteReason.AMBIGUOUS,) * LEADS
    without = Judged(won, prior, prior, heard, heard, asked, asked, reasons, np.arange(LEADS))
    both = probability((log_odds(heard) + log_odds(said)) / 2)
    few = np.abs(log_odds(said)) < 1.0
    return replace(without, read=said, pulled=both, escalated=few), without


def saving(read: float) -> Saving:
    found = compare(judged(read)[0], without_text=judged(read)[1], seed=0).without_text
    assert found is not None
    return found


def test_fewer_calls_would_do_for_the_log_loss_that_there_was_before() -> None:
    hybrid, without = judged(0.5)
    found = saving(0.5)
    nearest = np.argsort(np.abs(log_odds(hybrid.read)), kind="stable")

    def loss(calls: int) -> float:
        asked = np.isin(np.arange(LEADS), nearest[:calls])
        return log_loss(np.where(asked, hybrid.pulled, hybrid.read), hybrid.won)

    goal, enough = log_loss(without.hybrid, without.won), found.calls_at_same_loss
    assert 0 < enough < found.calls_before == LEADS
    assert loss(enough - 1) > goal
    assert all(loss(calls) <= goal + 1e-12 for calls in range(enough, LEADS + 1))
    assert found.share_at_same_loss == 1 - enough / LEADS


def test_one_that_knows_all_could_spare_every_call() -> None:
    assert saving(1.0).share_at_same_loss == 1


@pytest.mark.parametrize("leads", [60, 150, 400, 1_000])
@pytest.mark.parametrize("strength", [0.25, 0.5, 1.0])
def test_one_that_knows_nothing_seems_to_spare_next_to_no_call(leads: int, strength: float) -> None:
    """Whatever the LLM knows, and however few leads say so."""
    shares = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        known, written = rng.normal(size=(2, leads))
        prior, heard = probability(known), probability(known + strength * written)
        won = (rng.random(leads) < heard).astype(np.int8)
        asked, reasons = np.ones(leads, dtype=bool), (RouteReason.AMBIGUOUS,) * leads
        silent = Judged(won, prior, prior, heard, heard, asked, asked, reasons, np.arange(leads))
        shares.append(1 - _calls_enough(silent, silent) / leads)
    assert np.mean(shares) < 0.15  # where by chance the LLM was worth nothing there, all


def test_more_calls_than_before_are_not_called_saved() -> None:
    assert "100% more" in str(Saving(10, 5, 5, Interval(0.0, -0.1, 0.1)))


@pytest.mark.parametrize(("calls", "said"), [(0, "nor is it with it"), (5, "about 5 with it")])
def test_where_there_was_no_call_to_spare_it_is_said_so(calls: int, said: str) -> None:
    found = str(Saving(calls, 0, 0, Interval(-0.01, -0.02, 0.0)))
    asked = f"without it the LLM is asked about no test lead, {said}"
    assert found == f"{asked}; log loss -0.010 [-0.020, +0.000]"
