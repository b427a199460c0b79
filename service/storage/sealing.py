"""Sealing: what only the holder of a subject's key can read, bound to where it belongs.

AES-256-GCM (NIST SP 800-38D) under a key derived from the subject's (HKDF, RFC 5869). Whoever
moves a sealed text to another entry, or changes a bit of it, cannot open it any more. Once the
subject's key is destroyed, it is noise.
"""

from __future__ import annotations

import base64
import os
from typing import Any

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from service.errors import SealBroken

NONCE_BYTES = 12
KEY_BYTES = 32


def bound_to(kind: str, about: str) -> str:
    """The place of the sealed part of an entry of this kind, about this decision or question."""
    return f"{kind}:{about}"


def seal(secret: bytes, place: str, tree: Any) -> str:
    """A tree of JSON, sealed for one `place`: base64 of nonce, ciphertext and tag."""
    return seal_json(secret, place, orjson.dumps(tree)).decode()


def seal_json(secret: bytes, place: str, json: bytes) -> bytes:
    """The same of a tree that is written down already."""
    return base64.b64encode(seal_bytes(secret, place, json))


def open_sealed(secret: bytes, place: str, sealed: str) -> Any:
    """What was sealed for this place.

    Raises:
        SealBroken: another key, another place, or changed since.
    """
    try:
        raw = base64.b64decode(sealed, validate=True)
    except ValueError:
        raw = b""
    return orjson.loads(open_bytes(secret, place, raw))


def seal_bytes(secret: bytes, place: str, content: bytes) -> bytes:
    """Nonce, ciphertext and tag."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(_key(secret)).encrypt(nonce, content, place.encode())


def open_bytes(secret: bytes, place: str, sealed: bytes) -> bytes:
    """What `seal_bytes` sealed. Raises SealBroken."""
    nonce, content = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
    try:
        return AESGCM(_key(secret)).decrypt(nonce, content, place.encode())
    except (InvalidTag, ValueError):
        pass
    raise SealBroken("This cannot be opened: it was changed, or its key is another. Verify the log")


def _key(secret: bytes) -> bytes:
    # Apart from the fingerprints' use of the same secret.
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=b"tiebreak sealing v1").derive(secret)
