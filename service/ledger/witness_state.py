"""WitnessState: what a witness has cosigned, in one file that never silently starts afresh."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from service.ledger.checkpoint import SigningKey
from service.ledger.errors import WitnessStateDamaged
from service.ledger.verify import decoded, encoded
from service.storage.secret_file import sync_folder

HEADER = "witness-state/v1"

Notes = Mapping[str, str]  # origin of a log -> the latest checkpoint of it that was cosigned


class WitnessState:
    """The file of one witness, signed with its key: what is damaged or edited is not read.

    Several processes may share it. A file that is missing is as bad as a damaged one: a witness
    that forgets would cosign a log that was rewritten.
    """

    def __init__(self, path: Path, key: SigningKey) -> None:
        self._path = path
        self._key = key
        self._known: tuple[bytes, Notes] = (b"", {})

    def notes(self) -> Notes:
        """Raises WitnessStateDamaged."""
        try:
            content = self._path.read_bytes()
        except OSError as error:
            raise self._damaged() from error
        if content != self._known[0]:
            self._known = (content, self._read(content))
        return self._known[1]

    def has_cosigned(self) -> bool:
        """Whether there is a file that remembers any log, whoever's key has signed it."""
        try:
            _, _, rest = self._path.read_bytes().partition(b"\n")
            return bool(json.loads(rest))
        except FileNotFoundError:
            return False
        except (OSError, ValueError):
            return True  # damaged: it may have

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep every other thread and process from changing the file meanwhile."""
        with self._path.with_name(f"{self._path.name}.lock").open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # ends with the file, also where the process is killed
            yield

    def write(self, notes: Notes) -> None:
        """Returns once the notes are durable. Raises OSError; then the old or the new ones are."""
        content = json.dumps(dict(notes), ensure_ascii=True, indent=1).encode() + b"\n"
        signature = encoded(self._key.sign(_message(content)))
        part = self._path.with_name(f".{self._path.name}.{secrets.token_hex(8)}")
        try:
            with part.open("xb") as file:
                file.write(f"{HEADER} {signature}\n".encode() + content)
                file.flush()
                os.fsync(file.fileno())
            part.replace(self._path)
        finally:
            with suppress(FileNotFoundError):
                part.unlink()
        sync_folder(self._path.parent)

    def _read(self, content: bytes) -> Notes:
        head, _, rest = content.partition(b"\n")
        public = Ed25519PublicKey.from_public_bytes(self._key.verifier.public_key)
        try:
            header, _, signature = head.decode("ascii").partition(" ")
            public.verify(decoded(signature), _message(rest))
            notes = json.loads(rest)
        except (ValueError, InvalidSignature) as error:
            raise self._damaged() from error
        if header != HEADER:
            raise self._damaged()
        return dict(notes)

    def _damaged(self) -> WitnessStateDamaged:
        message = (
            f"{self._path} is missing, damaged, or of another key. Restore its latest copy: a "
            "witness that forgets what it cosigned protects nobody."
        )
        return WitnessStateDamaged(message)


def _message(content: bytes) -> bytes:
    """What is signed. Its first line tells it from a cosignature by the same key."""
    return f"{HEADER}\n".encode() + content
