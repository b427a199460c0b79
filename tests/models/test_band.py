"""The band: how wide, and what it promises."""

import numpy as np
import pytest
from numpy.typing import NDArray

from models.band import EVERYTHING, NOTHING, Band, fit_band


def draw(
    rng: np.random.Generator, n: int
) -> tuple[NDArray[np.float64], NDArray[np.int8], NDArray[np.float64]]:
    """Scores, outcomes, and the true win probabilities behind them (scores are not calibrated)."""
    truth = rng.beta(0.5, 0.9, n)
    won = (rng.random(n) < truth).astype(np.int8)
    return truth**1.3, won, truth


def true_errors(band: Band, scores: NDArray[np.float64], truth: NDArray[np.float64]) -> list[float]:
    low, high = truth[scores <= band.low], 1 - truth[scores >= band.high]
    return [float(side.mean()) for side in (low, high) if len(side)]


def test_outside_the_band_the_true_error_keeps_its_bound_as_often_as_promised() -> None:
    rng = np.random.default_rng(0)
    scores, _, truth = draw(rng, 200_000)
    broken = 0
    for _ in range(200):
        calibration, won, _ = draw(rng, 800)
        band = fit_band(calibration, won, max_error=0.10, confidence=0.90)
        broken += max(true_errors(band, scores, truth), default=0.0) > 0.10
    assert broken <= 31  # 200 trials at 10 %: 31 or more happen once in 200 such tests


@pytest.mark.parametrize("wins", [0.05, 0.92])
def test_each_side_keeps_its_bound_where_nearly_all_end_alike(wins: float) -> None:
    rng = np.random.default_rng(4)
    log_odds = rng.normal(np.log(wins / (1 - wins)), 1.2, 200_000)
    truth = 1 / (1 + np.exp(-log_odds))
    broken = 0
    for _ in range(100):
        drawn = rng.choice(len(truth), 800)
        won = (rng.random(800) < truth[drawn]).astype(np.int8)
        band = fit_band(truth[drawn], won, max_error=0.10, confidence=0.90)
        expected_to_lose, expected_to_win = truth < 0.5, truth >= 0.5
        alone = ~band.covers(truth)
        sides = [truth[alone & expected_to_lose], 1 - truth[alone & expected_to_win]]
        broken += max(float(side.mean()) if len(side) else 0.0 for side in sides) > 0.10
    assert broken <= 18  # 100 trials at 10 %: 18 or more happen once in 100 such tests


def test_an_easy_table_gets_a_narrow_band_and_not_the_empty_promise() -> None:
    rng = np.random.default_rng(1)
    scores, won, _ = draw(rng, 4_000)
    band = fit_band(scores, won, max_error=0.10, confidence=0.95)
    assert 0 < band.low < band.high < 1
    assert band.covers(scores).mean() < 0.7


def test_scores_that_say_nothing_leave_everything_to_the_band() -> None:
    rng = np.random.default_rng(2)
    won = (rng.random(1_000) < 0.5).astype(np.int8)
    assert fit_band(rng.random(1_000), won, max_error=0.1, confidence=0.95) == EVERYTHING


def test_more_tolerance_never_widens_the_band() -> None:
    rng = np.random.default_rng(3)
    scores, won, _ = draw(rng, 2_000)
    bands = [fit_band(scores, won, max_error=e, confidence=0.9) for e in (0.05, 0.1, 0.2, 0.3)]
    shares = [band.covers(scores).mean() for band in bands]
    assert shares == sorted(shares, reverse=True)


def test_equal_scores_fall_on_the_same_side() -> None:
    scores = np.repeat([0.01, 0.5, 0.99], 300)
    won = np.repeat([0, 1, 1], 300).astype(np.int8)
    won[300:450] = 0
    band = fit_band(scores, won, max_error=0.1, confidence=0.9)
    assert (band.low, band.high) == (0.01, 0.99)


@pytest.mark.parametrize("band", [EVERYTHING, NOTHING, Band(0.2, 0.8)])
def test_a_band_survives_json(band: Band) -> None:
    assert Band.from_json(band.to_json()) == band


def test_the_edges_of_a_band_belong_to_the_classifier() -> None:
    band = Band(0.2, 0.8)
    assert [p in band for p in (0.2, 0.20001, 0.79999, 0.8)] == [False, True, True, False]
