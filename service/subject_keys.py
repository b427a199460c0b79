"""StoredKeys: one random key per subject, made when first needed, destroyed when forgotten."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, insert, select
from sqlalchemy.exc import IntegrityError

from features.errors import RedactionFailed
from features.fingerprint import KEY_BYTES, SubjectKey
from features.subject import subject_of
from service.errors import InvalidSettings, StorageUnavailable
from service.settings import Settings
from service.store import Store, iso, subject_keys

ID_BYTES = 16
SECRET_FILE = "subjects.key"  # noqa: S105 the name of a file


class StoredKeys:
    """The keys of subjects, in the database. Fit for several workers at once.

    A subject's id is an HMAC of their contact value under `secret`: the database alone tells
    nobody who they are.
    """

    def __init__(self, store: Store, secret: bytes) -> None:
        self._store = store
        self._secret = secret

    async def key(self, contacts: Mapping[str, str]) -> SubjectKey:
        """The key of whom these contact values are of; one that is not kept, where there are none.

        Raises:
            RedactionFailed: the database cannot be used, so nothing could be linked or forgotten.
        """
        subject = subject_of(contacts)
        if subject is None:
            return SubjectKey.passing()
        name = self.id_of(subject)
        try:
            return SubjectKey(name, await self._store.run(lambda c: _key(c, name)))
        except StorageUnavailable:
            pass
        raise RedactionFailed("The subject's key cannot be read now. Do not send this text.")

    def id_of(self, subject: str) -> str:
        """The opaque id of a subject (`subject_of`), 32 hex digits."""
        digest = hmac.digest(self._secret, subject.encode("utf-8", "surrogatepass"), hashlib.sha256)
        return digest[:ID_BYTES].hex()


def _key(connection: Connection, subject: str) -> bytes:
    query = select(subject_keys.c.key).where(subject_keys.c.subject == subject)
    kept = connection.execute(query).scalar_one_or_none()
    if kept is not None:
        return bytes(kept)
    row = {
        "subject": subject,
        "key": secrets.token_bytes(KEY_BYTES),
        "created_at": iso(datetime.now(UTC)),
    }
    with suppress(IntegrityError), connection.begin_nested():  # another worker was first
        connection.execute(insert(subject_keys), row)
    return bytes(connection.execute(query).scalar_one())


def subject_secret(settings: Settings) -> bytes:
    """The secret under which subjects have their ids: set, or made once and kept under `home`.

    Raises:
        InvalidSettings: the file cannot be made or read.
    """
    if settings.subject_secret is not None:
        return settings.subject_secret.get_secret_value().encode()
    path = settings.home / SECRET_FILE
    try:
        if not path.exists():
            _make_once(path)
        secret = path.read_bytes()
    except OSError as error:
        message = f"{path} cannot be used ({type(error).__name__}). Set TIEBREAK_SUBJECT_SECRET."
        raise InvalidSettings(message) from error
    if len(secret) < KEY_BYTES:
        raise InvalidSettings(f"{path} is damaged. Restore it, or set TIEBREAK_SUBJECT_SECRET.")
    return secret


def _make_once(path: Path) -> None:
    """Whole or not at all, readable to its owner only, and never over another worker's."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}")
    with suppress(FileNotFoundError):
        part.unlink()
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(secrets.token_bytes(KEY_BYTES))
        file.flush()
        os.fsync(file.fileno())
    with suppress(FileExistsError):
        os.link(part, path)
    part.unlink()
