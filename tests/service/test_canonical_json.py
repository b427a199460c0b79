"""Canonical JSON is RFC 8785, byte for byte what the library that implements all of it writes."""

from __future__ import annotations

import struct
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from service.ledger.canonical_json import canonical
from service.recording.entry import Kind

numbers = (
    st.floats(allow_nan=False, allow_infinity=False)
    | st.floats(1e-7, 1e-4)
    | st.floats(1e14, 1e22)
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.integers(2**53 - 3, 2**53 - 1)
    | st.sampled_from([0.0, -0.0, 1e-5, 1e-6, 1e-7, 1e15, 1e16, 1e21, 1e20, 5e-324, 0.1])
)
texts = st.text(st.characters(exclude_categories=["Cs"])) | st.text('\x00\x1f\x7f\u2028"\\/€😀')
leaves = st.none() | st.booleans() | numbers | texts
trees = st.recursive(
    leaves, lambda inner: st.lists(inner) | st.dictionaries(texts, inner), max_leaves=20
)


@given(trees)
def test_any_tree_is_written_as_the_library_writes_it(tree: Any) -> None:
    assert canonical(tree) == rfc8785.dumps(tree)


def test_kinds_are_written_as_their_names() -> None:
    assert canonical({"kind": Kind.DECISION}) == b'{"kind":"decision"}'


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 2**53, -(2**53), "\ud800"])
def test_what_json_cannot_say_exactly_is_refused(value: object) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 the library's own kinds of it
        canonical({"x": value})


@pytest.mark.parametrize(
    ("bits", "written"),
    [
        ("0000000000000000", "0"),
        ("8000000000000000", "0"),
        ("0000000000000001", "5e-324"),
        ("7fefffffffffffff", "1.7976931348623157e+308"),
        ("4340000000000000", "9007199254740992"),
        ("4430000000000000", "295147905179352830000"),
        ("44b52d02c7e14af5", "9.999999999999997e+22"),
        ("44b52d02c7e14af6", "1e+23"),
        ("444b1ae4d6e2ef4e", "999999999999999700000"),
        ("444b1ae4d6e2ef50", "1e+21"),
        ("3eb0c6f7a0b5ed8c", "9.999999999999997e-7"),
        ("3eb0c6f7a0b5ed8d", "0.000001"),
        ("41b3de4355555555", "333333333.3333333"),
        ("becbf647612f3696", "-0.0000033333333333333333"),
    ],
)
def test_numbers_are_written_as_in_the_rfcs_appendix_b(bits: str, written: str) -> None:
    (value,) = struct.unpack(">d", bytes.fromhex(bits))
    assert canonical(value) == written.encode()


def test_keys_are_sorted_as_in_the_rfcs_section_3_2_3() -> None:
    tree = {"€": 1, "\r": 2, "\ufb33": 3, "1": 4, "😀": 5, "\x80": 6, "ö": 7}
    expected = '{"\\r":2,"1":4,"\x80":6,"ö":7,"€":1,"😀":5,"\ufb33":3}'
    assert canonical(tree) == expected.encode()
