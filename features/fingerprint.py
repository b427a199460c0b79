"""Fingerprint: a keyed mark of a value that went, so that it can be linked, and later forgotten."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from typing import Self

from features.plain_text import folded_text

KEY_BYTES = 32
FINGERPRINT_BYTES = 16  # 128 bits: no two values of one subject ever meet by chance


@dataclass(frozen=True, slots=True)
class SubjectKey:
    """The key of one subject (the person a lead is about). It is never shown.

    subject: an opaque id, under which the key is kept. secret: 32 random bytes. Once they are
    destroyed, the subject's fingerprints are noise: nobody can tell or test what they stood for.
    """

    subject: str
    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.secret) != KEY_BYTES:
            raise ValueError(f"A subject's key has {KEY_BYTES} bytes.")

    @classmethod
    def passing(cls) -> Self:
        """A key that is kept nowhere: its fingerprints link values within one text only."""
        return cls("", secrets.token_bytes(KEY_BYTES))


def fingerprint(key: SubjectKey, entity_type: str, value: str) -> str:
    """HMAC-SHA-256 (RFC 2104) of a value under its subject's key, 32 hex digits.

    The same for every writing of a value: case, accents, blanks and punctuation do not count.
    """
    plain = folded_text(value)
    letters = "".join(filter(str.isalnum, plain))
    message = f"{entity_type}\0{letters or value}".encode("utf-8", "surrogatepass")
    return hmac.digest(key.secret, message, hashlib.sha256)[:FINGERPRINT_BYTES].hex()
