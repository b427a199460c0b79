"""All recognizers together, with the model; and what each must be to be put in an audit event."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from features.cues import Cue
from features.patterns import PatternSet
from features.recognizers import VERSION, Patterns
from features.redaction import Redactor
from tests.features.recognized import found, marked, policy, recognizers

ENTITIES = frozenset(
    """
    PERSON EMAIL_ADDRESS PHONE_NUMBER STREET_ADDRESS ORGANIZATION URL SOCIAL_HANDLE IP_ADDRESS
    CREDIT_CARD IBAN_CODE US_SSN NATIONAL_ID IDENTITY_DOCUMENT DATE_OF_BIRTH ACCOUNT_NUMBER
    CREDENTIAL UNREADABLE
    """.split()  # noqa: SIM905  # to be read
)


def test_recognizers_have_names_of_their_own_and_a_version() -> None:
    names = [r.name for r in recognizers()]

    assert len(set(names)) == len(names)
    assert {r.version for r in recognizers()} == {VERSION}


def test_recognizers_find_what_the_policy_knows() -> None:
    kinds = {kind for r in recognizers() for kind in r.supported_entities}

    assert kinds == ENTITIES
    assert all(policy().takes_out(kind, 1.0) for kind in kinds)


def test_a_pattern_after_a_word_is_tried_there_alone() -> None:
    rooms = PatternSet("X", "Rooms", 0.9, (r"[ ](?P<pii>\d+)",), after=r"\broom\b")

    assert list(Patterns(rooms).find("Room 7, hall 8, ROOM 9")) == [(5, 6, 0.9), (21, 22, 0.9)]


def test_words_are_found_where_lower_case_has_more_letters() -> None:
    assert Cue(r"\broom\b").ends("\u0130\u0130 Room 7") == [7]


def test_what_a_person_says_of_themselves_goes_together(redactor: Redactor) -> None:
    text = "Hi, my name is Jane Smith, jane@acme.com, +49 30 901820, card 4111 1111 1111 1111."

    assert redactor.redact(text).text == (
        "Hi, my name is <PERSON_1>, <EMAIL_ADDRESS_1>, <PHONE_NUMBER_1>, card <CREDIT_CARD_1>."
    )


@settings(deadline=None, max_examples=200)
@given(st.text(max_size=300))
def test_every_span_lies_within_the_text(text: str) -> None:
    assert all(0 <= s.start < s.end <= len(text) for s in found(text))
    assert len(marked(text)) >= len(text)
