from __future__ import annotations

import re
from itertools import pairwise

# ruff: noqa: RUF001  # look-alikes are the subject
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from features.homoglyphs import LATIN
from features.plain_text import PlainText
from features.spelled_digits import DIGITS, TIMES


def read(source: str) -> str:
    return PlainText.read(source).text


@pytest.mark.parametrize(
    ("source", "plain"),
    [
        ("Jаne Dое", "Jane Doe"),
        ("I am Сосо of Аcmе", "I am Coco of Acme"),
        ("mail jаnе@асmе.соm now", "mail jane@acme.com now"),
        ("Ρaul Βauer", "Paul Bauer"),
        ("Tомас Winkler", "Tomac Winkler"),
        ("Jane М. Doe, 555-0199х12", "Jane M. Doe, 555-0199x12"),
        ("ᴊᴀɴᴇ ѕmіth", "jane smith"),
        ("Ꭻane ꓢmith", "Jane Smith"),
        ("Jаne Смит from Acme, Сосо", "Jane Смит from Acme, Coco"),
    ],
)
def test_letters_that_look_latin_are_read_in_latin(source: str, plain: str) -> None:
    assert read(source) == plain


@pytest.mark.parametrize(
    "honest",
    [
        "Привет, я Сосо. А вот и он: хор, оса.",
        "Мы работаем в Google, а не в IT-отделе.",
        "Καλημέρα, είμαι ο Νίκος από την Αθήνα",
        "I am in ΛΕΥΚΩΣΙΑ; the α-version needs 5 μm, kα and πr",
        "The word привет means hello",
        "İstanbul'da ılık bir gün",
        "日本語のテキスト",
    ],
)
def test_honest_letters_of_other_scripts_stay(honest: str) -> None:
    assert read(honest) == honest


ENGLISH = "Please ask our sales people to call back about pricing"
LOOK_ALIKES = {latin: chr(code) for code, latin in reversed(LATIN.items())}


@given(st.lists(st.booleans(), min_size=len(ENGLISH), max_size=len(ENGLISH)))
def test_look_alikes_come_off_wherever_they_stand(bent: list[bool]) -> None:
    source = "".join(LOOK_ALIKES.get(c, c) if b else c for c, b in zip(ENGLISH, bent, strict=True))
    assert read(f"{source} today, thanks") == f"{ENGLISH} today, thanks"


@pytest.mark.parametrize(
    ("source", "plain"),
    [
        ("j a n e  s m i t h", "jane smith"),
        ("I am J a n e S m i t h.", "I am Jane Smith."),
        ("j а n е   ѕ m i t h", "jane smith"),
        ("at j a n e @ a c m e . c o m please", "at jane@acme.com please"),
        ("card 4 1 1 1 - 1 1 1 1 - 1 1 1 1", "card 4111-1111-1111"),
        ("j-a-n-e s_m_i_t_h J*a*n*e j.a.n.e.s.m", "jane smith Jane janesm"),
    ],
)
def test_spread_letters_come_together(source: str, plain: str) -> None:
    assert read(source) == plain


@pytest.mark.parametrize(
    ("source", "plain"),
    [
        ("five five five, one two three four", "555 1234"),
        ("double three triple oh seven five", "3300075"),
        ("0 7 9 five five 1 2 3 4", "079551234"),
        ("+one (five five five) one two three-four five six seven", "+1 (555) 123-4567"),
        ("+49 (zero) 30 1234567", "+49 (0) 30 1234567"),
        ("five-five-five-one-two-three-four", "5551234"),
        ("fivefivefive-onetwothreefour", "555-1234"),
        ("call plus four nine three zero one", "call +49301"),
        ("one nine two dot one six eight dot one dot one", "192.168.1.1"),
        ("one.one.one.one", "1.1.1.1"),
        ("DE eight nine three seven 0 4 0 0", "DE 89370400"),
        ("DEeight nine three seven zero four", "DE893704"),
        ("null eins sieben zwei, drei vier fünf sechs", "0172 3456"),
        ("fünfundzwanzig null null eins drei", "25 0013"),
        ("zéro six douze trente-quatre cinquante et un", "06 12 34 51"),
        ("zéro un, quatre-vingt-dix-sept soixante-dix-huit dix", "01 97 78 10"),
        ("cero uno dos tres, treinta y cuatro", "0123 34"),
        ("five five five, one two three four hundred", "555 123 four hundred"),
        ("FIVE FIVE FIVE ONE", "5551"),
    ],
)
def test_spelled_digits_are_read_as_digits(source: str, plain: str) -> None:
    assert read(source) == plain


@given(st.data(), st.text("0123456789", min_size=4, max_size=16), st.sampled_from([" ", ", ", "-"]))
def test_any_number_in_words_is_read_whatever_the_language(
    data: st.DataObject, number: str, between: str
) -> None:
    words = [
        data.draw(st.sampled_from([w for w, d in DIGITS.items() if d == digit and len(w) > 1]))
        for digit in number
    ]
    counted = between == ", " and all(a < b for a, b in pairwise(number))
    expected = between.join(words) if counted else number
    assert read(f"Call {between.join(words)} please") == f"Call {expected} please"


@pytest.mark.parametrize(
    "source",
    [
        "jane (at) acme dot com",
        "jane [at] acme [dot] com",
        "jane AT acme DOT com",
        "jane{at}acme.com",
        "jane<at>acme[.]com",
        "jane at acme dot com",
        "jane @ acme . com",
        "jane@acme dot com",
        "jane @acme dot com",
        "jane (ät) acme punkt com",
        "jane ät acme punkt com",
        "jane arobase acme point com",
        "jane arroba acme punto com",
        "jane (аt) acme (dоt) соm",
    ],
)
def test_spelled_addresses_are_written_out(source: str) -> None:
    assert read(f"Mail {source}.") == "Mail jane@acme.com."


@pytest.mark.parametrize(
    ("source", "plain"),
    [
        ("jane dot smith at acme dot co dot uk", "jane.smith@acme.co.uk"),
        ("jane underscore smith at acme dot com thanks", "jane_smith@acme.com thanks"),
        ("jane[at]acme", "jane@acme"),
        ("look at acme dot com, or www dot acme dot com", "look at acme.com, or www.acme.com"),
        ("hxxps://acme[.]com hxxp[:]//acme(dot)com", "https://acme.com http://acme.com"),
        ("10[.]0[.]0[.]1", "10.0.0.1"),
        ("jane at acme dot it or joe at acme dot to, ok", "jane@acme.it or joe@acme.to, ok"),
    ],
)
def test_signs_of_addresses_are_read_in_their_place(source: str, plain: str) -> None:
    assert read(source) == plain


HONEST = [
    "Let's meet at the dot in the corner, at noon.",
    "meet at acme dot it's late",
    "meet at acme dot.",
    "We use dot net, and saw the dot com bubble at work.",
    "Look at the point in your offer: one or two users, three at most.",
    "One, two, three! And one, two, three, four, five.",
    "Plans A B C D or S A P; 5 - 3 - 2 - 1; grades 1 2 3 4.",
    "We need two or three seats at $1,250.00 (10 x 20 cm, 3.5 kg, 2-4 weeks, 24/7).",
    "Version 1.2.3.4, OID 1.3.6.1.4.1.5, ISO 27001, GDPR art. 6(1)(f), B2B, AT&T, i.e. SaaS.",
    "It's one-to-one, nine to five, one on one, two-way, a three-four person team.",
    "From five, ten, twenty or fifty users; one hundred twenty thousand four hundred euros.",
    "U.S.A., G.m.b.H., e.g., a.m., p.m., Q&A, R&D, C++, C#, and/or, @acme on X",
    "Ask @jane.me @ the booth; price @ 20 EUR. Look at acme.com or work at acme.com.",
    "Call (a) Anna, (b) Bob, [1], {x}, <b>bold</b>, f(x), array[i], (at noon), [dotted]",
    "Wir treffen uns um acht; ein Punkt ist offen, zwei oder drei auch. Null Fehler.",
    "Der Punkt am Ende: 1.234,56 Euro, 3 bis 5 Plätze, z. B. für eins, zwei, drei.",
    "Un point de vue: un ou deux, trois à quatre, neuf mois à 1 234,50 euros.",
    "C'est le point com. Il y a un an, à neuf heures, un point est ouvert.",
    "En este punto es importante: uno o dos o tres o cuatro, y a las ocho de la tarde.",
    "El punto de venta, a 12,50 euros: uno, dos, tres.",
]


@given(st.permutations(HONEST).map(lambda many: many[:4]), st.sampled_from([" ", "\n", "\n\n"]))
def test_honest_texts_stay_as_they_are(sentences: list[str], between: str) -> None:
    text = between.join(sentences)
    assert read(text) == text


@pytest.mark.parametrize("honest", HONEST)
def test_each_honest_sentence_stays_as_it_is(honest: str) -> None:
    assert read(honest) == honest


@given(
    st.lists(
        st.sampled_from(
            """we need one or two seats at the point of sale dot and three offers for our team of 20
            in Berlin wir suchen ein Angebot mit acht Plätzen und einem Punkt un devis pour neuf
            personnes avec huit points y una oferta para seis o siete usuarios del punto 24/7 $5
            99.90 € 10x20 Q4 v2.1 half double space zero-trust""".split()  # noqa: SIM905
        ),
        max_size=30,
    )
)
@example(["y"] * 4)
def test_ordinary_words_in_any_order_stay(words: list[str]) -> None:
    text = " ".join(words)
    said = DIGITS.keys() | TIMES.keys()  # "one double three" is dictated, whatever is around it
    assume(not any(a in said and b in said for a, b in pairwise(words)))
    assume(not re.search(r"\bat \S+ dot \S", text))  # an address
    assert read(text) == text
