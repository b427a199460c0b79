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

import argparse
import base64
import binascii
import csv
import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum, IntEnum
from functools import cached_property
from hashlib import sha256
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any, BinaryIO

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

HASH_BYTES = 32
EMPTY_ROOT = sha256().digest()  # of the tree without entries (RFC 9162, section 2.1.1)
MAX_SIZE = 2**63 - 1  # entries of a log
MAX_NOTE_BYTES = 1 << 20
PROOF_HEADER = "c2sp.org/tlog-proof@v1"
MAX_SIGNATURES = 64  # on one note; the format asks for at least 16
MAX_LINE_BYTES = 16 << 20  # of an export: bounds the memory that a malformed one can take
MAX_FINDINGS = 100  # that are told one by one; the rest is counted
TOLERANCE_S = 300  # between the clocks of the log and the witness, and for a slow cosignature
READ_BYTES = 1 << 16  # stays in the cache of a core: a third faster than a megabyte
COLUMNS = ["index", "at", "kind", "decision_id", "entry", "proof"]
# How an entry begins: its keys are sorted, and no other sorts before "at".
HEAD = re.compile(rb'\{"at":"\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z",')
AT = slice(7, 31)
# What a row of a table repeats, where an entry is plain: keys in order, nothing to unescape, an
# object in an object at the most. What does not match is read as JSON, which takes thrice as long.
_TEXT = r'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_FLAT = r'[\[{](?:[^"\[\]{}]++|' + _TEXT + r")*+[\]}]"
_NESTED = r'[\[{](?:[^"\[\]{}]++|' + _TEXT + "|" + _FLAT + r")*+[\]}]"
_VALUE = r'(?:[^"\[\]{},]++|' + _TEXT + "|" + _NESTED + ")"
_OTHERS = r'(?:"(?!kind"|decision_id")[a-z_]++":' + _VALUE + ",)*+"
CELLS = re.compile(
    r'\{"at":"([^"\\]{24})",'
    + _OTHERS
    + r'(?:"decision_id":(?:"([0-9a-f-]{1,36})"|null),)?+'
    + _OTHERS
    + r'"kind":"([a-z_]{1,32})",'
)


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


# -- what an auditor brings, and gets -------------------------------------------------------------


class Wrong(Enum):
    """Kinds of findings."""

    UNREADABLE = "unreadable"  # a file is missing, or cannot be read
    MALFORMED = "malformed"  # a file is not of the format
    SIGNATURE = "signature"  # the log did not sign this, or a witness's signature is false
    COSIGNATURE = "cosignature"  # a witness that was asked for did not cosign
    ENTRIES = "entries"  # the entries are not those that were signed
    MISSING = "missing"  # fewer or more entries than were signed
    HISTORY = "history"  # the log was another one, or a longer one, before
    ORDER = "order"  # an entry is dated before the one that it follows
    CLOCK = "clock"  # the log's clock and the witness's disagree


HOLDS = "Everything holds."


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, in one sentence."""

    kind: Wrong
    says: str


@dataclass(frozen=True)
class Auditor:
    """What is trusted: keys, and checkpoints from elsewhere. Never anything of the export.

    latest: signed checkpoints that the auditor got from the witness, or kept from an earlier audit.
    tolerance_s: how far the clocks of the log and the witnesses may be apart, in seconds.
    is_full: an export that leaves entries out is a finding, though each of its proofs holds.
    """

    log: VerifierKey
    witnesses: Sequence[VerifierKey] = ()
    latest: Sequence[bytes] = ()
    tolerance_s: int = TOLERANCE_S
    is_full: bool = False


class Report:
    """What was checked, what could not be, and what is wrong."""

    def __init__(self) -> None:
        self.checkpoint: Checkpoint | None = None
        self.entries = 0
        self.checked: list[str] = []
        self.not_checked: list[str] = []
        self.findings: list[Finding] = []  # the first MAX_FINDINGS
        self.findings_in_all = 0

    @property
    def holds(self) -> bool:
        return self.findings_in_all == 0

    def wrong(self, kind: Wrong, says: str) -> None:
        """Note one finding."""
        self.findings_in_all += 1
        if len(self.findings) < MAX_FINDINGS:
            self.findings.append(Finding(kind, says))

    def text(self) -> str:
        """One sentence a line."""
        lines = [f"ok     {says}" for says in self.checked]
        lines += [f"note   {says}" for says in self.not_checked]
        lines += [f"WRONG  {finding.says} [{finding.kind.value}]" for finding in self.findings]
        untold = self.findings_in_all - len(self.findings)
        lines += [f"WRONG  {untold} more findings of the same run."] if untold else []
        holds = "What was checked holds; a note says what was not." if self.not_checked else HOLDS
        wrong = self.findings_in_all
        things = "1 thing is wrong." if wrong == 1 else f"{wrong} things are wrong."
        verdict = holds if self.holds else things
        return "\n".join([*lines, verdict, ""])

    def tree(self) -> dict[str, Any]:
        """The same for programs."""
        head = None
        if self.checkpoint is not None:
            head = {
                "origin": self.checkpoint.origin,
                "size": self.checkpoint.size,
                "root": encoded(self.checkpoint.root),
                "cosigned_at": dict(self.checkpoint.cosigned_at),
            }
        return {
            "holds": self.holds,
            "checkpoint": head,
            "entries": self.entries,
            "checked": self.checked,
            "not_checked": self.not_checked,
            "findings": [{"kind": f.kind.value, "says": f.says} for f in self.findings],
            "findings_in_all": self.findings_in_all,
        }


def verify_export(folder: Path, auditor: Auditor) -> Report:
    """Check a folder with `checkpoint`, and `entries.jsonl` or `entries.csv` (or both).

    1. The checkpoint is signed by the log, and cosigned by each witness.
    2. The entries are those of its tree: all of them, or each with its proof.
    3. No entry is dated before the one before it.
    4. Nothing is missing at the end, and the tree contains the auditor's own checkpoints.
    5. The clocks of the log and the witnesses agree.
    """
    report = Report()
    try:
        note = _read(folder / "checkpoint")
    except OSError:
        report.wrong(Wrong.UNREADABLE, "The export's checkpoint cannot be read.")
        return report
    if not _check_note(note, auditor, report):  # 1
        return report
    earlier = _open_latest(auditor, report)
    if not auditor.latest:
        report.not_checked.append(
            "Without --latest, an older copy of the log, whole in itself, looks the same."
        )
    names = [n for n in ("entries.jsonl", "entries.csv") if _is_there(folder / n)]
    if not names:
        report.wrong(Wrong.UNREADABLE, "The export holds no entries.jsonl and no entries.csv.")
    for name in names:
        _verify_entries(folder / name, auditor, earlier, report)  # 2 to 5
    return report


def verify_entry(entry: bytes, proof: bytes, auditor: Auditor) -> Report:
    """Check one entry with its proof file (C2SP tlog-proof), which holds a checkpoint.

    entry: its canonical JSON; one newline at the end is not part of it.
    """
    report = Report()
    try:
        index, path, note = parse_proof(proof)
    except NotVerified as error:
        report.wrong(Wrong.MALFORMED, str(error))
        return report
    if not _check_note(note, auditor, report):
        return report
    checkpoint = _checkpoint_of(report)
    walk = Walk(report, checkpoint, "the entry", [checkpoint.size])
    walk.proven([(index, path, entry.removesuffix(b"\n"))])
    for latest in _open_latest(auditor, report):
        if latest.size != checkpoint.size:
            report.not_checked.append(
                f"Whether the checkpoint of {latest.size} entries is of the same log: one "
                "entry cannot tell. Ask for an export."
            )
        elif latest.root != checkpoint.root:
            report.wrong(Wrong.HISTORY, _FORKED.format(latest.size))
    _check_clocks(walk, checkpoint, auditor, report)
    if report.holds:
        report.checked.append(f"The entry is number {index} of the log (from 0).")
    return report


def parse_proof(proof: bytes) -> tuple[int, list[bytes], str]:
    """Index, inclusion path and signed checkpoint of a proof file. Raises NotVerified."""
    head, _, note = proof.partition(b"\n\n")
    try:
        lines = head.decode("ascii").split("\n")
        if lines[1:] and lines[1].startswith("extra "):
            decoded(lines.pop(1).removeprefix("extra "))  # means nothing: nobody has signed it
        header, index, *steps = lines
        path = [decoded(step) for step in steps]
        text = note.decode()
    except ValueError as error:
        raise InvalidProof("The proof file is malformed.") from error
    if header != PROOF_HEADER or not index.startswith("index "):
        raise InvalidProof("The proof file is malformed.")
    return parse_size(index.removeprefix("index ")), path, text


# -- step 1: signatures ---------------------------------------------------------------------------


def _check_note(note: str | bytes, auditor: Auditor, report: Report) -> bool:
    """Whether there is a checkpoint to hold anything against."""
    try:
        checkpoint = open_checkpoint(note, auditor.log, auditor.witnesses)
    except InvalidNote as error:
        report.wrong(Wrong.SIGNATURE, f"The checkpoint proves nothing: {error}")
        return False
    report.checkpoint = checkpoint
    report.checked.append(f"The checkpoint of {checkpoint.size} entries is signed by the log.")
    for witness in auditor.witnesses:
        at = checkpoint.cosigned_at.get(witness.name)
        if at is None:
            says = f"The checkpoint is not cosigned by the witness {witness.name}."
            report.wrong(Wrong.COSIGNATURE, says)
        else:
            report.checked.append(f"The witness {witness.name} cosigned it at {_utc(at)}.")
    if not auditor.witnesses:
        report.not_checked.append(
            "Without --witness, whoever holds the log's key can have rewritten the whole log."
        )
    return True


def _open_latest(auditor: Auditor, report: Report) -> list[Checkpoint]:
    opened = []
    for note in auditor.latest:
        try:
            opened.append(open_checkpoint(note, auditor.log, auditor.witnesses))
        except InvalidNote as error:
            report.wrong(Wrong.SIGNATURE, f"The checkpoint given with --latest: {error}")
    return opened


# -- steps 2 and 3: the entries -------------------------------------------------------------------

Row = tuple[int, Sequence[bytes], bytes]  # index in the log, inclusion path, entry


class Malformed(Exception):
    """The file cannot be read on from here. Its message is a finding."""


class Walk:
    """One way through the entries of a file: their tree, their order and their times.

    marks: sizes at which the tree's root and the time of the last entry are wanted.
    """

    def __init__(
        self, report: Report, checkpoint: Checkpoint, name: str, marks: Iterable[int]
    ) -> None:
        self.lines = 0
        self.end = 0  # the index after the last entry's
        self.roots: dict[int, bytes] = {0: EMPTY_ROOT}
        self.last_before: dict[int, bytes] = {}  # mark -> `at` of the last entry below it
        self._marks = sorted(set(marks) - {0})
        self._report = report
        self._checkpoint = checkpoint
        self._name = name
        self._last = b""
        self._day = b""

    def whole(self, entries: Iterable[bytes]) -> None:
        """Every entry from the first on: builds the tree."""
        hashes: list[bytes] = []
        marks = [*self._marks, -1]
        size = 0
        for entry in entries:
            self._see(entry)
            node, index = sha256(b"\x00" + entry).digest(), size
            while index & 1:
                node = sha256(b"\x01" + hashes.pop() + node).digest()
                index >>= 1
            hashes.append(node)
            size += 1
            if size == marks[0]:
                self.roots[size] = _joined(hashes)
                self.last_before[marks.pop(0)] = self._last
        self.end = size
        self.roots[size] = _joined(hashes)
        self._pass_marks()

    def proven(self, rows: Iterable[Row]) -> None:
        """Some entries, each with its proof."""
        for index, path, entry in rows:
            self._pass_marks(index)
            self._see(entry)
            if index < self.end:
                says = f"{self._name}, line {self.lines}: the indices do not ascend."
                self._report.wrong(Wrong.ORDER, says)
            self.end = max(self.end, index + 1)
            try:
                root = root_of_inclusion(leaf_hash(entry), index, self._checkpoint.size, path)
            except InvalidProof:
                root = b""
            if root != self._checkpoint.root:
                says = f"{self._name}, line {self.lines}: the proof does not lead to the root."
                self._report.wrong(Wrong.ENTRIES, says)
        self._pass_marks()

    def _see(self, entry: bytes) -> None:
        self.lines += 1
        at = entry[AT]
        if at == self._last and entry[:7] == b'{"at":"' and entry[31:33] == b'",':
            return  # of the same commit
        day = at[:10]
        if HEAD.match(entry) is None or (day != self._day and not _is_day(day)):
            says = f"{self._name}, line {self.lines}: the entry does not begin with its time."
            self._report.wrong(Wrong.MALFORMED, says)
            return
        self._day = day
        if at < self._last:
            says = f"{self._name}, line {self.lines}: dated before the entry that it follows."
            self._report.wrong(Wrong.ORDER, says)
        self._last = at

    def _pass_marks(self, index: int = MAX_SIZE) -> None:
        for mark in self._marks:
            if mark <= index:
                self.last_before.setdefault(mark, self._last)


def _joined(hashes: Sequence[bytes]) -> bytes:
    """The root over perfect subtrees, from the largest to the smallest."""
    if not hashes:
        return EMPTY_ROOT
    root = hashes[-1]
    for left in reversed(hashes[:-1]):
        root = node_hash(left, root)
    return root


def _verify_entries(
    path: Path, auditor: Auditor, earlier: Sequence[Checkpoint], report: Report
) -> None:
    checkpoint = _checkpoint_of(report)
    marks = [checkpoint.size, *(latest.size for latest in earlier)]
    walk = Walk(report, checkpoint, path.name, marks)
    before = report.findings_in_all
    try:
        is_whole = _walk_csv(path, walk, report) if path.suffix == ".csv" else _walk(path, walk)
    except OSError:
        report.wrong(Wrong.UNREADABLE, f"{path.name} cannot be read.")
        return
    except Malformed as error:
        report.wrong(Wrong.MALFORMED, str(error))
        return
    report.entries = max(report.entries, walk.lines)
    if is_whole:
        _check_end(walk, checkpoint, earlier, path.name, report)
    else:
        _check_part(walk, checkpoint, earlier, auditor, report)
    for signed in (checkpoint, *earlier):
        _check_clocks(walk, signed, auditor, report, is_export=signed is checkpoint)
    if report.findings_in_all == before:
        share = "all" if is_whole else f"{walk.lines} of"
        report.checked.append(
            f"{path.name}: {share} {checkpoint.size} entries are those that were signed, in order."
        )


def _walk(path: Path, walk: Walk) -> bool:
    """Through JSON Lines. Returns whether it is a full export."""
    proofs = path.with_name("proofs.jsonl")
    with _opened(path) as entries:
        if not proofs.exists():
            walk.whole(_lines(entries, path.name))
            return True
        with _opened(proofs) as file:
            walk.proven(_rows(_lines(entries, path.name), _lines(file, proofs.name)))
            return False


def _rows(entries: Iterable[bytes], proofs: Iterable[bytes]) -> Iterator[Row]:
    for number, (entry, proof) in enumerate(zip_longest(entries, proofs), start=1):
        if entry is None or proof is None:
            raise Malformed("entries.jsonl and proofs.jsonl have not the same number of lines.")
        try:
            tree = json.loads(proof)
            index, steps = tree["index"], tree["proof"]
            path = [decoded(step) for step in steps]
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise Malformed(f"proofs.jsonl, line {number}: this is no proof.") from error
        if type(index) is not int or not isinstance(steps, list) or len(tree) != 2:
            raise Malformed(f"proofs.jsonl, line {number}: this is no proof.")
        yield index, path, entry


@contextmanager
def _wide_fields() -> Iterator[None]:
    """The limit is the whole process's: others find it as it was."""
    before = csv.field_size_limit(MAX_LINE_BYTES)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def _walk_csv(path: Path, walk: Walk, report: Report) -> bool:
    """Through a table. Returns whether it is a full export: one without proofs."""
    with _wide_fields(), _opened(path) as file:
        rows = _csv_rows(_lines(file, path.name))
        if next(rows, None) != COLUMNS:
            raise Malformed(f"{path.name}: the columns are not {', '.join(COLUMNS)}.")
        first = next(rows, None)
        if first is None:
            walk.whole([])
            return True
        checked = _checked_rows(first, rows, report)
        if not first[5]:
            walk.whole(_without_proofs(checked))
            return True
        walk.proven(checked)
        return False


def _csv_rows(lines: Iterable[bytes]) -> Iterator[list[str]]:
    """One row a line: canonical JSON has no newline in it."""
    reader = csv.reader(map(bytes.decode, lines), strict=True)
    try:
        for number, row in enumerate(reader, start=1):
            if reader.line_num != number or len(row) != len(COLUMNS):
                message = f"entries.csv, line {number}: the row has not {len(COLUMNS)} cells."
                raise Malformed(message)
            yield row
    except (ValueError, csv.Error) as error:
        message = f"entries.csv, near line {reader.line_num}: this is no row of a table."
        raise Malformed(message) from error


def _checked_rows(
    first: Sequence[str], rest: Iterable[Sequence[str]], report: Report
) -> Iterator[Row]:
    for number, row in enumerate(chain([first], rest), start=2):
        yield _checked_row(row, number, report)


def _checked_row(row: Sequence[str], number: int, report: Report) -> Row:
    index, at, kind, decision_id, text, proof = row
    try:
        path = [decoded(step) for step in proof.split(" ")] if proof else []
        in_order = number - 2  # where all entries are there
        position = in_order if index == str(in_order) else parse_size(index)
    except ValueError as error:
        message = f"entries.csv, line {number}: the index or the proof is malformed."
        raise Malformed(message) from error
    if not (_says_at_a_glance(text, at, kind, decision_id) or _says(text, [at, kind, decision_id])):
        says = f"entries.csv, line {number}: its cells do not say what the entry says."
        report.wrong(Wrong.ENTRIES, says)
    return position, path, text.encode()


def _says(entry: str, cells: Sequence[str]) -> bool:
    try:
        tree = json.loads(entry)
        return [tree.get(name) or "" for name in COLUMNS[1:4]] == cells
    except (ValueError, AttributeError, RecursionError):
        return False


def _says_at_a_glance(entry: str, at: str, kind: str, decision_id: str) -> bool:
    """As `_says`, in a fraction of its time; False also where it takes a closer look."""
    found = CELLS.match(entry)
    if found is None or found.groups("") != (at, decision_id, kind):
        return False
    end = found.end()
    return entry.find('"kind":', end) < 0 and entry.find('"decision_id":', end) < 0


def _without_proofs(rows: Iterable[Row]) -> Iterator[bytes]:
    for number, (index, path, entry) in enumerate(rows):
        if index != number or path:
            message = f"entries.csv, line {number + 2}: in a full export, this is entry {number}."
            raise Malformed(message)
        yield entry


def _opened(path: Path) -> BinaryIO:
    """Raises OSError, also for what is no regular file: a pipe would never end."""
    if not path.is_file():
        raise FileNotFoundError(path)
    return path.open("rb")


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # it is, but nobody lets us look
        return True


def _read(path: Path) -> bytes:
    with _opened(path) as file:
        return file.read(MAX_NOTE_BYTES + 1)


def _lines(file: BinaryIO, name: str) -> Iterator[bytes]:
    """Lines without their newlines; never holds more than one line and one block."""
    rest = b""
    while block := file.read(READ_BYTES):
        lines = (rest + block).split(b"\n")
        rest = lines.pop()
        yield from lines
        if len(rest) > MAX_LINE_BYTES:
            raise Malformed(f"{name}: a line is longer than {MAX_LINE_BYTES} bytes.")
    if rest:
        raise Malformed(f"{name} does not end with a newline: it was cut.")


# -- steps 4 and 5: the end, and the clocks -------------------------------------------------------

_FORKED = (
    "The first {} entries are not those of the checkpoint given with --latest: the log was "
    "rewritten, or there are two."
)


def _check_end(
    walk: Walk, checkpoint: Checkpoint, earlier: Sequence[Checkpoint], name: str, report: Report
) -> None:
    size = checkpoint.size
    if walk.end != size:
        what = "are missing at the end" if walk.end < size else "were added that nobody signed"
        says = f"{name}: {walk.end} entries, but the checkpoint is of {size}: some {what}."
        report.wrong(Wrong.MISSING, says)
    if walk.roots.get(size, checkpoint.root) != checkpoint.root:
        says = f"{name}: an entry was changed, moved, inserted or removed: the root differs."
        report.wrong(Wrong.ENTRIES, says)
    for latest in earlier:
        if latest.size > size:
            report.wrong(Wrong.HISTORY, _rolled_back(latest.size, size))
        if walk.roots.get(latest.size, latest.root) != latest.root:
            report.wrong(Wrong.HISTORY, _FORKED.format(latest.size))
        elif latest.size <= min(size, walk.end):
            report.checked.append(f"{name}: it begins with the {latest.size} entries of --latest.")


def _check_part(
    walk: Walk,
    checkpoint: Checkpoint,
    earlier: Sequence[Checkpoint],
    auditor: Auditor,
    report: Report,
) -> None:
    left_out = checkpoint.size - walk.lines
    if left_out > 0 and auditor.is_full:
        report.wrong(Wrong.MISSING, f"{left_out} entries are left out of what must be all.")
    elif left_out > 0:
        report.not_checked.append(
            f"This is a part of the log: {left_out} entries are left out, whatever they say."
        )
    for latest in earlier:
        if latest.size > checkpoint.size:
            report.wrong(Wrong.HISTORY, _rolled_back(latest.size, checkpoint.size))
        elif latest.size == checkpoint.size and latest.root != checkpoint.root:
            report.wrong(Wrong.HISTORY, _FORKED.format(latest.size))
        elif latest.size < checkpoint.size:
            says = f"Only a full export shows that it begins with the {latest.size} of --latest."
            report.not_checked.append(says)


def _rolled_back(latest: int, size: int) -> str:
    return f"The log had {latest} entries before, and now {size}: it was cut, or an old copy."


def _check_clocks(
    walk: Walk,
    signed: Checkpoint,
    auditor: Auditor,
    report: Report,
    *,
    is_export: bool = True,
) -> None:
    """Entries are not later than the cosignature of a tree that they are in.

    And the newest entry is not earlier: a log is cosigned within seconds of it. Where the witness
    was out of reach meanwhile, the tolerance has to be larger.
    """
    at = walk.last_before.get(signed.size, b"")
    if not at:
        return
    written = datetime.fromisoformat(at.decode()).timestamp()
    for witness, cosigned in signed.cosigned_at.items():
        apart = f"(entry {at.decode()}, witness {witness} {_utc(cosigned)})."
        if written > cosigned + auditor.tolerance_s:
            says = f"An entry is dated later than the witness saw it: a changed clock {apart}"
            report.wrong(Wrong.CLOCK, says)
        elif is_export and walk.end == signed.size and written < cosigned - auditor.tolerance_s:
            says = f"The newest entry is dated long before the witness saw it: {apart}"
            report.wrong(Wrong.CLOCK, says)


def _checkpoint_of(report: Report) -> Checkpoint:
    if report.checkpoint is None:
        raise InvalidNote("There is no checkpoint.")
    return report.checkpoint


def _is_day(day: bytes) -> bool:
    try:
        datetime.strptime(day.decode("ascii"), "%Y-%m-%d")
    except ValueError:
        return False
    return True


def _utc(at: int) -> str:
    """POSIX seconds as ISO 8601; as they are, where no calendar has them."""
    try:
        return datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z")
    except (ValueError, OverflowError, OSError):
        return str(at)


# -- the command ----------------------------------------------------------------------------------


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: 0 everything holds, 1 something is wrong; wrong usage ends with 2."""
    parser = _parser()
    asked = parser.parse_args(arguments)
    auditor = _auditor(asked, parser)
    if asked.proof is None:
        if not _is_folder(asked.export):
            parser.error(f"{asked.export} is no folder. For a single entry, give its --proof.")
        report = verify_export(asked.export, auditor)
    else:
        report = verify_entry(
            _argument(asked.export, parser), _argument(asked.proof, parser), auditor
        )
    text = json.dumps(report.tree(), indent=2) + "\n" if asked.json else report.text()
    sys.stdout.write(text)
    return 0 if report.holds else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description="Check an export of a Tiebreak ledger, or one entry with its proof."
    )
    add = parser.add_argument
    add("export", type=Path, metavar="EXPORT", help="folder of an export, or file of an entry")
    add("--key", required=True, metavar="VKEY", help="the log's verifier key, as you know it")
    add("--witness", action="append", default=[], metavar="VKEY", help="a witness's verifier key")
    add(
        "--latest",
        action="append",
        default=[],
        type=Path,
        metavar="FILE",
        help="a checkpoint that you got from the witness, or kept from an earlier audit",
    )
    add("--proof", type=Path, metavar="FILE", help="the entry's .tlog-proof")
    add("--full", action="store_true", help="a partial export is a finding")
    add(
        "--tolerance",
        type=int,
        default=TOLERANCE_S,
        metavar="SECONDS",
        help=f"how far the clocks of log and witness may be apart (default {TOLERANCE_S})",
    )
    add("--json", action="store_true", help="print the report as JSON")
    return parser


def _auditor(asked: argparse.Namespace, parser: argparse.ArgumentParser) -> Auditor:
    try:
        log = VerifierKey.parse(asked.key.strip())
        witnesses = [VerifierKey.parse(text.strip()) for text in asked.witness]
    except InvalidKey as error:
        parser.error(str(error))
    if log.type is not KeyType.LOG or any(w.type is not KeyType.WITNESS for w in witnesses):
        parser.error("--key takes the key of a log, and --witness that of a witness.")
    if len({witness.name for witness in witnesses}) != len(witnesses):
        parser.error("Two witnesses have the same name.")
    latest = [_argument(path, parser) for path in asked.latest]
    return Auditor(log, witnesses, latest, asked.tolerance, asked.full)


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        return False


def _argument(path: Path, parser: argparse.ArgumentParser) -> bytes:
    try:
        with _opened(path) as file:
            return file.read(MAX_LINE_BYTES)
    except OSError:
        parser.error(f"{path} cannot be read.")


if __name__ == "__main__":
    sys.exit(main())
