"""What is kept of words changes no score, and says nothing of anybody."""

from __future__ import annotations

import numpy as np
import pytest

from features.name_network import READ, NameNetwork, shapes
from features.name_tokens import Features, Lexicon
from features.read_words import ReadWords

LEXICON = Lexicon(
    {"jump": "nv", "high": "a"},
    frozenset({"jane", "may"}),
    frozenset(),
    frozenset(),
    frozenset({"would", "may"}),
)


@pytest.fixture(scope="module")
def network() -> NameNetwork:
    rng = np.random.default_rng(0)
    arrays = {n: rng.normal(0, 0.1, s).astype(np.float32) for n, s in shapes().items()}
    return NameNetwork(arrays)


def test_what_is_kept_changes_no_score(network: NameNetwork) -> None:
    words = ["Jane", "jump", ",", "high", "Velora", "jump"]
    reader = ReadWords(network, LEXICON)
    alone = network.scores(network.read(Features(LEXICON).of(words)))
    for _ in range(3):
        np.testing.assert_allclose(network.scores(reader.of(words)), alone, atol=1e-4)


def test_only_words_that_say_nothing_of_anybody_are_kept(network: NameNetwork) -> None:
    reader = ReadWords(network, LEXICON)
    reader.of(["Jane", "jump", ",", "Velora", "high", "Janet", "Would", "mayn't", "May-"])
    assert set(reader._kept) == {"jump", ",", "high", "Would", "mayn't"}


def test_no_more_words_are_kept_than_there_is_room_for(
    network: NameNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ReadWords, "MOST_KEPT", 1)
    reader = ReadWords(network, LEXICON)
    assert reader.of(["jump", "high"]).shape == (2, READ)
    assert set(reader._kept) == {"jump"}


def test_no_words_are_no_rows(network: NameNetwork) -> None:
    assert ReadWords(network, LEXICON).of([]).shape == (0, READ)
