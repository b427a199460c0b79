"""A pull is fitted on outcomes: who knows something is heard, and nobody is heard twice."""

import numpy as np
import pytest

from models.log_odds import log_odds, probability
from models.prompt import EvidenceKind
from models.pull_fitting import FEWEST_LEADS, bounded_pulls, putting_right, try_pull

TEXT = EvidenceKind.TEXT


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
    eta = log_odds(priors) + bounded_pulls(trial.pull, log_odds(priors), verdicts, 9.0, text)
    assert abs(float(np.polyfit(eta, won - probability(eta), 1)[0])) < 0.02  # calibrated


def loss_after(verdicts: int, seed: int) -> float:
    """Log loss on other leads, of a pull that so many verdicts taught; both know much."""
    rng, n = np.random.default_rng(seed), verdicts + 4_000
    prior, both, own, noise, more = rng.normal(0, 1, (5, n)) * [[0.5], [4], [3], [2], [2]]
    won = (rng.random(n) < probability(prior + both + own)).astype(np.int8)
    text, verdict = 0.7 * (both + noise), 1.3 * (both + own + more)
    taught, others = slice(verdicts), slice(verdicts, None)
    priors = probability(prior[taught])
    trial = try_pull(TEXT, priors, verdict[taught], won[taught], bound=9.0, text=text[taught])
    assert trial is not None
    pulls = bounded_pulls(trial.pull, prior[others], verdict[others], 9.0, text[others])
    sign = np.where(won[others] == 1, -1.0, 1.0)
    return float(np.logaddexp(0, sign * (prior[others] + pulls)).mean())


def test_of_two_who_know_much_few_verdicts_are_enough_to_hear_both() -> None:
    """A ridge that drew to what stood before the verdict cost twice as much at a hundred."""
    few, many = (np.mean([loss_after(n, seed) for seed in range(12)]) for n in (100, 3_000))
    assert few - many < 0.015


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


def test_an_llm_that_knows_nothing_is_not_asked_where_time_has_passed() -> None:
    """All leads end worse than the classifier learned: a shift mends that, and nobody is asked."""
    rng = np.random.default_rng(7)
    trials = []
    for _ in range(40):
        prior, verdict = rng.normal(0, 1, (2, 200))
        won = (rng.random(200) < probability(prior - 1.0)).astype(np.int8)
        trials.append(try_pull(TEXT, probability(prior), verdict, won, bound=6.0))
        assert putting_right(probability(prior), won).intercept < -0.4
    assert sum(trial is not None and trial.is_worth_it for trial in trials) <= 8


def test_an_llm_that_knows_nothing_is_not_asked_where_the_classifier_is_too_sure() -> None:
    """Halving its log-odds mends that, and nobody is asked."""
    rng = np.random.default_rng(9)
    trials = []
    for _ in range(40):
        prior, verdict = rng.normal(0, 2, 300), rng.normal(0, 1, 300)
        won = (rng.random(300) < probability(prior / 2)).astype(np.int8)
        trials.append(try_pull(TEXT, probability(prior), verdict, won, bound=6.0))
        assert 0.2 < putting_right(probability(prior), won).prior < 0.8
    assert sum(trial is not None and trial.is_worth_it for trial in trials) <= 8


def test_beside_who_knows_what_the_classifier_knows_and_more_it_counts_for_less() -> None:
    rng = np.random.default_rng(10)
    prior, more = rng.normal(0, 1, (2, 2_000))
    won = (rng.random(2_000) < probability(prior + 1.5 * more)).astype(np.int8)
    verdict = 0.8 * prior + 1.5 * more
    trial = try_pull(TEXT, probability(prior), verdict, won, bound=9.0)
    assert trial is not None
    assert trial.pull.prior == pytest.approx(0.2, abs=0.15)
    assert trial.pull.slope == pytest.approx(1.0, abs=0.15)


@pytest.mark.parametrize("share", [0.3, 0.8])
def test_at_the_ends_of_its_reach_a_usual_opinion_makes_an_even_chance(share: float) -> None:
    rng = np.random.default_rng(11)
    prior, more = rng.normal(0, 1, (2, 2_000))
    won = (rng.random(2_000) < probability(prior + 1.5 * more)).astype(np.int8)
    verdict = share * prior + 1.5 * more
    trial = try_pull(TEXT, probability(prior), verdict, won, bound=9.0)
    assert trial is not None
    assert trial.pull.prior < 0.9
    ends = np.array([trial.reach.high, trial.reach.low])
    usual = np.quantile(verdict, [0.05, 0.95])
    pulls = bounded_pulls(trial.pull, log_odds(ends), usual, 9.0)
    assert log_odds(ends) + pulls == pytest.approx(0.0, abs=1e-6)


def test_leads_with_the_same_text_are_one_witness_not_many() -> None:
    """Opinions that know nothing, a few texts written by many leads each."""
    rng = np.random.default_rng(8)
    passed = {"leads": 0, "groups": 0}
    for _ in range(150):
        groups = np.repeat(np.arange(12), 30)
        effect = rng.normal(0, 1.2, 12)[groups]
        won = (rng.random(len(groups)) < probability(effect)).astype(np.int8)
        said = rng.normal(0, 1, 12)[groups]
        for by, known in (("leads", None), ("groups", groups)):
            trial = try_pull(TEXT, np.full(len(groups), 0.5), said, won, bound=3.0, groups=known)
            passed[by] += trial is not None and trial.is_worth_it
    assert passed["groups"] <= 0.1 * 150 < passed["leads"]


def test_a_group_of_one_each_changes_nothing() -> None:
    priors, verdicts, won = leads(np.random.default_rng(0), 200, 1.0)
    alone = try_pull(TEXT, priors, verdicts, won, bound=3.0)
    numbered = np.random.default_rng(1).permutation(200)
    grouped = try_pull(TEXT, priors, verdicts, won, bound=3.0, groups=numbered)
    assert alone is not None
    assert grouped is not None
    assert (grouped.pull, grouped.gain) == (alone.pull, alone.gain)
    assert grouped.gain_low == pytest.approx(alone.gain_low)
