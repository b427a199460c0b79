"""Rows to judge: what goes is marked with its type; what only looks like it stays."""

from __future__ import annotations

import pytest

from tests.features.recognized import marked, unmarked

GOES = [
    "send it to [STREET_ADDRESS 12 Main Street, Apt 4, Springfield, IL 62704]",
    "wir sitzen in der [STREET_ADDRESS Lindenstraße 12, 10969 Berlin]",
    "at [STREET_ADDRESS 221b baker street] now",
    "[STREET_ADDRESS P.O. Box 1234], Boston",
    "in [STREET_ADDRESS SW1A 1AA]",
    "[STREET_ADDRESS Flat 2, 14 High Road, London SW1A 1AA]",
    "we are at [STREET_ADDRESS 14 rue de Rivoli, 75011 Paris]",
    "[STREET_ADDRESS Calle Mayor 3, 2ºB, 28013 Madrid]",
    "[STREET_ADDRESS Hauptstr. 5, 10115 Berlin]",
    "[STREET_ADDRESS Via Roma 12, 00184 Roma RM]",
    "[STREET_ADDRESS Keizersgracht 123, 1015 CJ Amsterdam]",
    "[STREET_ADDRESS ul. Marszałkowska 12/3, 00-950 Warszawa]",
    "[STREET_ADDRESS Storgatan 12, 114 55 Stockholm]",
    "[STREET_ADDRESS Av. Paulista, 1578, São Paulo - SP, 01310-200]",
    "[STREET_ADDRESS Rua das Flores, 123, apto 45, 01234-567 São Paulo]",
    "[STREET_ADDRESS Flat No. 302, Sai Residency, MG Road, Bengaluru 560001]",
    "[STREET_ADDRESS 1600 Pennsylvania Ave NW, Washington, DC 20500]",
    "[STREET_ADDRESS Am Alten Hof 7, 80331 München]",
    "[STREET_ADDRESS PSC 1234, Box 5678, APO AE 09012]",
    "[STREET_ADDRESS Unit 4719 Box 7394\nDPO AP 70942]",
    "[STREET_ADDRESS USNS Smith\nFPO AE 12345]",
    "zip code [STREET_ADDRESS 90210]",
    "[STREET_ADDRESS 52.520008, 13.404954]",
    "[STREET_ADDRESS K1A 0B6] Ottawa",
    "[STREET_ADDRESS 555 California Street, San Francisco, CA 94104]",
    "[STREET_ADDRESS suite 200] is ours",
    "[STREET_ADDRESS Apt. 656]",
    "At [STREET_ADDRESS 10 Downing St], London",
    "[STREET_ADDRESS 94103-1234]",
    "zip: [STREET_ADDRESS 12345]",
    "Manchester [STREET_ADDRESS M1 1AE]",
    "Toronto [STREET_ADDRESS M5V 2T6]",
    "[STREET_ADDRESS 80331] München",
    "[STREET_ADDRESS 01310-200]",
]
STAYS = [
    "500 miles on the road",
    "5 year road map",
    "12 Seats for the Plaza",
    "Hauptstraße ist lang",
    "Spring 2024",
    "Via Email 24 hours",
    "Unit tests 5",
    "V2 3D and q4 2nd",
    "12000 Mitarbeiter",
    "in 50000 Euro",
    "an A10 4GB card",
    "Am Montag 12 Uhr",
    "Im Januar 2025",
]


@pytest.mark.parametrize("row", GOES)
def test_postal_addresses_go(row: str) -> None:
    assert marked(unmarked(row)) == row


@pytest.mark.parametrize("text", STAYS)
def test_what_only_looks_like_postal_addresses_stays(text: str) -> None:
    assert marked(text) == text
