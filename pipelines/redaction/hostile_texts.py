"""Hostile texts: 20,000 characters each, made to cost a redactor as much as any text can."""

from __future__ import annotations

import base64
import random
from types import MappingProxyType

from features.lead import MAX_TEXT_CHARS

# Each is repeated to full length.
UNITS = MappingProxyType(
    {
        "a.a.a": "a.",
        "words": "word ",
        "one letter": "a",
        "capitals": "A ",
        "Mr Mr Mr": "Mr ",
        "capitalised pairs": "Anna Berg ",
        "hyphenated name": "Anna-",
        "initials": "J. ",
        "Dear": "\nDear ",
        "From headers": "From: A\n",
        "newlines": "\n",
        "blanks": " ",
        "tabs and newlines": "\t\n",
        "opening brackets": "(",
        "@ signs": "@",
        "a@a": "a@a",
        "e-mails": "jane.doe@example.com ",
        "half e-mails": "jane.doe@",
        "joined e-mails": "a@b.co",
        "at and dot": "a at b dot ",
        "(at)": "jane (at) ",
        "digits": "1",
        "digits and blanks": "1 ",
        "digits and dots": "12.",
        "digits and hyphens": "1-",
        "phones": "+49 30 1234567, ",
        "plus signs": "+1 ",
        "IP addresses": "10.1.2.3 ",
        "colons": "a:",
        "cards": "4111 1111 1111 1112 ",
        "IBANs": "DE89 3704 0044 0532 0130 01 ",
        "spelled digits": "one two ",
        "spelled numbers": "double oh seven ",
        "spaced letters": "j a n e ",
        "HTML entities": "&#97;",
        "nested entities": "&amp;",
        "broken entities": "&#",
        "combining marks": "\u0301",
        "letters with marks": "a\u0301\u0302\u0303",
        "zero-width": "a\u200b",
        "soft hyphens": "a\xad",
        "full-width": "ａ＠ｂ．",  # noqa: RUF001
        "homoglyphs": "раураl ",  # noqa: RUF001
        "ligatures": "ﷺ",
        "emoji": "\U0001f469\u200d\U0001f4bb ",
        "URLs": "https://www.example.com/in/jane-doe?x=1 ",
        "nested URLs": "https://",
        "slashes": "a/",
        "quotes": '"a',
        "angle brackets": "<a <",
        "streets": "12 Aa Bb Street, ",
        "house numbers": "Hauptstr. 1 ",
        "companies": "Aa Bb & Cc ",
        "handles": "@aa ",
        "keywords": "password: ",
        "token prefixes": "sk-",
        "JWT": "eyJhbGciOiJ",
        "order numbers": "order #1 ",
        "born": "born on 1 ",
        "CJK": "漢字",
        "Arabic digits": "٣",
    }
)


def hostile_texts() -> dict[str, str]:
    """By name; the same ones at each call."""
    texts = {name: (unit * MAX_TEXT_CHARS)[:MAX_TEXT_CHARS] for name, unit in UNITS.items()}
    rng = random.Random(20)  # noqa: S311  # no secret is drawn
    texts["base64"] = base64.b64encode(rng.randbytes(MAX_TEXT_CHARS)).decode()[:MAX_TEXT_CHARS]
    texts["hex"] = rng.randbytes(MAX_TEXT_CHARS).hex()[:MAX_TEXT_CHARS]
    texts["everything"] = "".join(rng.choices(tuple(UNITS.values()), k=MAX_TEXT_CHARS))[
        :MAX_TEXT_CHARS
    ]
    texts["random characters"] = "".join(
        chr(rng.choice((rng.randrange(32, 127), rng.randrange(0xA0, 0xD000))))
        for _ in range(MAX_TEXT_CHARS)
    )
    return texts
