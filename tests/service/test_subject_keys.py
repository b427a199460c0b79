"""Keys of subjects: one each, found by who they are, gone when destroyed."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import make_url, text
from stored_bytes import stored_bytes

from features.fingerprint import SubjectKey
from service.errors import InvalidSettings, StorageUnavailable
from service.settings import Settings
from service.storage import database, subject_keys
from service.storage.subject_keys import SECRET_FILE, StoredKeys, subject_secret
from service.storage.tables import subject_secret as secret_table

JANE = {"email": "jane@acme.com", "name": "Jane Smith"}
SECRET = b"s" * 32


@pytest.fixture
def keys(database_url: str) -> Iterator[StoredKeys]:
    with closing(StoredKeys(database_url, SECRET)) as opened:
        yield opened


def test_workers_that_meet_somebody_at_once_agree_on_one_key_and_lose_none(
    database_url: str,
) -> None:
    async def ask(rings: list[StoredKeys]) -> set[SubjectKey]:
        return set(await asyncio.gather(*(ring.key(JANE) for ring in rings * 10)))

    rings = [StoredKeys(database_url, SECRET) for _ in range(3)]
    met, later = asyncio.run(ask(rings)), asyncio.run(ask(rings))
    assert len(met | later) == 1
    assert {key.subject for key in met} == set(rings[0].subjects(JANE))
    rings[0].destroy(rings[0].subjects(JANE))
    assert all(rings[1].find(key.subject) is None for key in met)
    for ring in rings:
        ring.close()


def test_the_database_does_not_say_who_a_subject_is(keys: StoredKeys, database_url: str) -> None:
    key = asyncio.run(keys.key(JANE))
    assert key.subject not in (keys.tag(JANE) or "")
    stored = stored_bytes(database_url)
    assert key.subject.encode() in stored
    assert b"jane" not in stored.lower()


def test_with_another_secret_nobody_is_said_to_be_unknown(
    keys: StoredKeys, database_url: str
) -> None:
    key = asyncio.run(keys.key(JANE))
    with closing(StoredKeys(database_url, b"t" * 32)) as others:
        for ask in (
            lambda: others.subjects(JANE),
            lambda: others.make([others.tag(JANE)]),
            lambda: asyncio.run(others.key(JANE)),
            others.require_secret,
        ):
            with pytest.raises(InvalidSettings, match="TIEBREAK_SUBJECT_SECRET"):
                ask()
    assert keys.subjects(JANE) == [key.subject]


def test_a_database_from_before_secrets_were_marked_takes_the_first_that_comes(
    keys: StoredKeys, database_url: str
) -> None:
    key = asyncio.run(keys.key(JANE))
    with keys._database.writing() as connection:
        secret_table.drop(connection)
        connection.execute(text("UPDATE alembic_version_keys SET version_num = '0001'"))
    with closing(StoredKeys(database_url, SECRET)) as again:
        assert again.subjects(JANE) == [key.subject]
    with (
        closing(StoredKeys(database_url, b"t" * 32)) as others,
        pytest.raises(InvalidSettings),
    ):
        others.subjects(JANE)


def test_a_subject_whose_key_was_destroyed_is_somebody_new(keys: StoredKeys) -> None:
    before = asyncio.run(keys.key(JANE))
    keys.destroy([before.subject])
    after = asyncio.run(keys.key(JANE))
    assert before.subject != after.subject
    assert before.secret != after.secret
    assert (keys.find(before.subject), keys.find(after.subject)) == (None, after)


def test_a_copy_made_later_has_a_destroyed_key_no_more(keys: StoredKeys, database_url: str) -> None:
    key = asyncio.run(keys.key(JANE))
    assert key.secret in stored_bytes(database_url)
    keys.destroy([key.subject])
    assert key.secret not in stored_bytes(database_url)
    assert key.subject.encode() not in stored_bytes(database_url)


def test_a_key_that_a_reader_holds_on_to_is_overwritten_once_it_lets_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "OVERWRITE_TRIES", 1)
    monkeypatch.setattr(subject_keys, "OVERWRITE_PAUSE", timedelta(seconds=0.05))
    file = tmp_path / "keys.db"
    with closing(StoredKeys(f"sqlite:///{file}", SECRET)) as keys:
        key = asyncio.run(keys.key(JANE))
        with closing(sqlite3.connect(file)) as reader:
            reader.execute("BEGIN")
            assert reader.execute("SELECT count(*) FROM subject_keys").fetchone() == (1,)
            keys.destroy([key.subject])
            assert key.secret in stored_bytes(f"sqlite:///{file}")
        until = time.monotonic() + 20
        while key.secret in stored_bytes(f"sqlite:///{file}") and time.monotonic() < until:
            time.sleep(0.05)
        assert key.secret not in stored_bytes(f"sqlite:///{file}")


def test_leads_without_contacts_are_each_somebody_else(keys: StoredKeys) -> None:
    one, other = asyncio.run(keys.key({})), asyncio.run(keys.key({}))
    assert one.subject != other.subject
    assert keys.find(one.subject) == one


def test_without_a_database_there_is_no_key(database_url: str, tmp_path: Path) -> None:
    nowhere = make_url(database_url).set(database=str(tmp_path))  # is no database of either
    with (
        closing(StoredKeys(nowhere.render_as_string(), SECRET)) as keys,
        pytest.raises(StorageUnavailable),
    ):
        asyncio.run(keys.key(JANE))


def test_an_address_that_is_none_is_said_by_the_name_of_its_setting() -> None:
    with pytest.raises(InvalidSettings, match="TIEBREAK_SUBJECT_KEYS_URL"):
        StoredKeys("no address", SECRET)


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
