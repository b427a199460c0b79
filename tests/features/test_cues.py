"""All cues together are found where each by itself is, and nowhere else."""

from __future__ import annotations

import re
from collections.abc import Mapping

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


def one_by_one(text: str) -> Mapping[Cue, list[int]]:
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


@given(st.sampled_from(sorted(CUED)), st.characters(codec="utf-8"), st.data())
@example("GreetedNames", "\u0300", None)
@example("SignedNames", "\u203f", None)
@example("KeywordedNumbers", "\u0903", None)
@settings(max_examples=600, deadline=None, suppress_health_check=list(HealthCheck))
def test_whatever_sign_ends_a_cue_it_is_found(
    name: str, sign: str, data: st.DataObject | None
) -> None:
    """What is a letter to one library of patterns may end a word to the other."""
    short = {"GreetedNames": "hi", "SignedNames": "br", "KeywordedNumbers": "po"}
    pattern = re.compile(CUED[name]._set.after, re.VERBOSE)
    cue = data.draw(st.from_regex(pattern)) if data else short[name]
    assert CUES.ends(f"{cue}{sign} Jane") == one_by_one(f"{cue}{sign} Jane")


def test_words_that_begin_no_cue_leave_nothing_behind_and_others_three_signs() -> None:
    cues = Cues([Cue(INTRODUCED)])
    cues.ends("my name is \u5f20\u4f1f\u6770, Quillfeather 0171")
    assert [cues._begun.cache_info().currsize, SIGNS] == [3, 3]  # my, name, is
    cues.ends(" ".join(map(chr, range(0x4E00, 0x5200))))
    assert cues._begun.cache_info().currsize == 3


def test_a_flood_of_beginnings_is_forgotten_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Cues, "MOST_KEPT", 1)
    cues = Cues([Cue(r"\broom\b"), Cue(r"\bhall\b")])
    for _ in range(2):
        assert sorted(ends for (ends,) in cues.ends("room 7, hall 8").values()) == [4, 12]
    assert cues._begun.cache_info().currsize == 1


@pytest.mark.parametrize("artifacts", [None, [], object()], ids=["none", "empty", "Presidio's"])
@pytest.mark.parametrize("name", ["KeywordedNumbers", "LongNumbers"])
def test_what_presidio_hands_over_changes_nothing(name: str, artifacts: object) -> None:
    (recognizer,) = (r for r in recognizers() if r.name == name)
    found = recognizer.analyze("order no. 123456789", ["ACCOUNT_NUMBER"], artifacts)
    assert [r.end for r in found] == [19]


@pytest.mark.parametrize(
    ("before", "is_greeting"),
    [("", True), ("Note: ", True), ("\n> ", True), ("well. ", True), ("\n\t\t\t\t", True),
     ("oh ", False), ("\n     ", False), ("(", False)],
)  # fmt: skip
def test_a_greeting_begins_a_line_or_a_sentence(before: str, is_greeting: bool) -> None:
    text = f"{before}hello"
    assert Cue(GREETED.after).ends(text) == ([len(text)] if is_greeting else [])
