"""Who is spared a text would have found nothing in it."""

from __future__ import annotations

import re

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from features.national_ids import IDS, IdShape
from features.needful_shelf import NeedfulShelf
from features.plain_text import PlainText
from features.postal_addresses import LEADING, LED_BY
from features.recognizers import Patterns
from features.text_signs import Digits, TextSigns
from pipelines.redaction.held_out_corpus import held_out_corpus
from pipelines.redaction.held_out_messages import HeldOut
from tests.features.recognized import recognizers
from tests.features.test_linear_time import FRAGMENTS

# Pieces of everything that some recognizer looks for, and what may stand between them.
PIECES = [
    *FRAGMENTS,
    *"@ %40 (at) [dot] . - / : # www. :// u/ x y1 Ab AB 12 345 6789 0123456 2A ſ K ı".split(),  # noqa: RUF001, SIM905
    *["\n", " ", "ssn ", "GB82 WEST 1234 5698 7654 32", "4111 1111 1111 1111", "AAAA999999", "<<"],
    *["2345:6789:0124", "51\n824\n753\n556", "123\n456\n782", "USS AA,APO"],
    *["AB 12 34 56 C", "131052-308T", "X1234567L", "12345678-Z", "S1234567D"],
    *["123-45-6789", "1 85 12 2A 123 456 78", "B01", "XEXX010101HNEXXXA4", "784-1990-1234567-1"],
]
TEXTS = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=4)), max_size=14).map("".join)
NEEDY = [r for r in recognizers() if r.needs is not None]


@given(TEXTS)
@example("tax id B011 2 3")
@example("vat 12A34B5")
@example("aadhaar 2345:6789:0124")
@example("51\n824\n753\n556")
@example("123\n456\n782")
@example("USS AA,APO")
@settings(max_examples=400, deadline=None)
def test_who_is_spared_a_text_would_have_found_nothing_in_it(text: str) -> None:
    signs = TextSigns(text)
    missed = {r.name: list(r.find(text)) for r in NEEDY if not signs.hold(r.needs)}
    assert {name: found for name, found in missed.items() if found} == {}


@pytest.mark.parametrize("shape", IDS, ids=lambda shape: str(shape.name))
@given(data=st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_id_has_as_many_digits_as_its_shape_says(shape: IdShape, data: st.DataObject) -> None:
    pattern = re.compile(shape.pattern, re.VERBOSE | re.IGNORECASE)
    text = data.draw(st.from_regex(pattern, fullmatch=True))
    assert TextSigns(f"id {text}.").hold(Digits(shape.digits))


def test_no_lead_message_is_read_otherwise_for_what_it_is_spared() -> None:
    pytest.importorskip("faker", reason="the extra `bench` is not installed")
    for message in held_out_corpus(HeldOut.LEADS, 7, 1):
        text = message.example.text
        signs = TextSigns(text)
        assert [r.name for r in NEEDY if not signs.hold(r.needs) and list(r.find(text))] == []


@pytest.mark.parametrize(
    ("text", "most", "anywhere"),
    [
        ("123.456.789-09", 11, 11),
        ("12 34 56", 6, 6),
        ("12  34 56", 0, 6),
        ("1234, 123456", 6, 10),
        ("٤١١١٤١١", 7, 7),
        ("none", 0, 0),
    ],
)
def test_digits_are_counted_as_ids_are_written(text: str, most: int, anywhere: int) -> None:
    signs = TextSigns(text)
    for bound in range(1, 13):
        assert signs.hold(Digits(bound)) == (most >= bound)
        assert signs.hold(Digits(bound, anywhere=True)) == (anywhere >= bound)


def test_a_text_is_asked_once_for_what_many_need() -> None:
    asked = []

    class Watched:
        def search(self, text: str) -> re.Match[str] | None:
            asked.append(text)
            return None

    class Needy:
        needs = Watched()

    class Stock:
        """As one of Presidio's own: it says nothing of what it needs."""

    first, last = Stock(), Stock()
    shelf = NeedfulShelf([first, Needy(), Needy(), last])
    assert list(shelf.for_text("abc")) == [(first, None), (last, None)]
    assert asked == ["abc"]


PATTERNS = [r for r in recognizers() if isinstance(r, Patterns)]
# Without one of these words near it, `aa#1234` is a ticket: they tell, and are not in the shape.
TELLING = {("discord", "battle")}
SHAPES = [
    (r.name, shape)
    for r in PATTERNS
    for shape in r._compiled
    if shape.needs and shape.needs not in TELLING
]


def lacking(text: str) -> list[str]:
    """Who finds a shape in a text that lacks what the shape is said to need."""
    spared = [(n, s) for n, s in SHAPES if not s.may_be_in(text, text.lower())]
    return [name for name, shape in spared if shape.pattern.search(text)]


@given(TEXTS.map(lambda text: PlainText.read(text).text))
@example("Calle Mayor 5, 28013 Madrid")
@example("AV. PAULISTA 1578")
@example("Unter den Linden 5, 10117 Berlin")
@example("flat no. 12, Andheri, 400 053")
@example("40.446112, -79.982211")
@example("aa#1123-45-")
@settings(max_examples=400, deadline=None)
def test_no_shape_is_in_a_text_that_lacks_what_it_needs(text: str) -> None:
    assert lacking(text) == []


@pytest.mark.parametrize("lead", LED_BY)
def test_a_street_is_found_whatever_leads_it(lead: str) -> None:
    assert lacking(f"{lead.strip()} Mayor 5, 28013 Madrid") == []
    assert lacking(f"{lead.strip().upper()} Mayor 5, 28013 Madrid") == []


@given(st.from_regex(re.compile(LEADING, re.VERBOSE | re.IGNORECASE), fullmatch=True))
@settings(max_examples=300, deadline=None)
def test_what_leads_a_street_begins_as_it_is_said_to(lead: str) -> None:
    plain = f"{PlainText.read(lead).text} ".lower()
    assert any(word in plain for word in LED_BY)


def test_no_shape_of_a_lead_message_lacks_what_it_needs() -> None:
    pytest.importorskip("faker", reason="the extra `bench` is not installed")
    for message in held_out_corpus(HeldOut.LEADS, 7, 1):
        assert lacking(PlainText.read(message.example.text).text) == []
