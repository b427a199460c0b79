"""What the proof compares: paired, on the same leads, and nothing where nothing can be said."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models.log_odds import log_odds, probability
from pipelines.evaluation import Saving
from pipelines.finetuning.proof import (
    CLASSIFIER,
    EVERYWHERE,
    HYBRID,
    LLM,
    OPEN,
    Contest,
    Proof,
    Trial,
    side_of,
    together,
    with_texts_dealt_anew,
)
from pipelines.finetuning.tuning_bench import show_proof
from pipelines.gates import Gate
from pipelines.metrics import Interval
from tests.small_release import sample_data

LEADS = 500


def contenders(*, independent: bool) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """A classifier and an LLM that know something of their own, or the same; the hybrid adds up."""
    rng = np.random.default_rng(0)
    known, written = rng.normal(0, 1.5, (2, LEADS))
    written = written if independent else np.zeros(LEADS)
    won = (rng.random(LEADS) < probability(known + written)).astype(np.int8)
    alone, other = probability(known), probability(written if independent else known)
    hybrid = probability(log_odds(alone) + written)
    return {CLASSIFIER: alone, LLM: other, HYBRID: hybrid}, won


def test_a_hybrid_of_two_who_know_different_things_is_better_than_either() -> None:
    side = side_of(EVERYWHERE, *contenders(independent=True), seed=0)
    for name in (CLASSIFIER, LLM):
        assert side.changes[name]["log_loss"].high < 0
        assert side.changes[name]["auc"].low > 0
    assert HYBRID not in side.changes


def test_a_hybrid_of_two_who_know_the_same_is_not() -> None:
    side = side_of(EVERYWHERE, *contenders(independent=False), seed=0)
    assert not side.changes[LLM]["log_loss"].excludes_zero
    assert not side.changes[LLM]["auc"].excludes_zero


def test_leads_that_all_ended_alike_show_nothing() -> None:
    said, _ = contenders(independent=True)
    side = side_of(OPEN, said, np.ones(LEADS, dtype=np.int8), seed=0)
    assert (side.leads, side.values, side.changes) == (LEADS, {}, {})


def contests(seeds: int) -> list[Contest]:
    """Each of half of the leads, drawn by chance."""
    said, won = contenders(independent=True)
    drawn = [np.random.default_rng(seed).permutation(LEADS)[: LEADS // 2] for seed in range(seeds)]
    asked = np.arange(LEADS // 2) % 2 == 0
    return [
        Contest(rows, rows, won[rows], {n: p[rows] for n, p in said.items()}, ~asked, asked)
        for rows in drawn
    ]


def test_texts_dealt_anew_bring_who_wrote_them_and_leads_stay_the_same_in_each_seed() -> None:
    data = sample_data()
    wrote = {(*one.texts.values(), *one.contacts.values()) for one in data.leads if one.has_text}
    dealt = with_texts_dealt_anew(data, seed=3)
    lead_of = {
        (*lead.texts.values(), *lead.contacts.values()) for lead in dealt.leads if lead.has_text
    }
    assert lead_of <= wrote
    assert [lead.values for lead in dealt.leads] == [lead.values for lead in data.leads]
    first, second = (
        replace(contest, groups=contest.groups * (n + 2)).among(np.arange(LEADS) + 7)
        for n, contest in enumerate(contests(2))
    )
    assert np.array_equal(first.groups, first.rows + 7)
    assert np.array_equal(second.groups, second.rows + 7)


def test_several_seeds_say_it_together_more_surely_than_one_alone() -> None:
    everywhere, asked = together(contests(3), seed=0)
    assert (everywhere.leads, asked.leads) == (3 * LEADS // 2, 3 * (LEADS // 4))
    one = contests(1)[0]
    alone = side_of(EVERYWHERE, one.said, one.won, seed=0).changes[LLM]["log_loss"]
    change = everywhere.changes[LLM]["log_loss"]
    assert change.high - change.low < 0.85 * (alone.high - alone.low)
    assert change.low < change.value < change.high < 0
    assert together(contests(1), seed=0) == ()


def test_the_bench_prints_each_contender_and_what_the_text_model_spares(
    capsys: pytest.CaptureFixture[str],
) -> None:
    side = side_of(EVERYWHERE, *contenders(independent=True), seed=0)
    empty = side_of(OPEN, {}, np.array([], dtype=np.int8), seed=0)
    saving = Saving(40, 100, 25, Interval(-0.01, -0.02, 0.005))
    gate = Gate("it helps", True, "gain +0.1")
    trial = Trial(3, 995, 6.1, 3_200, (side, empty), gate, 0.4, saving, depth=8)
    show_proof(Proof((trial,), (side,)))
    printed = " ".join(capsys.readouterr().out.split())
    assert "60% saved" in printed
    assert "at the same log loss 75% could be" in printed
    assert "Seed 3: passed, gain +0.1; the hybrid asks the LLM about 40%." in printed
    assert "8 layers, 995 examples" in printed
