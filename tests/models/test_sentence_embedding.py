"""What a text means is read by sentence: its end, too, and whatever is read beside it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.sentence_embedding import (
    MOST_SENTENCES,
    NUMBERS,
    SentenceEmbedding,
    is_available,
    sentences_of,
)
from tests.fakes import redacted

WORDS = st.text(st.sampled_from("ab .!?\n\u3002\u2026"), max_size=200)


@given(WORDS)
def test_every_word_is_in_one_sentence_and_there_are_never_many(text: str) -> None:
    sentences = sentences_of(text)
    assert 1 <= len(sentences) <= MOST_SENTENCES
    assert "".join("".join(sentences).split()) == "".join(text.split())


def test_sentences_end_where_people_end_them() -> None:
    assert sentences_of("Hi! We pay 3.50 each. When?\nBest") == [
        "Hi!",
        "We pay 3.50 each.",
        "When?",
        "Best",
    ]
    assert sentences_of("\u597d\u3002\u8d35\u3002") == ["\u597d\u3002", "\u8d35\u3002"]


@pytest.fixture(scope="module")
def embedding() -> SentenceEmbedding:
    if not is_available():
        pytest.skip("needs the extra `ladder`")
    return SentenceEmbedding()


def test_a_text_means_the_same_beside_any_other(embedding: SentenceEmbedding) -> None:
    """Training reads many at once, a service one: both must see the same."""
    texts = [redacted("We love it. Send us a price."), redacted("no"), redacted("Too late! " * 30)]
    together = embedding.embed(texts)
    assert together.shape == (3, NUMBERS)
    assert np.linalg.norm(together, axis=1) == pytest.approx(1.0, abs=1e-5)
    for text, vector in zip(texts, together, strict=True):
        assert np.array_equal(embedding.embed([text])[0], vector)
    assert embedding.embed([]).shape == (0, NUMBERS)


def test_the_end_of_a_long_text_is_read(embedding: SentenceEmbedding) -> None:
    polite = "Thank you for the long talk that we had the other day about this and that. " * 20
    bought, left = embedding.embed([redacted(polite + end) for end in ("We buy it.", "Go away.")])
    assert not np.allclose(bought, left, atol=1e-3)


def test_a_text_of_signs_alone_is_no_error(embedding: SentenceEmbedding) -> None:
    assert np.isfinite(embedding.embed([redacted("?!. ... \n")])).all()
