from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.fingerprint import SubjectKey, fingerprint

KEY, OTHER = SubjectKey("a", b"k" * 32), SubjectKey("b", b"o" * 32)


@pytest.mark.parametrize(
    ("one", "same"),
    [
        ("Jane Smith", "JANE  smith"),
        ("+49 30 5550123", "+49-30-555 01 23"),
        ("José", "jose"),
    ],
)
def test_every_writing_of_a_value_has_the_same_mark(one: str, same: str) -> None:
    assert fingerprint(KEY, "PERSON", one) == fingerprint(KEY, "PERSON", same)


@given(st.text(), st.text())
def test_other_keys_types_and_values_have_other_marks(value: str, other: str) -> None:
    mark = fingerprint(KEY, "PERSON", value)
    assert len(bytes.fromhex(mark)) == 16
    assert mark != fingerprint(OTHER, "PERSON", value)
    assert mark != fingerprint(KEY, "URL", value)
    if mark == fingerprint(KEY, "PERSON", other):
        assert value == other or any(c.isalnum() for c in value)


def test_a_key_is_long_enough_and_never_shown() -> None:
    assert "kkk" not in repr(KEY)
    assert SubjectKey.passing().secret != SubjectKey.passing().secret
    with pytest.raises(ValueError, match="32 bytes"):
        SubjectKey("a", b"short")
