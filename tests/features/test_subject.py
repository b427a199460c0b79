from __future__ import annotations

import pytest

from features.subject import subject_of, subjects_of
from tests.features.cpu_cost import quiet_ms

MOST_MS = 500  # on a quiet machine it takes 30


@pytest.mark.parametrize(
    ("contacts", "subject"),
    [
        ({"name": "Jane", "email": " Jane@ACME.com "}, "jane@acme.com"),
        ({"handle": "@janes", "email": "Jane Smith <jane@acme.com>"}, "jane@acme.com"),
        ({"email": "mailto:jane@acme.com"}, "jane@acme.com"),
        ({"email": "jane@acme.com; j@acme.com"}, "jane@acme.com"),
        ({"handle": "@janes", "phone": "030 5550123"}, "0305550123"),
        ({"phone": "+49 (30) 555-0123", "name": "Jane"}, "4930" + "5550123"),
        ({"house": "12", "name": "José Müller"}, "12 jose muller"),
        ({"b": "x", "a": "y"}, "x y"),
        ({"name": " "}, None),
        ({}, None),
    ],
)
def test_the_same_person_is_the_same_subject(contacts: dict[str, str], subject: str | None) -> None:
    assert subject_of(contacts) == subject


@pytest.mark.parametrize("fragment", ["a", "a.", "a@", "@", "&#", "a@b."])
def test_a_long_value_is_looked_through_in_time_linear_in_it(fragment: str) -> None:
    value = fragment * (60_000 // len(fragment))
    assert quiet_ms(lambda: subjects_of({"email": value}), enough=MOST_MS / 2) < MOST_MS
