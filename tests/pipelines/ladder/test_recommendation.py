"""The recommendation: the smallest rung that no other one beats, and why, in words."""

from __future__ import annotations

import numpy as np
import pytest

from models.log_odds import probability
from pipelines.ladder.recommendation import recommend
from pipelines.ladder.standing import NO_TEXT, Candidate

LEADS = 600
RNG = np.random.default_rng(3)
TRUTH = RNG.normal(0, 1.5, LEADS)
WON = (RNG.random(LEADS) < probability(TRUTH)).astype(np.int8)


def knowing(name: str, share: float, leads: int = LEADS) -> Candidate:
    """Somebody who knows a share of the truth about the first `leads` leads."""
    return Candidate(name, np.arange(leads), probability(share * TRUTH[:leads]))


@pytest.mark.parametrize(
    ("shares", "expected"),
    [
        pytest.param((0.0, 0.9, 0.9), "words", id="the larger one knows no more"),
        pytest.param((0.0, 0.3, 1.0), "LLM", id="the larger one knows more"),
        pytest.param((1.0, 1.0, 1.0), NO_TEXT, id="nobody knows more than the columns"),
        pytest.param((1.0, 0.2, 0.5), NO_TEXT, id="texts mislead"),
    ],
)
def test_the_smallest_that_no_other_beats(shares: tuple[float, ...], expected: str) -> None:
    names = (NO_TEXT, "words", "LLM")
    candidates = [knowing(*pair) for pair in zip(names, shares, strict=True)]
    assert recommend(candidates, WON, seed=0).rung == expected


def test_a_rung_is_compared_on_the_leads_it_has_an_opinion_on() -> None:
    candidates = [knowing(NO_TEXT, 0.0), knowing("words", 0.8), knowing("LLM", 0.9, leads=50)]
    advice = recommend(candidates, WON, seed=0)
    assert {(d.smaller, d.larger): d.leads for d in advice.duels} == {
        (NO_TEXT, "words"): LEADS,
        (NO_TEXT, "LLM"): 50,
        ("words", "LLM"): 50,
    }
    assert advice.rung == "words"
    assert "no larger rung beats it" in advice.reason
    assert "(50 calibration leads)" in advice.reason
    assert advice.enough.startswith("no text is enough where")


def test_where_nothing_was_tried_the_columns_are_enough() -> None:
    advice = recommend([knowing(NO_TEXT, 0.5)], WON, seed=0)
    assert advice.rung == NO_TEXT
    assert "No rung that reads texts is needed" in advice.enough


def test_what_would_be_enough_is_the_best_of_the_smaller_rungs_not_the_next_one() -> None:
    shares = {NO_TEXT: 0.0, "words": 0.6, "meanings": 0.3, "both": 1.0}
    advice = recommend([knowing(*pair) for pair in shares.items()], WON, seed=0)
    assert advice.rung == "both"
    assert advice.enough.startswith("words is enough where")
    assert "against words" in advice.reason


def test_a_larger_rung_that_is_worse_than_one_that_is_beaten_is_not_taken_for_it() -> None:
    def two_fold(name: str, few: float, others: float) -> Candidate:
        shares = np.where(np.arange(LEADS) < 200, few, others)
        return Candidate(name, np.arange(LEADS), probability(shares * TRUTH))

    words, meanings = two_fold("words", 0.1, 1.0), two_fold("meanings", 0.7, 0.4)
    llm = knowing("LLM", 0.7, leads=200)  # it beats words; of these leads meanings know as much
    advice = recommend([knowing(NO_TEXT, 0.0), words, meanings, llm], WON, seed=0)
    gaps = {(d.smaller, d.larger): d for d in advice.duels}
    assert gaps["words", "LLM"].is_larger_better
    assert not gaps["meanings", "LLM"].is_larger_better
    assert gaps["words", "meanings"].difference.value > 0
    assert advice.rung == "LLM"
    nearest = max(gaps[one, "LLM"].difference.value for one in (NO_TEXT, "words"))
    assert f"is enough where {-nearest:.3f} nats" in advice.enough
