"""Structured fields are shown behind a text only where that proves to help."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models.log_odds import probability
from pipelines.finetuning.fields_trial import FieldsTrial, Said, try_fields
from tests.small_release import sample_data, small_fit

COLUMNS = ("Employees",)


def tried(*, own: float, leads: int = 200, seed: int = 0) -> FieldsTrial:
    """Of a table whose outcomes hang on what a text says, and by `own` on what fields add to it."""
    rng, fitted, data = np.random.default_rng(seed), small_fit(), sample_data()
    rows = rng.choice(fitted.split.train, leads, replace=False)
    written, together = rng.normal(0, 1.5, (2, leads))
    won = data.won.copy()
    won[rows] = rng.random(leads) < probability(written + own * together)

    def said(log_odds: np.ndarray) -> Said:
        return dict(
            zip(rows.tolist(), (log_odds + rng.normal(0, 0.3, leads)).tolist(), strict=True)
        )

    text, both = said(written), said(written + own * together)
    return try_fields(COLUMNS, text, both, replace(data, won=won), fitted)


def test_fields_that_tell_more_together_with_the_text_are_shown() -> None:
    trial = tried(own=1.5)
    assert trial.is_worth_it
    assert trial.leads == 200
    assert str(trial).startswith("Employees behind the text: +0.")
    assert str(trial).endswith("shown")
    assert "alone" not in str(trial)


def test_fields_that_tell_nothing_more_are_hardly_ever_shown() -> None:
    trials = [tried(own=0.0, seed=seed) for seed in range(60)]
    assert sum(trial.is_worth_it for trial in trials) <= 5  # 2.5 % of them by chance
    assert "the text alone is shown" in str(trials[0])


@pytest.mark.parametrize("leads", [0, 30])
def test_on_too_few_leads_nothing_is_said(leads: int) -> None:
    trial = tried(own=3.0, leads=leads)
    assert (trial.gain, trial.is_worth_it) == (None, False)
    assert "not tried on enough leads" in str(trial)


def test_leads_that_one_of_them_was_not_asked_about_do_not_count() -> None:
    fitted, data = small_fit(), sample_data()
    rows = fitted.split.train[:100].tolist()
    said = dict.fromkeys(rows, 0.5)
    assert try_fields(COLUMNS, said, dict.fromkeys(rows[10:], 1.0), data, fitted).leads == 90
