"""Calibration: order is kept, and the method that fits the data wins."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.calibration import (
    CalibrationMethod,
    Calibrator,
    choose_calibrator,
    fit_calibrator,
)
from models.log_odds import log_odds, probability

RNG = np.random.default_rng(0)
MARGINS = RNG.normal(0, 2, 3_000)
OVERCONFIDENT = (RNG.random(3_000) < probability(0.5 * MARGINS + 0.3)).astype(np.int8)


@pytest.mark.parametrize("method", CalibrationMethod)
def test_every_method_keeps_the_order_of_leads_and_stays_inside_0_and_1(
    method: CalibrationMethod,
) -> None:
    calibrator = fit_calibrator(method, MARGINS, OVERCONFIDENT)
    calibrated = calibrator(np.linspace(-40, 40, 2_001))
    assert (np.diff(calibrated) >= 0).all()
    assert 0 <= calibrated[0] < calibrated[-1] <= 1


@pytest.mark.parametrize("method", CalibrationMethod)
def test_a_calibrator_survives_json_to_the_last_bit(method: CalibrationMethod) -> None:
    calibrator = fit_calibrator(method, MARGINS, OVERCONFIDENT)
    again = Calibrator.from_json(calibrator.to_json())
    assert np.array_equal(again(MARGINS), calibrator(MARGINS))


def test_an_overconfident_booster_is_brought_back_to_the_truth() -> None:
    calibrator = choose_calibrator(MARGINS, OVERCONFIDENT, seed=0)
    assert calibrator.method is not CalibrationMethod.IDENTITY
    truth = probability(0.5 * MARGINS + 0.3)
    assert np.abs(calibrator(MARGINS) - truth).max() < 0.05


@given(st.floats(-13, 13))
def test_log_odds_and_probability_undo_each_other(x: float) -> None:
    assert log_odds(probability(x)) == pytest.approx(x, abs=1e-6)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_no_log_odds_overflow(x: float) -> None:
    assert 0 <= probability(x) <= 1


def test_platt_never_turns_the_order_round() -> None:
    rng = np.random.default_rng(0)
    margins = rng.normal(size=200)
    won = (rng.random(200) < 1 / (1 + np.exp(margins))).astype(np.int8)  # less likely the higher
    calibrated = fit_calibrator(CalibrationMethod.PLATT, margins, won)
    assert np.ptp(calibrated(margins)) == 0
    assert calibrated(margins)[0] == pytest.approx(won.mean(), abs=0.01)
