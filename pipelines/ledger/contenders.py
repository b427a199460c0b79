"""Contenders: the ledger, and what people would use instead of it."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Column, Connection, Integer, LargeBinary, MetaData, Table, insert

from features.fingerprint import SubjectKey
from pipelines.ledger.appending import open_as_served
from service.ledger.draft import Draft
from service.recording.entry import Kind
from service.recording.record import new_decision_id
from service.storage.database import Database
from service.storage.sealing import bound_to, seal
from service.storage.store import Store
from service.storage.unit import Unit

plain_metadata = MetaData()
plain = Table(
    "plain",
    plain_metadata,
    Column("id", Integer, primary_key=True),
    Column("body", LargeBinary, nullable=False),
)
PATIENCE = timedelta(seconds=60)  # of a database that 64 threads write to: nobody is refused


def decision() -> Draft:
    """An entry as the service makes it for each lead: a kilobyte, with its sealed part."""
    return _draft(decision_fields())


def _draft(fields: Mapping[str, Any]) -> Draft:
    return Draft.of(Kind.DECISION, fields["decision_id"], fields)


def decision_fields() -> dict[str, Any]:
    """What it says."""
    key, named = SubjectKey("5" * 32, bytes(32)), new_decision_id()
    read = {"row": base64.b64encode(bytes(60)).decode(), "reasons": {"for": [], "against": []}}
    return {
        "decision_id": named,
        "decided_at": "2026-01-01T00:00:00.000Z",
        "key": "benchmrk",
        "subject": key.subject,
        "release": "1",
        "policy": None,
        "has_text": False,
        "llm": None,
        "sealed": seal(key.secret, bound_to(Kind.DECISION, named), read),
        "route": "classifier",
        "reason": "confident",
        "probability": 0.123456789012345,
        "classifier_probability": 0.123456789012345,
        "versions": {"release": "1", "classifier": "1", "llm": "1", "lead_spec": "0" * 12},
        "redacted": {},
        "usage": {"prompt_tokens": 0, "completion_tokens": 0, "cost_usd": None},
        "data": {"missing": [], "unknown_categories": [], "unknown_fields": 0},
        "latency_ms": 1.234,
    }


def ledger_rate(url: str, count: int, at_once: int) -> float:
    """Durable entries per second: Merkle tree, signature, what is read off, and all."""
    made = [decision_fields() for _ in range(count)]  # the others are given the bytes

    async def append(store: Store) -> float:
        turns = iter(made)

        async def one_after_the_other() -> None:
            for fields in turns:
                await store.append(Unit([_draft(fields)]))

        await store.append(Unit([decision()]))  # the first one makes the tables
        started = time.perf_counter()
        await asyncio.gather(*(one_after_the_other() for _ in range(at_once)))
        return count / (time.perf_counter() - started)

    with closing(open_as_served(url)) as store:
        return asyncio.run(append(store))


def single_row_rate(url: str, count: int, at_once: int) -> float:
    """Rows per second of a plain table, each in a commit of its own, through the same library."""
    with closing(Database(url, _make_plain, busy_timeout=PATIENCE)) as database:
        body = decision().said

        def append() -> None:
            with database.writing() as connection:
                connection.execute(insert(plain), [{"body": body}])

        append()
        return _threaded_rate(append, count, at_once)


def hash_chain_rate(path: Path, count: int, at_once: int) -> float:
    """Lines per second of a plain file in which each line holds the hash of the one before."""
    lock, last = threading.Lock(), bytes(32)
    body = decision().said
    with path.open("ab", buffering=0) as file:

        def append() -> None:
            nonlocal last
            with lock:
                last = hashlib.sha256(last + body).digest()
                file.write(body + last.hex().encode() + b"\n")
                os.fsync(file.fileno())

        return _threaded_rate(append, count, at_once)


def _threaded_rate(append: Callable[[], Any], count: int, at_once: int) -> float:
    with ThreadPoolExecutor(at_once) as threads:
        started = time.perf_counter()
        for _ in threads.map(lambda _: append(), range(count)):
            pass
        return count / (time.perf_counter() - started)


def _make_plain(connection: Connection) -> None:
    plain_metadata.create_all(connection)
