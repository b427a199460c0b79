"""Plot style: one look for every figure, told apart without colour vision, readable at 900 px.

Figures are made without pyplot: nothing global, no display, safe in any thread.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Place = Literal["best", "upper left", "upper right", "lower left", "lower right"]
INCHES, DPI = (9.0, 5.6), 150
INK, FAINT, GRID = "#222222", "#767676", "#e4e4e4"
# Okabe & Ito's colours, told apart in all common forms of colour blindness.
BLUE, VERMILLION, GREEN, ORANGE, PURPLE = "#0072b2", "#d55e00", "#009e73", "#e69f00", "#a3568c"
SKY = "#8fc4e4"
Dash = str | tuple[float, tuple[float, ...]]
DASHED, DOTTED = (0.0, (5.0, 1.5)), (0.0, (1.5, 1.2))
# Lines differ in dashes too, for prints in black and white.
STYLES: tuple[tuple[str, Dash], ...] = (
    (BLUE, "-"),
    (VERMILLION, "-"),
    (GREEN, DASHED),
    (ORANGE, "-."),
    (PURPLE, DOTTED),
)
OWN_STYLE: dict[str, tuple[str, Dash]] = {
    "classifier": STYLES[0],
    "classifier alone": STYLES[0],
    "hybrid": STYLES[1],
    "LLM alone": STYLES[2],
    "LLM always": STYLES[3],
    "random escalation": STYLES[4],
}


def blank(
    title: str, subtitle: str = "", *, columns: int = 1, rows: Iterable[float] = (1,)
) -> tuple[Figure, list[Axes]]:
    """A figure with its title, and its axes row by row; `rows` holds their relative heights."""
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    heights = list(rows)
    layout = ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.1)
    figure = Figure(figsize=INCHES, dpi=DPI, layout=layout, facecolor="white")
    grid = figure.subplots(len(heights), columns, squeeze=False, height_ratios=heights)
    axes = [_dressed(ax) for ax in grid.ravel()]
    # The titles belong to the axes: a figure's own would overlap in this layout.
    axes[0].set_title(title, loc="left", fontsize=14, fontweight="bold", color=INK, pad=26)
    if subtitle:
        axes[0].annotate(
            subtitle,
            (0, 1),
            xytext=(0, 9),
            xycoords="axes fraction",
            textcoords="offset points",
            fontsize=10.5,
            color=FAINT,
        )
    return figure, axes


def _dressed(ax: Axes) -> Axes:
    ax.set_axisbelow(True)
    ax.grid(color=GRID, linewidth=0.8)
    ax.tick_params(colors=INK, labelsize=10.5, length=0)
    for side, spine in ax.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(FAINT)
    return ax


def name_axes(ax: Axes, x: str, y: str) -> None:
    """Say what the axes show."""
    ax.set_xlabel(x, fontsize=11, color=INK)
    ax.set_ylabel(y, fontsize=11, color=INK)


def percent(ax: Axes, *which: str) -> None:
    """Show an axis ("x", "y") that runs from 0 to 1 in per cent."""
    from matplotlib.ticker import PercentFormatter

    for axis in which:
        formatter = PercentFormatter(1, decimals=0, symbol=" %")
        getattr(ax, f"{axis}axis").set_major_formatter(formatter)


def legend(ax: Axes, place: Place = "best", title: str = "") -> None:
    """Name what was drawn with a label."""
    box = ax.legend(loc=place, fontsize=10.5, title=title, edgecolor="none", framealpha=0.92)
    box.get_title().set_fontsize(10.5)
    box.set_zorder(9)


def style(name: str, place: int) -> tuple[str, Dash]:
    """Colour and dashes of a contender: its own wherever it appears, else by its place."""
    return OWN_STYLE.get(name, STYLES[place % len(STYLES)])


def shown_percent(share: float) -> str:
    """A share in [0, 1] in words, as the axes write it."""
    return f"{100 * share:.0f} %"
