from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.name_tags import FITS, LABELS, OUTSIDE, TAGS, logs, spans, tag_of


def scores(*tags: str, doubt: float = 0.0) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """Sure of these tags; the doubt is that each word is in no name."""
    made = np.full((len(tags), len(TAGS)), -20.0, dtype=np.float32)
    made[:, OUTSIDE] = -20.0 + 20 * doubt
    made[np.arange(len(tags)), [TAGS.index(tag) for tag in tags]] = 0.0
    return made


@pytest.mark.parametrize(
    ("tags", "found"),
    [
        ((), []),
        (("O", "O"), []),
        (("U-PERSON", "U-PERSON"), [(0, 1, "PERSON"), (1, 2, "PERSON")]),
        (("B-PERSON", "I-PERSON", "L-PERSON", "O"), [(0, 3, "PERSON")]),
        (("O", "B-MISC", "L-MISC", "U-NRP"), [(1, 3, "MISC"), (3, 4, "NRP")]),
    ],
)
def test_tags_that_fit_together_are_names(
    tags: tuple[str, ...], found: list[tuple[int, int, str]]
) -> None:
    assert list(spans(scores(*tags))) == found


def test_a_name_that_never_ends_is_read_as_the_likeliest_that_does() -> None:
    unsure = scores("B-PERSON", "O")
    unsure[1, tag_of("L", "PERSON")] = -1.0
    assert list(spans(unsure)) == [(0, 2, "PERSON")]


@given(st.lists(st.lists(st.floats(-9, 9, width=32), min_size=29, max_size=29), max_size=12))
@settings(max_examples=200, deadline=None)
def test_names_are_in_order_and_never_overlap(rows: list[list[float]]) -> None:
    found = list(spans(np.array(rows, dtype=np.float32).reshape(len(rows), len(TAGS))))
    assert all(0 <= start < end <= len(rows) and label in LABELS for start, end, label in found)
    assert all(a[1] <= b[0] for a, b in pairwise(found))


def test_every_name_begins_and_ends() -> None:
    parts = {(TAGS[a][0], TAGS[b][0]) for a, b in FITS}
    assert parts == {*map(tuple, "OO OB OU LO LB LU UO UB UU BI BL II IL".split())}  # noqa: SIM905


def test_probabilities_of_a_word_add_up_to_one() -> None:
    drawn = np.random.default_rng(1).normal(size=(5, len(TAGS))).astype(np.float32)
    np.testing.assert_allclose(np.exp(logs(drawn)).sum(axis=1), 1, rtol=1e-5)
