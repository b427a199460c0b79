"""The ladder as a plot: what each rung gains over the classifier alone, with its interval."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pipelines import plot_style
from pipelines.ladder.ladder import Ladder
from pipelines.metrics import Interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def ladder_plot(ladder: Ladder) -> Figure:
    """Two panels, all leads and those inside the band; the smallest rung on top."""
    said = f"{ladder.data.name}: paired, 95 % intervals; recommended: {ladder.recommendation.rung}"
    figure, (everywhere, inside) = plot_style.blank("What reading texts gains", said, columns=2)
    names = [
        f"{one.rung.name}\n({one.leads:,} leads)" + ("" if one.is_passed else ", refused")
        for one in ladder.standings
    ]
    _rows(everywhere, names, [one.change for one in ladder.standings])
    _rows(inside, [""] * len(names), [one.change_in_band for one in ladder.standings])
    plot_style.name_axes(everywhere, "log loss gained, all leads with a text", "")
    plot_style.name_axes(inside, "log loss gained inside the band", "")
    return figure


def _rows(ax: Axes, names: Sequence[str], changes: Sequence[Interval | None]) -> None:
    places = list(range(len(names)))[::-1]
    for place, change in zip(places, changes, strict=True):
        if change is not None:
            ax.plot([-change.high, -change.low], [place, place], color=plot_style.BLUE, linewidth=2)
            ax.plot([-change.value], [place], "o", color=plot_style.BLUE, markersize=7)
    ax.axvline(0, color=plot_style.FAINT, linewidth=1)
    ax.set_yticks(places, names)
    ax.set_ylim(-0.6, len(names) - 0.4)
