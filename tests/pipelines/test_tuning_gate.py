from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from models.decision import RouteReason
from models.errors import NotServedAsTuned
from models.log_odds import log_odds, probability
from pipelines.evaluation import Judged, compare
from pipelines.finetuning.agreement import Agreement
from pipelines.finetuning.proof import with_texts_dealt_anew
from pipelines.finetuning.tuning_gate import tuning_gate
from tests.small_release import sample_data, small_fit

LEADS = 400


def judged(*, telling: bool, in_band: float = 0.5, seed: int = 0) -> Judged:
    """A classifier that knows half, and an LLM that knows the rest, or the outcomes of others."""
    rng = np.random.default_rng(seed)
    known, written = rng.normal(size=(2, LEADS))
    won = (rng.random(LEADS) < probability(known + 1.5 * written)).astype(np.int8)
    said = written if telling else rng.permutation(written)
    prior = probability(0.8 * known)
    band = rng.random(LEADS) < in_band
    pulled = probability(log_odds(prior) + 1.2 * said)
    reasons = (RouteReason.AMBIGUOUS,) * LEADS
    return Judged(
        won, prior, prior, pulled, probability(said), band, band, reasons, np.arange(len(won))
    )


def test_the_gate_passes_an_llm_that_lowers_the_log_loss_inside_the_band() -> None:
    gate = tuning_gate(compare(judged(telling=True), seed=0))
    assert gate.passed, gate.figure


@pytest.mark.parametrize("seed", range(5))
def test_the_gate_refuses_an_llm_whose_verdicts_were_dealt_to_other_leads(seed: int) -> None:
    gate = tuning_gate(compare(judged(telling=False, seed=seed), seed=seed))
    assert not gate.passed
    assert "gain -" in gate.figure


def test_the_gate_refuses_what_was_shown_on_too_few_leads() -> None:
    assert not tuning_gate(None).passed
    assert not tuning_gate(compare(judged(telling=True, in_band=0.0), seed=0)).passed
    few = tuning_gate(compare(judged(telling=True, in_band=0.05), seed=0))
    assert not few.passed
    assert "too few" in few.figure


def spread(n: int = 60) -> NDArray[np.float64]:
    return np.random.default_rng(0).normal(0, 1.5, n)


def test_a_served_model_agrees_within_rounding_and_is_refused_beyond() -> None:
    trained = spread()
    noise = np.random.default_rng(1).normal(0, 0.1, len(trained))
    assert Agreement.between(trained + noise, trained).require().correlation > 0.99
    for other in (np.zeros(60) + noise, 2.0 * trained, trained + 1.0, np.roll(trained, 1)):
        with pytest.raises(NotServedAsTuned, match="not served as it was tuned"):
            Agreement.between(other, trained).require()


def test_a_model_that_says_the_same_of_everybody_goes_on_to_its_gate() -> None:
    """Nothing is left to correlate but rounding; another model is refused all the same."""
    trained = 1.5 + spread() / 10
    noise = np.random.default_rng(1).normal(0, 0.2, len(trained))
    agreement = Agreement.between(trained + noise, trained).require()
    assert agreement.correlation < 0.95
    for other in (trained - 1.0, spread(), np.zeros(60) + noise):
        assert not Agreement.between(other, trained).holds


@pytest.mark.parametrize("middle", [0.0, -2.0])
def test_rounding_alone_refuses_nobody_wherever_the_outcomes_lie(middle: float) -> None:
    """Around P(yes) = 0.5 the same rounding moves probabilities the most."""
    rng = np.random.default_rng(3)
    for _ in range(200):
        trained = rng.normal(middle, 1, 60)
        assert Agreement.between(trained + rng.normal(0, 0.22, 60), trained).holds
        assert not Agreement.between(rng.permutation(trained), trained).holds


def test_texts_dealt_anew_leave_everything_else_where_it_was() -> None:
    data = sample_data()
    dealt = with_texts_dealt_anew(data, seed=0)
    assert [lead.values for lead in dealt.leads] == [lead.values for lead in data.leads]
    assert [lead.has_text for lead in dealt.leads] == [lead.has_text for lead in data.leads]
    texts, before = ([str(x.texts) for x in d.leads if x.has_text] for d in (dealt, data))
    assert sorted(texts) == sorted(before)
    assert sum(a == b for a, b in zip(texts, before, strict=True)) < len(texts) / 10


def test_length_and_presence_of_a_text_are_columns_of_the_classifier() -> None:
    encoder, leads = small_fit().classifier.encoder, sample_data().leads
    lengths = encoder.encode(leads)[:, encoder.names.index("Message (length)")]
    assert [length > 0 for length in lengths] == [lead.has_text for lead in leads]
    assert lengths.tolist() == [len("".join(lead.texts.values())) for lead in leads]
