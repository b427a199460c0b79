"""What a text model spares the LLM: at its own log loss, and at the one there was before."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from models.decision import RouteReason
from models.log_odds import log_odds, probability
from pipelines.evaluation import Judged, Saving, compare
from pipelines.metrics import log_loss

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
    hybrid, without = judged(0.4)
    found = saving(0.4)
    nearest = np.argsort(np.abs(log_odds(hybrid.read)), kind="stable")

    def loss(calls: int) -> float:
        asked = np.isin(np.arange(LEADS), nearest[:calls])
        return log_loss(np.where(asked, hybrid.pulled, hybrid.read), hybrid.won)

    goal, fewest = log_loss(without.hybrid, without.won), found.calls_at_same_loss
    assert 0 < fewest < found.calls_before == LEADS
    assert loss(fewest) <= goal + 1e-12 < loss(fewest - 1) + 1e-12
    assert found.share_at_same_loss == 1 - fewest / LEADS


def test_a_text_model_that_knows_all_could_spare_every_call_and_one_that_knows_nothing_none() -> (
    None
):
    assert saving(1.0).share_at_same_loss == 1
    assert saving(0.0).share_at_same_loss < 0.1
