"""All cues together are found where each by itself is, and nowhere else."""

from __future__ import annotations

import re

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from features.cues import SIGNS, Cue, Cues
from features.introduced_names import GREETED, INTRODUCED
from features.recognizers import Patterns
from pipelines.redaction.held_out_corpus import held_out_corpus
from pipelines.redaction.held_out_messages import HeldOut
from tests.features.recognized import recognizers

CUED = {r.name: r for r in recognizers() if isinstance(r, Patterns) and r.cue}
CUES = Cues([r.cue for r in CUED.values() if r.cue])
WRITTEN = [st.from_regex(re.compile(r._set.after, re.VERBOSE)) for r in CUED.values()]
BETWEEN = st.sampled_from([" ", "", "\n", ". ", "-", "'", "> ", ' \t"', "é", "ß", "7", "_", "İ"])
TEXTS = st.lists(st.one_of(*WRITTEN, BETWEEN, st.text(max_size=4)), max_size=8).map("".join)


def one_by_one(text: str) -> dict[Cue, list[int]]:
    ends = {r.cue: r.cue.ends(text) for r in CUED.values() if r.cue}
    return {cue: where for cue, where in ends.items() if where}


@given(TEXTS)
@example("Hi, my name is Jane. My full name's Jane; i am Jane and i'm here.")
@example("İ: my name is Jane")
@example("dear sir. \t> dear madam")
@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
def test_they_are_found_as_each_by_itself_is(text: str) -> None:
    assert CUES.ends(text) == one_by_one(text)
    assert Cues(list(one_by_one(text))).ends(text.upper()) == {
        cue: ends for cue, ends in one_by_one(text.upper()).items() if cue in one_by_one(text)
    }


@pytest.mark.parametrize("name", CUED)
@given(data=st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_writing_of_a_cue_is_found(name: str, data: st.DataObject) -> None:
    pattern = re.compile(CUED[name]._set.after, re.VERBOSE)
    text = f"x {data.draw(st.from_regex(pattern))} 1"
    assert CUES.ends(text) == one_by_one(text)


def test_they_are_found_in_lead_messages_as_each_by_itself_is() -> None:
    pytest.importorskip("faker", reason="the extra `bench` is not installed")
    texts = [message.example.text for message in held_out_corpus(HeldOut.LEADS, 7, 1)]
    assert [text for text in texts if CUES.ends(text) != one_by_one(text)] == []


def test_what_is_kept_of_a_text_is_three_signs_of_each_word() -> None:
    cues = Cues([Cue(INTRODUCED)])
    cues.ends("my name is Quillfeather")
    assert set(cues._begun) == {"my ", "nam", "is ", "qui"}
    assert all(len(beginning) <= SIGNS for beginning in cues._begun)


def test_a_beginning_that_cannot_be_kept_is_looked_up_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Cues, "MOST_KEPT", 1)
    cues = Cues([Cue(r"\broom\b"), Cue(r"\bhall\b")])
    for _ in range(2):
        assert sorted(ends for (ends,) in cues.ends("room 7, hall 8").values()) == [4, 12]


@pytest.mark.parametrize(
    ("before", "is_greeting"),
    [("", True), ("Note: ", True), ("\n> ", True), ("well. ", True), ("\n\t\t\t\t", True),
     ("oh ", False), ("\n     ", False), ("(", False)],
)  # fmt: skip
def test_a_greeting_begins_a_line_or_a_sentence(before: str, is_greeting: bool) -> None:
    text = f"{before}hello"
    assert Cue(GREETED.after).ends(text) == ([len(text)] if is_greeting else [])
