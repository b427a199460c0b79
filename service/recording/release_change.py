"""Release change: which release answers from now on is an entry, before it does."""

from __future__ import annotations

import orjson
from sqlalchemy import select

from models.release import Release
from service.recording import entry
from service.recording.entry import Kind
from service.storage.store import Store
from service.storage.tables import entries


def record_release(store: Store, release: Release) -> None:
    """Write it down, unless it is what the log says already: workers all see the same change.

    Raises:
        StorageUnavailable: it must not answer yet.
    """
    newest = (
        select(entries.c.body)
        .where(entries.c.kind == Kind.RELEASE.value)
        .order_by(entries.c.seq.desc())
        .limit(1)
    )
    with store.writing() as writing:
        writing.take_turn()
        body = writing.connection.scalar(newest)
        if body is None or orjson.loads(body)["release"] != release.version:
            writing.append([entry.release(release.version, release.versions)])
