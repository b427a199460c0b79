"""Rows to judge: what goes is marked with its type; what only looks like it stays."""

from __future__ import annotations

import pytest

from tests.features.recognized import marked, unmarked

GOES = [
    "[PERSON Jane Smith] <[EMAIL_ADDRESS jane@acme.com]> wrote",
    "Hello, my name is [PERSON jane smith]",
    "Dr. [PERSON Ramírez-O'Neil] told us",
    "Best regards,\n[PERSON Ravil Yefimov]\n",
    "Dear [PERSON Nadia],\nthanks",
    "Hi [PERSON Tom], can you call?",
    "cheers, [PERSON ana]",
    "mfg, [PERSON uwe]",
    "Viele Grüße\n[PERSON Uwe Schmidt]",
    "this is [PERSON Karim] from Acme",
    "I'm [PERSON Priya], head of ops",
    "From: [PERSON Jane Smith] <[EMAIL_ADDRESS jane@acme.com]>\nTo: [EMAIL_ADDRESS bob@x.com]",
    "Sehr geehrte Frau Dr. [PERSON Müller],",
    "ich heiße [PERSON uwe schmidt] und",
    "Je m'appelle [PERSON Amélie Dupont].",
    "me llamo [PERSON josé garcía]",
    "Bonjour [PERSON Claire],",
    "hola [PERSON marta],",
    "hi, [PERSON tom] here",
    "On Mon, [PERSON Jane Smith] wrote:",
    "-- \n[PERSON Jane Smith]\nHead of Sales",
    "Hey [PERSON Nadia] and [PERSON Tom],",
    "Dear Mr. [PERSON Ramírez-O'Neil],",
    "Thanks, [PERSON Priya]",
    "I'm [PERSON Priya Sharma], CTO",
    "Regards\n[PERSON J. Smith]\nCTO",
    "Cc: [PERSON Tom Brown]; Ana Lima",
    "Dear [PERSON O'Brien],",
    "it's [PERSON sterling] from Acme",
    "this is [PERSON Olive] from Acme",
    "from M. [PERSON Dupont], Lyon",
    "Merci.M. [PERSON Zbrzycki] appellera",
    "i'm [PERSON peter lawless] from leeds",
    "i'm [PERSON botrous] from alexandria",
]
STAYS = [
    "Dear Sir or Madam,",
    "Hi there,",
    "Hello team,",
    "thanks, please call",
    "Best, the sales team",
    "I'm Head of Sales",
    "I am German.",
    "this is great from day one",
    "To: Sales Team",
    "regards from all of us",
    "Hi, I've been waiting.",
    "glad that it's available from Amazon",
    "until 10 P.M. Enjoy!",
    "Hello fellow humans,",
    "Hey y'all,",
]


@pytest.mark.parametrize("row", GOES)
def test_introduced_names_go(row: str) -> None:
    assert marked(unmarked(row)) == row


@pytest.mark.parametrize("text", STAYS)
def test_what_only_looks_like_introduced_names_stays(text: str) -> None:
    assert marked(text) == text
