"""What a house's own products are called stays in texts; nobody hides behind such a word."""

from __future__ import annotations

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.allow_list import MOST_PHRASES, OVERRULED, OVERRULED_AFTER, AllowList
from features.found_span import FoundSpan
from features.named_entities import SECOND_LOOK, NamedEntities
from features.redaction import Redactor
from features.redaction_policy import RedactionPolicy
from features.redaction_trace import Fate
from tests.features.cpu_cost import quiet_ms

OURS = AllowList(("Velora", "zellira  Pro", "Grant tier", "velora.io", "Dr. Velmers"))
BEFORE = "We moved off Velora last year. "


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("We moved off Velora last year.", "We moved off Velora last year."),
        ("we moved off VELORA, and Velora's support", "we moved off VELORA, and Velora's support"),
        ("Is it Velora or Zellira   Pro?", "Is it Velora or Zellira   Pro?"),
        ("We work at Velora.", "We work at Velora."),
        ("see velora.io, in Dr. Velmers boots", "see velora.io, in Dr. Velmers boots"),
        ("see https://velora.io/jane-smith", "see <URL_1>"),
        ("ask Mr. Velmers", "ask Mr. <PERSON_1>"),
        # Where it is said that somebody is called so, they go.
        ("Best regards\nVelora Miller", "Best regards\n<PERSON_1>"),
        ("Dear Mr. Velora, thank you", "Dear Mr. <PERSON_1>, thank you"),
        ("Hi, my name is Velora", "Hi, my name is <PERSON_1>"),
        ("mail velora@acme.com, or ask Velora", "mail <EMAIL_ADDRESS_1>, or ask <PERSON_1>"),
        ("I spoke to Grant yesterday.", "I spoke to <PERSON_1> yesterday."),
        ("Would Mr. Grant tier a visit?", "Would Mr. <PERSON_1> tier a visit?"),
        ("We spoke to Grant\n\ntier: gold", "We spoke to <PERSON_1>\n\ntier: gold"),
        (
            "Velora asked me to write.\nBest regards\nVelora",
            "<PERSON_1> asked me to write.\nBest regards\n<PERSON_1>",
        ),
        ("Call Velora's mobile. Best, Velora", "Call <PERSON_1>'s mobile. Best, <PERSON_1>"),
        ("Dear Velora, as Velora told us", "Dear <PERSON_1>, as <PERSON_1> told us"),
        ("Velora came. veloramiller@acme.com", "<PERSON_1> came. <EMAIL_ADDRESS_1>"),
    ],
)
def test_listed_words_stay_and_people_called_so_go(
    redactor: Redactor, text: str, left: str
) -> None:
    assert redactor.allowing(OURS).redact(text).text == left


def test_without_a_list_the_redactor_takes_what_only_the_house_can_know(
    redactor: Redactor,
) -> None:
    assert "Velora" not in redactor.redact(BEFORE).text
    assert "Velora" in redactor.allowing(OURS).redact(BEFORE).text
    assert "Velora" not in redactor.redact(BEFORE).text  # the other one is as it was
    assert "Velora" not in redactor.allowing(OURS).allowing(AllowList()).redact(BEFORE).text


@pytest.mark.parametrize(
    "contacts", [{"name": "Velora Smith"}, {"company": "Velora GmbH"}, {"email": "v@velora.com"}]
)
def test_the_leads_own_identity_goes_whatever_is_listed(
    redactor: Redactor, contacts: dict[str, str]
) -> None:
    assert "Velora" not in redactor.allowing(OURS).redact(BEFORE, contacts).text


def test_the_policy_that_a_decision_names_says_which_list_it_was(redactor: Redactor) -> None:
    shipped = RedactionPolicy.shipped().version
    same = AllowList(tuple(phrase.swapcase() for phrase in reversed(OURS.phrases)))
    assert redactor.policy_version == redactor.allowing(AllowList()).policy_version == shipped
    ours = redactor.allowing(OURS)
    assert ours.policy_version == redactor.allowing(same).policy_version
    assert ours.policy_version == ours.redact("hello").policy == f"{shipped}+{OURS.digest}"
    assert ours.policy_version != redactor.allowing(AllowList(("Velora",))).policy_version


def test_whoever_asks_is_told_that_the_list_has_it(redactor: Redactor) -> None:
    (place,) = redactor.allowing(OURS).trace(BEFORE).occurrences("Velora")
    assert not place.went
    assert {proposal.fate for proposal in place.proposals} == {Fate.LISTED}


def test_only_those_who_guess_are_overruled() -> None:
    assert {NamedEntities.__name__, SECOND_LOOK} < set(OVERRULED)
    for by in (*OVERRULED, *OVERRULED_AFTER, "LeadIdentity", "SignedNames"):
        span = FoundSpan(13, 19, "PERSON", 0.9, by, "1")
        guesses = by in {NamedEntities.__name__, SECOND_LOOK}
        assert OURS.allowed([span], BEFORE) == ({span} if guesses else set())
    assert not OURS.allowed([FoundSpan(13, 19, "EMAIL_ADDRESS", 0.9, SECOND_LOOK, "1")], BEFORE)
    assert not OURS.allowed([FoundSpan(13, 19, "PERSON", 1.0, SECOND_LOOK, "1")], BEFORE)
    assert not OURS.allowed([FoundSpan(13, 24, "PERSON", 0.9, SECOND_LOOK, "1")], BEFORE)


def test_whoever_is_overruled_is_shipped(redactor: Redactor) -> None:
    names = {recognizer.name for recognizer in redactor._shelf.recognizers} | {SECOND_LOOK}
    assert names >= {*OVERRULED, *OVERRULED_AFTER}


@pytest.mark.parametrize("name", ["Bo", "王伟", "Bo's"])
def test_the_shortest_names_go_too_where_somebody_signs_by_them(name: str) -> None:
    text = f"Ask {name} today. Best, Bo 王伟"
    guess = FoundSpan(4, 4 + len(name), "PERSON", 0.9, SECOND_LOOK, "1")
    signed = name.removesuffix("'s")
    at = text.rindex(signed)
    sign_off = FoundSpan(at, at + len(signed), "PERSON", 0.75, "SignedNames", "1")
    assert AllowList((name,)).allowed([guess], text) == {guess}
    assert not AllowList((name,)).allowed([guess, sign_off], text)


WORDS = ("Velora", "Grant", "tier", "Miller", "ask", "off", "Zellira", "Pro", "and", ".", "\n")
texts = st.lists(st.sampled_from(WORDS), max_size=14).map(" ".join)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=150)
@given(text=texts)
def test_nothing_stays_that_is_not_listed(redactor: Redactor, text: str) -> None:
    gone = {i for s in redactor.redact(text).spans for i in range(s.start, s.end)}
    still = {i for s in redactor.allowing(OURS).redact(text).spans for i in range(s.start, s.end)}
    listed = re.compile(r"\b(?:Velora|Zellira +Pro|Grant +tier)\b")
    may_stay = {i for match in listed.finditer(text) for i in range(*match.span())}
    assert still <= gone
    assert gone - still <= may_stay


@pytest.mark.parametrize(
    "phrase",
    ["", " ", "7", "jane@acme.com", "jo (at) acme dot com", "a", "\u3164\u3164", "y" * 101],
)
def test_what_is_no_name_of_anything_is_refused(phrase: str) -> None:
    with pytest.raises(ValueError, match=r"called|characters"):
        AllowList(("Velora", phrase))


@pytest.mark.parametrize("phrase", ["H&M", "G2", "C++", "[x]", "3M", "Velora\u00a0Pro", "Weiß"])
def test_what_products_are_called_is_listed(phrase: str) -> None:
    listed = AllowList((phrase,))
    text = f"off {phrase.replace(chr(0xA0), ' ')}."
    span = FoundSpan(4, len(text) - 1, "PERSON", 0.9, SECOND_LOOK, "1")
    assert listed.allowed([span], text) == {span}
    assert listed.digest != AllowList(("Weiss",)).digest


def test_a_list_without_end_is_refused() -> None:
    with pytest.raises(ValueError, match="at most 1,000"):
        AllowList(tuple(f"Velora {i}" for i in range(MOST_PHRASES + 1)))


WORDS = st.sampled_from(["Velora", "VELORA", "pro", "Pro", "plan", "C", "C++", "\u0130o", "io"])
PHRASES = st.lists(st.lists(WORDS, min_size=1, max_size=4).map(" ".join).filter(len), min_size=1)


@given(PHRASES, st.lists(st.one_of(WORDS, st.sampled_from(["x", " ", "  ", "."]))))
def test_phrases_are_read_by_word_as_they_are_one_by_one(
    phrases: list[str], pieces: list[str]
) -> None:
    listed = AllowList(tuple(f"a {phrase}" for phrase in phrases))
    longest_first = sorted({f"a {p}" for p in phrases}, key=len, reverse=True)
    one_by_one = "|".join(r"[^\S\r\n]{1,3}+".join(map(re.escape, p.split())) for p in longest_first)
    text = " a ".join(pieces)
    expected = [
        m.span() for m in re.finditer(rf"(?<!\w)(?:{one_by_one})(?!\w)", text, re.IGNORECASE)
    ]
    assert [m.span() for m in listed._pattern.finditer(text)] == expected


def test_a_full_list_costs_a_hostile_text_little() -> None:
    full = AllowList(tuple(f"Velora Pro plan number {i}" for i in range(MOST_PHRASES)))
    text = "Velora Pro plan number " * 800
    found = [FoundSpan(i, i + 6, "PERSON", 0.9, SECOND_LOOK, "1") for i in range(0, 18_000, 9)]
    assert quiet_ms(lambda: full.allowed(found, text), 60) <= 60
