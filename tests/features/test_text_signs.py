"""Who is spared a text would have found nothing in it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from features.national_ids import Checked, CheckedIds
from features.needful_shelf import NeedfulShelf
from features.patterns import CompiledShape
from features.plain_text import PlainText
from features.postal_addresses import COMPOUND, ENDINGS, LEADING, LED_BY
from features.recognizers import Patterns
from features.text_signs import (
    AnyOf,
    Digits,
    Either,
    Need,
    TextSigns,
    Unbroken,
    either,
    outlines,
    words,
)
from pipelines.redaction.held_out_corpus import held_out_corpus
from pipelines.redaction.held_out_messages import HeldOut
from tests.features.recognized import marked, recognizers, unmarked
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
PLAIN_TEXTS = TEXTS.map(lambda text: PlainText.read(text).text)  # as recognizers read them
NEEDY = [r for r in recognizers() if r.needs is not None]
PATTERNS = [r for r in recognizers() if isinstance(r, Patterns)]
# Without one of these words near it, `aa#1234` is a ticket: they tell, and are not in the shape.
TELLING = words("discord", "battle")
LOOK_AHEAD = re.compile(r"\\b\(\?=[^()]*\)")


def needy(recognizer: Patterns) -> list[CompiledShape]:
    """Shapes that say what they need."""
    return [s for s in recognizer._compiled if s.needs is not None and s.needs != TELLING]


Case = tuple[str, re.Pattern[str], tuple[Need, ...], Callable[[str], bool] | None]


def patterns() -> Iterator[Case]:
    """Of every pattern that needs something: whose it is, what it needs, what is honest."""
    for r in recognizers():
        own = () if r.needs is None else (r.needs,)
        if isinstance(r, Patterns):
            for shape in r._compiled:
                needs = own if shape.needs in {None, TELLING} else (shape.needs, *own)
                if needs:
                    yield r.name, shape.pattern, needs, r._set.honest
        elif isinstance(r, CheckedIds):
            yield r.name, r._pattern, own, None
        elif isinstance(r, Checked):
            for pattern, _ in r._patterns:
                yield r.name, pattern, own, None


@given(PLAIN_TEXTS)
@example("tax id B011 2 3")
@example("vat 12A34B5")
@example("aadhaar 2345:6789:0124")
@example("51\n824\n753\n556")
@example("123\n456\n782")
@example("USS AA,APO")
@settings(max_examples=400, deadline=None)
def test_who_is_spared_a_text_would_have_found_nothing_in_it(text: str) -> None:
    assert spared_in_vain(text) == []


def test_no_lead_message_is_read_otherwise_for_what_it_is_spared() -> None:
    pytest.importorskip("faker", reason="the extra `bench` is not installed")
    for message in held_out_corpus(HeldOut.LEADS, 7, 1):
        text = PlainText.read(message.example.text).text
        assert spared_in_vain(text) == []
        assert lacking(text) == []


def spared_in_vain(text: str) -> list[str]:
    """Who is spared a text, and would have found something."""
    signs = TextSigns(text)
    return [r.name for r in NEEDY if not r.needs.is_in(signs) and list(r.find(text))]


@pytest.mark.parametrize(
    ("pattern", "needs", "honest"),
    [pytest.param(*case, id=f"{name}-{i}") for i, (name, *case) in enumerate(patterns())],
)
@given(data=st.data())
@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
def test_whatever_a_pattern_matches_has_what_it_needs(
    pattern: re.Pattern[str],
    needs: Sequence[Need],
    honest: Callable[[str], bool] | None,
    data: st.DataObject,
) -> None:
    # What a look-ahead at the beginning asks for comes after it, and would be drawn twice.
    drawn = re.compile(LOOK_AHEAD.sub("", pattern.pattern), pattern.flags)
    dotted = data.draw(st.sampled_from("i\u0130\u0131"))  # all three are one to IGNORECASE
    text = PlainText.read(data.draw(st.from_regex(drawn)).replace("i", dotted)).text
    match = pattern.search(text)
    if match and (honest is None or honest(match["pii" if "pii" in pattern.groupindex else 0])):
        signs = TextSigns(text)
        assert [need for need in needs if not need.is_in(signs)] == []


@pytest.mark.parametrize(
    "row",
    [
        "Livraison au [STREET_ADDRESS 12 CHEM\u0130N DES L\u0130LAS]",
        "nous sommes au [STREET_ADDRESS 12 qua\u0131 de seine]",
        "address: [STREET_ADDRESS lindenste\u0131g 12]",
        "[STREET_ADDRESS p\u0131so 9] ok",
        "[DATE_OF_BIRTH 03.04.1985] b\u0131rthday",
        "see [CREDENTIAL s\u0131g=AbCdEfGh12345]",
        "h\u0131, my NAME \u0130S [PERSON Jane]",
    ],
)
def test_a_turkish_i_hides_nothing(row: str) -> None:
    assert marked(unmarked(row)) == row


@pytest.mark.parametrize(
    ("text", "outline"),
    [
        ("call 555-0147,\n\tJosé", "aaaa 000-0000,  aaaa"),
        ("٤١١ Ж½ é", "000 aa a"),
        ("_x.Y/#€", "_a.a/#€"),
        ("", ""),
    ],
)
def test_an_outline_has_a_sign_for_each(text: str, outline: str) -> None:
    assert TextSigns(text).outline == outline


@given(st.text())
def test_an_outline_is_as_long_as_its_text_and_tells_letters_from_digits(text: str) -> None:
    for sign, shown in zip(text, TextSigns(text).outline, strict=True):
        kinds = [r"\d", r"[^\W\d_]", r"\s", r"[^\w\s]|_"]
        of = next(kind for kind in kinds if re.fullmatch(kind, sign))
        assert re.fullmatch(of, shown), (sign, shown)


@pytest.mark.parametrize(
    ("text", "digits", "unbroken"),
    [
        ("123.456.789-09", 11, 14),
        ("12  34 56", 6, 2),
        ("٤١١٤١١١ ab", 7, 7),
        ("none", 0, 4),
        ("", 0, 0),
    ],
)
def test_digits_and_runs_are_counted(text: str, digits: int, unbroken: int) -> None:
    signs = TextSigns(text)
    for bound in range(1, 20):
        assert Digits(bound).is_in(signs) == (digits >= bound)
        assert Unbroken(bound).is_in(signs) == (unbroken >= bound)


def test_what_either_needs_is_asked_together() -> None:
    need = either([words("a b"), outlines("00"), Unbroken(9), words("a b", "c")])
    assert need == Either((AnyOf(("a b", "c"), ("00",)), Unbroken(9)))
    assert either([words("x")]) == words("x")
    for text, held in (("A b", True), ("at 12", True), ("123456789", True), ("no 1", False)):
        assert need.is_in(TextSigns(text)) is held


def test_a_text_is_asked_once_for_what_many_need() -> None:
    asked = []

    class Watched:
        def is_in(self, signs: TextSigns) -> bool:
            asked.append(signs.text)
            return False

    class Needy:
        needs = Watched()

    class Needless:
        needs = None

    class Stock:
        """As one of Presidio's own: it says nothing of what it needs."""

    first, needless, last = Stock(), Needless(), Stock()
    shelf = NeedfulShelf([first, Needy(), needless, Needy(), last])
    (one, unknown), (two, signs), (three, nothing) = shelf.for_text("abc")
    assert (one, two, three) == (first, needless, last)
    assert (unknown, nothing) == (None, None)
    assert isinstance(signs, TextSigns)
    assert asked == ["abc"]


def lacking(text: str) -> list[str]:
    """Who finds a shape in a text that lacks what the shape is said to need."""
    signs = TextSigns(text)
    return [
        r.name
        for r in PATTERNS
        for shape in needy(r)
        if not shape.needs.is_in(signs)
        and any(r._honest([match]) for match in shape.pattern.finditer(text))
    ]


@given(PLAIN_TEXTS)
@example("Calle Mayor 5, 28013 Madrid")
@example("AV. PAULISTA 1578")
@example("Unter den Linden 5, 10117 Berlin")
@example("flat no. 12, Andheri, 400 053")
@example("40.446112, -79.982211")
@example("aa#1123-45-")
@settings(max_examples=400, deadline=None)
def test_no_shape_is_in_a_text_that_lacks_what_it_needs(text: str) -> None:
    assert lacking(text) == []


@given(st.from_regex(COMPOUND))
@settings(max_examples=300, deadline=None)
def test_a_street_in_one_word_ends_as_it_is_said_to(street: str) -> None:
    plain = PlainText.read(street).text
    assert not COMPOUND.search(plain) or any(ending in plain.lower() for ending in ENDINGS)


@pytest.mark.parametrize("lead", LED_BY)
def test_a_street_is_found_whatever_leads_it(lead: str) -> None:
    assert lacking(f"{lead.strip()} Mayor 5, 28013 Madrid") == []
    assert lacking(f"{lead.strip().upper()} Mayor 5, 28013 Madrid") == []


@given(st.from_regex(re.compile(LEADING, re.VERBOSE | re.IGNORECASE), fullmatch=True))
@settings(max_examples=300, deadline=None)
def test_what_leads_a_street_begins_as_it_is_said_to(lead: str) -> None:
    plain = f"{PlainText.read(lead).text} ".lower()
    assert any(word in plain for word in LED_BY)
