"""What goes and what stays: rows to judge, near misses beside hits."""

from __future__ import annotations

import pytest

from features.redaction import Redactor

GOES = [
    # entity, text with what goes in [brackets]
    ("EMAIL_ADDRESS", "write to [jane.smith+crm@mail.acme.co.uk], please"),
    ("EMAIL_ADDRESS", "mail [jane (at) acme (dot) com] or call"),
    ("EMAIL_ADDRESS", "mail [jane at acme dot com] or call"),
    ("EMAIL_ADDRESS", "in a link: mailto:[jane%40acme.com]"),
    ("EMAIL_ADDRESS", "[jané@bücher.example]"),
    ("PHONE_NUMBER", "call [+49 (0)30 901820] today"),
    ("PHONE_NUMBER", "call [+442079460018]"),
    ("PHONE_NUMBER", "we sit at [(212) 555-0147 ext. 12]"),
    ("PHONE_NUMBER", "my mobile is [0171 2345678]"),
    ("PHONE_NUMBER", "in Paris: [06 12 34 56 78]."),
    ("PHONE_NUMBER", "reach me on [98765 43210]"),
    ("CREDIT_CARD", "card [4111 1111 1111 1111], thanks"),
    ("CREDIT_CARD", "card [3782-822463-10005]"),
    ("CREDIT_CARD", "1 [5500.0000.0000.0004] 2"),
    ("IBAN_CODE", "IBAN [DE89 3704 0044 0532 0130 00] please"),
    ("IBAN_CODE", "pay to [GB82WEST12345698765432]"),
    ("IP_ADDRESS", "from [203.0.113.7]."),
    ("IP_ADDRESS", "from [2001:db8::8a2e:370:7334] today"),
    ("URL", "see [https://www.linkedin.com/in/jane-smith-123/], thanks"),
    ("URL", "see [acme.io/about?x=1] first"),
    ("URL", "our shop is [jane-smith.me]."),
    ("US_SSN", "SSN [536-22-1234]"),
    ("NATIONAL_ID", "Aadhaar [2341 2341 2346]"),
    ("NATIONAL_ID", "NI number [AB 12 34 56 C]"),
    ("NATIONAL_ID", "CPF [529.982.247-25]"),
    ("NATIONAL_ID", "NIR [1 84 12 76 451 089 46]"),
    ("IDENTITY_DOCUMENT", "my passport number is [C01X00T47]"),
    ("IDENTITY_DOCUMENT", "driver's license: [D1234567]"),
    ("DATE_OF_BIRTH", "date of birth: [12 March 1984]"),
    ("DATE_OF_BIRTH", "geboren am [03.04.1979]"),
    ("ACCOUNT_NUMBER", "my order no. [A-10293-Z] is late"),
    ("ACCOUNT_NUMBER", "customer id [48213]"),
    ("ACCOUNT_NUMBER", "it says [7730012345678901]"),
    ("SOCIAL_HANDLE", "ping [@jane_smith] there"),
    ("SOCIAL_HANDLE", "skype: [live:jane.smith]"),
    ("CREDENTIAL", "key [sk-proj-abcdefghijklmnop12]"),
    ("CREDENTIAL", "the password is [hunter2!]"),
    ("CREDENTIAL", "[AKIAIOSFODNN7EXAMPLE]"),
    ("CREDENTIAL", "blob [dGhpcyBpcyBhIHNlY3JldCB0b2tlbiAxMjM0NTY3]"),
    ("STREET_ADDRESS", "send it to [12 Main Street, Apt 4, Springfield, IL 62704]"),
    ("STREET_ADDRESS", "wir sitzen in der [Lindenstraße 12, 10969]"),
    ("STREET_ADDRESS", "at [221b baker street] now"),
    ("STREET_ADDRESS", "[P.O. Box 1234], Boston"),
    ("STREET_ADDRESS", "in [SW1A 1AA]"),
    ("PERSON", "Hello, my name is [jane smith]"),
    ("PERSON", "Dr. [Ramírez-O'Neil] told us"),
    ("PERSON", "Best regards,\n[Ravil Yefimov]\n"),
    ("PERSON", "I spoke with [Michael Johnson] yesterday."),
    ("ORGANIZATION", "we are [Müller & Söhne GmbH], a mill"),
    ("UNREADABLE", "see [" + "(.)" * 70 + "] here"),
]

STAYS = [
    "We need Salesforce or HubSpot for 40 seats.",
    "Is the plan $1,200.50 a month, or EUR 14.990 a year?",
    "Our budget is 1 200 000 EUR, and 100 200 300 more.",
    "We decide in March, on 05/06/2024, or by Q3 2025.",
    "From 2023-2024 we grew 25 %; the meeting is at 10:30:45.",
    "The Head of Marketing and two account managers will decide.",
    "We have offices in Berlin, Germany.",
    "Does it run on ASP.NET or Node.js? The file is main.py.",
    "I want order confirmation; the policy 2024 is fine.",
    "Meet @ 5pm, or @ noon. Section 4.2.1 matters.",
    "1,000-1,500 users, 24/7 support, ratio 16:9",
    "state-of-the-art machine learning on an i7-12700K",
    "4111 1111 1111 1112 is no card",
    "Please call me back. Thanks!",
    "I would walk 500 miles and I would walk 500 more",
    "a 30 year old from the raspberry row, size 33-25-37.5",
]


@pytest.mark.parametrize(("entity_type", "marked"), GOES, ids=[f"{e}-{t[:24]}" for e, t in GOES])
def test_what_identifies_someone_goes(redactor: Redactor, entity_type: str, marked: str) -> None:
    before, _, rest = marked.partition("[")
    value, _, after = rest.rpartition("]")

    redacted = redactor.redact(before + value + after)

    assert redacted.text == f"{before}<{entity_type}_1>{after}"
    (span,) = redacted.spans
    assert (span.start, span.end) == (len(before), len(before) + len(value))


@pytest.mark.parametrize("text", STAYS)
def test_what_the_llm_needs_to_judge_a_lead_stays(redactor: Redactor, text: str) -> None:
    assert redactor.redact(text).text == text
