from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import brier_score_loss, roc_auc_score
from sklearn.metrics import log_loss as sklearn_log_loss

from pipelines.metrics import (
    RESAMPLED,
    Interval,
    Measure,
    Paired,
    auc,
    brier,
    difference,
    ece,
    log_loss,
    mean_difference,
    measure,
    with_interval,
)

Floats = NDArray[np.float64]
TRIALS = 150
COVERAGE_SEEN = 0.935  # of 1,500 trials; a percentile interval of 300 rows falls a little short
rows = st.lists(
    st.tuples(st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.5001, 0.9, 1.0]), st.sampled_from([0, 1])),
    min_size=2,
    max_size=40,
).filter(lambda pairs: len({won for _, won in pairs}) == 2)


def leads(rng: np.random.Generator, n: int, spread: float = 1.5) -> tuple[Floats, Floats]:
    """True probabilities, and outcomes drawn from them."""
    p = 1 / (1 + np.exp(-rng.normal(-0.8, spread, n)))
    return p, (rng.random(n) < p).astype(float)


@settings(max_examples=40, deadline=None)
@given(rows)
def test_point_values_are_scikit_learns(pairs: list[tuple[float, int]]) -> None:
    p, won = map(np.array, zip(*pairs, strict=True))
    assert auc(p, won) == pytest.approx(roc_auc_score(won, p))
    assert log_loss(p, won) == pytest.approx(sklearn_log_loss(won, p))
    assert brier(p, won) == pytest.approx(brier_score_loss(won, p))


@settings(max_examples=40, deadline=None)
@given(rows, st.integers(0, 2**32 - 1))
def test_a_weighted_draw_equals_the_measure_on_the_rows_it_took(
    pairs: list[tuple[float, int]], seed: int
) -> None:
    p, won = (np.array(x, dtype=float) for x in zip(*pairs, strict=True))
    taken = np.random.default_rng(seed).integers(0, len(p), len(p))
    weights = np.bincount(taken, minlength=len(p)).astype(float)[None]
    for which in Measure:
        drawn = RESAMPLED[which](p, won)(weights)[0]
        assert drawn == pytest.approx(measure(which, p[taken], won[taken]), nan_ok=True)


@pytest.mark.parametrize(
    ("probabilities", "won", "expected"),
    [
        pytest.param([0.25] * 4, [1, 0, 0, 0], 0.0, id="one bin, exact"),
        pytest.param([0.9] * 4, [0, 0, 0, 0], 0.9, id="sure and wrong"),
        pytest.param([0.0, 1.0], [0, 1], 0.0, id="both ends have a bin"),
        pytest.param([0.1, 0.1, 0.9, 0.9], [0, 1, 1, 1], (0.4 + 0.1) / 2, id="mean over leads"),
    ],
)
def test_ece_uses_bins_of_equal_width(
    probabilities: list[float], won: list[int], expected: float
) -> None:
    assert ece(probabilities, won) == pytest.approx(expected)


@pytest.mark.parametrize("which", [Measure.AUC, Measure.LOG_LOSS, Measure.BRIER])
def test_the_interval_covers_the_truth_about_as_often_as_it_says(which: Measure) -> None:
    rng = np.random.default_rng(11)
    truth = measure(which, *leads(rng, 400_000))
    hits = 0
    for seed in range(TRIALS):
        interval = with_interval(which, *leads(rng, 300), draws=200, seed=seed)
        hits += interval.low <= truth <= interval.high
    assert COVERAGE_SEEN - 0.06 <= hits / TRIALS <= 0.99


@pytest.mark.parametrize("which", [Measure.AUC, Measure.LOG_LOSS])
def test_the_paired_difference_covers_the_truth_about_as_often_as_it_says(which: Measure) -> None:
    rng = np.random.default_rng(5)

    def pair(n: int) -> tuple[Floats, Floats, Floats]:
        p, won = leads(rng, n)
        noisy = 1 / (1 + np.exp(-(np.log(p / (1 - p)) + rng.normal(0, 1, n))))
        return p, noisy, won

    p, noisy, won = pair(400_000)
    truth = measure(which, p, won) - measure(which, noisy, won)
    hits = 0
    for seed in range(TRIALS):
        interval = difference(which, *pair(300), draws=200, seed=seed)
        hits += interval.low <= truth <= interval.high
    assert COVERAGE_SEEN - 0.06 <= hits / TRIALS <= 0.99


@pytest.mark.parametrize("which", [Measure.AUC, Measure.LOG_LOSS])
def test_the_mean_difference_of_samples_that_share_leads_covers_the_truth_as_often(
    which: Measure,
) -> None:
    rng = np.random.default_rng(6)

    def table(n: int) -> tuple[Floats, Floats, Floats]:
        p, won = leads(rng, n)
        return p, 1 / (1 + np.exp(-(np.log(p / (1 - p)) + rng.normal(0, 1, n)))), won

    p, noisy, won = table(400_000)
    truth = measure(which, p, won) - measure(which, noisy, won)
    hits = 0
    for seed in range(TRIALS):
        p, noisy, won = table(300)
        drawn = [rng.permutation(300)[:200] for _ in range(3)]  # two in three are in another too
        parts = [Paired(rows, p[rows], noisy[rows], won[rows]) for rows in drawn]
        interval = mean_difference(which, parts, draws=200, seed=seed)
        hits += interval.low <= truth <= interval.high
    assert COVERAGE_SEEN - 0.06 <= hits / TRIALS <= 0.99


def test_where_rows_stand_and_fall_together_the_interval_covers_the_truth_only_by_groups() -> None:
    rng = np.random.default_rng(7)

    def table(groups: int) -> tuple[Floats, Floats, Floats, NDArray[np.intp]]:
        said, known = rng.normal(size=(2, groups))
        of = np.repeat(np.arange(groups), 20)
        won = (rng.random(len(of)) < 1 / (1 + np.exp(-2 * known[of]))).astype(float)
        better, worse = (1 / (1 + np.exp(-s))[of] for s in (0.3 * known + 0.3 * said, 0 * known))
        return better, worse, won, of

    better, worse, won, of = table(50_000)
    truth = measure(Measure.LOG_LOSS, better, won) - measure(Measure.LOG_LOSS, worse, won)
    hits = {"rows": 0, "groups": 0}
    for seed in range(TRIALS):
        better, worse, won, of = table(40)
        for by, groups in (("rows", None), ("groups", of)):
            pair = (Measure.LOG_LOSS, better, worse, won)
            interval = difference(*pair, groups=groups, draws=200, seed=seed)
            hits[by] += interval.low <= truth <= interval.high
    assert hits["groups"] / TRIALS >= COVERAGE_SEEN - 0.08
    assert hits["rows"] < hits["groups"] - TRIALS // 10


def test_pairing_makes_a_difference_narrower_than_its_parts() -> None:
    rng = np.random.default_rng(3)
    p, won = leads(rng, 500)
    other = np.clip(p + rng.normal(0, 0.02, 500), 0, 1)
    gap, one = difference(Measure.AUC, p, other, won), with_interval(Measure.AUC, p, won)
    assert gap.high - gap.low < (one.high - one.low) / 3


def test_no_difference_between_a_set_and_itself() -> None:
    p, won = leads(np.random.default_rng(1), 200)
    for which in Measure:
        assert difference(which, p, p, won) == Interval(0, 0, 0)


def test_the_same_seed_gives_the_same_interval() -> None:
    p, won = leads(np.random.default_rng(1), 200)
    first, again = (with_interval(Measure.ECE, p, won, seed=9) for _ in range(2))
    assert first == again != with_interval(Measure.ECE, p, won, seed=10)


def test_one_outcome_alone_has_no_auc_but_has_losses() -> None:
    interval = with_interval(Measure.AUC, [0.2, 0.4], [0, 0])
    assert np.isnan([interval.value, interval.low, interval.high]).all()
    assert with_interval(Measure.BRIER, [0.2, 0.4], [0, 0]).value == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("probabilities", "won"),
    [
        pytest.param([0.5], [0, 1], id="lengths differ"),
        pytest.param([], [], id="no rows"),
        pytest.param([1.2, 0.5], [0, 1], id="above one"),
        pytest.param([float("nan"), 0.5], [0, 1], id="not a number"),
        pytest.param([0.5, 0.5], [1, 2], id="not an outcome"),
    ],
)
def test_what_is_no_set_of_probabilities_is_refused(
    probabilities: list[float], won: list[int]
) -> None:
    with pytest.raises(ValueError, match=r"must|One probability"):
        measure(Measure.AUC, probabilities, won)


def test_an_interval_reads_as_text_and_json() -> None:
    interval = Interval(0.8791, 0.86, 0.9)
    assert str(interval) == "0.879 [0.860, 0.900]"
    assert interval.to_json() == {"value": 0.8791, "low": 0.86, "high": 0.9}
    assert interval.excludes_zero
    assert not Interval(0.1, -0.1, 0.3).excludes_zero
