"""Rows to judge: what goes is marked with its type; what only looks like it stays."""

from __future__ import annotations

import pytest

from tests.features.recognized import marked, unmarked

GOES = [
    "my passport number is [IDENTITY_DOCUMENT C01X00T47]",
    "Reisepass: [IDENTITY_DOCUMENT C01X00T478]",
    "Personalausweisnummer [IDENTITY_DOCUMENT L01X00T47]",
    "Passnummer [IDENTITY_DOCUMENT C01X00T47], Führerscheinnummer: [IDENTITY_DOCUMENT B072RRE2I55]",
    "pasaporte [IDENTITY_DOCUMENT AAA123456]",
    "[IDENTITY_DOCUMENT P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<]",
    "[IDENTITY_DOCUMENT L898902C36UTO7408122F1204159ZE184226B<<<<<10]",
    "driver's license: [IDENTITY_DOCUMENT D1234567]",
    "DL: [IDENTITY_DOCUMENT F162-8235-4011]",
    "licence plate [IDENTITY_DOCUMENT AB12 CDE]",
    "my car [IDENTITY_DOCUMENT B-AB 1234] and [IDENTITY_DOCUMENT AB-123-CD]",
    "[IDENTITY_DOCUMENT MH 12 AB 1234] or [IDENTITY_DOCUMENT KA01AB1234]",
    "kennzeichen: [IDENTITY_DOCUMENT M-XY 99]",
    "VIN [IDENTITY_DOCUMENT 1HGCM82633A004352]",
]
STAYS = [
    "licence for 25 users",
    "visa 2024 changes",
    "registration 2025 opens",
    "iPhone 15 XC90 A4 H100 RTX-4090",
    "ABC-1234 is a SKU",
]


@pytest.mark.parametrize("row", GOES)
def test_identity_documents_go(row: str) -> None:
    assert marked(unmarked(row)) == row


@pytest.mark.parametrize("text", STAYS)
def test_what_only_looks_like_identity_documents_stays(text: str) -> None:
    assert marked(text) == text
