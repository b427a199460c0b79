"""Without a subject's key, nobody finds out what a fingerprint stood for."""

from __future__ import annotations

import pytest

from pipelines.ledger.guessing import PLANTED, WITH_THE_KEY, Mark, around, search, ways

# Of each way, with the right number among them. `tiebreak bench ledger --guesses 10000000` tries
# ten million in each: docs/figures.md.
GUESSES = 200_000
MARK = Mark.drawn()


@pytest.mark.parametrize("way", sorted(set(ways(MARK)) - {WITH_THE_KEY}))
def test_brute_force_over_phone_numbers_finds_nothing(way: str) -> None:
    assert search(MARK, way, around(GUESSES), GUESSES) == []


def test_with_the_key_the_same_search_finds_it() -> None:
    planted = int("".join(filter(str.isdigit, PLANTED)))
    assert search(MARK, WITH_THE_KEY, around(GUESSES), GUESSES) == [planted]
