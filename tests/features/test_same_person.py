from __future__ import annotations

import pytest

from features.same_person import numbered


@pytest.mark.parametrize(
    ("names", "numbers"),
    [
        (["Jane Smith", "JANE  SMITH", "Smith, Jane"], [1, 1, 1]),
        (["Jane Smith", "Jane", "Ms. Smith", "J. Smith"], [1, 1, 1, 1]),
        (["Jane", "Jane Smith", "Smith"], [1, 1, 1]),
        (["José Müller", "jose muller"], [1, 1]),
        (["Jane Smith", "Jane Doe", "John Smith"], [1, 2, 3]),
        (["J. Smith", "B. Smith"], [1, 2]),
        (["J", "Jane"], [1, 2]),
        (["Dr.", "Jane"], [1, 2]),
    ],
)
def test_one_person_has_one_number(names: list[str], numbers: list[int]) -> None:
    given = numbered(("PERSON", name) for name in names)
    assert [given["PERSON", name] for name in names] == numbers


def test_each_type_is_numbered_on_its_own_and_values_that_differ_differ() -> None:
    values = [("URL", "a.com"), ("PERSON", "Jane"), ("URL", "b.com"), ("URL", "A.com")]
    assert list(numbered(values).values()) == [1, 1, 2, 1]
