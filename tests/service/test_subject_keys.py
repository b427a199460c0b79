from __future__ import annotations

import asyncio
import stat
from pathlib import Path

import pytest
from sqlalchemy import delete, select

from features.errors import RedactionFailed
from service.errors import InvalidSettings
from service.settings import Settings
from service.store import Store, subject_keys
from service.subject_keys import SECRET_FILE, StoredKeys, subject_secret

JANE = {"email": "jane@acme.com", "name": "Jane Smith"}
SECRET = b"s" * 32


def store_at(folder: Path) -> Store:
    return Store(f"sqlite:///{folder}/keys.db")


def test_a_subject_has_one_key_in_every_worker_at_once(tmp_path: Path) -> None:
    async def ask(stores: list[Store]) -> set[bytes]:
        rings = [StoredKeys(store, SECRET) for store in stores]
        keys = await asyncio.gather(*(ring.key(JANE) for ring in rings * 10))
        return {key.secret for key in keys}

    stores = [store_at(tmp_path) for _ in range(3)]
    assert len(asyncio.run(ask(stores))) == 1
    for store in stores:
        store.close()


def test_the_database_does_not_say_who_a_subject_is(tmp_path: Path) -> None:
    store = store_at(tmp_path)
    key = asyncio.run(StoredKeys(store, SECRET).key(JANE))
    other = asyncio.run(StoredKeys(store, b"t" * 32).key(JANE))
    assert key.subject != other.subject
    store.close()
    stored = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"jane" not in stored.lower()


def test_a_subject_whose_key_was_destroyed_gets_another(tmp_path: Path) -> None:
    store = store_at(tmp_path)
    ring = StoredKeys(store, SECRET)
    before = asyncio.run(ring.key(JANE))
    with store.writing() as connection:
        connection.execute(delete(subject_keys))
    after = asyncio.run(ring.key(JANE))
    assert (before.subject, before.secret != after.secret) == (after.subject, True)
    store.close()


def test_a_lead_without_contacts_leaves_no_key(tmp_path: Path) -> None:
    store = store_at(tmp_path)
    assert asyncio.run(StoredKeys(store, SECRET).key({})).subject == ""
    with store.reading() as connection:
        assert connection.execute(select(subject_keys)).all() == []
    store.close()


def test_without_a_database_there_is_no_key_and_no_redaction(tmp_path: Path) -> None:
    (tmp_path / "keys.db").mkdir()
    store = store_at(tmp_path)
    with pytest.raises(RedactionFailed, match="Do not send") as failure:
        asyncio.run(StoredKeys(store, SECRET).key(JANE))
    assert failure.value.__context__ is None
    store.close()


def test_the_secret_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home")
    secret = subject_secret(settings)
    assert len(secret) == 32
    assert subject_secret(settings) == secret
    path = settings.home / SECRET_FILE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [p.name for p in settings.home.iterdir()] == [SECRET_FILE]


def test_a_secret_that_is_set_is_used_and_a_damaged_one_is_refused(tmp_path: Path) -> None:
    chosen = "x" * 32
    assert subject_secret(Settings(home=tmp_path, subject_secret=chosen)) == chosen.encode()
    (tmp_path / SECRET_FILE).write_bytes(b"short")
    with pytest.raises(InvalidSettings, match="damaged"):
        subject_secret(Settings(home=tmp_path))
