"""The combiner: no LLM output, however hostile, moves a decision further than the bound."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.combiner import FEWEST_LEADS, Combiner, Pull, bounded_pulls, shift_for, try_pull
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
)
def test_text_model_and_llm_together_move_the_log_odds_by_no_more_than_the_bound(
    prior: float, verdict: float, said: float, start: float, slope: float, weight: float
) -> None:
    combiner = Combiner(3.0, {TEXT: Pull(start, slope, weight)}, text=Pull(-start, slope))
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
    assert Combiner(3.0, {TEXT: Pull(1.0, 1.0)}).pull(TEXT, math.nan) == 0.0


def test_a_combiner_survives_json() -> None:
    for text in (None, Pull(0.1, 0.9)):
        combiner = Combiner(2.5, {TEXT: Pull(0.5, 1.0, 0.4, 1.5)}, text)
        assert Combiner.from_json(combiner.to_json()) == combiner


def test_a_combiner_from_before_weights_lets_the_text_model_count_in_full() -> None:
    old = {"bound": 3.0, "pulls": {"text": {"intercept": 0.1, "slope": 0.5}}, "text": None}
    assert Combiner.from_json(old).pulls[TEXT] == Pull(0.1, 0.5, 1.0)


@given(prior=priors, said=finite)
def test_a_verdict_that_is_no_number_leaves_what_the_text_model_had_said(
    prior: float, said: float
) -> None:
    combiner = Combiner(3.0, {TEXT: Pull(0.5, 1.0, 0.2)}, text=Pull(0.1, 0.9))
    assert combiner.combine(prior, TEXT, math.nan, said) == combiner.read(prior, said)


def leads(rng: np.random.Generator, n: int, strength: float) -> tuple[np.ndarray, ...]:
    """Priors, verdicts and outcomes where the verdict carries `strength` log-odds of its own."""
    prior, verdict = rng.normal(0, 1, n), rng.normal(0, 1, n)
    won = rng.random(n) < probability(prior + strength * verdict)
    return probability(prior), verdict, won.astype(np.int8)


def test_an_llm_that_knows_something_is_found_out_to_be_worth_asking() -> None:
    trial = try_pull(TEXT, *leads(np.random.default_rng(0), 200, 1.5), bound=3.0)
    assert trial is not None
    assert trial.is_worth_it
    assert trial.spread[0] < 0 < trial.spread[1]


def test_an_llm_that_knows_nothing_is_rarely_thought_worth_asking() -> None:
    rng = np.random.default_rng(1)
    trials = [try_pull(TEXT, *leads(rng, 200, 0.0), bound=3.0) for _ in range(100)]
    assert sum(trial is not None and trial.is_worth_it for trial in trials) <= 10


def test_an_llm_that_is_wrong_every_time_is_not_turned_around_and_trusted() -> None:
    trial = try_pull(TEXT, *leads(np.random.default_rng(2), 200, -1.5), bound=3.0)
    assert trial is not None
    assert trial.pull.slope == 0
    assert not trial.is_worth_it


def both_read(
    rng: np.random.Generator, n: int, *, own: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Priors, verdicts, outcomes, and a text model's pull that is right by itself.

    Both read the same: the verdict is the pull and noise, and `own` of its own.
    """
    prior, read, more = rng.normal(0, 1, (3, n))
    won = rng.random(n) < probability(prior + 1.5 * read + own * more)
    verdict = 1.5 * read + own * more + rng.normal(0, 0.3, n)
    return probability(prior), verdict, won.astype(np.int8), 1.5 * read


def test_two_who_read_the_same_do_not_count_twice() -> None:
    """Beside a verdict that says all it says, and more, the text model counts for less."""
    priors, verdicts, won, text = both_read(np.random.default_rng(4), 2_000, own=1.5)
    trial = try_pull(TEXT, priors, verdicts, won, bound=9.0, text=text)
    assert trial is not None
    assert trial.is_worth_it
    assert 0 <= trial.pull.text < 0.5
    assert trial.pull.slope > 0.7
    eta = log_odds(priors) + bounded_pulls(trial.pull, verdicts, 9.0, text)
    assert abs(float(np.polyfit(eta, won - probability(eta), 1)[0])) < 0.02  # calibrated


def test_a_verdict_that_repeats_the_text_model_gains_nothing() -> None:
    rng = np.random.default_rng(5)
    trials = []
    for _ in range(15):
        priors, verdicts, won, text = both_read(rng, 300, own=0.0)
        trials.append(try_pull(TEXT, priors, verdicts, won, bound=3.0, text=text))
    assert sum(trial is not None and trial.is_worth_it for trial in trials) <= 3


def test_too_few_verdicts_fit_nothing() -> None:
    few = leads(np.random.default_rng(3), FEWEST_LEADS - 1, 1.5)
    assert try_pull(TEXT, *few, bound=3.0) is None


def test_a_bound_is_earned() -> None:
    """Who is right when it is sure may say so; of who is not, and just sure, little is heard."""
    rng = np.random.default_rng(6)
    prior, known = rng.normal(0, 1, 2_000), 4.0 * rng.normal(0, 1, 2_000)
    won = (rng.random(2_000) < probability(prior + known)).astype(np.int8)
    wild = 0.3 * known + 12.0 * rng.choice([-1.0, 1.0], 2_000) * (rng.random(2_000) < 0.1)
    sound = try_pull(TEXT, probability(prior), known, won, bound=6.0)
    loud = try_pull(TEXT, probability(prior), wild, won, bound=6.0)
    assert sound is not None
    assert loud is not None
    assert loud.pull.bound < sound.pull.bound <= 6.0
    tight = try_pull(TEXT, probability(prior), known, won, bound=1.0)
    assert tight is not None
    assert tight.pull.bound <= 1.0


@given(prior=priors, verdict=anything, said=anything, earned=st.floats(0, 9))
def test_no_pull_goes_further_than_it_has_earned_nor_than_a_person_allows(
    prior: float, verdict: float, said: float, earned: float
) -> None:
    pulls = {TEXT: Pull(0.5, 3.0, 1.0, earned)}
    combiner = Combiner(3.0, pulls, text=Pull(-0.5, 3.0, bound=earned))
    for final in (combiner.combine(prior, TEXT, verdict, said), combiner.read(prior, said)):
        assert abs(log_odds(final) - log_odds(prior)) <= min(3.0, earned) + 1e-6


def test_an_llm_that_knows_nothing_is_not_asked_where_time_has_passed() -> None:
    """All leads end worse than the classifier learned: a shift mends that, and nobody is asked."""
    rng = np.random.default_rng(7)
    trials = []
    for _ in range(40):
        prior, verdict = rng.normal(0, 1, (2, 200))
        won = (rng.random(200) < probability(prior - 1.0)).astype(np.int8)
        trials.append(try_pull(TEXT, probability(prior), verdict, won, bound=6.0))
        assert shift_for(probability(prior), won) < -0.4
    assert sum(trial is not None and trial.is_worth_it for trial in trials) <= 8
