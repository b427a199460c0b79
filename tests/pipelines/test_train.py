from __future__ import annotations

from typing import Any

import pytest

from models.errors import MissingExtra
from pipelines.train import TrainingOptions, train_on
from tests.small_release import sample_data


def test_a_missing_extra_is_said_before_anything_is_fitted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.sentence_embedding.NEEDS", ("no_such_package",))
    untouched: Any = None
    with pytest.raises(MissingExtra, match="extra `ladder`"):
        train_on(
            sample_data(),
            TrainingOptions(embeddings=True),
            endpoint=untouched,
            settings=untouched,
            record=untouched,
            display=untouched,
        )
