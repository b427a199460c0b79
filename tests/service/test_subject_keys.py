"""Keys of subjects: one each, found by who they are, gone when destroyed."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from service.errors import InvalidSettings, StorageUnavailable
from service.settings import Settings
from service.subject_keys import SECRET_FILE, StoredKeys, subject_secret

JANE = {"email": "jane@acme.com", "name": "Jane Smith"}
SECRET = b"s" * 32


def keys_at(folder: Path, secret: bytes = SECRET) -> StoredKeys:
    return StoredKeys(f"sqlite:///{folder}/keys.db", secret)


@pytest.fixture
def keys(tmp_path: Path) -> Iterator[StoredKeys]:
    with closing(keys_at(tmp_path)) as opened:
        yield opened


def test_a_subject_has_one_key_in_every_worker_at_once(tmp_path: Path) -> None:
    async def ask(rings: list[StoredKeys]) -> set[bytes]:
        keys = await asyncio.gather(*(ring.key(JANE) for ring in rings * 10))
        return {key.secret for key in keys}

    rings = [keys_at(tmp_path) for _ in range(3)]
    assert len(asyncio.run(ask(rings))) == 1
    for ring in rings:
        ring.close()


def test_the_database_does_not_say_who_a_subject_is(keys: StoredKeys, tmp_path: Path) -> None:
    key = asyncio.run(keys.key(JANE))
    assert key.subject not in (keys.tag(JANE) or "")
    with closing(keys_at(tmp_path, b"t" * 32)) as others:
        assert others.subjects(JANE) == []  # without the secret nobody is found
    stored = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"jane" not in stored.lower()


def test_a_subject_whose_key_was_destroyed_is_somebody_new(keys: StoredKeys) -> None:
    before = asyncio.run(keys.key(JANE))
    keys.destroy([before.subject])
    after = asyncio.run(keys.key(JANE))
    assert before.subject != after.subject
    assert before.secret != after.secret
    assert (keys.find(before.subject), keys.find(after.subject)) == (None, after)


def test_a_destroyed_key_is_on_disk_no_more(keys: StoredKeys, tmp_path: Path) -> None:
    key = asyncio.run(keys.key(JANE))
    stored = lambda: b"".join(p.read_bytes() for p in tmp_path.iterdir())  # noqa: E731
    assert key.secret in stored()
    keys.destroy([key.subject])
    assert key.secret not in stored()
    assert key.subject.encode() not in stored()


def test_leads_without_contacts_are_each_somebody_else(keys: StoredKeys) -> None:
    one, other = asyncio.run(keys.key({})), asyncio.run(keys.key({}))
    assert one.subject != other.subject
    assert keys.find(one.subject) == one


def test_without_a_database_there_is_no_key(tmp_path: Path) -> None:
    (tmp_path / "keys.db").mkdir()
    with closing(keys_at(tmp_path)) as keys, pytest.raises(StorageUnavailable):
        asyncio.run(keys.key(JANE))


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
