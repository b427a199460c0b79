"""Rows to judge: what goes is marked with its type; what only looks like it stays."""

from __future__ import annotations

import pytest

from tests.features.recognized import marked, unmarked

GOES = [
    "date of birth: [DATE_OF_BIRTH 12 March 1984]",
    "geboren am [DATE_OF_BIRTH 03.04.1979]",
    "DOB [DATE_OF_BIRTH 03/12/80]",
    "born [DATE_OF_BIRTH 12 March 1980]",
    "*[DATE_OF_BIRTH 12.03.1980] in Ulm",
    "née le [DATE_OF_BIRTH 5 mai 1990]",
    "nacido el [DATE_OF_BIRTH 3 de mayo de 1985]",
    "nata a Roma il [DATE_OF_BIRTH 3/5/1985]",
    "nascido em [DATE_OF_BIRTH 12/03/1980]",
    "my birthday is [DATE_OF_BIRTH March 3]",
    "born in Ulm on [DATE_OF_BIRTH 12.03.1980]",
    "DOB: [DATE_OF_BIRTH 1980-03-12]",
    "DOB | [DATE_OF_BIRTH 12/03/1980]",
    "my DOB's [DATE_OF_BIRTH 12/3/80]",
    "date of birth (dd/mm/yyyy): [DATE_OF_BIRTH 12/03/1980]",
    "[DATE_OF_BIRTH 12.03.1980] geboren",
    "[DATE_OF_BIRTH 12 March 1980] (DOB)",
]
STAYS = [
    "born ready",
    "founded 12 March 1980",
    "on 12 March 2024 we start",
    "*12 stars",
    "born (again) 12 March 2024",
]


@pytest.mark.parametrize("row", GOES)
def test_birth_dates_go(row: str) -> None:
    assert marked(unmarked(row)) == row


@pytest.mark.parametrize("text", STAYS)
def test_what_only_looks_like_birth_dates_stays(text: str) -> None:
    assert marked(text) == text
