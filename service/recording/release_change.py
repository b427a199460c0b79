"""Release change: an entry before somebody makes another release live, and before it answers.

Two, since they are two events: a service may answer with it seconds later, or never.
"""

from __future__ import annotations

import orjson
from sqlalchemy import select

from models.registry import Move
from models.release import Release
from service.recording import entry
from service.recording.entry import COMMAND_LINE, Kind, MovedBecause
from service.storage.store import Store
from service.storage.tables import entries


def record_promotion(store: Store, move: Move, because: MovedBecause) -> None:
    """Write down who is about to make what live: whoever is at the machine.

    Raises:
        StorageUnavailable: it must not go live yet.
    """
    with store.writing() as writing:
        writing.append([entry.promotion(move, because=because, key_id=COMMAND_LINE)])


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
