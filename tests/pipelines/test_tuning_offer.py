"""What tuning would cost is said where it could be worth it, with the time that it needs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pipelines.finetuning.machine_share import INSTALL, can_tune
from pipelines.finetuning.tuning_offer import tuning_offer
from pipelines.training_data import TrainingData
from tests.small_release import sample_data, small_fit


def offer(times: int, *, words: int = 200) -> str | None:
    """For a training part that is so many times as large, in which all wrote as much."""
    fitted, data = small_fit(), sample_data()
    texts = {"Message": "need " * words}
    data = replace(data, leads=[replace(lead, texts=texts if words else {}) for lead in data.leads])
    assert isinstance(data, TrainingData)
    train = np.tile(fitted.split.train, times)
    return tuning_offer(data, replace(fitted, split=replace(fitted.split, train=train)))


@pytest.mark.skipif(not can_tune(), reason=INSTALL)
def test_it_names_the_minutes_where_the_usual_ones_would_end_before_all_was_seen() -> None:
    few, many = offer(1), offer(8)
    assert few is not None
    assert "(--tune)" in few
    assert many is not None
    assert "(--tune --minutes " in many


def test_where_nobody_wrote_there_is_nothing_to_offer() -> None:
    assert offer(1, words=0) is None
