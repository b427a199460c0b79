"""API keys: who may ask. Only a digest of a key is kept; the key itself is shown once."""

from __future__ import annotations

import hashlib
import hmac
import logging
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from sqlalchemy import insert, select, update

from service.errors import NoSuchApiKey, NotAuthenticated, StorageUnavailable
from service.storage.database import iso
from service.storage.store import Store
from service.storage.tables import Row, api_keys

log = logging.getLogger("tiebreak.keys")

TOKEN_PREFIX = "tb_"  # noqa: S105 lets a secret scanner recognise a key
REFRESH = timedelta(seconds=1)  # a revoked key works at most this long
GET_A_KEY = "Send `Authorization: Bearer tb_...`; make a key with `tiebreak keys create`."


class Role(StrEnum):
    """What a key is for."""

    SCORE = "score"  # decide, decide_batch, outcomes; read the release and the lead schema
    READ = "read"  # read the release, the lead schema and the metrics
    AUDIT = "audit"  # read the ledger, and open what was sent to an LLM; decide nothing
    ADMIN = "admin"  # everything


ROLES = frozenset(role.value for role in Role)


@dataclass(frozen=True, slots=True)
class ApiKey:
    """An API key without its secret. `id` is public: it is in the token, and in the log."""

    id: str
    name: str
    role: Role
    created_at: str
    revoked_at: str | None = None


@dataclass(frozen=True, slots=True)
class _Entry:
    key: ApiKey
    digest: str


def create_key(store: Store, *, name: str, role: Role) -> tuple[ApiKey, str]:
    """A new key and its token, `tb_<id>_<256 random bits>`: the only time it can be seen.

    Raises:
        StorageUnavailable: the database cannot be written.
    """
    key = ApiKey(secrets.token_hex(4), name, role, iso(datetime.now(UTC)))
    secret = secrets.token_urlsafe(32)
    row: Row = {"id": key.id, "name": name, "role": role.value, "digest": _digest(secret)}
    with store.writing() as writing:
        writing.connection.execute(insert(api_keys), row | {"created_at": key.created_at})
    return key, f"{TOKEN_PREFIX}{key.id}_{secret}"


def list_keys(store: Store) -> list[ApiKey]:
    """All keys, revoked ones too, oldest first. Raises StorageUnavailable."""
    return [entry.key for entry in _entries(store)]


def revoke_key(store: Store, key_id: str) -> None:
    """The key stops working within a second. Revoking twice changes nothing.

    Raises:
        NoSuchApiKey: no key has this id.
        StorageUnavailable: the database cannot be written.
    """
    with store.writing() as writing:
        connection = writing.connection
        found = connection.execute(select(api_keys.c.id).where(api_keys.c.id == key_id)).first()
        if found is None:
            message = f"There is no API key {key_id!r}. `tiebreak keys list` shows all of them."
            raise NoSuchApiKey(message)
        connection.execute(
            update(api_keys)
            .where(api_keys.c.id == key_id, api_keys.c.revoked_at.is_(None))
            .values(revoked_at=iso(datetime.now(UTC)))
        )


class KeyRing:
    """The valid keys in memory, read again every second by a thread of its own.

    While the database cannot be read, the keys of the last reading stay valid.
    """

    def __init__(self, store: Store, *, refresh: timedelta = REFRESH) -> None:
        self._store = store
        self._refresh = refresh
        self._valid: Mapping[str, _Entry] | None = None
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._refresh_forever, name="keys", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._closing.set()
        self._thread.join()

    def key(self, token: str) -> ApiKey:
        """The key of a token: a look-up in memory, and a comparison in constant time.

        Raises:
            NotAuthenticated: no such key, or it is revoked.
            StorageUnavailable: the keys could not be read yet.
        """
        valid = self.known()
        key_id, _, secret = token.removeprefix(TOKEN_PREFIX).partition("_")
        entry = valid.get(key_id)
        if entry is None or not hmac.compare_digest(entry.digest, _digest(secret)):
            raise NotAuthenticated("The API key is not known, or was revoked.", GET_A_KEY)
        return entry.key

    def known(self) -> Mapping[str, _Entry]:
        """The valid keys by their ids. Raises StorageUnavailable: they could not be read yet."""
        if self._valid is None:
            raise StorageUnavailable("The API keys could not be read yet. Try again in a second")
        return self._valid

    def read(self) -> None:
        """Read the valid keys now. Raises StorageUnavailable."""
        entries = _entries(self._store)
        self._valid = {e.key.id: e for e in entries if e.key.revoked_at is None}

    def _refresh_forever(self) -> None:
        while True:
            try:
                self.read()
            except Exception as error:  # whatever it is, keys that are revoked must end
                name = type(error).__name__
                log.warning("The API keys could not be read (%s); those known stay valid.", name)
            if self._closing.wait(self._refresh.total_seconds()):
                return


def _entries(store: Store) -> list[_Entry]:
    with store.reading() as connection:
        rows = connection.execute(select(api_keys).order_by(api_keys.c.created_at)).all()
    return [
        _Entry(ApiKey(r.id, r.name, Role(r.role), r.created_at, r.revoked_at), r.digest)
        for r in rows
        if r.role in ROLES  # one of a later version opens nothing here
    ]


def _digest(secret: str) -> str:
    # One round is enough: 256 random bits cannot be guessed, unlike a password.
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()
