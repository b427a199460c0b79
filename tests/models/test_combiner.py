"""The combiner: no LLM output, however hostile, moves a decision further than the bound."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.combiner import Combiner, Pull
from models.log_odds import log_odds, probability
from models.prompt import EvidenceKind

TEXT, FIELDS = EvidenceKind.TEXT, EvidenceKind.FIELDS
anything = st.floats(allow_nan=True, allow_infinity=True)
finite = st.floats(-50, 50)
priors = st.floats(1e-6, 1 - 1e-6)


@given(prior=priors, verdict=anything, bound=st.floats(0, 6), slope=st.floats(0, 50), start=finite)
def test_no_verdict_at_all_moves_the_log_odds_by_more_than_the_bound(
    prior: float, verdict: float, bound: float, slope: float, start: float
) -> None:
    combiner = Combiner(bound, {TEXT: Pull(start, slope)})
    moved = log_odds(combiner.combine(prior, TEXT, verdict)) - log_odds(prior)
    assert abs(moved) <= bound + 1e-6


@given(
    prior=priors,
    verdict=anything,
    said=anything,
    start=finite,
    slope=st.floats(0, 50),
    weight=st.floats(0, 50),
    own=st.floats(0, 50),
)
def test_text_model_and_llm_together_move_the_log_odds_by_no_more_than_the_bound(
    prior: float, verdict: float, said: float, start: float, slope: float, weight: float, own: float
) -> None:
    pulls = {TEXT: Pull(start, slope, weight, prior=own)}
    combiner = Combiner(3.0, pulls, text=Pull(-start, slope, prior=own))
    for final in (combiner.combine(prior, TEXT, verdict, said), combiner.read(prior, said)):
        assert abs(log_odds(final) - log_odds(prior)) <= 3.0 + 1e-6


@given(prior=priors, verdict=anything)
def test_evidence_without_a_fitted_pull_changes_nothing_to_the_last_bit(
    prior: float, verdict: float
) -> None:
    assert Combiner(3.0, {TEXT: Pull(0.5, 1.0)}).combine(prior, FIELDS, verdict) == prior
    assert Combiner(3.0).is_identity


@given(prior=priors, low=finite, high=finite)
def test_a_better_verdict_never_lowers_the_probability(
    prior: float, low: float, high: float
) -> None:
    combiner = Combiner(3.0, {TEXT: Pull(-0.7, 2.5)})
    low, high = min(low, high), max(low, high)
    assert combiner.combine(prior, TEXT, low) <= combiner.combine(prior, TEXT, high)


def test_a_verdict_that_is_no_number_pulls_nothing() -> None:
    assert Combiner(3.0, {TEXT: Pull(1.0, 1.0)}).pull(0.3, TEXT, math.nan) == 0.0


def test_a_combiner_survives_json() -> None:
    for text in (None, Pull(0.1, 0.9)):
        combiner = Combiner(2.5, {TEXT: Pull(0.5, 1.0, 0.4, 1.5, 0.8)}, text)
        assert Combiner.from_json(combiner.to_json()) == combiner


def test_a_combiner_from_before_weights_lets_text_model_and_classifier_count_in_full() -> None:
    old = {"bound": 3.0, "pulls": {"text": {"intercept": 0.1, "slope": 0.5}}, "text": None}
    assert Combiner.from_json(old).pulls[TEXT] == Pull(0.1, 0.5, text=1.0, prior=1.0)


@given(prior=priors, verdict=finite)
def test_a_classifier_that_counts_for_half_is_half_as_sure_beside_a_verdict(
    prior: float, verdict: float
) -> None:
    combiner = Combiner(1e9, {TEXT: Pull(0.2, 1.0, prior=0.5)})
    pulled = 0.5 * log_odds(prior) + 0.2 + verdict
    assert combiner.combine(prior, TEXT, verdict) == pytest.approx(probability(pulled))


@given(prior=priors, said=finite)
def test_a_verdict_that_is_no_number_leaves_what_the_text_model_had_said(
    prior: float, said: float
) -> None:
    combiner = Combiner(3.0, {TEXT: Pull(0.5, 1.0, 0.2)}, text=Pull(0.1, 0.9))
    assert combiner.combine(prior, TEXT, math.nan, said) == combiner.read(prior, said)


@given(prior=priors, verdict=anything, said=anything, earned=st.floats(0, 9))
def test_no_pull_goes_further_than_it_has_earned_nor_than_a_person_allows(
    prior: float, verdict: float, said: float, earned: float
) -> None:
    pulls = {TEXT: Pull(0.5, 3.0, 1.0, earned)}
    combiner = Combiner(3.0, pulls, text=Pull(-0.5, 3.0, bound=earned))
    for final in (combiner.combine(prior, TEXT, verdict, said), combiner.read(prior, said)):
        assert abs(log_odds(final) - log_odds(prior)) <= min(3.0, earned) + 1e-6
