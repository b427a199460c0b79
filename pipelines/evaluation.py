"""Evaluation: the hybrid beside its baselines, on test leads that chose nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.calibration import CalibrationMethod, fit_calibrator
from models.decision import CUT, Route, RouteReason
from models.log_odds import log_odds, probability
from models.routing import Routing
from pipelines.fitting import FittedClassifier
from pipelines.metrics import Interval, Measure, difference, lead_losses, measure, with_interval
from pipelines.reading import Reading
from pipelines.tie_breaking import TieBreaking
from pipelines.training_data import TrainingData
from pipelines.verdicts import Verdicts

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
MEASURES = (Measure.AUC, Measure.LOG_LOSS, Measure.BRIER)
RANDOM_DRAWS = 20
SHARES = np.linspace(0, 1, 11)
SAME = 1e-9  # nats of all leads together: sums of floats in another order


@dataclass(frozen=True)
class Judged:
    """Test leads that the LLM was asked about, whether or not the policy would have.

    prior: the classifier; read: once the text model has read what it is given to read; pulled: with
    the LLM's bounded pull, wherever it gave a verdict; llm: the LLM alone; escalated: where the
    policy asks it; reasons: the routes' reasons; groups: the same number for the same texts.
    """

    won: NDArray[np.int8]
    prior: Floats
    read: Floats
    pulled: Floats
    llm: Floats
    escalated: Flags
    in_band: Flags
    reasons: tuple[RouteReason, ...]
    groups: NDArray[np.intp]

    @property
    def hybrid(self) -> Floats:
        return np.where(self.escalated, self.pulled, self.read)


@dataclass(frozen=True)
class Line:
    """One contender of the comparison."""

    name: str
    llm_share: float
    measures: dict[Measure, Interval]


@dataclass(frozen=True)
class Comparison:
    """Contenders side by side on the same leads, and the hybrid's lead over the classifier.

    changes: hybrid minus classifier, paired (AUC: more is better; losses: less is better).
    llm_changes: hybrid minus everything before the LLM: the same where there is no text model.
    without_text: the hybrid without its text model, on the same leads; None where it has none.
    """

    judged: Judged
    lines: tuple[Line, ...]
    changes: dict[Measure, Interval]
    changes_in_band: dict[Measure, Interval]
    llm_changes: dict[Measure, Interval]
    llm_changes_in_band: dict[Measure, Interval]
    without_text: Saving | None = None


@dataclass(frozen=True, slots=True)
class Saving:
    """What a text model spares the LLM.

    calls, calls_before: test leads that it is asked about, with and without a text model.
    calls_at_same_loss: so many, about leads nearest to the cut, that the log loss is no higher than
    without a text model, nor with any more of them. A measurement: nothing is set by it.
    loss: log loss of the hybrid minus that of the hybrid without a text model, paired.
    """

    calls: int
    calls_before: int
    calls_at_same_loss: int
    loss: Interval

    @property
    def share(self) -> float:
        """Of the calls, at most 1; 0 where none were made before, less where more are made."""
        return self._share(self.calls)

    @property
    def share_at_same_loss(self) -> float:
        """What could be saved at the log loss that there was before, in [0, 1]."""
        return self._share(self.calls_at_same_loss)

    def _share(self, calls: int) -> float:
        return 1 - calls / self.calls_before if self.calls_before else 0.0

    def __str__(self) -> str:
        loss = f"log loss {self.loss.value:+.3f} [{self.loss.low:+.3f}, {self.loss.high:+.3f}]"
        if not self.calls_before:
            asked = f"about {self.calls} with it" if self.calls else "nor is it with it"
            return f"without it the LLM is asked about no test lead, {asked}; {loss}"
        changed = f"{abs(self.share):.0%} {'saved' if self.share >= 0 else 'more'}"
        return (
            f"asks the LLM about {self.calls} test leads instead of {self.calls_before} "
            f"({changed}), {loss}; at the same log loss {self.share_at_same_loss:.0%} could be"
        )


def judge_leads(
    data: TrainingData,
    fitted: FittedClassifier,
    tie_breaking: TieBreaking,
    calibration: Verdicts,
    test: Verdicts,
    reading: Reading | None = None,
) -> Judged:
    """Each test lead the LLM was asked about, with and without its pull.

    reading: of the text model that `tie_breaking` was fitted with.

    A lead without a verdict keeps the classifier's answer, as it would in production.
    """
    rows, prior = test.rows, fitted.probabilities[test.rows]
    answered = ~np.isnan(calibration.log_odds)
    llm_alone = said_alone(calibration.log_odds[answered], data.won[calibration.rows[answered]])
    combiner, policy = tie_breaking.combiner, tie_breaking.policy
    read, llm, pulled = prior.copy(), prior.copy(), prior.copy()
    routings: list[Routing] = []
    for i, row in enumerate(rows):
        said = reading.said.get(int(row)) if reading else None
        routing = policy.route(float(prior[i]), has_text=data.leads[row].has_text)
        if routing.route is Route.TEXT and said is not None:
            read[i] = combiner.read(float(prior[i]), said)
            routing = policy.after_reading(float(read[i]), routing)
        routings.append(routing)
        kind, answer = test.kinds[i], float(test.log_odds[i])
        pulled[i] = read[i]
        if not np.isnan(answer):
            pulled[i] = combiner.combine(float(prior[i]), kind, answer, said)
            llm[i] = llm_alone(np.array([answer]))[0]
    return Judged(
        won=data.won[rows],
        prior=prior,
        read=read,
        pulled=pulled,
        llm=llm,
        escalated=np.array([r.route is Route.LLM for r in routings], dtype=bool),
        in_band=fitted.band.covers(prior),
        reasons=tuple(r.reason for r in routings),
        groups=data.groups[rows],
    )


def said_alone(said: Floats, won: NDArray[np.int8]) -> Callable[[Floats], Floats]:
    """From log-odds to probabilities by these alone, calibrated (Platt) on these leads."""
    if len(np.unique(won)) < 2:
        return probability
    return fit_calibrator(CalibrationMethod.PLATT, said, won)


def compare(judged: Judged, *, without_text: Judged | None = None, seed: int) -> Comparison:
    """Classifier alone, LLM alone, LLM always, random escalation at the same rate, the hybrid.

    without_text: the same leads by the hybrid without a text model; None where it has none. Then
    classifier and text model without an LLM are a contender too.
    """
    contenders = {
        "classifier alone": (judged.prior, 0.0),
        "LLM alone": (judged.llm, 1.0),
        "LLM always": (judged.pulled, 1.0),
        "random escalation": (_random(judged, seed), float(judged.escalated.mean())),
        "hybrid": (judged.hybrid, float(judged.escalated.mean())),
    }
    if without_text is not None:
        contenders = {
            "classifier and text model": (judged.read, 0.0),
            "hybrid without text model": (
                without_text.hybrid,
                float(without_text.escalated.mean()),
            ),
        } | contenders
    everywhere = np.ones_like(judged.in_band)
    lines = tuple(
        Line(
            name,
            share,
            {m: with_interval(m, p, judged.won, groups=judged.groups, seed=seed) for m in MEASURES},
        )
        for name, (p, share) in contenders.items()
    )
    return Comparison(
        judged=judged,
        lines=lines,
        changes=_changes(judged, judged.prior, everywhere, seed),
        changes_in_band=_changes(judged, judged.prior, judged.in_band, seed),
        llm_changes=_changes(judged, judged.read, everywhere, seed),
        llm_changes_in_band=_changes(judged, judged.read, judged.in_band, seed),
        without_text=_saving(judged, without_text, seed) if without_text else None,
    )


def _saving(judged: Judged, without_text: Judged, seed: int) -> Saving:
    pair = (judged.hybrid, without_text.hybrid)
    loss = difference(Measure.LOG_LOSS, *pair, judged.won, groups=judged.groups, seed=seed)
    return Saving(
        calls=int(judged.escalated.sum()),
        calls_before=int(without_text.escalated.sum()),
        calls_at_same_loss=_calls_enough(judged, without_text),
        loss=loss,
    )


def _calls_enough(judged: Judged, without_text: Judged) -> int:
    """With a text model, for no more log loss than without one; all where they do not suffice.

    Not the first number that suffices: by chance that is a small one, whatever the model knows.
    """
    may_be_asked = np.flatnonzero(without_text.escalated)
    nearest = may_be_asked[_nearest_first(judged.read[may_be_asked])]
    before, after, goal = (
        lead_losses(p, judged.won) for p in (judged.read, judged.pulled, without_text.hybrid)
    )
    change = np.concatenate([[0.0], np.cumsum((after - before)[nearest])])
    too_few = np.flatnonzero(before.sum() + change > goal.sum() + SAME)
    return min(int(too_few[-1]) + 1, len(nearest)) if len(too_few) else 0


def _nearest_first(read: Floats) -> NDArray[np.intp]:
    """Places of leads, the one nearest to the cut first."""
    distance = np.abs(log_odds(read) - log_odds(np.array([CUT])))
    return np.argsort(distance, kind="stable")


def _changes(judged: Judged, before: Floats, chosen: Flags, seed: int) -> dict[Measure, Interval]:
    """Hybrid minus `before` on the chosen leads; where all ended alike, all but the AUC."""
    won = judged.won[chosen]
    if not len(won):
        return {}
    pair = (judged.hybrid[chosen], before[chosen])
    groups = judged.groups[chosen]
    measures = [m for m in MEASURES if m is not Measure.AUC or len(np.unique(won)) == 2]
    return {m: difference(m, *pair, won, groups=groups, seed=seed) for m in measures}


def _random(judged: Judged, seed: int) -> Floats:
    """As many escalations as the hybrid has, to leads drawn by chance (one draw)."""
    rng = np.random.default_rng(seed)
    drawn = rng.permutation(judged.escalated)
    return np.where(drawn, judged.pulled, judged.read)


def quality_by_share(judged: Judged, which: Measure, *, seed: int) -> dict[str, Floats]:
    """A measure over the share of leads sent to the LLM: nearest to the cut first; by chance."""
    nearest = _nearest_first(judged.read)
    rng = np.random.default_rng(seed)
    orders = [rng.permutation(len(nearest)) for _ in range(RANDOM_DRAWS)]

    def at(order: NDArray[np.intp], share: float) -> float:
        sent = np.zeros(len(order), dtype=bool)
        sent[order[: round(share * len(order))]] = True
        return measure(which, np.where(sent, judged.pulled, judged.read), judged.won)

    return {
        "share": SHARES,
        "nearest": np.array([at(nearest, s) for s in SHARES]),
        "random": np.array([np.mean([at(order, s) for order in orders]) for s in SHARES]),
    }
