from __future__ import annotations

import pytest

from features.subject import subject_of


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
