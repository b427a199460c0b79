from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import binomtest

from models.band import EVERYTHING, NOTHING, Band
from models.decision import RouteReason
from pipelines.cascade_plots import DEGRADED, KEPT, WORDS, band_and_routes, cost_against_quality
from pipelines.metrics import Interval, Measure, auc
from pipelines.plots import (
    gain_and_lift,
    precision_recall,
    reliability,
    roc,
    shap_summary,
    wilson,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]


@pytest.fixture(scope="module")
def p() -> Floats:
    return np.random.default_rng(2).beta(0.8, 1.6, 400)


@pytest.fixture(scope="module")
def won(p: Floats) -> NDArray[np.int8]:
    return (np.random.default_rng(3).random(400) < p).astype(np.int8)


def drawn(figure: Figure) -> str:
    """Every word in the figure, once it has been drawn without a warning."""
    from matplotlib.text import Text

    png = io.BytesIO()
    figure.savefig(png)
    assert png.getvalue().startswith(b"\x89PNG")
    return "\n".join(text.get_text() for text in figure.findobj(Text))  # type: ignore[attr-defined]


@pytest.mark.parametrize("plot", [roc, precision_recall, gain_and_lift])
def test_every_contender_is_named(
    plot: Callable[..., Figure], won: NDArray[np.int8], p: Floats
) -> None:
    words = drawn(plot(won, {"classifier": p, "hybrid": p**2, "somebody else": 1 - p}))
    assert all(name in words for name in ("classifier", "hybrid", "somebody else"))
    assert f"400 leads, {won.sum()} won" in words


@pytest.mark.parametrize("plot", [roc, precision_recall, gain_and_lift])
@pytest.mark.parametrize("ties", [0.5, 0.0, 1.0])
def test_probabilities_that_are_all_the_same_can_be_drawn(
    plot: Callable[..., Figure], ties: float
) -> None:
    drawn(plot(np.array([0, 1, 1], dtype=np.int8), {"flat": np.full(3, ties)}))


def test_roc_shows_auc_with_its_interval(won: NDArray[np.int8], p: Floats) -> None:
    figure = roc(won, {"classifier": p})
    assert f"classifier: {auc(p, won):.3f} [" in drawn(figure)
    x, y = (np.asarray(values) for values in figure.axes[0].lines[1].get_data())
    assert np.trapezoid(y, x) == pytest.approx(auc(p, won))  # the curve is the one it names


def test_gain_ends_with_all_won_leads_and_lift_at_one(won: NDArray[np.int8], p: Floats) -> None:
    gain, lift = gain_and_lift(won, {"classifier": p}).axes
    assert np.asarray(gain.lines[-1].get_data())[:, -1].tolist() == [1, 1]
    assert np.asarray(lift.lines[-1].get_data())[:, -1].tolist() == [1, 1]


def test_reliability_bins_hold_equally_many_leads(won: NDArray[np.int8], p: Floats) -> None:
    assert "10 bins, 40 leads each" in drawn(reliability(won, p))


@pytest.mark.parametrize(
    ("probabilities", "bins"),
    [
        pytest.param([0.3] * 20, 1, id="one value"),
        pytest.param([0.1] * 10 + [0.9] * 10, 2, id="two values"),
        pytest.param([0.5], 1, id="one lead"),
    ],
)
def test_reliability_keeps_equal_probabilities_together(
    probabilities: list[float], bins: int
) -> None:
    outcomes = np.zeros(len(probabilities), dtype=np.int8)
    assert f"{bins} bins" in drawn(reliability(outcomes, np.array(probabilities)))


@pytest.mark.parametrize(("hits", "of"), [(0, 5), (5, 5), (3, 40), (200, 400)])
def test_wilson_intervals_are_scipys(hits: int, of: int) -> None:
    low, high = wilson(np.array([hits]), np.array([of]))
    expected = binomtest(hits, of).proportion_ci(method="wilson")
    assert (low[0], high[0]) == pytest.approx((expected.low, expected.high), abs=1e-6)


def test_shap_summary_ranks_columns_by_their_mean_push() -> None:
    rng = np.random.default_rng(0)
    pushes = rng.normal(0, [0.1, 2.0, 0.5, 0.0], (300, 4))
    values = rng.normal(size=(300, 4)).astype(np.float32)
    values[::3, 1] = np.nan
    names = ["weak", "strong $ in US$", "a name much longer than there is room for it", "none"]
    figure = shap_summary(pushes, values, names, categorical=[True, False, False, False], columns=3)
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()][::-1]
    assert [label.split("  ")[0] for label in labels] == [
        r"strong \$ in US\$",
        "a name much longer than there…",
        "weak",
    ]
    assert "a word: no order" in drawn(figure)


def test_shap_summary_draws_a_column_that_is_always_missing() -> None:
    drawn(shap_summary(np.zeros((2, 1)), np.full((2, 1), np.nan), ["empty"]))


@pytest.mark.parametrize(
    ("band", "words"),
    [
        pytest.param(Band(0.2, 0.7), "the band, 20 % to 70 %", id="both sides"),
        pytest.param(Band(0.2, np.inf), "the band, 20 % to 100 %", id="one side"),
        pytest.param(EVERYTHING, "the band, 0 % to 100 %", id="everything"),
        pytest.param(NOTHING, "The band is empty", id="nothing"),
    ],
)
def test_the_band_is_said_in_words(band: Band, words: str, p: Floats) -> None:
    reasons = [RouteReason.CONFIDENT] * len(p)
    assert words in drawn(band_and_routes(p, reasons, np.zeros(len(p), dtype=bool), band=band))


def test_every_route_has_a_bar_and_a_count() -> None:
    reasons = [*RouteReason, RouteReason.AMBIGUOUS]
    asked = np.array([r in {RouteReason.AMBIGUOUS, RouteReason.FREE_TEXT} for r in reasons])
    asked[-1] = False
    p = np.linspace(0, 1, len(reasons))
    words = drawn(band_and_routes(p, reasons, asked, band=Band(0.3, 0.6)))
    assert all(f"{word} (1)" in words for word in (*WORDS.values(), KEPT))
    assert f"{DEGRADED} (3)" in words


def test_no_leads_make_an_empty_figure() -> None:
    drawn(band_and_routes(np.zeros(0), [], np.zeros(0, dtype=bool), band=NOTHING))


@pytest.mark.parametrize("which", list(Measure))
def test_cost_against_quality_names_the_measure_and_this_release(which: Measure) -> None:
    shares = np.linspace(0, 1, 6)
    change = Interval(-0.02, -0.03, -0.01)
    figure = cost_against_quality(
        which, shares, 0.5 - 0.1 * shares, 0.5 - 0.05 * shares, here=(0.4, 0.45), change=change
    )
    words = drawn(figure)
    assert "this release: 40 % to the LLM" in words
    assert "-0.0200 [-0.0300, -0.0100]" in words
    assert "is better" in words


def test_drawing_needs_no_pyplot_and_importing_no_matplotlib() -> None:
    code = """
import sys
import numpy as np
from pipelines.plots import roc
assert "matplotlib" not in sys.modules
roc(np.array([0, 1], dtype=np.int8), {"classifier": np.array([0.2, 0.8])})
assert "matplotlib.figure" in sys.modules and "matplotlib.pyplot" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)
