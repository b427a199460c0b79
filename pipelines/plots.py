"""Plots of how good probabilities are: ROC, precision-recall, reliability, gain and lift, SHAP.

Each takes plain arrays of the same leads and returns a matplotlib Figure, ready to save. A
`contenders` mapping holds win probabilities by name, in the order in which they are drawn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pipelines.metrics import Measure, ece, with_interval
from pipelines.plot_style import (
    BLUE,
    FAINT,
    INK,
    blank,
    legend,
    name_axes,
    percent,
    shown_percent,
    style,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]
Outcomes = NDArray[np.int8]
Contenders = Mapping[str, Floats]

RELIABILITY_BINS = 10
LIFT_FROM = 0.02  # below this share of leads, lift is mostly chance
SHAP_COLUMNS, SHAP_LEADS = 12, 1_200
NAME_ROOM = 30  # characters
Z = 1.959964  # of a two-sided 95 % interval


def roc(
    won: Outcomes, contenders: Contenders, *, groups: NDArray[np.intp] | None = None, seed: int = 0
) -> Figure:
    """ROC curves, each with its AUC and 95 % interval. Both outcomes must be there.

    groups: of `metrics.with_interval`.
    """
    figure, (ax,) = blank("ROC", f"{_leads(won)}. AUC with its 95 % interval; dotted: chance")
    ax.plot([0, 1], [0, 1], ":", color=FAINT, linewidth=1.4)
    for place, (name, p) in enumerate(contenders.items()):
        lost_taken, won_taken = _taken(won, p)
        label = f"{name}: {with_interval(Measure.AUC, p, won, groups=groups, seed=seed)}"
        _line(ax, lost_taken / lost_taken[-1], won_taken / won_taken[-1], name, place, label)
    _unit_square(ax)
    name_axes(ax, "Share of lost leads ranked above the threshold", "Share of won leads above it")
    legend(ax, "lower right")
    return figure


def precision_recall(won: Outcomes, contenders: Contenders) -> Figure:
    """Precision over recall, each with its average precision. Both outcomes must be there."""
    from sklearn.metrics import average_precision_score, precision_recall_curve

    figure, (ax,) = blank("Precision and recall", f"{_leads(won)}. Dotted: picking leads blindly")
    ax.axhline(float(won.mean()), ls=":", color=FAINT, linewidth=1.4)
    for place, (name, p) in enumerate(contenders.items()):
        precision, recall, _ = precision_recall_curve(won, p)
        label = f"{name}: average precision {average_precision_score(won, p):.3f}"
        _line(ax, recall[:-1], precision[:-1], name, place, label, steps=True)
    _unit_square(ax)
    name_axes(ax, "Recall: share of won leads found", "Precision: share of found leads won")
    legend(ax, "lower left")
    return figure


def reliability(
    won: Outcomes,
    probabilities: Floats,
    *,
    bins: int = RELIABILITY_BINS,
    name: str = "classifier",
) -> Figure:
    """Share won over predicted probability, in bins of equally many leads (fewer where they tie).

    Bars are 95 % Wilson intervals. The ECE in the title uses bins of equal width, see metrics.ece.
    """
    subtitle = f"{_leads(won)}. ECE {ece(probabilities, won):.3f}; bars: 95 % Wilson intervals"
    figure, (ax, below) = blank("Reliability", subtitle, rows=(3.4, 1))
    ax.plot([0, 1], [0, 1], ":", color=FAINT, linewidth=1.4, label="perfectly calibrated")
    groups = _equal_mass(probabilities, bins)
    predicted = np.array([probabilities[g].mean() for g in groups])
    shares = np.array([won[g].mean() for g in groups])
    low, high = wilson(np.array([won[g].sum() for g in groups]), np.array([len(g) for g in groups]))
    colour, _ = style(name, 0)
    label = f"{name}: {len(groups)} bins, {_counts(groups)} leads each"
    ax.errorbar(
        predicted,
        shares,
        yerr=np.clip([shares - low, high - shares], 0, None),
        fmt="o-",
        color=colour,
        markersize=6,
        linewidth=1.8,
        elinewidth=1.4,
        capsize=3,
        label=label,
    )
    _unit_square(ax)
    name_axes(ax, "", "Share won")
    legend(ax, "upper left")
    below.hist(probabilities, bins=50, range=(0, 1), color=colour, alpha=0.75)
    below.set_xlim(ax.get_xlim())
    percent(below, "x")
    name_axes(below, "Predicted win probability", "Leads")
    return figure


def wilson(hits: NDArray[np.int_], of: NDArray[np.int_]) -> tuple[Floats, Floats]:
    """95 % intervals of shares (Wilson 1927), element by element."""
    share, shrink = hits / of, 1 + Z**2 / of
    centre = (share + Z**2 / (2 * of)) / shrink
    half = Z * np.sqrt(share * (1 - share) / of + Z**2 / (4 * of**2)) / shrink
    return np.clip(centre - half, 0, 1), np.clip(centre + half, 0, 1)


def gain_and_lift(won: Outcomes, contenders: Contenders) -> Figure:
    """What working through the leads from the best score down brings. Needs a won lead."""
    figure, (gain, lift) = blank("Gain and lift", f"{_leads(won)}, the best first", columns=2)
    gain.plot([0, 1], [0, 1], ":", color=FAINT, linewidth=1.4)
    base = float(won.mean())
    gain.plot([0, base, 1], [0, 1, 1], ":", color=INK, linewidth=1.2)
    lift.axhline(1, ls=":", color=FAINT, linewidth=1.4)
    for place, (name, p) in enumerate(contenders.items()):
        lost_taken, won_taken = _taken(won, p)
        share, gained = (lost_taken + won_taken) / len(won), won_taken / won_taken[-1]
        top = float(np.interp(0.2, share, gained))
        _line(gain, share, gained, name, place, f"{name}: {shown_percent(top)}")
        shown = share >= LIFT_FROM
        _line(lift, share[shown], gained[shown] / share[shown], name, place, name)
    _unit_square(gain)
    name_axes(gain, "Share of leads worked", "Share of won leads among them")
    legend(gain, "lower right", "Wins among the best 20 %")
    percent(lift, "x")
    lift.set_xlim(-0.02, 1.02)
    lift.set_ylim(bottom=0)
    name_axes(lift, "Share of leads worked", "Lift: times better than blindly")
    return figure


def shap_summary(
    contributions: Floats,
    values: NDArray[np.floating],
    names: Sequence[str],
    *,
    categorical: Sequence[bool] | None = None,
    columns: int = SHAP_COLUMNS,
) -> Figure:
    """Each lead's push per column as a dot, the columns that push most first.

    Args:
        contributions: TreeSHAP values in log-odds, shape (leads, features), without the bias.
        values: the encoded rows, same shape; NaN is missing.
        categorical: which features are; their codes have no order, so they get no scale of colour.
    """
    order = np.argsort(-np.abs(contributions).mean(axis=0), kind="stable")[:columns]
    leads = _some(len(contributions), SHAP_LEADS)
    figure, (ax,) = blank(
        "What moves the classifier",
        f"TreeSHAP of {len(leads):,} leads; beside each name, its mean push either way",
    )
    for row, feature in enumerate(order[::-1]):
        is_word = categorical is not None and categorical[feature]
        shown = np.full(len(leads), np.nan) if is_word else _ranks(values[leads, feature])
        _swarm(ax, contributions[leads, feature], row, shown, BLUE if is_word else "#b5b5b5")
    ax.axvline(0, color=FAINT, linewidth=1)
    means = np.abs(contributions).mean(axis=0)
    ax.set_yticks(range(len(order)), [f"{_short(names[i])}  {means[i]:.2f}" for i in order[::-1]])
    ax.grid(axis="y", visible=False)
    name_axes(ax, "Push on the log-odds (+1: odds times 2.7)", "")
    _scale_of_values(figure, ax, has_words=categorical is not None and any(categorical))
    return figure


def _short(name: str) -> str:
    """A column's name as far as there is room; "$" would start a formula."""
    name = name if len(name) <= NAME_ROOM else name[: NAME_ROOM - 1].rstrip() + "…"
    return name.replace("$", r"\$")


def _leads(won: Outcomes) -> str:
    return f"{len(won):,} leads, {int(won.sum()):,} won"


def _taken(won: Outcomes, p: Floats) -> tuple[Floats, Floats]:
    """Lost and won leads taken so far, from the best score down, a whole group of ties at once."""
    order = np.argsort(-p, kind="stable")
    ends = np.append(np.diff(p[order]) != 0, True)
    won_taken = np.cumsum(won[order], dtype=np.float64)[ends]
    lost_taken = np.cumsum(1 - won[order], dtype=np.float64)[ends]
    return np.append(0.0, lost_taken), np.append(0.0, won_taken)


def _line(
    ax: Axes, x: Floats, y: Floats, name: str, place: int, label: str, *, steps: bool = False
) -> None:
    colour, dash = style(name, place)
    drawn = "steps-pre" if steps else "default"
    ax.plot(x, y, color=colour, linestyle=dash, drawstyle=drawn, linewidth=2, label=label)


def _unit_square(ax: Axes) -> None:
    ax.set_xlim(-0.02, 1.02)
    ax.set_ylim(-0.02, 1.02)
    percent(ax, "x", "y")


def _equal_mass(p: Floats, bins: int) -> list[NDArray[np.intp]]:
    """Row numbers in bins of equally many leads; equal probabilities stay together."""
    edges = np.unique(np.quantile(p, np.linspace(0, 1, bins + 1)[1:-1]))
    bin_of = np.searchsorted(edges, p, side="left")
    return [np.flatnonzero(bin_of == b) for b in np.unique(bin_of)]


def _counts(groups: list[NDArray[np.intp]]) -> str:
    sizes = [len(group) for group in groups]
    least, most = min(sizes), max(sizes)
    return f"{least:,}" if least == most else f"{least:,} to {most:,}"


def _some(rows: int, most: int) -> NDArray[np.intp]:
    if rows <= most:
        return np.arange(rows)
    return np.sort(np.random.default_rng(0).choice(rows, most, replace=False))


def _ranks(values: NDArray[np.floating]) -> Floats:
    """Where each value stands among the known ones, in [0, 1]; NaN stays NaN."""
    known = np.isfinite(values)
    ranks = np.full(len(values), np.nan)
    if known.any():
        ordered = np.sort(values[known])
        middle = np.searchsorted(ordered, values[known], "left") + np.searchsorted(
            ordered, values[known], "right"
        )
        ranks[known] = middle / (2 * len(ordered))
    return ranks


SWARM_BINS, SWARM_HEIGHT = 120, 0.4


def _swarm(ax: Axes, pushes: Floats, row: int, shown: Floats, plain: str) -> None:
    """Dots of one feature, stacked where they crowd, coloured by `shown`, `plain` where NaN."""
    y = row + SWARM_HEIGHT * _offsets(pushes)
    missing = np.isnan(shown)
    ax.scatter(pushes[missing], y[missing], s=7, color=plain, alpha=0.7, linewidths=0, zorder=2)
    ax.scatter(
        pushes[~missing],
        y[~missing],
        s=7,
        c=shown[~missing],
        cmap="plasma",
        vmin=0,
        vmax=1.08,  # the palest yellow would vanish on white
        alpha=0.85,
        linewidths=0,
        zorder=3,
    )


def _offsets(x: Floats) -> Floats:
    """Vertical places in [-1, 1]: dots of a crowded stretch spread out, lone ones stay at 0."""
    spread = float(np.ptp(x)) or 1.0
    bin_of = ((x - x.min()) / spread * SWARM_BINS).astype(np.intp)
    order = np.argsort(bin_of, kind="stable")
    sizes = np.bincount(bin_of)
    starts = np.append(0, np.cumsum(sizes)[:-1])
    place = np.empty(len(x))
    place[order] = np.arange(len(x)) - starts[bin_of[order]]
    side = np.where(place % 2, 1.0, -1.0)
    return side * np.ceil(place / 2) / max(1.0, float(sizes.max()) / 2)


def _scale_of_values(figure: Figure, ax: Axes, *, has_words: bool) -> None:
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize
    from matplotlib.lines import Line2D

    scale = ScalarMappable(Normalize(0, 1.08), "plasma")
    bar = figure.colorbar(scale, ax=ax, aspect=40, pad=0.02, fraction=0.05)
    bar.set_ticks([0.03, 0.97], labels=["low", "high"])
    bar.ax.set_ylim(0, 1)
    bar.set_label("Value of the column", fontsize=11, color=INK)
    bar.outline.set_visible(False)
    bar.ax.tick_params(length=0, labelsize=10.5)
    dots = [("missing", "#b5b5b5")] + ([("a word: no order", BLUE)] if has_words else [])
    handles = [
        Line2D([], [], marker="o", linestyle="", markersize=5, color=c, label=word)
        for word, c in dots
    ]
    ax.legend(handles=handles, loc="lower right", fontsize=10, frameon=True, edgecolor="none")
