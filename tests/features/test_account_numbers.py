"""Rows to judge: what goes is marked with its type; what only looks like it stays."""

from __future__ import annotations

import pytest

from tests.features.recognized import marked, unmarked

GOES = [
    "order number [ACCOUNT_NUMBER 2000] is late",
    "my order no. [ACCOUNT_NUMBER A-10293-Z] is late",
    "customer id [ACCOUNT_NUMBER 48213]",
    "it says [ACCOUNT_NUMBER 7730012345678901]",
    "order #[ACCOUNT_NUMBER 12345] and invoice [ACCOUNT_NUMBER INV-2024-00123]",
    "Kundennummer: [ACCOUNT_NUMBER 4711-0815]",
    "tracking [ACCOUNT_NUMBER 1Z999AA10123456784]",
    "policy number [ACCOUNT_NUMBER POL/123/456]",
    "numéro de commande : [ACCOUNT_NUMBER 12345678]",
    "número de pedido: [ACCOUNT_NUMBER 4711-22]",
    "BIC: [ACCOUNT_NUMBER DEUTDEFF500]",
    "sort code [ACCOUNT_NUMBER 20-00-00], account [ACCOUNT_NUMBER 55779911]",
    "my ticket #[ACCOUNT_NUMBER 98765]",
    "uuid [ACCOUNT_NUMBER 123e4567-e89b-12d3-a456-426614174000]",
    "btc [ACCOUNT_NUMBER 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa]",
    "eth [ACCOUNT_NUMBER 0x52908400098527886E0F7030069857D2E4169EE7]",
    "[ACCOUNT_NUMBER bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4]",
    "[ACCOUNT_NUMBER 4111 1111 1111 1112] is nearly a card",
    "[ACCOUNT_NUMBER 4111111111111112] is long",
    "Ticket: [ACCOUNT_NUMBER 123-ABC-9]",
    "policy no. [ACCOUNT_NUMBER PX 99 182 731], PNR [ACCOUNT_NUMBER QX7T2P]",
]
STAYS = [
    "the policy 2024-25 and order 2024",
    "order confirmation 24 hours",
    "order 500 pieces",
    "order no problem 5",
    "case studies 2024",
    "customer success 101",
    "#1 vendor, #hashtag, C# 12",
    "swift delivery and swift answers",
]


@pytest.mark.parametrize("row", GOES)
def test_account_numbers_go(row: str) -> None:
    assert marked(unmarked(row)) == row


@pytest.mark.parametrize("text", STAYS)
def test_what_only_looks_like_account_numbers_stays(text: str) -> None:
    assert marked(text) == text
