from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from features.plain_text import PlainText, folded
from tests.features.cpu_cost import quiet_ms


@pytest.mark.parametrize(
    ("source", "plain"),
    [
        ("ja\u200bne\u00ad@ac\u2060me.com", "jane@acme.com"),
        ("\uff4a\uff41\uff4e\uff45\uff20\uff11", "jane@1"),
        ("jane&#64;acme&period;com &amp;#64;", "jane@acme.com @"),
        ("Jose\u0301", "José"),
        ("٤١١١", "4111"),
        ("O\u2019Neil \u2013 555\u00a01", "O'Neil - 555 1"),
        ("a\x00b\ud800", "ab\ufffd"),
        ("a\tb\x1fc", "a b c"),
        ("a\r\nb\rc\x0bd\x85e\n\r\nf", "a\nb\nc\nd\ne\n\nf"),
        ("415\uf02d555\ue0000132, Kowal\ue000czyk", "4155550132, Kowalczyk"),
        ("AT&T & co; R&D", "AT&T & co; R&D"),
        ("5\ufe0f\u20e35\ufe0f\u20e3 \u2776\u2461", "55 12"),
        ("\U0001d423\U0001d41a\U0001d427\U0001d41e \u24d9\u24d0", "jane ja"),
        ("\U0001f159\U0001f170\ufe0f \u24a5\u249c", "JA ja"),
        ("j\u0336a\u0336n\u0332e\u0332", "jane"),
        ("j\u0300\u0301\u0302a", "ja"),
        ("2½ of 3/4, 5 m²", "2½ of 3/4, 5 m2"),
        ("a \u2260 b, a =\u0338 b, q\u0303", "a \u2260 b, a \u2260 b, q\u0303"),
    ],
)
def test_disguises_come_off(source: str, plain: str) -> None:
    assert PlainText.read(source).text == plain


def test_a_line_end_of_two_signs_is_one_place_of_the_source() -> None:
    assert read_from("hi\r\nJane\r\n", "i\nJane\n") == "i\r\nJane\r\n"


def test_a_span_points_to_all_of_the_source_that_it_was_read_from() -> None:
    source = "hi ja\u200bne&#64;acme"
    assert read_from(source, "jane@") == "ja\u200bne&#64;"


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("\u200bja\u200bne\u200b", "jane"),
        ("J\u0430\u00adn\u0435", "Jane"),
        ("j a n e  s m i t h", "jane smith"),
        ("jane dot d\u00ado\u00adt (at) acme . com", "jane.dot@acme.com"),
        ("double \u200bfive, f\u0456ve one tw\u043e", "55 512"),
    ],
)
def test_nothing_of_a_disguise_is_left_where_the_value_is_cut(source: str, value: str) -> None:
    assert read_from(f"hi {source} ok", value) == source.removeprefix("\u200b")


def read_from(source: str, value: str) -> str:
    plain = PlainText.read(source)
    start = plain.text.index(value)
    a, b = plain.source_span(start, start + len(value))
    return source[a:b]


WORDS = "one ,double ,5 ,a b , at , dot ,com,(at),[.],Сосо,ne,&#64;".split(",")  # noqa: RUF001, SIM905
SIGNS = ["\u200b", "\u0301", "\u0336", "\u05d0", "\u202e", "\ud800", "\u200d\U0001f469", "\ufb03"]
BENT = st.sampled_from(WORDS + SIGNS)


@given(st.lists(st.one_of(st.characters(), BENT), max_size=40).map("".join))
def test_every_character_knows_its_place_in_order(source: str) -> None:
    plain = PlainText.read(source)
    assert len(plain.text) == len(plain.starts) == len(plain.ends)
    assert list(plain.starts) == sorted(plain.starts)
    assert list(plain.ends) == sorted(plain.ends)
    assert all(0 <= a < b <= len(source) for a, b in zip(plain.starts, plain.ends, strict=True))
    if plain.text:
        start, end = plain.source_span(0, len(plain.text))
        assert end == len(source)
        assert not PlainText.read(source[:start]).text  # nothing that can be seen


@given(st.text(st.characters(codec="ascii"), max_size=20), st.integers(0, 20))
def test_what_is_invisible_changes_no_reading(text: str, at: int) -> None:
    bent = text[:at] + "\u200b\u00ad" + text[at:]
    assume("&" not in text)
    assert PlainText.read(bent).text == PlainText.read(text).text


@given(st.text(st.characters(), max_size=60))
def test_folding_keeps_places_too(text: str) -> None:
    plain = folded(text)
    assert all(0 <= a < b <= len(text) for a, b in zip(plain.starts, plain.ends, strict=True))
    assert len(plain.text) == len(plain.starts)


SIZE = 20_000
SLOWEST_MS = 100.0  # about 20


@pytest.mark.parametrize(
    "hostile",
    [
        *("\u0301\u0316", "e\u0301", "\ufdfa", "\ufb03", "&amp;", "&#97;", "a\u200b"),
        *("one ", "one, ", "one-", "oneone", "1 2 3 one ", "double ", "one et ", "one\u200b "),
        *(
            "a.a.",
            "a-a-",
            "a ",
            "a  b ",
            " ",
            "at ",
            " at dot",
            "a dot com ",
            "a(at)",
            " @ ",
            "[.]",
        ),
        *("jane at acme dot com ", "Сосо ", "аc ", "сосо", "привет ", "<", "hxxp:"),  # noqa: RUF001
        *("one " * 50 + "x", "a " * 50 + "xx "),
    ],
)
def test_texts_made_to_take_long_do_not(hostile: str) -> None:
    source = (hostile * SIZE)[:SIZE]
    assert quiet_ms(lambda: PlainText.read(source), enough=SLOWEST_MS) <= SLOWEST_MS
    assert len(PlainText.read(source).text) <= 4 * len(source)


def test_plain_english_is_read_in_no_time() -> None:
    source = ("We are 20 people, and two more (in Oslo) look at it: one tool. " * 400)[:SIZE]
    assert PlainText.read(source).text == source
    assert quiet_ms(lambda: PlainText.read(source), enough=SLOWEST_MS / 4) <= SLOWEST_MS / 4
