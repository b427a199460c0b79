"""The plots of one training run, as a data scientist expects them in MLflow."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from features.lead_spec import Kind
from models.decision import Route
from pipelines import cascade_plots, plots
from pipelines.evaluation import Comparison, quality_by_share
from pipelines.finetuning.tuning_plot import learning_curve_plot
from pipelines.metrics import Measure, measure
from pipelines.train import Trained

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def training_plots(trained: Trained) -> Iterator[tuple[str, Figure]]:
    """(name, figure) of each plot; those about the LLM only where it was asked."""
    fitted = trained.fitted
    test = fitted.split.test
    won, probabilities = trained.data.won[test], fitted.probabilities[test]
    contenders = {"classifier alone": probabilities}
    groups, seed = trained.data.groups[test], trained.options.seed
    yield "roc", plots.roc(won, contenders, groups=groups, seed=seed)
    yield "precision_recall", plots.precision_recall(won, contenders)
    yield "reliability", plots.reliability(won, probabilities)
    yield "gain_and_lift", plots.gain_and_lift(won, contenders)
    yield "shap_summary", _shap_summary(trained)
    yield "band_and_routes", _band_and_routes(trained)
    if trained.comparison:
        yield from _about_the_llm(trained.comparison, seed)
    if trained.tuned:
        tuned = trained.tuned.tuned
        yield "tuning_curve", learning_curve_plot(tuned.curve, tuned.examples)


def _shap_summary(trained: Trained) -> Figure:
    fitted = trained.fitted
    rows = fitted.rows[fitted.split.test]
    encoder = fitted.classifier.encoder
    return plots.shap_summary(
        fitted.classifier.contributions(rows),
        rows,
        encoder.names,
        categorical=[feature.kind is Kind.CATEGORICAL for feature in encoder.features],
    )


def _band_and_routes(trained: Trained) -> Figure:
    test, policy = trained.fitted.split.test, trained.release.policy
    probabilities = trained.fitted.probabilities[test]
    routings = [
        policy.route(float(p), has_text=trained.data.leads[row].has_text)
        for row, p in zip(test, probabilities, strict=True)
    ]
    if trained.reading is not None:
        read = trained.reading.probabilities[test]
        routings = [
            policy.after_reading(float(p), r) if r.route is Route.TEXT else r
            for r, p in zip(routings, read, strict=True)
        ]
    return cascade_plots.band_and_routes(
        probabilities,
        [r.reason for r in routings],
        np.array([r.route is Route.LLM for r in routings], dtype=bool),
        read=np.array([r.route is Route.TEXT for r in routings], dtype=bool),
        band=policy.band,
    )


def _about_the_llm(comparison: Comparison, seed: int) -> Iterator[tuple[str, Figure]]:
    leads = comparison.judged
    won = leads.won
    contenders = {
        "classifier alone": leads.prior,
        "LLM alone": leads.llm,
        "hybrid": leads.hybrid,
    }
    yield "roc_with_llm", plots.roc(won, contenders, groups=leads.groups, seed=seed)
    yield "reliability_hybrid", plots.reliability(won, leads.hybrid, name="hybrid")
    yield "gain_and_lift_with_llm", plots.gain_and_lift(won, contenders)
    for which in (Measure.LOG_LOSS, Measure.AUC):
        yield f"cost_against_quality_{which}", _cost_against_quality(comparison, which, seed)


def _cost_against_quality(comparison: Comparison, which: Measure, seed: int) -> Figure:
    leads = comparison.judged
    curve = quality_by_share(leads, which, seed=seed)
    return cascade_plots.cost_against_quality(
        which,
        curve["share"],
        curve["nearest"],
        curve["random"],
        here=(float(leads.escalated.mean()), measure(which, leads.hybrid, leads.won)),
        change=comparison.changes.get(which),
    )
