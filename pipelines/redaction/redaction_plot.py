"""Redaction plot: what is found of each type, and what disguises cost, ours beside stock."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pipelines import plot_style
from pipelines.redaction.held_out_messages import HeldOut
from pipelines.redaction.redaction_bench import BenchReport

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

OURS, STOCK = "Tiebreak", "stock Presidio"
GAP = 0.2  # between the two contenders' marks of one row


def redaction_plot(report: BenchReport) -> Figure:
    """Two panels: recall of each type, and F2 under each disguise; messages of leads."""
    texts = f"{report.messages[HeldOut.LEADS]:,} messages of leads, policy {report.policy}"
    figure, (types, disguises) = plot_style.blank("What redaction finds", texts, columns=2)
    rows = [row for row in report.types if row.corpus == HeldOut.LEADS and row.entity_type != "all"]
    _rows(
        types,
        [row.entity_type for row in rows],
        [row.recall for row in rows],
        [row.stock_recall for row in rows],
    )
    plot_style.name_axes(types, "share of spans found", "")
    plot_style.percent(types, "x")
    bent = [row for row in report.disguises if row.corpus == HeldOut.LEADS]
    _rows(
        disguises,
        [row.disguise for row in bent],
        [row.disguised.value for row in bent],
        [row.stock_disguised.value if row.stock_disguised else None for row in bent],
    )
    plot_style.name_axes(disguises, "F2 where identifiers are disguised", "")
    plot_style.legend(disguises, "upper left")
    return figure


def save_redaction_plot(report: BenchReport, file: Path) -> None:
    """As PNG, SVG or PDF, by the ending of `file`."""
    redaction_plot(report).savefig(file)


def _rows(ax: Axes, names: list[str], ours: list[float], stock: list[float | None]) -> None:
    """One row each, the first on top; the two contenders one above the other."""
    places = list(range(len(names)))[::-1]
    ax.scatter(
        ours, [p + GAP / 2 for p in places], color=plot_style.BLUE, s=42, label=OURS, zorder=3
    )
    known = [
        (value, p - GAP / 2) for value, p in zip(stock, places, strict=True) if value is not None
    ]
    if known:
        x, y = zip(*known, strict=True)
        ax.scatter(x, y, color=plot_style.VERMILLION, marker="D", s=32, label=STOCK, zorder=3)
    ax.set_yticks(places, names)
    ax.set_xlim(-0.03, 1.03)
