"""Rows to judge: what goes is marked with its type; what only looks like it stays."""

from __future__ import annotations

import pytest
from faker import Faker

from tests.features.recognized import found, marked, unmarked

GOES = [
    "call [PHONE_NUMBER +49 (0)30 901820] today",
    "call [PHONE_NUMBER +442079460018]",
    "we sit at [PHONE_NUMBER (212) 555-0147 ext. 12]",
    "my mobile is [PHONE_NUMBER 0171 2345678]",
    "in Paris: [PHONE_NUMBER 06 12 34 56 78].",
    "reach me on [PHONE_NUMBER 98765 43210]",
    "tel:[PHONE_NUMBER +1-212-555-0147];ext=3",
    "WhatsApp: [PHONE_NUMBER +91 98765 43210]",
    "[PHONE_NUMBER 1-800-FLOWERS] works",
    "fon [PHONE_NUMBER 030/901820-12] oder [PHONE_NUMBER 0171/2345678]",
    "[PHONE_NUMBER 555-0147] after six",
    "ruf mich an: [PHONE_NUMBER 030 1234567] oder [PHONE_NUMBER 0171 2345678]",
    "mobile [PHONE_NUMBER 07700 900123], office [PHONE_NUMBER 020 7946 0018]",
    "[PHONE_NUMBER +1 (212) 555-0147 x99]",
    "[PHONE_NUMBER 0041 44 668 18 00]",
    "Tel. [PHONE_NUMBER 01 44 55 66 77] / [PHONE_NUMBER 06 12 34 56 78]",
    "telefone [PHONE_NUMBER (11) 96123-4567]",
    "tlf [PHONE_NUMBER 22 12 34 56]",
    "mobil: [PHONE_NUMBER 070-123 45 67]",
    "moj numer [PHONE_NUMBER 601 234 567]",
    "numero [PHONE_NUMBER 06 1234567]",
    "my number is [PHONE_NUMBER 612 345 678] and it works",
    "ring [PHONE_NUMBER 8 (912) 345-67-89]",
    "call [PHONE_NUMBER 131 2345 6789] or [PHONE_NUMBER 090-1234-5678]",
]
STAYS = [
    "budget 1 234 567 EUR in 2024-2025",
    "extension 12 is free",
    "on 12.03.2024 14:30 we met",
    "between 2019 - 2023 we grew 1200%",
    "100 200 300 pieces",
    "sizes 32 34 36 38",
    "Wir haben 1.250.000 Datensätze",
    "call us at 10:30",
    "the number 42",
    "12 345 678 visitors",
    "$1,200,500.00 in sales",
]


@pytest.mark.parametrize("row", GOES)
def test_phones_go(row: str) -> None:
    assert marked(unmarked(row)) == row


@pytest.mark.parametrize("text", STAYS)
def test_what_only_looks_like_phones_stays(text: str) -> None:
    assert marked(text) == text


SENTENCES = (
    "We are a team of 45 and need a quote. You can get me at {} after lunch.",
    "please get back to me, {}",
    "Head of Ops\n{}\nBerlin",
    "we want 20 seats by May 2025 - {}.",
)
LOCALES = "en_US en_GB en_IN de_DE fr_FR es_ES it_IT pt_BR nl_NL pl_PL sv_SE".split()  # noqa: SIM905  # to be read


@pytest.mark.parametrize("locale", LOCALES)
def test_numbers_of_a_country_are_found_without_a_keyword(locale: str) -> None:
    fake = Faker(locale)
    fake.seed_instance(20261124)
    numbers = [fake.phone_number() for _ in range(60)]
    missed = [
        number
        for i, number in enumerate(numbers)
        if not is_found(number, SENTENCES[i % len(SENTENCES)].format(number))
    ]

    assert len(missed) <= 0.03 * len(numbers), missed


def is_found(number: str, text: str) -> bool:
    at = text.index(number)
    digits = [i for i in range(at, at + len(number)) if text[i].isdigit()]
    return any(
        s.entity_type == "PHONE_NUMBER" and s.start <= digits[0] and digits[-1] < s.end
        for s in found(text)
    )
