"""Keys ahead: made when somebody is expected, so that whoever writes of them need not wait."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from features.fingerprint import SubjectKey
from service.errors import StorageUnavailable
from service.storage.keys_ahead import MOST_WAITING, KeysAhead
from service.storage.unit import Expected, Late


class Keys:
    """As StoredKeys: one for each tag, somebody new for none; and what was asked of it."""

    def __init__(self) -> None:
        self.asked: list[list[str | None]] = []
        self.is_down = False

    def __call__(self, tags: Sequence[str | None]) -> list[SubjectKey]:
        self.asked.append(list(tags))
        if self.is_down:
            raise StorageUnavailable("down")
        return [
            SubjectKey(tag or f"new {len(self.asked)} {n}", b"k" * 32) for n, tag in enumerate(tags)
        ]


@pytest.fixture
def stored() -> Keys:
    return Keys()


@pytest.fixture
def keys(stored: Keys) -> KeysAhead:
    return KeysAhead(stored)


def late(tag: str | None, expected: str | None = None, key: SubjectKey | None = None) -> Late:
    return Late([], tag, key, expected)


def subjects(keys: Sequence[SubjectKey]) -> list[str]:
    return [key.subject for key in keys]


def test_who_was_expected_is_not_asked_for_again(keys: KeysAhead, stored: Keys) -> None:
    keys.expect([Expected("1", "jane"), Expected("2", "joe"), Expected("3", None)])
    got = keys.of([late("joe", "2"), late(None, "3"), late("jane", "1")])
    assert subjects(got) == ["joe", "new 1 2", "jane"]
    assert stored.asked == [["jane", "joe", None]]


def test_who_was_not_expected_is_asked_for_beside_the_others(keys: KeysAhead, stored: Keys) -> None:
    keys.expect([Expected("1", "jane")])
    given = SubjectKey("given", b"g" * 32)
    got = keys.of([late("ann"), late("jane", "1"), late("x", "4", given), late(None), late("bob")])
    assert subjects(got) == ["ann", "jane", "given", "new 2 1", "bob"]
    assert stored.asked == [["jane"], ["ann", None, "bob"]]


def test_a_key_is_not_kept_once_it_was_told_of(keys: KeysAhead, stored: Keys) -> None:
    keys.expect([Expected("1", "jane"), Expected("2", "joe")])
    keys.of([late("jane", "1"), late("joe", "2", SubjectKey("given", b"g" * 32))])
    keys.of([late("jane", "1"), late("joe", "2")])  # it may be destroyed by now, so ask
    assert stored.asked[1:] == [["jane", "joe"]]


def test_where_it_cannot_be_made_ahead_it_is_made_when_needed(
    keys: KeysAhead, stored: Keys
) -> None:
    stored.is_down = True
    keys.expect([Expected("1", "jane")])
    with pytest.raises(StorageUnavailable):
        keys.of([late("jane", "1")])
    stored.is_down = False
    assert subjects(keys.of([late("jane", "1")])) == ["jane"]


def test_nothing_is_asked_for_nobody(keys: KeysAhead, stored: Keys) -> None:
    keys.expect([])
    assert keys.of([]) == []
    assert stored.asked == []


def test_those_of_whom_nobody_ever_tells_are_let_go(keys: KeysAhead, stored: Keys) -> None:
    for number in range(MOST_WAITING + 1):
        keys.expect([Expected(str(number), f"tag {number}")])
    keys.of([late("tag 0", "0"), late("tag 1", "1")])
    assert stored.asked[-1] == ["tag 0"]
