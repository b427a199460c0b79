from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.plain_text import PlainText, folded


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
        ("AT&T & co; R&D", "AT&T & co; R&D"),
    ],
)
def test_disguises_come_off(source: str, plain: str) -> None:
    assert PlainText.read(source).text == plain


def test_a_span_points_to_all_of_the_source_that_it_was_read_from() -> None:
    source = "hi ja\u200bne&#64;acme"
    plain = PlainText.read(source)
    start = plain.text.index("jane@")
    a, b = plain.source_span(start, start + 5)
    assert source[a:b] == "ja\u200bne&#64;"


@given(st.text(st.characters(), max_size=60))
def test_every_character_knows_its_place_in_order(source: str) -> None:
    plain = PlainText.read(source)
    assert len(plain.text) == len(plain.starts) == len(plain.ends)
    assert list(plain.starts) == sorted(plain.starts)
    assert all(0 <= a < b <= len(source) for a, b in zip(plain.starts, plain.ends, strict=True))


@given(st.text(st.characters(), max_size=60))
def test_folding_keeps_places_too(text: str) -> None:
    plain = folded(text)
    assert all(0 <= a < b <= len(text) for a, b in zip(plain.starts, plain.ends, strict=True))
    assert len(plain.text) == len(plain.starts)


@pytest.mark.parametrize("hostile", ["\u0301\u0316" * 10_000, "\ufdfa" * 20_000, "&amp;" * 4_000])
def test_texts_made_to_grow_do_not(hostile: str) -> None:
    start = time.thread_time()
    plain = PlainText.read(hostile)
    assert len(plain.text) <= 2 * len(hostile)
    assert time.thread_time() - start < 1
