"""Checkpoint: signed tree heads, and the keys that sign them.

A log's key signs checkpoints; a witness's key cosigns them, with the time at which it saw them.
Formats: C2SP signed-note, tlog-checkpoint, tlog-cosignature, tlog-proof. `verify.py` reads them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from service.ledger.errors import InvalidSigningKey
from service.ledger.verify import (
    HASH_BYTES,
    PROOF_HEADER,
    KeyType,
    SignatureLine,
    VerifierKey,
    cosigned_message,
    decoded,
    encoded,
    is_key_name,
)
from service.storage.secret_file import read_or_make

PREFIX = "PRIVATE+KEY+"


@dataclass(frozen=True)
class SigningKey:
    """A private Ed25519 key with a name. Its text is a secret; nothing else here shows it.

    name: of a log's key, the log's origin: a URL without scheme, such as `example.com/ledger`.
    """

    name: str
    type: KeyType
    seed: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if not is_key_name(self.name) or len(self.seed) != HASH_BYTES:
            message = "A key needs a name without white space and plus, and a seed of 32 bytes."
            raise InvalidSigningKey(message)

    @classmethod
    def generate(cls, name: str, type: KeyType = KeyType.LOG) -> Self:  # noqa: A002 the format's word
        return cls(name, type, Ed25519PrivateKey.generate().private_bytes_raw())

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `PRIVATE+KEY+name+hash+base64(type || seed)`, as Go's sumdb/note writes it.

        Raises:
            InvalidSigningKey: it is not that.
        """
        try:
            name, _, material = text.removeprefix(PREFIX).split("+", 2)
            secret = decoded(material)
            key = cls(name, KeyType(secret[0]), secret[1:])
        except (ValueError, IndexError):
            key = None
        if key is None or key.text != text:  # not chained: the cause might repeat the secret
            raise InvalidSigningKey("This is no private key, or a damaged one. Restore it.")
        return key

    @property
    def text(self) -> str:
        """One line without its newline; whoever has it can sign."""
        material = encoded(bytes([self.type]) + self.seed)
        return f"{PREFIX}{self.name}+{self.verifier.key_id.hex()}+{material}"

    @cached_property
    def verifier(self) -> VerifierKey:
        """The public half: what auditors are given."""
        public = self._private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return VerifierKey(self.name, self.type, public)

    def sign(self, message: bytes) -> bytes:
        """64 bytes (RFC 8032)."""
        return self._private.sign(message)

    @cached_property
    def _private(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.seed)


def key_file(path: Path, name: str, type: KeyType = KeyType.LOG) -> SigningKey:  # noqa: A002
    """The key that is kept in a file; made once, readable to its owner only, if there is none.

    Raises:
        InvalidSigningKey: the file can be neither read nor made, or holds another key.
    """
    try:
        kept = read_or_make(path, SigningKey.generate(name, type).text.encode)
    except OSError as error:
        message = f"{path} cannot be read or made ({error.__class__.__name__}). Check its folder."
        raise InvalidSigningKey(message) from error
    key = SigningKey.parse(kept.decode("utf-8", "replace").removesuffix("\n"))
    if (key.name, key.type) != (name, type):
        raise InvalidSigningKey(f"{path} holds the key of {key.name}, not of {name}.")
    return key


def checkpoint_body(origin: str, size: int, root: bytes) -> str:
    """The text that a log signs: three lines (C2SP tlog-checkpoint)."""
    return f"{origin}\n{size}\n{encoded(root)}\n"


def sign_checkpoint(key: SigningKey, size: int, root: bytes) -> str:
    """The signed note of a tree head. The log's origin is its key's name.

    Never sign a tree that does not begin with every tree that was signed before.
    """
    if key.type is not KeyType.LOG or size < 0 or len(root) != HASH_BYTES:
        raise ValueError("Only a log's key signs checkpoints, of a size and a 32-byte root.")
    body = checkpoint_body(key.name, size, root)
    return body + "\n" + _line(key, key.sign(body.encode()))


def cosign(key: SigningKey, note_body: str, at: int) -> str:
    """A witness's signature line, newline included. at: POSIX seconds (C2SP tlog-cosignature)."""
    if key.type is not KeyType.WITNESS:
        raise ValueError("Only a witness's key cosigns.")
    signature = key.sign(cosigned_message(note_body, at))
    return _line(key, at.to_bytes(8, "big") + signature)


def with_signature(note: str, line: str) -> str:
    """The note with one more signature line."""
    return note + line.removesuffix("\n") + "\n"


def tlog_proof(index: int, path: Sequence[bytes], note: str) -> str:
    """A file that proves one entry by itself (C2SP tlog-proof). note: the signed checkpoint."""
    steps = "".join(f"{encoded(step)}\n" for step in path)
    return f"{PROOF_HEADER}\nindex {index}\n{steps}\n{note}"


def _line(key: SigningKey, signature: bytes) -> str:
    return SignatureLine(key.name, key.verifier.key_id, signature).text
