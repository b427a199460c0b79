"""Guessing: brute force at a fingerprint, by somebody who has the whole ledger but no key.

Each way of guessing tries every phone number of a range in which the right one is. The same search
with the subject's key must find it: else it would prove nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context

from features.fingerprint import FINGERPRINT_BYTES, KEY_BYTES, SubjectKey, fingerprint
from pipelines.display import Display
from pipelines.figure import Figure

PLANTED = "+49 170 5550123"
ENTITY_TYPE = "PHONE_NUMBER"
AT_ONCE = 250_000  # guesses of one piece of work: half a second
WITH_THE_KEY = "the subject's key"


@dataclass(frozen=True, slots=True)
class Mark:
    """A fingerprint of PLANTED. subject: the id beside it; secret: what whoever guesses has not."""

    subject: str
    secret: bytes
    other: bytes  # another subject's key: whoever guesses may be a customer too

    @classmethod
    def drawn(cls) -> Mark:
        return cls(
            secrets.token_hex(16), secrets.token_bytes(KEY_BYTES), secrets.token_bytes(KEY_BYTES)
        )

    @property
    def fingerprint(self) -> bytes:
        """As the redactor makes it."""
        return bytes.fromhex(
            fingerprint(SubjectKey(self.subject, self.secret), ENTITY_TYPE, PLANTED)
        )


def ways(mark: Mark) -> Mapping[str, Callable[[bytes], bytes]]:
    """How fingerprints could be made: all that are known without the key, and the right one."""
    keys = {
        "an empty key": b"",
        "a key of zeros": bytes(KEY_BYTES),
        "the subject's id": bytes.fromhex(mark.subject),
        "the subject's id as text": mark.subject.encode(),
        "another subject's key": mark.other,
        WITH_THE_KEY: mark.secret,
    }
    return {"no key": _unkeyed} | {name: partial(_keyed, key) for name, key in keys.items()}


def search(mark: Mark, way: str, first: int, count: int) -> list[int]:
    """Those of `count` phone numbers whose fingerprint, made in this way, is that of the mark."""
    make, wanted = ways(mark)[way], mark.fingerprint
    prefix = f"{ENTITY_TYPE}\0".encode()
    return [
        number
        for number in range(first, first + count)
        if make(prefix + b"%d" % number)[:FINGERPRINT_BYTES] == wanted
    ]


def around(count: int) -> int:
    """The first of `count` phone numbers with PLANTED in their middle."""
    return int("".join(filter(str.isdigit, PLANTED))) - count // 2


def guess(display: Display, guesses: int) -> list[Figure]:
    """How many fingerprints so many guesses find in each way: none, but with the key."""
    mark, first = Mark.drawn(), around(guesses)
    named = list(ways(mark))
    pieces = list(range(first, first + guesses, AT_ONCE))
    figures, started = [], time.perf_counter()
    spawned = ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn"))
    with spawned as processes, display.bar("Guessing", len(named) * len(pieces)) as advance:
        for way in named:
            found: list[int] = []
            work = partial(_piece, mark, way, first + guesses)
            for numbers in processes.map(work, pieces):
                found += numbers
                advance()
            figures.append(_figure(way, guesses, len(found)))
    rate = len(named) * guesses / (time.perf_counter() - started)
    return [*figures, Figure("guesses", rate, "1/s")]


def _piece(mark: Mark, way: str, end: int, first: int) -> list[int]:
    return search(mark, way, first, min(AT_ONCE, end - first))


def _figure(way: str, guesses: int, found: int) -> Figure:
    name = f"found by {guesses:,} guesses with {way}"
    if way == WITH_THE_KEY:
        return Figure(name, found, "fingerprints", 1)
    return Figure(name, found, "fingerprints", 0, at_most=True)


def _unkeyed(message: bytes) -> bytes:
    return hashlib.sha256(message).digest()


def _keyed(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, "sha256")
