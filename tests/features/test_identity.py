from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.identity import LeadIdentity

LEAD = {
    "Full Name": "Jürgen van der Straßen-Müller",
    "Email": "jvdsm.1979@kornblume-ag.de",
    "Phone": "+49 (0)170 2345678",
    "Company": "Kornblume Mühlen AG",
    "Street": "Am Alten Hof 7, 10115 Berlin",
}


def masked(text: str, contacts: dict[str, str] | list[str]) -> str:
    covered = [i for r in LeadIdentity(contacts).analyze(text, []) for i in range(r.start, r.end)]
    return re.sub("#+", "#", "".join("#" if i in covered else c for i, c in enumerate(text)))


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("I am Jürgen van der Straßen-Müller.", "I am #."),
        ("I am JURGEN VAN DER STRASSEN MUELLER.", "I am #."),
        ("hi, juergen here", "hi, # here"),
        ("Straßen-Müller, or Müller", "#, or #"),
        ("Müllers Angebot, Mueller's offer", "# Angebot, #'s offer"),
        ("ju\u0308rgen", "#"),
        ("JVDSM.1979@Kornblume-AG.de", "#"),
        ("user jvdsm 1979", "user #"),
        ("see kornblume-ag.de/team", "see #/team"),
        ("at Kornblume we mill", "at # we mill"),
        ("at kornblume muhlen we mill", "at # we mill"),
        ("0170/2345678", "#"),
        ("0049 170 23 45 678 or 12 seats", "# or 12 seats"),
        ("send to am alten hof 7", "send to #"),
        ("in 10115 berlin", "in #"),
    ],
)
def test_a_leads_own_values_are_found_however_they_are_written(text: str, left: str) -> None:
    assert masked(text, LEAD) == left


@pytest.mark.parametrize(
    "text",
    ["Mark the date: we will grow.", "Will you call?", "a frank word", "Price per seat?", "smithy"],
)
def test_names_that_are_ordinary_words_stay_words(text: str) -> None:
    assert masked(text, ["Mark Price", "Will Frank", "Jo Smith"]) == text


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Thanks, Will", "Thanks, #"),
        ("I, Mark, decide", "I, #, decide"),
        ("will smith", "#"),
        ("Cheers\nMark\n", "Cheers\n#\n"),
    ],
)
def test_names_that_are_ordinary_words_go_where_they_are_names(text: str, left: str) -> None:
    assert masked(text, ["Mark Price", "Will Smith"]) == left


def test_a_free_mail_provider_is_not_the_leads_company() -> None:
    assert masked("is gmail supported", {"email": "xaver.q@gmail.com"}) == "is gmail supported"


def test_names_in_scripts_without_spaces_are_found_inside_a_run() -> None:
    assert masked("我是山田太郎的同事", ["山田太郎"]) == "我是#的同事"
    assert masked("你好我叫王伟", ["王伟"]) == "你好我叫#"
    assert masked("김민준입니다", ["김민준"]) == "#입니다"


def test_numbers_in_a_mailbox_are_no_names() -> None:
    assert masked("founded in 1979", LEAD) == "founded in 1979"


def test_contacts_that_say_nothing_find_nothing() -> None:
    assert masked("no, n/a or -", {"a": "", "b": "-", "c": "no", "d": "@", "e": "\u200b"}) == (
        "no, n/a or -"
    )


letters = st.characters(categories=["Lu", "Ll"], max_codepoint=0x24F)
letters = letters.filter(lambda c: unicodedata.normalize("NFKC", c).isalpha())
names = st.text(letters, min_size=5, max_size=12).map(lambda n: unicodedata.normalize("NFC", n))


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(first=names, last=names, before=st.text(max_size=20), case=st.sampled_from("ulst"))
def test_no_full_name_survives_any_case(first: str, last: str, before: str, case: str) -> None:
    written = {"u": str.upper, "l": str.lower, "s": str.swapcase, "t": str}[case](last)
    text = f"{before} {written}, "
    left = masked(text, {"name": f"{first} {last}"})
    assert left.endswith("#, ")
