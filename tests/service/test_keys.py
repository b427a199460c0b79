from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from service_fakes import fake_desk, store_at
from sqlalchemy import update
from stored_bytes import stored_bytes

from service.errors import NoSuchApiKey, NotAuthenticated, StorageUnavailable
from service.keys import KeyRing, Role, create_key, list_keys, revoke_key
from service.storage.store import Store
from service.storage.tables import api_keys


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    opened = store_at(database_url)
    yield opened
    opened.close()


def test_only_a_digest_of_a_key_is_kept(store: Store, database_url: str) -> None:
    _, token = create_key(store, name="crm", role=Role.SCORE)
    store.close()
    secret = token.split("_", 2)[2].encode()
    assert len(secret) == 43
    stored = stored_bytes(database_url)
    assert b"crm" in stored
    assert secret not in stored


def test_a_token_opens_its_own_key_and_no_other(store: Store) -> None:
    first, first_token = create_key(store, name="a", role=Role.READ)
    second, second_token = create_key(store, name="b", role=Role.SCORE)
    ring = KeyRing(store)
    ring.read()
    assert ring.key(first_token) == first
    assert ring.key(second_token) == second
    for wrong in (first_token[:-1], first_token[:12] + second_token[12:], "", "tb_", "é"):
        with pytest.raises(NotAuthenticated):
            ring.key(wrong)


def test_keys_that_could_not_be_read_yet_are_no_refusal(store: Store) -> None:
    with pytest.raises(StorageUnavailable):
        KeyRing(store).key("tb_0_0")


def test_a_revoked_key_stays_in_the_list(store: Store) -> None:
    key, token = create_key(store, name="a", role=Role.READ)
    revoke_key(store, key.id)
    revoke_key(store, key.id)
    assert [k.revoked_at is None for k in list_keys(store)] == [False]
    ring = KeyRing(store)
    ring.read()
    with pytest.raises(NotAuthenticated):
        ring.key(token)


def test_a_role_of_another_version_opens_nothing_and_keeps_no_other_key_valid(
    store: Store,
) -> None:
    other, token = create_key(store, name="a", role=Role.READ)
    billing, billing_token = create_key(store, name="b", role=Role.READ)
    with store.writing() as writing:
        mine = api_keys.c.id == billing.id
        writing.connection.execute(update(api_keys).where(mine).values(role="billing"))
    ring = KeyRing(store)
    ring.read()
    assert ring.key(token) == other
    with pytest.raises(NotAuthenticated):
        ring.key(billing_token)
    revoke_key(store, other.id)
    ring.read()
    with pytest.raises(NotAuthenticated):
        ring.key(token)


def test_revoking_an_unknown_key_says_where_to_look(store: Store) -> None:
    with pytest.raises(NoSuchApiKey, match="keys list"):
        revoke_key(store, "nope")


async def test_a_service_that_could_not_read_its_keys_yet_is_not_ready(database_url: str) -> None:
    desk = fake_desk(database_url)
    is_ready, tree = desk.readiness()
    assert (is_ready, tree["error"]["code"]) == (False, "storage_unavailable")
    desk.start(asyncio.get_running_loop())
    for _ in range(3_000):
        is_ready, tree = desk.readiness()
        if is_ready:
            break
        await asyncio.sleep(0.01)
    assert is_ready
    desk.keys.known()
    await desk.close()
