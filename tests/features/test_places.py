from __future__ import annotations

import re
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


@pytest.mark.parametrize("text", ["North [Carolina] only", "in Los [Angeles]", "[Fort] Wayne"])
def test_half_of_a_places_name_is_no_person(text: str) -> None:
    assert SHIPPED_PLACES.are_part_at(*marked(text))


@pytest.mark.parametrize(
    "text",
    [
        "I spoke to [Georgia] today",
        "bring in [Madison] for the demo",
        "I believe in [Georgia]",
        "Ask [Austin], Virginia and Charlotte",
        "Talk to [Jordan], CO-founder of Acme",
        "Ask [Madison], NY office.",
        "The serial port [Louis] broke",
        "our fort [Wayne] said",
    ],
)
def test_what_people_are_called_too_may_be_somebody_wherever_it_stands(text: str) -> None:
    assert not SHIPPED_PLACES.are_part_at(*marked(text))


def marked(text: str) -> tuple[str, int, int]:
    """The text without its brackets, and where these were."""
    return re.sub(r"[\[\]]", "", text), text.index("["), text.index("]") - 1


def test_a_place_that_is_in_somebodys_name_elsewhere_goes(redactor: Redactor) -> None:
    assert (
        "Carolina" not in redactor.redact("Carolina Miller asked. She is in North Carolina.").text
    )
