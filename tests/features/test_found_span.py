from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from features.found_span import FoundSpan, disjoint
from tests.features.cpu_cost import quiet_ms


def span(start: int, end: int, kind: str = "PERSON", score: float = 0.9) -> FoundSpan:
    return FoundSpan(start, end, kind, score, "Test", "1")


def shown(found: list[FoundSpan], text: str = "a" * 100) -> list[tuple[int, int, str]]:
    return [(s.start, s.end, s.entity_type) for s in disjoint(found, text)]


def test_the_longer_span_keeps_its_extent_and_the_rest_of_the_other_goes_as_what_it_is() -> None:
    assert shown([span(0, 10), span(6, 20, "URL")]) == [(0, 6, "PERSON"), (6, 20, "URL")]


def test_a_contained_span_goes_with_the_longer_one() -> None:
    assert shown([span(0, 10), span(2, 5, "URL")]) == [(0, 10, "PERSON")]


def test_an_unlikely_span_does_not_name_a_likely_one() -> None:
    assert shown([span(0, 30, "URL", 0.2), span(10, 20)]) == [
        (0, 10, "URL"),
        (10, 20, "PERSON"),
        (20, 30, "URL"),
    ]


def test_a_rest_that_tells_nothing_goes_with_its_neighbour() -> None:
    text = "Jane Smith, jane@acme.com"
    assert shown([span(0, 12), span(10, 25, "EMAIL_ADDRESS")], text) == [
        (0, 10, "PERSON"),
        (10, 25, "EMAIL_ADDRESS"),
    ]
    assert shown([span(0, 10), span(12, 25, "EMAIL_ADDRESS"), span(8, 13, "URL")], text) == [
        (0, 12, "PERSON"),
        (12, 25, "EMAIL_ADDRESS"),
    ]


def test_spans_of_one_type_that_touch_are_one_and_of_two_types_are_two() -> None:
    assert shown([span(0, 2), span(2, 4), span(4, 6, "URL")]) == [(0, 4, "PERSON"), (4, 6, "URL")]


@given(
    st.text("ab .", min_size=30, max_size=30),
    st.lists(
        st.builds(
            lambda a, size, kind, score: span(a, min(30, a + size), kind, score),
            st.integers(0, 29),
            st.integers(1, 12),
            st.sampled_from(["PERSON", "URL", "PHONE_NUMBER"]),
            st.floats(0, 1),
        ),
        max_size=12,
    ),
)
def test_disjoint_spans_cover_what_was_found_and_nothing_else(
    text: str, found: list[FoundSpan]
) -> None:
    spans = disjoint(found, text)
    assert all(a.end <= b.start for a, b in pairwise(spans))
    assert all(s.start < s.end for s in spans)
    covered = {i for s in spans for i in range(s.start, s.end)}
    assert covered == {i for s in found for i in range(s.start, s.end)}


def test_thousands_of_spans_are_settled_in_little_time() -> None:
    found = [span(i * 3, i * 3 + 5, "URL" if i % 2 else "PERSON") for i in range(6_000)]
    assert quiet_ms(lambda: disjoint(found, "a" * 20_000), enough=200) < 1_000  # about 40


def test_of_several_alike_the_first_found_names_its_recognizer_each_time() -> None:
    alike = [span(0, 5)._replace(recognizer=f"R{i}") for i in range(20)]
    assert [s.recognizer for s in disjoint(alike, "a" * 9)] == ["R0"]
    assert [s.recognizer for s in disjoint(alike[::-1], "a" * 9)] == ["R19"]
