"""Rows to judge: what goes is marked with its type; what only looks like it stays."""

from __future__ import annotations

import pytest

from tests.features.recognized import marked, unmarked

GOES = [
    "card [CREDIT_CARD 4111 1111 1111 1111], thanks",
    "card [CREDIT_CARD 3782-822463-10005]",
    "1 [CREDIT_CARD 5500.0000.0000.0004] 2",
    "IBAN [IBAN_CODE DE89 3704 0044 0532 0130 00] please",
    "pay to [IBAN_CODE GB82WEST12345698765432]",
    "my iban: [IBAN_CODE gb42nawi04454264788619]",
    "IBAN: [IBAN_CODE DE89 3704 0044 0532 0130 01]",
    "[IBAN_CODE ES91 2100 0418 4502 0005 1332]",
]
STAYS = [
    "DE8 is short",
]


@pytest.mark.parametrize("row", GOES)
def test_cards_go(row: str) -> None:
    assert marked(unmarked(row)) == row


@pytest.mark.parametrize("text", STAYS)
def test_what_only_looks_like_cards_stays(text: str) -> None:
    assert marked(text) == text
