"""Without a subject's key, nobody finds out what a fingerprint stood for."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable

import pytest

from features.fingerprint import FINGERPRINT_BYTES, KEY_BYTES, SubjectKey, fingerprint

PLANTED = "+49 170 5550123"
# All that whoever holds the ledger knows beside the fingerprint.
SUBJECT = secrets.token_hex(16)
OTHER = secrets.token_bytes(KEY_BYTES)
TRIED = 10_000_000  # phone numbers around the planted one, in all ways together


def guesses() -> dict[str, Callable[[bytes], bytes]]:
    """How one could make fingerprints without the key."""
    return {
        "no key": lambda m: hashlib.sha256(m).digest(),
        "an empty key": lambda m: hmac.digest(b"", m, "sha256"),
        "a key of zeros": lambda m: hmac.digest(bytes(KEY_BYTES), m, "sha256"),
        "the subject's id": lambda m: hmac.digest(bytes.fromhex(SUBJECT), m, "sha256"),
        "the id as text": lambda m: hmac.digest(SUBJECT.encode(), m, "sha256"),
        "another subject's key": lambda m: hmac.digest(OTHER, m, "sha256"),
    }


@pytest.fixture(scope="module")
def marks() -> set[bytes]:
    key = SubjectKey(SUBJECT, secrets.token_bytes(KEY_BYTES))
    return {bytes.fromhex(fingerprint(key, "PHONE_NUMBER", PLANTED))}


@pytest.mark.parametrize("way", guesses())
def test_brute_force_over_phone_numbers_finds_nothing(way: str, marks: set[bytes]) -> None:
    guess = guesses()[way]
    planted = int("".join(c for c in PLANTED if c.isdigit()))
    first = planted - TRIED // len(guesses()) // 2
    found = [
        number
        for number in range(first, first + TRIED // len(guesses()))
        if guess(b"PHONE_NUMBER\0%d" % number)[:FINGERPRINT_BYTES] in marks
    ]
    assert found == []


def test_with_the_key_it_would_be_found() -> None:
    """The search above looks in the right place, and for the right message."""
    key = SubjectKey(SUBJECT, secrets.token_bytes(KEY_BYTES))
    planted = int("".join(c for c in PLANTED if c.isdigit()))
    message = b"PHONE_NUMBER\0%d" % planted
    mark = hmac.digest(key.secret, message, "sha256")[:FINGERPRINT_BYTES].hex()
    assert mark == fingerprint(key, "PHONE_NUMBER", PLANTED)
