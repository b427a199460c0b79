"""No text makes a recognizer slow: 20,000 hostile characters, each in time linear in them."""

from __future__ import annotations

from functools import cache, partial

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from features.identity import LeadIdentity
from features.lead import MAX_TEXT_CHARS
from features.recognizers import Recognizer
from tests.features.cpu_cost import quiet_ms
from tests.features.recognized import recognizers

MOST_MS = 150  # for one recognizer; the slowest takes 21 on a quiet machine
MOST_MS_TOGETHER = 900  # 135 on a quiet machine
# fmt: off
FRAGMENTS = [
    "a", "1", "1 ", "1.", "1-", "1 2 3 ", "12 345 ", "1/2 ", "12:", "::", "(0", "+1 ", "0171 ",
    "@", "a@", "a@a.", "Aa ", "A ", "a.", "a-a-", "a'", "\n", "\n1 ", "  ", "<", "A<", "é1",
    "&", "#1", "\"a\"@", "tel ", "call me 1 ", "tel: +49 30 1 x", "4111 ", "DE89", "GB82 WEST ",
    "1.1.", "2001:db8:", "00:1B:", "https://", "a://a:", "www.", "a.com/", "born in ",
    "geb. 1.", "*1.1.", "passport no ", "AB12 ", "B-AB ", "P<", "order no. ", "order 1-1-",
    "#12345 ", "bic ", "exp 01/", "1Z9", "0x", "1A1z", "password is ", "pin ", "key ", "eyJa.",
    "bearer ", "-----BEGIN A-----", "sk-", "aA1+/", "123-45-", "123.456.789-", "tax id ",
    "ssn 1", "1 a st, ", "1 Aa St, ", "Am Aa ", "12345 Aa, ", "1 rue de a ", "calle a a ",
    "c/ a ", "flat no 1, a, ", "Aa Aa 1 ", "Straße 1", "1.2345, ", "SW1A 1", "zip ", "box 1 ",
    "TX 1", "dear aa ", "\nDear Aa", "Best,\n", "thanks, a", "From: A A", "name: a ", "a <a@",
    "J. ", "Mr Aa van ", "Aa GmbH & ", "Aa & ", "company: ", "we at Aa ", "@a.", "twitter is ",
    "skype: a", "Aa\nAa\n", "- Aa\n",
]
# fmt: on
LEAD = {
    "Full Name": "Jane Aa Smith",
    "Email": "jane.smith@aa.com",
    "Phone": "+1 212 2345678",
    "Company": "Aa Aa Inc",
    "Street": "1 Aa Aa St",
}


def hostile(fragment: str) -> str:
    return (fragment * (MAX_TEXT_CHARS // len(fragment) + 1))[:MAX_TEXT_CHARS]


@cache
def milliseconds(fragment: str) -> dict[str, float]:
    """CPU of each recognizer."""
    text = hostile(fragment)
    return {r.name: quiet_ms(partial(search, r, text), enough=MOST_MS / 4) for r in recognizers()}


def search(recognizer: Recognizer, text: str) -> int:
    return sum(1 for _ in recognizer.find(text))


@pytest.mark.parametrize("fragment", FRAGMENTS)
def test_every_recognizer_reads_a_hostile_text_in_time(fragment: str) -> None:
    took = milliseconds(fragment)

    assert {name: ms for name, ms in took.items() if ms > MOST_MS} == {}
    assert sum(took.values()) < MOST_MS_TOGETHER


@pytest.mark.parametrize(
    "fragment", ["Jane ", "jane smith ", "Aa ", "2345678", "1 ", "j.s.", "x@aa"]
)
def test_the_leads_own_identity_is_searched_in_time(fragment: str) -> None:
    identity, text = LeadIdentity(LEAD), hostile(fragment)

    # Twice as much: here the lead's own table row is as hostile as its text.
    assert quiet_ms(lambda: identity.analyze(text, []), enough=MOST_MS) < 2 * MOST_MS


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    phases=[Phase.generate],  # the others run under a tracer, many times slower
)
@given(fragment=st.lists(st.sampled_from(FRAGMENTS), min_size=1, max_size=4).map("".join))
def test_no_mixture_of_fragments_is_slow(fragment: str) -> None:
    took = milliseconds(fragment)

    assert {name: ms for name, ms in took.items() if ms > MOST_MS} == {}
