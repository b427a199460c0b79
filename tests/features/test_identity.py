from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

import pytest
from faker import Faker
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


def seeded(locale: str, seed: int) -> Faker:
    fake = Faker(locale)
    fake.seed_instance(seed)
    return fake


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
    ("text", "left"),
    [
        ("cheers, autumn", "cheers, #"),
        ("a frank word", "a # word"),
        ("thanks, Will", "thanks, #"),
        ("ROSE here", "# here"),
    ],
)
def test_a_leads_own_name_goes_in_any_case_though_it_is_a_word(text: str, left: str) -> None:
    assert masked(text, ["Autumn Rose", "Will Frank"]) == left


@pytest.mark.parametrize("text", ["we will grow.", "Will you call?", "smithy", "may I?"])
def test_names_that_no_sentence_does_without_stay_words(text: str) -> None:
    assert masked(text, ["Mark Price", "Will Frank", "Jo Smith", "May Green"]) == text


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


@pytest.mark.parametrize(
    ("contacts", "text", "left"),
    [
        ({"email": "a.bly@x-ray.com; b.fox@x-ray.com"}, "B.FOX@x-ray.com, a bly", "#, #"),
        ({"name": "Jane - Smith"}, "jane smith, Smith", "#, #"),
        ({"name": "Smith, Jane"}, "jane smith; J. Smith; J.S.; Smith J", "#; #; #; #"),
        ({"name": "Jane Smith"}, "jsmith, janes, smithj, jane.smith77", "#, #, #, #77"),
        ({"name": "Jane Smith"}, "a blacksmith says smithy", "a blacksmith says smithy"),
        ({"name": "Robert Kowalski"}, "thanks, Bob", "thanks, #"),
        ({"name": "Łukasz Wójcik"}, "lukasz wojcik and Wójcika", "# and Wójcika"),
        ({"name": "Søren Åberg"}, "Soeren Aaberg, soren aberg", "#, #"),
        ({"name": "José O'Neil"}, "jose oneil, O'NEIL", "#, #"),
        ({"name": "Ilona van der Dussen"}, "I. van der Dussen, ilonavanderdussen", "#, #"),
        ({"name": "Ana Clara Casa Grande"}, "A. Casa Grande, A. Clara Casa Grande", "#, #"),
        ({"name": "Li Wu"}, "thanks, Li; ask Wu; it is IT", "thanks, #; ask #; it is IT"),
        ({"First name": "Jane", "Last name": "Kowalczyk"}, "jkowalczyk, J. Kowalczyk", "#, #"),
        ({"last_name": "Kowalczyk", "first_name": "Jane"}, "janekowalczyk, Kowalczyk J", "#, #"),
        ({"Vorname": "Li", "Nachname": "Wu"}, "wu li, liwu", "#, #"),
        ({"Company contact": "Jane Kowalczyk"}, "regards, kowalczyk", "regards, #"),
        ({"Account owner": "Jane Kowalczyk"}, "Ms Kowalczyk called", "Ms # called"),
        ({"Company contact": "Bluebird Labs GmbH"}, "Bluebird called", "# called"),
        ({"company": "3M"}, "we at 3M use 3m, 13m and 3mm", "we at # use #, 13m and 3mm"),
        ({"company": "H&M"}, "here at H&M", "here at #"),
        ({"company": "Bluebird Labs GmbH & Co. KG"}, "bluebird, BlueBirdLabs", "#, #"),
        ({"company": "Global Widget Makers"}, "GWM is us, gwm", "# is us, gwm"),
        ({"company": "AAA Ltd"}, "a plan for AAA", "a plan for #"),
        ({"company": "Rose"}, "a rose, we at rose", "a rose, we at #"),
        ({"phone": "+1 (212) 555-0147 x12"}, "212.555.0147 ext. 12 or 5550147", "# or #"),
        ({"phone": "+44 (0)20 7946 0018"}, "020 7946 0018, 0044 2079460018", "#, #"),
        ({"phone": "+49 30 901820"}, "030/90 18 20 or 901820", "# or #"),
        ({"phone": "+49 30 901820"}, "we sold 820 and 9018", "we sold 820 and 9018"),
        ({"website": "https://www.kornblume.de/"}, "kornblume.de, Kornblume", "#, #"),
        (
            {"profile": "https://linkedin.com/in/jane-smith-77"},
            "jane-smith-77 on linkedin",
            "# on linkedin",
        ),
        ({"twitter": "@mill_owner"}, "I am mill_owner, millowner", "I am #, #"),
        ({"birthdate": "1980-03-12"}, "12.03.1980 or March 12th, 1980 or 3/12/80", "# or # or #"),
        ({"address": "12 Main Street, Springfield"}, "main st 12; springfield", "#; #"),
        ({"address": "Hauptstraße 5"}, "Hauptstr. 5, in der Hauptstrasse", "#, in der #"),
        ({"zip": "SW1A 1AA"}, "near sw1a1aa", "near #"),
        ({"customer": "KD-4711/a"}, "file kd 4711 A", "file #"),
    ],
)
def test_each_kind_of_contact_value_is_found_as_people_write_it(
    contacts: dict[str, str], text: str, left: str
) -> None:
    assert masked(text, contacts) == left


def test_an_e_mail_address_of_a_free_provider_leaves_its_local_part() -> None:
    assert masked("I am xaver q", {"email": "xaver.q@gmail.com"}) == "I am #"


def plain_ascii(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))


LOCALES = ("en_US", "en_GB", "de_DE", "fr_FR", "es_ES", "it_IT", "pt_BR", "en_IN")
fakers = st.builds(seeded, st.sampled_from(LOCALES), st.integers(min_value=0, max_value=2**16))
cases = st.sampled_from([str, str.lower, str.upper, str.title, plain_ascii])
groups = st.tuples(st.integers(min_value=2, max_value=4), st.sampled_from([" ", "-", ".", ""]))


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=150)
@given(fake=fakers, case=cases, group=groups)
def test_nothing_of_a_generated_identity_stays(
    fake: Faker, case: Callable[[str], str], group: tuple[int, str]
) -> None:
    first, last = fake.first_name(), fake.last_name()
    phone = re.sub(r"\D", "", fake.numerify("+4930#######"))
    email = f"{plain_ascii(first[0] + last)}@kornblume.example".lower().replace(" ", "")
    contacts = {
        "name": f"{first} {last}",
        "phone": phone,
        "email": email,
        "company": "Kornblume AG",
    }
    size, gap = group
    digits = gap.join(phone[i : i + size] for i in range(0, len(phone), size))
    written = [f"{first} {last}", f"{last}, {first}", f"{first[0]}. {last}", "Kornblume", email]

    for value in [*map(case, written), digits]:
        left = masked(f"({value})", contacts)
        assert not [c for c in left if c.isalnum()], (value, left)


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


COLUMNS = ("name", "email", "phone", "company", "website", "twitter", "birthdate", "address", "id")
PARTS = (
    "Jane",
    "O'Neil",
    "van",
    "der",
    "Berg",
    "Dr.",
    "Anne-Marie",
    "李小龙",
    "김",
    "J.",
    "Müller",
)
PARTS += ("Will", "III", "and", "GmbH", "@", "-", ",", ".", "/", "12", "+49", "jane@x-ray.com")
cells = st.lists(st.sampled_from(PARTS) | st.text(max_size=3), max_size=8).map(" ".join)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=400)
@given(contacts=st.dictionaries(st.sampled_from(COLUMNS), cells, max_size=3))
def test_whatever_a_contact_column_holds_the_text_is_searched_for_it(
    contacts: dict[str, str],
) -> None:
    masked(" ".join(contacts.values()), contacts)
