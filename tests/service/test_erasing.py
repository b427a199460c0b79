"""Whoever is forgotten stays forgotten; whoever is not due is not forgotten."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import count

import orjson
import pytest
from service_fakes import store_with_process_at, subjects_beside
from sqlalchemy import select, update

from service.recording import erasing
from service.recording.entry import ErasedBecause, Purpose
from service.recording.erasing import Erasing
from service.recording.record import first_id_at, new_decision_id
from service.storage.database import iso
from service.storage.store import Store
from service.storage.subject_keys import StoredKeys
from service.storage.tables import decisions, entries, erasures, redactions, subject_keys
from service.storage.unit import Expected, Late, Unit, Unsealed

YEAR = timedelta(days=365)
PLACES = count(10_000)


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    with closing(store_with_process_at(database_url)) as opened:
        yield opened


@pytest.fixture
def keys(database_url: str) -> Iterator[StoredKeys]:
    with closing(subjects_beside(database_url)) as opened:
        yield opened


def made(keys: StoredKeys, name: str, ago: timedelta) -> str:
    """A subject whose key was made so long ago."""
    (key,) = keys.make([keys.tag({"Email": f"{name}@acme.com"})])
    with keys._database.writing() as connection:
        mine = subject_keys.c.subject == key.subject
        at = iso(datetime.now(UTC) - ago)
        connection.execute(update(subject_keys).where(mine).values(created_at=at))
    return key.subject


def decided(
    store: Store, subjects: list[str], ago: timedelta, *, ahead: timedelta = timedelta(0)
) -> None:
    """ahead: of that time, the clock that dates entries."""
    made = datetime.now(UTC) - ago
    row = {"id": "", "subject": "", "at": iso(made + ahead)}
    nothing = {c.name: 0 for c in decisions.c if not c.nullable} | row
    with store.writing() as writing:
        for subject in subjects:
            number = next(PLACES)
            named = f"{first_id_at(made)}-7000-8000-{number:012d}"
            own = {"seq": number, "id": named, "subject": subject}
            writing.connection.execute(decisions.insert().values(nothing | own))


def forgotten(store: Store) -> list[str]:
    with store.reading() as connection:
        return list(connection.scalars(select(erasures.c.subject)))


def test_retention_looks_behind_those_who_keep_coming_back(
    store: Store, keys: StoredKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasing, "AT_ONCE", 3)
    regulars = [made(keys, f"regular{n}", 3 * YEAR) for n in range(7)]
    decided(store, regulars, timedelta(days=1))
    gone = [made(keys, f"gone{n}", 2 * YEAR) for n in range(7)]
    new = made(keys, "new", timedelta(days=2))
    assert Erasing(store, keys).expire(YEAR) == len(gone)
    assert sorted(forgotten(store)) == sorted(gone)
    assert keys.kept([*regulars, new, *gone]) == {*regulars, new}
    assert Erasing(store, keys).expire(YEAR) == 0


def test_a_clock_that_was_ahead_does_not_end_retention(store: Store, keys: StoredKeys) -> None:
    old, regular = made(keys, "old", 3 * YEAR), made(keys, "regular", 3 * YEAR)
    decided(store, [old], 2 * YEAR, ahead=100 * YEAR)
    decided(store, [regular], timedelta(days=1), ahead=100 * YEAR)
    assert Erasing(store, keys).expire(YEAR) == 1
    assert forgotten(store) == [old]


def test_ids_of_decisions_say_when_they_were_made() -> None:
    before = first_id_at(datetime.now(UTC))
    named = new_decision_id()
    assert before <= named < first_id_at(datetime.now(UTC) + timedelta(milliseconds=1))


def test_who_was_only_trained_on_is_not_kept_for_that(store: Store, keys: StoredKeys) -> None:
    old = made(keys, "old", 3 * YEAR)
    decided(store, [old], 2 * YEAR)
    row = {"subject": old, "at": iso(datetime.now(UTC)), "failed": False}
    nothing = {c.name: 0 for c in redactions.c if not c.nullable} | row
    with store.writing() as writing:
        own = {"seq": 2_000, "about": new_decision_id(), "purpose": Purpose.TRAINING.value}
        writing.connection.execute(redactions.insert().values(nothing | own))
    assert Erasing(store, keys).expire(YEAR) == 1
    assert forgotten(store) == [old]


def test_somebody_is_found_by_any_of_the_values_that_are_given(keys: StoredKeys) -> None:
    by_phone, by_mail = keys.make(
        [keys.tag({"Phone": "0049 170 555 0132"}), keys.tag({"Mail": "Jane <jane@acme.com>"})]
    )
    given = {"Email": "jane@acme.com", "Phone": "+49 170 5550132"}
    assert set(keys.subjects(given)) == {by_phone.subject, by_mail.subject}
    assert keys.subjects({"Handle": "@jane"}) == []


async def test_whoever_is_erased_while_a_decision_on_them_is_made_is_somebody_new_in_it(
    store: Store, keys: StoredKeys
) -> None:
    jane = {"Email": "jane@acme.com"}
    store.expect(Expected("1", keys.tag(jane)))
    deadline = time.monotonic() + 30
    while not (known := keys.subjects(jane)):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)
    eraser = Erasing(store, keys)
    await asyncio.to_thread(eraser.erase, known, because=ErasedBecause.REQUEST, key_id="0a1b2c3d")
    draft = Unsealed.of("decision_like", f"{1:036d}", {}, {"row": "secret"})
    await store.append(Unit(late=[Late([draft], keys.tag(jane), None, "1")]))
    (subject,) = keys.subjects(jane)
    assert subject not in known
    with store.reading() as connection:
        last = connection.scalars(select(entries.c.body).order_by(entries.c.seq.desc())).first()
    assert orjson.loads(bytes(last or b""))["subject"] == subject
