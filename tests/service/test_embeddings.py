"""A release whose text model reads what texts mean: with the embedding it was fitted with only."""

from __future__ import annotations

from dataclasses import replace

import pytest

from models.band import EVERYTHING, NOTHING
from models.errors import MissingExtra, ReleaseNotFound
from models.prompt import EvidenceKind
from models.release import Release
from models.routing import RoutingPolicy, TextRouting
from models.sentence_embedding import NUMBERS, VERSION, SentenceEmbedding, is_available
from models.text_model import Meaning
from service import bootstrap
from tests.fakes import redacted
from tests.models.test_text_model import MODEL, PULLS
from tests.small_release import small_release


def release(embedding: str) -> Release:
    reads = TextRouting(NOTHING, NOTHING)
    policy = RoutingPolicy(EVERYTHING, NOTHING, frozenset(EvidenceKind), reads)
    meaning = Meaning(embedding, (0.1,) * NUMBERS, 0.0, 1.0, 0.0)
    return small_release(policy, combiner=PULLS, text=replace(MODEL, meaning=meaning))


@pytest.mark.skipif(not is_available(), reason="needs the extra `ladder`")
def test_it_is_loaded_once_and_only_for_a_release_that_needs_it() -> None:
    assert bootstrap.embedding_of(replace(release(VERSION), text=MODEL)) is None
    first, second = (bootstrap.embedding_of(release(VERSION)) for _ in range(2))
    assert isinstance(first, SentenceEmbedding)
    assert first is second
    assert first.embed([redacted("how much is it")]).shape == (1, NUMBERS)
    with pytest.raises(ReleaseNotFound, match=r"another sentence embedding.*Train again"):
        bootstrap.embedding_of(release("another"))


def test_where_it_is_not_installed_the_release_is_refused_and_it_says_what_to_do() -> None:
    def missing() -> SentenceEmbedding:
        raise MissingExtra("Sentence embeddings need the extra `ladder`.")

    with pytest.raises(ReleaseNotFound, match="extra `ladder`"):
        bootstrap.embedding_of(release(VERSION), missing)
