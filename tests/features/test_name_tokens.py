from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.name_tokens import SEEN, TOKEN, Features, Lexicon, shape

LEXICON = Lexicon(
    {"jump": "nv", "bake": "v", "mark": "nv"},
    frozenset({"jane", "mark"}),
    frozenset({"smith"}),
    frozenset({"veloxa"}),
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("I'm J. Smith, it's 5.", ["I", "'m", "J.", "Smith", ",", "it", "'s", "5", "."]),
        ("Best,\n\nJane", ["Best", ",", "\n\n", "Jane"]),
        ("mail a.b@c.de or", ["mail", "a.b@c.de", "or"]),
        ("O'Neil-Lee", ["O", "'", "Neil", "-", "Lee"]),
    ],
)
def test_words_are_told_apart(text: str, words: list[str]) -> None:
    assert TOKEN.findall(text) == words


@given(st.text(max_size=80))
def test_every_letter_is_in_one_word(text: str) -> None:
    assert "".join("".join(TOKEN.findall(text)).split()) == "".join(text.split())


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("jump", "nv"), ("jumping", "+nv"), ("baking", "+v"), ("jane", "G"), ("mark", "nvG"),
        ("smith", "F"), ("velora", ""), ("veloxa", "B"),
    ],
)  # fmt: skip
def test_the_lexicon_says_what_a_word_is(word: str, kind: str) -> None:
    assert LEXICON.kind(word) == kind


@pytest.mark.parametrize(
    ("word", "shaped"),
    [
        ("jane", "xxxx"), ("Jo", "Xx"), ("IBM", "XXX"), ("Straße7", "Xxxxxd"), ("é", "x"),
        ("12345", "dddd"), ("iPhone", "xXxxxx"), ("a-b", "x-x"),
    ],
)  # fmt: skip
def test_a_shape_has_no_more_than_four_of_a_kind_in_a_row(word: str, shaped: str) -> None:
    assert shape(word) == shaped


def test_the_same_word_is_seen_alike_and_only_ordinary_ones_are_kept() -> None:
    features = Features(LEXICON)
    first, again = features.of(["jump", "Velora", "Jane", "jump"]), features.of(["jump"])
    assert first.shape == (4, len(SEEN))
    assert (first[0] == first[3]).all()
    assert (first[0] == again[0]).all()
    assert set(features._kept) == {"jump"}


def test_no_words_are_no_rows() -> None:
    assert Features(LEXICON).of([]).shape == (0, len(SEEN))
