from __future__ import annotations

from pathlib import Path

import pytest

from features.ner_component import SHIPPED
from features.places import Places, place_key
from features.redaction import Redactor

SHIPPED_PLACES = Places.read(SHIPPED)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    places = Places({"costa rica", "oslo"}, {"florence"})
    places.write(tmp_path)
    read = Places.read(tmp_path)
    assert (set(read.nobodys), set(read.namesakes)) == ({"costa rica", "oslo"}, {"florence"})


@pytest.mark.parametrize("place", ["Costa Rica", "Kuala Lumpur", "SRI LANKA", "Malmö", "São Paulo"])
def test_a_place_is_one_in_any_writing(place: str) -> None:
    assert SHIPPED_PLACES.has(place)
    assert not SHIPPED_PLACES.has(f"12 {place}")
    assert not SHIPPED_PLACES.has(f"{place} Street")


@pytest.mark.parametrize("place", ["Florence", "Jordan", "Virginia", "Iwo", "Juan Díaz", "El Paso"])
def test_whom_somebody_may_be_called_like_is_not_nobody(place: str) -> None:
    assert SHIPPED_PLACES.are(place, "STREET_ADDRESS")
    assert not SHIPPED_PLACES.are(place, "PERSON")


def test_nobody_is_called_like_other_places_and_a_company_may_be() -> None:
    assert SHIPPED_PLACES.are("Costa Rica", "PERSON")
    assert SHIPPED_PLACES.are("Kuala Lumpur", "PERSON")
    assert not SHIPPED_PLACES.are("Costa Rica", "ORGANIZATION")


def test_key_has_neither_marks_nor_accents() -> None:
    assert place_key("  São-Paulo, ") == "sao paulo"
    assert place_key("") == place_key("Unit 5") == ""
    assert not SHIPPED_PLACES.has("")


@pytest.mark.parametrize(
    ("before", "place", "after"),
    [
        ("We sell in ", "Georgia", " too"),
        ("a plant near ", "Madison", "."),
        ("North ", "Carolina", " only"),
        ("Los ", "Angeles", ""),
        ("ship to ", "Austin", ", TX please"),
        ("ship to ", "Dallas", " TX"),
        ("offices: ", "Florence", ", Italy"),
        ("pizza in Everett? ", "Everett", ", Washington"),
    ],
)
def test_words_around_tell_that_a_namesake_is_a_place(before: str, place: str, after: str) -> None:
    text, start = before + place + after, len(before)
    assert SHIPPED_PLACES.stand_at(text, start, start + len(place))


@pytest.mark.parametrize(
    ("before", "name", "after"),
    [
        ("I spoke to ", "Georgia", " today"),
        ("in ", "Georgia", "'s opinion"),
        ("", "Austin", ", Jordan and I"),
        ("in ", "Grant", " we trust"),
        ("from ", "Virginia", ""),
        ("ask ", "Austin", ", OK?"),
        ("", "Florence", ""),
    ],
)
def test_otherwise_a_namesake_may_be_somebody(before: str, name: str, after: str) -> None:
    text, start = before + name + after, len(before)
    assert not SHIPPED_PLACES.stand_at(text, start, start + len(name))


def test_a_place_that_is_in_somebodys_name_elsewhere_goes(redactor: Redactor) -> None:
    assert "Georgia" not in redactor.redact("Georgia Miller asked. I believe in Georgia.").text
