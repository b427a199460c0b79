from __future__ import annotations

import numpy as np
import pytest

from models.calibration import CalibrationMethod, fit_calibrator
from pipelines.finetuning.learning_curve import (
    CurvePoint,
    has_stalled,
    is_due,
    is_surely_better,
    looks_to_come,
    settled_losses,
)
from pipelines.finetuning.schedule import Schedule
from pipelines.metrics import log_loss

SCHEDULE = Schedule.of(100, warm_up=10, decay=0.3)


def curve(*losses: float) -> tuple[CurvePoint, ...]:
    return tuple(CurvePoint(250 * i, 0.5, loss, loss) for i, loss in enumerate(losses))


def test_the_rate_warms_up_stays_and_decays_to_nearly_nothing() -> None:
    rates = [SCHEDULE.rate(step) for step in range(100)]
    assert rates[:10] == sorted(rates[:10])
    assert rates[0] == pytest.approx(0.1)
    assert set(rates[10:70]) == {1.0}
    assert rates[70:] == sorted(rates[70:], reverse=True)
    assert 0 < rates[-1] < 0.05


def test_whatever_ends_it_sooner_leaves_it_its_decay() -> None:
    shorter = SCHEDULE.ending_by(60)
    assert shorter.rate(41) == 1.0 > shorter.rate(50) > shorter.rate(59) > 0
    assert SCHEDULE.ending_by(200) == SCHEDULE


def test_before_its_decay_begins_it_can_be_whole_again_as_if_nothing_had_been() -> None:
    shorter = SCHEDULE.ending_by(30)
    assert [shorter.rate(n) for n in range(22)] == [SCHEDULE.rate(n) for n in range(22)]
    assert not shorter.decays_at(21)
    assert shorter.decays_at(22)
    assert shorter.ending_by(100) == SCHEDULE


def test_a_decay_that_begins_now_takes_its_share_of_all_steps() -> None:
    ended = SCHEDULE.decaying_from(35)
    assert ended.total == 50
    assert ended.rate(34) == 1.0 > ended.rate(36)


@pytest.mark.parametrize("total", [1, 2, 5, 19])
def test_few_steps_have_rates_too(total: int) -> None:
    rates = [Schedule.of(total, warm_up=20, decay=0.3).rate(step) for step in range(total)]
    assert all(0 < rate <= 1 for rate in rates)
    assert max(rates) == 1.0


def test_it_looks_after_some_examples_and_then_at_twice_as_many() -> None:
    looks: list[int] = []
    points: tuple[CurvePoint, ...] = ()
    for seen in range(0, 4_000, 16):
        if is_due(seen, points):
            looks.append(seen)
            points += (CurvePoint(seen, 0.5, 1.0, 1.0),)
    assert looks == [256, 512, 1024, 2048]
    assert looks_to_come((), 4_000) == 4
    assert looks_to_come(points[:2], 4_000) == 2
    assert looks_to_come((), 200) == 0


@pytest.mark.parametrize(
    ("gap", "spread", "is_better"),
    [
        (0.006, 0.3, False),
        (0.035, 0.3, False),
        (0.05, 0.3, True),
        (-0.05, 0.3, False),
        (0.006, 0.01, True),
    ],
    ids=["by chance", "perhaps", "surely", "worse", "by little, on every lead"],
)
def test_an_earlier_look_is_preferred_to_the_last_only_where_it_is_surely_better(
    gap: float, spread: float, is_better: bool
) -> None:
    rng = np.random.default_rng(0)
    earlier, noise = rng.random(200), rng.normal(0, spread, 200)
    last = earlier + noise - noise.mean() + gap
    assert is_surely_better(earlier.tolist(), last.tolist()) is is_better


def test_losses_of_leads_are_those_of_the_curve() -> None:
    rng = np.random.default_rng(0)
    won = (rng.random(100) < 0.4).astype(np.int8)
    log_odds = 9 * won - 4 + rng.normal(0, 2, 100)
    losses = settled_losses(log_odds, won)
    point = CurvePoint.of(7, log_odds, won, losses)
    assert losses.shape == (100,)
    assert losses.mean() == pytest.approx(point.settled_log_loss)
    settled = fit_calibrator(CalibrationMethod.PLATT, log_odds, won)(log_odds)
    assert losses.mean() == pytest.approx(log_loss(settled, won))
    sure = np.where(won == 1, 800.0, -800.0)
    assert np.isfinite(settled_losses(sure, won)).all()


def test_it_has_stalled_when_the_last_looks_brought_no_new_best() -> None:
    assert not has_stalled(curve(0.6, 0.5, 0.55), patience=2)
    assert has_stalled(curve(0.6, 0.5, 0.55, 0.52), patience=2)
    assert not has_stalled(curve(0.6, 0.5, 0.55, 0.49), patience=2)
    assert not has_stalled(curve(0.6), patience=2)
