"""TuningPlot: quality on the validation part against the number of examples."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.finetuning.learning_curve import CurvePoint
from pipelines.plot_style import BLUE, VERMILLION, blank, name_axes

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def learning_curve_plot(curve: tuple[CurvePoint, ...], used: int) -> Figure:
    """AUC above, recalibrated log loss below; `used` is how many examples the adapter saw."""
    subtitle = f"on leads that it did not learn from; the adapter is the one after {used:,}"
    figure, axes = blank("The LLM, tuned on more and more examples", subtitle, rows=(1, 1))
    examples = [point.examples for point in curve]
    for ax, name, colour, shown in (
        (axes[0], "auc", BLUE, "AUC"),
        (axes[1], "settled_log_loss", VERMILLION, "log loss, recalibrated"),
    ):
        ax.plot(examples, [getattr(point, name) for point in curve], "o-", color=colour)
        ax.axvline(used, color=colour, linewidth=0.8, linestyle=":")
        name_axes(ax, "examples", shown)
    return figure
