"""Rows to judge: what goes is marked with its type; what only looks like it stays."""

from __future__ import annotations

import pytest

from tests.features.recognized import marked, unmarked

GOES = [
    "SSN [US_SSN 536-22-1234]",
    "ssn is [US_SSN 123-45-6789]",
    "ITIN [US_SSN 912-70-1234]",
    "Aadhaar [NATIONAL_ID 2341 2341 2346]",
    "PAN [NATIONAL_ID ABCPE1234F]",
    "NI number [NATIONAL_ID AB 12 34 56 C]",
    "NHS [NATIONAL_ID 943 476 5919]",
    "CPF [NATIONAL_ID 529.982.247-25]",
    "cpf [NATIONAL_ID 52998224725]",
    "CNPJ [NATIONAL_ID 11.222.333/0001-81]",
    "NIR [NATIONAL_ID 1 84 12 76 451 089 46]",
    "Steuer-ID [NATIONAL_ID 86 095 742 719]",
    "[NATIONAL_ID 65 929 970 489] ist meine Nummer",
    "Rentenversicherung [NATIONAL_ID 15 070649 C 103]",
    "meine Nummer [NATIONAL_ID 15070649C103]",
    "DNI [NATIONAL_ID 12345678Z]",
    "NIE [NATIONAL_ID X1234567L]",
    "[NATIONAL_ID RSSMRA85T10A562S]",
    "PESEL [NATIONAL_ID 44051401359]",
    "BSN [NATIONAL_ID 111222333]",
    "personnummer [NATIONAL_ID 811218-9876]",
    "hetu [NATIONAL_ID 131052-308T]",
    "AHV [NATIONAL_ID 756.9217.0769.85]",
    "[NATIONAL_ID 85.07.30-033.28]",
    "NIF [NATIONAL_ID 123456789]",
    "TCKN [NATIONAL_ID 10000000146]",
    "[NATIONAL_ID 784-1984-1234567-9]",
    "CHL [NATIONAL_ID 12.345.678-5]",
    "VAT [NATIONAL_ID DE136695976]",
    "GSTIN [NATIONAL_ID 27AAPFU0939F1ZV]",
    "ABN [NATIONAL_ID 51 824 753 556]",
    "SIN [NATIONAL_ID 046 454 286]",
    "[US_SSN 123-45-6789]",
    "[NATIONAL_ID ABCPE1234F] as PAN",
    "CPF [NATIONAL_ID 529.982.247-26]",
    "numero [NATIONAL_ID 529.982.247-25]",
    "[NATIONAL_ID 1 84 12 76 451 089 47]",
]
STAYS = [
    "12345678A is wrong",
    "000-12 is a part number",
    "numbers 1 200 000 000 and 100 200 300",
]


@pytest.mark.parametrize("row", GOES)
def test_national_ids_go(row: str) -> None:
    assert marked(unmarked(row)) == row


@pytest.mark.parametrize("text", STAYS)
def test_what_only_looks_like_national_ids_stays(text: str) -> None:
    assert marked(text) == text
