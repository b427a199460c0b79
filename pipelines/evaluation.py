"""Evaluation: the hybrid beside its baselines, on test leads that chose nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.calibration import CalibrationMethod, fit_calibrator
from models.decision import CUT, Route, RouteReason
from models.log_odds import log_odds, probability
from pipelines.fitting import FittedClassifier
from pipelines.metrics import Interval, Measure, difference, measure, with_interval
from pipelines.tie_breaking import TieBreaking
from pipelines.training_data import TrainingData
from pipelines.verdicts import Verdicts

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
MEASURES = (Measure.AUC, Measure.LOG_LOSS, Measure.BRIER)
RANDOM_DRAWS = 20
SHARES = np.linspace(0, 1, 11)


@dataclass(frozen=True)
class Judged:
    """Test leads that the LLM was asked about, whether or not the policy would have.

    prior: the classifier; pulled: with the LLM's bounded pull, wherever it gave a verdict;
    llm: the LLM alone; escalated: where the policy asks it; reasons: the routes' reasons.
    """

    won: NDArray[np.int8]
    prior: Floats
    pulled: Floats
    llm: Floats
    escalated: Flags
    in_band: Flags
    reasons: tuple[RouteReason, ...]

    @property
    def hybrid(self) -> Floats:
        return np.where(self.escalated, self.pulled, self.prior)


@dataclass(frozen=True)
class Line:
    """One contender of the comparison."""

    name: str
    llm_share: float
    measures: dict[Measure, Interval]


@dataclass(frozen=True)
class Comparison:
    """Contenders side by side on the same leads, and the hybrid's lead over the classifier.

    gains: hybrid minus classifier, paired (AUC: more is better; losses: less is better).
    """

    judged: Judged
    lines: tuple[Line, ...]
    gains: dict[Measure, Interval]
    gains_in_band: dict[Measure, Interval]


def judge_leads(
    data: TrainingData,
    fitted: FittedClassifier,
    tie_breaking: TieBreaking,
    calibration: Verdicts,
    test: Verdicts,
) -> Judged:
    """Each test lead the LLM was asked about, with and without its pull.

    A lead without a verdict keeps the classifier's answer, as it would in production.
    """
    rows, prior = test.rows, fitted.probabilities[test.rows]
    llm_alone = _llm_alone(calibration, data.won)
    pulled, llm = prior.copy(), prior.copy()
    for i, (kind, answer) in enumerate(zip(test.kinds, test.log_odds, strict=True)):
        if not np.isnan(answer):
            pulled[i] = tie_breaking.combiner.combine(float(prior[i]), kind, float(answer))
            llm[i] = llm_alone(float(answer))
    routings = [
        tie_breaking.policy.route(float(p), has_text=data.leads[row].has_text)
        for row, p in zip(rows, prior, strict=True)
    ]
    return Judged(
        won=data.won[rows],
        prior=prior,
        pulled=pulled,
        llm=llm,
        escalated=np.array([r.route is Route.LLM for r in routings], dtype=bool),
        in_band=fitted.band.covers(prior),
        reasons=tuple(r.reason for r in routings),
    )


def _llm_alone(calibration: Verdicts, won: NDArray[np.int8]) -> Callable[[float], float]:
    """The LLM's log-odds as a probability of its own, calibrated (Platt) on calibration leads."""
    answered = ~np.isnan(calibration.log_odds)
    rows = calibration.rows[answered]
    if len(np.unique(won[rows])) < 2:
        return probability
    platt = fit_calibrator(CalibrationMethod.PLATT, calibration.log_odds[answered], won[rows])
    return lambda answer: float(platt(np.array([answer]))[0])


def compare(judged: Judged, *, seed: int) -> Comparison:
    """Classifier alone, LLM alone, LLM always, random escalation at the same rate, the hybrid."""
    contenders = {
        "classifier alone": (judged.prior, 0.0),
        "LLM alone": (judged.llm, 1.0),
        "LLM always": (judged.pulled, 1.0),
        "random escalation": (_random(judged, seed), float(judged.escalated.mean())),
        "hybrid": (judged.hybrid, float(judged.escalated.mean())),
    }
    lines = tuple(
        Line(name, share, {m: with_interval(m, p, judged.won, seed=seed) for m in MEASURES})
        for name, (p, share) in contenders.items()
    )
    return Comparison(
        judged=judged,
        lines=lines,
        gains=_gains(judged, np.ones_like(judged.in_band), seed),
        gains_in_band=_gains(judged, judged.in_band, seed),
    )


def _gains(judged: Judged, chosen: Flags, seed: int) -> dict[Measure, Interval]:
    won = judged.won[chosen]
    if len(np.unique(won)) < 2:
        return {}
    hybrid, prior = judged.hybrid[chosen], judged.prior[chosen]
    return {m: difference(m, hybrid, prior, won, seed=seed) for m in MEASURES}


def _random(judged: Judged, seed: int) -> Floats:
    """As many escalations as the hybrid has, to leads drawn by chance (one draw)."""
    rng = np.random.default_rng(seed)
    drawn = rng.permutation(judged.escalated)
    return np.where(drawn, judged.pulled, judged.prior)


def quality_by_share(judged: Judged, which: Measure, *, seed: int) -> dict[str, Floats]:
    """A measure over the share of leads sent to the LLM: nearest to the cut first; by chance."""
    distance = np.abs(log_odds(judged.prior) - log_odds(np.array([CUT])))
    nearest = np.argsort(distance, kind="stable")
    rng = np.random.default_rng(seed)
    orders = [rng.permutation(len(nearest)) for _ in range(RANDOM_DRAWS)]

    def at(order: NDArray[np.intp], share: float) -> float:
        sent = np.zeros(len(order), dtype=bool)
        sent[order[: round(share * len(order))]] = True
        return measure(which, np.where(sent, judged.pulled, judged.prior), judged.won)

    return {
        "share": SHARES,
        "nearest": np.array([at(nearest, s) for s in SHARES]),
        "random": np.array([np.mean([at(order, s) for order in orders]) for s in SHARES]),
    }
