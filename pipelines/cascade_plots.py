"""Plots of what the cascade does: band and routes over the score, and quality against cost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from models.band import Band
from models.decision import RouteReason
from pipelines.metrics import Interval, Measure
from pipelines.plot_style import (
    BLUE,
    FAINT,
    GREEN,
    INK,
    ORANGE,
    PURPLE,
    SKY,
    VERMILLION,
    blank,
    legend,
    name_axes,
    percent,
    shown_percent,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]

BARS = 40
DEGRADED = "LLM wanted, but not to be had"
KEPT = "ambiguous, nothing to ask about: the classifier decides"
SETTLED = "the text model read it and decides"
WORDS = {
    RouteReason.CONFIDENT: "confident: the classifier decides",
    RouteReason.AMBIGUOUS: "ambiguous: the LLM is asked",
    RouteReason.FREE_TEXT: "the text could change the answer: the LLM is asked",
}
FILLS = {  # colour and hatch: told apart in black and white too
    WORDS[RouteReason.CONFIDENT]: (SKY, ""),
    KEPT: (BLUE, "..."),
    WORDS[RouteReason.AMBIGUOUS]: (VERMILLION, "///"),
    WORDS[RouteReason.FREE_TEXT]: (ORANGE, r"\\\\"),
    SETTLED: (GREEN, "\\\\"),
    DEGRADED: (PURPLE, "xxx"),
}
MEASURE_WORDS = {
    Measure.AUC: "AUC (higher is better)",
    Measure.LOG_LOSS: "Log loss (lower is better)",
    Measure.BRIER: "Brier score (lower is better)",
    Measure.ECE: "ECE (lower is better)",
}


def band_and_routes(
    probabilities: Floats,
    reasons: Sequence[RouteReason],
    escalated: NDArray[np.bool_],
    *,
    band: Band,
    read: NDArray[np.bool_] | None = None,
) -> Figure:
    """Leads over the classifier's probability, coloured by who decided and why; the band shaded.

    escalated: the LLM decides; read: the text model does, None where there is none.
    """
    by_text = np.zeros_like(escalated) if read is None else read
    routes = [
        SETTLED if t else _route(r, bool(e))
        for r, e, t in zip(reasons, escalated, by_text, strict=True)
    ]
    asked = float(np.mean(escalated)) if routes else 0.0
    subtitle = (
        f"{len(routes):,} leads; the LLM is asked about {shown_percent(asked)}. {_band_words(band)}"
    )
    figure, (ax,) = blank("Band and routes", subtitle)
    _shade(ax, band)
    _stack(ax, probabilities, routes)
    ax.set_xlim(0, 1)
    ax.set_ylim(top=ax.get_ylim()[1] * 1.3)  # room for the legend
    ax.grid(axis="x", visible=False)
    percent(ax, "x")
    name_axes(ax, "Win probability of the classifier alone", "Leads")
    if routes:
        legend(ax, "upper right")
    return figure


def cost_against_quality(
    which: Measure,
    shares: Floats,
    hybrid: Floats,
    random: Floats,
    *,
    here: tuple[float, float] | None = None,
    change: Interval | None = None,
) -> Figure:
    """A measure over the share of leads sent to the LLM.

    Args:
        shares: in [0, 1], rising; the first should be 0 (classifier alone), the last 1 (always).
        hybrid: the measure where the most ambiguous leads are sent first; random: by chance.
        here: share and measure of the release itself.
        change: of the release over the classifier alone, paired.
    """
    note = f"this release against the classifier alone: {_signed(change)}" if change else ""
    subtitle = "; ".join(filter(None, ("The same test leads throughout", note)))
    figure, (ax,) = blank("Cost against quality", subtitle)
    ax.axhline(hybrid[0], ls=":", color=FAINT, linewidth=1.2)
    ax.fill_between(shares, random, hybrid, color=VERMILLION, alpha=0.1, linewidth=0)
    ax.plot(
        shares,
        random,
        color=PURPLE,
        linestyle=(0, (4, 2)),
        linewidth=2,
        label="LLM asked about leads drawn by chance",
    )
    ax.plot(
        shares,
        hybrid,
        "o-",
        color=VERMILLION,
        linewidth=2.2,
        markersize=4,
        label="LLM asked about the most ambiguous first",
    )
    ax.plot(0, hybrid[0], "s", color=BLUE, markersize=11, label="classifier alone", zorder=5)
    if shares[-1] == 1:
        ax.plot(1, hybrid[-1], "D", color=GREEN, markersize=10, label="LLM always", zorder=5)
    if here:
        label = f"this release: {shown_percent(here[0])} to the LLM"
        ax.plot(*here, "*", color=INK, markersize=19, label=label, zorder=6)
    ax.set_xlim(-0.03, 1.03)
    percent(ax, "x")
    name_axes(ax, "Share of leads sent to the LLM (cost)", MEASURE_WORDS[which])
    legend(ax)
    return figure


def _stack(ax: Axes, probabilities: Floats, routes: Sequence[str]) -> None:
    """Bars of leads over the probability, one colour and hatch a route, on top of each other."""
    below = np.zeros(BARS)
    for name, (fill, hatch) in FILLS.items():
        chosen = probabilities[[route == name for route in routes]]
        if not len(chosen):
            continue
        counts, edges = np.histogram(chosen, bins=BARS, range=(0, 1))
        ax.bar(
            edges[:-1],
            counts,
            width=1 / BARS,
            bottom=below,
            align="edge",
            color=fill,
            hatch=hatch,
            edgecolor="white",
            linewidth=0.4,
            label=f"{name} ({len(chosen):,})",
        )
        below += counts


def _route(reason: RouteReason, escalated: bool) -> str:
    if reason is RouteReason.AMBIGUOUS and not escalated:
        return KEPT
    return WORDS.get(reason, DEGRADED)


def _band_words(band: Band) -> str:
    if not band.low < band.high:
        return "The band is empty"
    low, high = max(band.low, 0.0), min(band.high, 1.0)
    return f"Shaded: the band, {shown_percent(low)} to {shown_percent(high)}"


def _shade(ax: Axes, band: Band) -> None:
    if not band.low < band.high:
        return
    low, high = max(band.low, 0.0), min(band.high, 1.0)
    ax.axvspan(low, high, color=VERMILLION, alpha=0.08, linewidth=0)
    for edge in (band.low, band.high):
        if 0 <= edge <= 1:
            ax.axvline(edge, color=VERMILLION, linewidth=1.2, linestyle="--")


def _signed(interval: Interval) -> str:
    return f"{interval.value:+.4f} [{interval.low:+.4f}, {interval.high:+.4f}]"
