"""Verify: check an export of the ledger without trusting, or importing, who made it.

    python verify.py EXPORT --key VKEY [--witness VKEY ...] [--latest FILE ...] [--full] [--json]
    python verify.py ENTRY --proof PROOF --key VKEY [--witness VKEY ...]

One file, for any Python from 3.11 on, with the package `cryptography` and nothing else: copy it to
a machine of your own. The keys are the auditor's, learned once from elsewhere; none is ever taken
from an export. Exit status: 0 everything holds, 1 something is wrong, 2 wrong usage.

Sources: RFC 6962 and RFC 9162 (Merkle trees and their proofs); C2SP signed-note, tlog-checkpoint,
tlog-cosignature and tlog-proof (texts and signatures).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from functools import cached_property
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

HASH_BYTES = 32
EMPTY_ROOT = sha256().digest()  # of the tree without entries (RFC 9162, section 2.1.1)
MAX_SIZE = 2**63 - 1  # entries of a log
MAX_NOTE_BYTES = 1 << 20
PROOF_HEADER = "c2sp.org/tlog-proof@v1"
MAX_SIGNATURES = 64  # on one note; the format asks for at least 16


class NotVerified(ValueError):
    """Root of what this file raises: a text or a proof that does not hold."""


class InvalidKey(NotVerified):
    """The text is no verifier key of a type that we know."""


class InvalidNote(NotVerified):
    """The note is malformed, or a signature that must hold does not."""


class InvalidProof(NotVerified):
    """The proof cannot be one of the tree and the entry that it is given with."""


# -- the Merkle tree ------------------------------------------------------------------------------


def leaf_hash(entry: bytes) -> bytes:
    """Hash one entry: SHA-256(0x00 || entry), 32 bytes (RFC 9162, section 2.1.1).

    The prefix keeps a leaf from ever being mistaken for an inner node.
    """
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two subtrees, 32 bytes each: SHA-256(0x01 || left || right) (RFC 9162, 2.1.1)."""
    return sha256(b"\x01" + left + right).digest()


def root_of_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """The root that a tree of `size` entries has if `leaf` is at `index` (RFC 9162, 2.1.3.2).

    leaf: the entry's leaf hash. path: hashes from the leaf's sibling up to the root's child.

    Raises:
        InvalidProof: no tree of that size has such a path.
    """
    if not 0 <= index < size or any(len(step) != HASH_BYTES for step in path):
        raise InvalidProof("The proof does not fit an entry of this tree.")
    first, last, root = index, size - 1, leaf
    for step in path:
        if last == 0:
            raise InvalidProof("The proof is longer than the tree is high.")
        if first & 1 or first == last:
            root = node_hash(step, root)
            while not first & 1 and first:
                first, last = first >> 1, last >> 1
        else:
            root = node_hash(root, step)
        first, last = first >> 1, last >> 1
    if last != 0:
        raise InvalidProof("The proof is shorter than the tree is high.")
    return root


def check_consistency(
    old_size: int, old_root: bytes, new_size: int, new_root: bytes, path: Sequence[bytes]
) -> bool:
    """Whether the new tree begins with all entries of the old (RFC 9162, section 2.1.4.2).

    The RFC speaks of 0 < old_size < new_size. Before: every tree begins with the empty one, and a
    tree with itself; the path is empty then.
    """
    if not 0 <= old_size <= new_size or any(len(step) != HASH_BYTES for step in path):
        return False
    if old_size == new_size:
        return not path and old_root == new_root
    if old_size == 0:
        return not path and old_root == EMPTY_ROOT
    return bool(path) and _grows(old_size, old_root, new_size, new_root, path)


def _grows(
    old_size: int, old_root: bytes, new_size: int, new_root: bytes, path: Sequence[bytes]
) -> bool:
    steps = list(path)
    if old_size & (old_size - 1) == 0:
        steps.insert(0, old_root)
    first, last = old_size - 1, new_size - 1
    while first & 1:
        first, last = first >> 1, last >> 1
    old = new = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if first & 1 or first == last:
            old, new = node_hash(step, old), node_hash(step, new)
            while not first & 1 and first:
                first, last = first >> 1, last >> 1
        else:
            new = node_hash(new, step)
        first, last = first >> 1, last >> 1
    return last == 0 and old == old_root and new == new_root


# -- keys and signed notes ------------------------------------------------------------------------


class KeyType(IntEnum):
    """What a key's signatures mean (C2SP signed-note, signature types)."""

    LOG = 0x01  # Ed25519 over the note's text
    WITNESS = 0x04  # cosignature/v1: Ed25519 over a time and the note's text


def is_key_name(name: str) -> bool:
    """Not empty, UTF-8, no white space, no control character, no plus (C2SP signed-note)."""
    forbidden = any(c.isspace() or c < " " or "\ud800" <= c <= "\udfff" for c in name)
    return bool(name) and "+" not in name and not forbidden


@dataclass(frozen=True)
class VerifierKey:
    """The public half of a key, as an auditor holds it. public_key: 32 bytes (RFC 8032)."""

    name: str
    type: KeyType
    public_key: bytes

    @classmethod
    def parse(cls, text: str) -> VerifierKey:
        """Read `name+hash+base64(type || public key)`. Raises InvalidKey."""
        try:
            name, _, rest = text.split("+", 2)
            material = decoded(rest)
            key = cls(name, KeyType(material[0]), material[1:])
        except (ValueError, IndexError) as error:
            raise InvalidKey("This is no verifier key: name+hash+base64.") from error
        if not is_key_name(name) or len(key.public_key) != HASH_BYTES or key.text != text:
            raise InvalidKey("This verifier key is damaged: its parts do not fit together.")
        return key

    @cached_property
    def text(self) -> str:
        """`name+hash+base64(type || public key)`."""
        material = encoded(bytes([self.type]) + self.public_key)
        return f"{self.name}+{self.key_id.hex()}+{material}"

    @cached_property
    def key_id(self) -> bytes:
        """The first four bytes of SHA-256(name || 0x0A || type || public key)."""
        named = self.name.encode() + b"\n" + bytes([self.type]) + self.public_key
        return sha256(named).digest()[:4]

    def signed_at(self, body: str, signature: bytes) -> int:
        """When a witness cosigned `body`, in POSIX seconds; 0 for a log, which does not say.

        Raises:
            InvalidNote: it did not.
        """
        at, message = 0, body.encode()
        if self.type is KeyType.WITNESS:
            at, signature = int.from_bytes(signature[:8], "big"), signature[8:]
            message = cosigned_message(body, at)
        try:
            Ed25519PublicKey.from_public_bytes(self.public_key).verify(signature, message)
        except (InvalidSignature, ValueError) as error:
            raise InvalidNote(f"The signature of {self.name} does not hold.") from error
        if at > MAX_SIZE:
            raise InvalidNote(f"The time of {self.name}'s cosignature is out of range.")
        return at


def cosigned_message(body: str, at: int) -> bytes:
    """What a witness signs (C2SP tlog-cosignature): two lines, then the note's text."""
    return f"cosignature/v1\ntime {at}\n{body}".encode()


@dataclass(frozen=True, slots=True)
class SignatureLine:
    """One signature of a note, before anyone checked it."""

    name: str
    key_id: bytes
    signature: bytes

    @property
    def text(self) -> str:
        """`— name base64(key id || signature)` and a newline."""
        return f"— {self.name} {encoded(self.key_id + self.signature)}\n"

    @classmethod
    def parse(cls, line: str) -> SignatureLine:
        """Read a line without its newline. Raises InvalidNote."""
        dash, _, rest = line.partition(" ")
        name, _, blob = rest.partition(" ")
        try:
            signature = decoded(blob)
        except ValueError as error:
            raise InvalidNote("A signature line is not base64.") from error
        if dash != "—" or not is_key_name(name) or len(signature) < 5:
            raise InvalidNote("A signature line is malformed.")
        return cls(name, signature[:4], signature[4:])


@dataclass(frozen=True, slots=True)
class SignedNote:
    """A note, taken apart. body: its text with the final newline; nobody has checked it yet."""

    body: str
    signatures: Sequence[SignatureLine]

    @classmethod
    def parse(cls, note: str | bytes) -> SignedNote:
        """Raises InvalidNote (C2SP signed-note, Format)."""
        text = _note_text(note)
        split = text.rfind("\n\n")
        body, lines = text[: split + 1], text[split + 2 :]
        if split < 0 or not lines.endswith("\n"):
            raise InvalidNote("The note has no signatures.")
        found = lines[:-1].split("\n")
        if len(found) > MAX_SIGNATURES:
            raise InvalidNote("The note has too many signatures.")
        return cls(body, [SignatureLine.parse(line) for line in found])

    def of(self, key: VerifierKey) -> list[SignatureLine]:
        """The lines that claim to be by this key."""
        return [s for s in self.signatures if (s.name, s.key_id) == (key.name, key.key_id)]


def _note_text(note: str | bytes) -> str:
    if len(note) > MAX_NOTE_BYTES:
        raise InvalidNote("The note is too long.")
    try:
        text = note.decode() if isinstance(note, bytes) else note.encode().decode()
    except UnicodeError as error:
        raise InvalidNote("The note is not UTF-8.") from error
    if any(c < " " and c != "\n" for c in text):
        raise InvalidNote("The note contains control characters.")
    return text


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A tree head that the log's key has signed (C2SP tlog-checkpoint).

    size: entries. root: 32 bytes. body: the signed text. cosigned_at: name of each witness that
    cosigned, of those that were asked about -> POSIX seconds, the latest if there are several.
    """

    origin: str
    size: int
    root: bytes
    body: str
    cosigned_at: Mapping[str, int] = field(default_factory=dict)


def open_checkpoint(
    note: str | bytes, log: VerifierKey, witnesses: Iterable[VerifierKey] = ()
) -> Checkpoint:
    """Read a checkpoint of a log, whose key has the log's origin as its name.

    Signatures of other keys are ignored. A witness may be missing: see `cosigned_at`.

    Raises:
        InvalidNote: it is malformed, of another log, or not signed by it; or a signature by one of
            these keys does not hold.
    """
    signed = SignedNote.parse(note)
    if log.type is not KeyType.LOG or not signed.of(log):
        raise InvalidNote(f"The checkpoint is not signed by {log.name}.")
    for line in signed.of(log):
        log.signed_at(signed.body, line.signature)
    cosigned_at: dict[str, int] = {}
    for witness in witnesses:
        for line in signed.of(witness):
            at = witness.signed_at(signed.body, line.signature)
            cosigned_at[witness.name] = max(at, cosigned_at.get(witness.name, 0))
    origin, size, root = parse_body(signed.body)
    if origin != log.name:
        raise InvalidNote(f"The checkpoint is of another log than {log.name}.")
    return Checkpoint(origin, size, root, signed.body, cosigned_at)


def parse_body(body: str) -> tuple[str, int, bytes]:
    """Origin, size and root hash of a checkpoint's text, unchecked. Raises InvalidNote."""
    lines = body.split("\n")
    if len(lines) < 4 or lines[-1] or not all(lines[:-1]):
        raise InvalidNote("The note is no checkpoint: origin, size, root hash.")
    size = parse_size(lines[1])
    try:
        root = decoded(lines[2])
    except ValueError as error:
        raise InvalidNote("The checkpoint's root hash is not base64.") from error
    if len(root) != HASH_BYTES or (size == 0 and root != EMPTY_ROOT):
        raise InvalidNote("The checkpoint's root hash cannot be one of a tree of its size.")
    return lines[0], size, root


def parse_size(text: str) -> int:
    """A decimal number without leading zeroes. Raises InvalidNote."""
    is_number = text.isascii() and text.isdigit() and len(text) < 20
    if not is_number or str(int(text)) != text or int(text) > MAX_SIZE:
        raise InvalidNote("A number is malformed.")
    return int(text)


def encoded(data: bytes) -> str:
    """Base64 (RFC 4648, section 4)."""
    return base64.b64encode(data).decode()


def decoded(text: str) -> bytes:
    """The bytes of a base64 text, and of no other text than `encoded` makes. Raises ValueError."""
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except binascii.Error as error:
        raise ValueError("This is not base64.") from error
    if encoded(data) != text:
        raise ValueError("This is not canonical base64.")
    return data
