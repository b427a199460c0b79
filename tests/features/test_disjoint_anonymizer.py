"""Ours writes what Presidio's anonymizer writes, and refuses what it was not made for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from presidio_anonymizer import AnonymizerEngine, OperatorConfig
from presidio_anonymizer.entities import RecognizerResult

from features.disjoint_anonymizer import DisjointAnonymizer
from features.operators import Masked

OPERATORS = {
    "PERSON": OperatorConfig("replace", {"new_value": "<P>"}),
    "URL": OperatorConfig(Masked.NAME, {"keep_last": 2}),
}


def engine(kind: type[AnonymizerEngine]) -> AnonymizerEngine:
    made = kind()
    made.add_anonymizer(Masked)
    return made


@given(st.text(max_size=40), st.data())
def test_it_writes_what_presidio_writes(text: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.sets(st.integers(0, len(text)), max_size=8)))
    kinds = st.sampled_from(sorted(OPERATORS))
    spans = [
        RecognizerResult(data.draw(kinds), start, end, 0.9)
        for start, end in zip(cuts[::2], cuts[1::2], strict=False)
    ]
    ours = engine(DisjointAnonymizer).anonymize(text, spans, OPERATORS)
    theirs = engine(AnonymizerEngine).anonymize(
        text, spans, OPERATORS, merge_entities_with_spaces=False
    )
    assert ours.text == theirs.text
    assert [(i.start, i.end, i.entity_type, i.text, i.operator) for i in ours.items] == sorted(
        (i.start, i.end, i.entity_type, i.text, i.operator) for i in theirs.items
    )


def test_spans_that_overlap_are_refused() -> None:
    spans = [RecognizerResult("PERSON", 0, 4, 0.9), RecognizerResult("PERSON", 2, 6, 0.9)]
    with pytest.raises(ValueError, match="overlap"):
        DisjointAnonymizer().anonymize("Jane Smith", spans, OPERATORS)


def test_a_type_without_an_operator_is_an_error() -> None:
    with pytest.raises(KeyError):
        DisjointAnonymizer().anonymize("Rome", [RecognizerResult("CITY", 0, 4, 0.9)], OPERATORS)
