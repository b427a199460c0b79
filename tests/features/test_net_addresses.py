"""Rows to judge: what goes is marked with its type; what only looks like it stays."""

from __future__ import annotations

import pytest

from tests.features.recognized import marked, unmarked

GOES = [
    "write to [EMAIL_ADDRESS jane.smith+crm@mail.acme.co.uk], please",
    "in a link: mailto:[EMAIL_ADDRESS jane%40acme.com]",
    "[EMAIL_ADDRESS jané@bücher.example] is mine",
    '[EMAIL_ADDRESS "jane smith"@acme.com] is quoted',
    "'[EMAIL_ADDRESS jane@acme.com]' or [EMAIL_ADDRESS jane@[203.0.113.7]]",
    "email=[EMAIL_ADDRESS jane.o'neil@acme.io]",
    "from [IP_ADDRESS 203.0.113.7].",
    "from [IP_ADDRESS 2001:db8::8a2e:370:7334] today",
    "the router [[IP_ADDRESS fe80::1]%eth0] or [IP_ADDRESS 00:1B:44:11:3A:B7]",
    "see [URL https://www.linkedin.com/in/jane-smith-123/], thanks",
    "see [URL acme.io/about?x=1] first",
    "our shop is [URL jane-smith.me].",
    "ping [SOCIAL_HANDLE @jane_smith] there",
    "skype: [SOCIAL_HANDLE live:jane.smith]",
    "my insta is [SOCIAL_HANDLE jane.smith77]",
    "find me on twitter as [SOCIAL_HANDLE jane_s]",
    "discord [SOCIAL_HANDLE jane#1234]",
    "telegram: [SOCIAL_HANDLE @janes]",
    "write to [EMAIL_ADDRESS jane.smith (at) acme.io] or not",
    "[EMAIL_ADDRESS a@b] is short, but a is not an address",
    "[IP_ADDRESS fe80::1] is one",
    "[URL x.com/janes] and [URL t.me/jane]",
    "follow [SOCIAL_HANDLE @jane.smith]. today",
    "[SOCIAL_HANDLE u/jane_smith] on reddit",
    "the username is [SOCIAL_HANDLE jdoe77]",
    "discord [SOCIAL_HANDLE 80351110224678912] is me",
    "skype name is [SOCIAL_HANDLE 1234] or so",
    "line id: [SOCIAL_HANDLE 1234567] or so",
]
STAYS = [
    "meet at noon @ the office",
    "we pay 5 @ 20 each",
    "1.2.3.4.5 is a section",
    "999.1.1.1 is no address",
    "time 10:30:45 is not",
    "version 2.4.1.0 was broken",
    "see readme.md and main.py, e.g. here",
    "sent.Please call",
    "@angular/core and @media rules",
    "signal strength is good.",
    "throws a TypeError in line 218 of Client",
    "see line 218.",
    "Facebook is great",
]


@pytest.mark.parametrize("row", GOES)
def test_net_addresses_go(row: str) -> None:
    assert marked(unmarked(row)) == row


@pytest.mark.parametrize("text", STAYS)
def test_what_only_looks_like_net_addresses_stays(text: str) -> None:
    assert marked(text) == text
