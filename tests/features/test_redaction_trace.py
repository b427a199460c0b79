from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from features.redaction import Redactor
from features.redaction_policy import RedactionPolicy
from features.redaction_trace import Fate
from tests.features.test_redaction import Fixed
from tests.features.test_redaction_policy import POLICY

TEXT = "Jane Smith of Rome, call x"


def redactor(*spans: tuple[str, int, int, float]) -> Redactor:
    return Redactor(RedactionPolicy.parse(POLICY), [Fixed(*spans)])


def test_a_trace_says_what_became_of_each_span() -> None:
    trace = redactor(
        ("PERSON", 0, 10, 0.9),
        ("PHONE_NUMBER", 5, 10, 0.9),
        ("LOCATION", 14, 18, 0.9),
        ("PERSON", 20, 24, 0.3),
    ).trace(TEXT)
    assert [(p.start, p.end, p.fate) for p in trace.proposals] == [
        (0, 10, Fate.TAKEN_OUT),
        (5, 10, Fate.LOST),
        (14, 18, Fate.ALLOWED),
        (20, 24, Fate.BELOW),
    ]
    assert trace.proposals[3].threshold == 0.5
    assert "Jane" not in repr(trace)


def test_a_value_that_stayed_is_explained() -> None:
    trace = redactor(("LOCATION", 14, 18, 0.9), ("PERSON", 0, 4, 0.9)).trace(TEXT)
    (rome,) = trace.occurrences("ROME")
    assert (rome.went, [p.fate for p in rome.proposals]) == (False, [Fate.ALLOWED])
    (call,) = trace.occurrences("call")
    assert (call.went, call.proposals) == (False, ())
    (jane,) = trace.occurrences("jane")
    assert jane.went
    (both,) = trace.occurrences("Jane Smith")
    assert not both.went
    assert list(trace.occurrences("nobody")) == []
    assert list(trace.occurrences(" ")) == []


def test_offsets_of_a_trace_are_those_of_the_original() -> None:
    text = "\u200bJa\u200bne, J&#97;ne"
    trace = redactor(("PERSON", 0, 4, 0.9)).trace(text)
    first, second = trace.occurrences("Jane")
    assert text[first.start : first.end] == "Ja\u200bne"
    assert (first.went, second.went) == (True, False)
    assert text[second.start : second.end] == "J&#97;ne"


@given(st.text(max_size=40), st.text(min_size=1, max_size=5))
def test_a_trace_can_be_asked_for_anything(text: str, value: str) -> None:
    for place in redactor().trace(text).occurrences(value):
        assert 0 <= place.start < place.end <= len(text)
