"""Checking: the live ledger against its own head, its checkpoints, and what the witness keeps.

The same functions as in an auditor's `verify.py`; here they read the database.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection, select

from service.ledger.errors import LedgerDamaged, WitnessError
from service.ledger.merkle import Frontier, root_at
from service.ledger.proofs import Head, head, subtree_of
from service.ledger.verify import (
    Checkpoint,
    InvalidNote,
    Report,
    VerifierKey,
    Walk,
    Wrong,
    leaf_hash,
    open_checkpoint,
)
from service.ledger.witness import WitnessClient, WitnessHome
from service.storage.tables import checkpoints, entries, log_head, subtrees

AT_ONCE = 1_000
Asked = WitnessClient | WitnessHome


def check(
    connection: Connection, key: VerifierKey, witness: Asked | None, report: Report
) -> Iterator[int]:
    """Every entry, hash and checkpoint. Fills the report; yields after some entries: progress."""
    kept = _kept_by(witness, key, report)
    newest = head(connection)
    notes = _notes(connection, newest, key, witness, kept, report)
    if not newest.size:
        report.checked.append("The ledger is empty.")
        return
    rest = Checkpoint(key.name, newest.size, b"", "")
    walk = Walk(report, notes[0] if notes else rest, "the ledger", [n.size for n in notes])
    frontier = Frontier()
    gone_through: list[int] = []
    bodies = _bodies(connection, frontier, report, gone_through)
    walk.whole(bodies)
    yield from gone_through
    report.entries = walk.end
    if walk.end != newest.size:
        says = f"The head says {newest.size} entries, and {walk.end} are there."
        report.wrong(Wrong.MISSING, says)
    packed = connection.scalar(select(log_head.c.frontier))
    if packed is None or bytes(packed) != frontier.packed:
        report.wrong(Wrong.ENTRIES, "The kept edge of the tree is not that of the entries.")
    if walk.last_before.get(newest.size) not in (None, newest.at.encode()):
        says = f"The head says {newest.at}, which is not when the last entry got into the log."
        report.wrong(Wrong.CLOCK, says)
    for note in notes:
        if note.size > walk.end:
            says = f"A checkpoint is of {note.size} entries, and {walk.end} are there: cut, or old."
            report.wrong(Wrong.HISTORY, says)
        elif walk.roots.get(note.size) != note.root:
            says = f"The first {note.size} entries are not those that were signed."
            report.wrong(Wrong.ENTRIES, says)
    if report.holds:
        report.checked.append(f"All {walk.end} entries are those of {len(notes)} checkpoints.")


def check_quickly(
    connection: Connection, key: VerifierKey, witness: Asked | None, report: Report
) -> None:
    """The head and every checkpoint against the kept hashes, in milliseconds; no entry is read."""
    kept = _kept_by(witness, key, report)
    newest = head(connection)
    notes = _notes(connection, newest, key, witness, kept, report)
    report.entries = newest.size
    for note in notes:
        try:
            holds = (
                note.size <= newest.size and root_at(note.size, subtree_of(connection)) == note.root
            )
        except LedgerDamaged:
            holds = False
        if not holds:
            says = f"The first {note.size} entries are not those that were signed."
            report.wrong(Wrong.ENTRIES, says)
    report.not_checked.append("Entries were not read: `tiebreak audit verify` reads all of them.")


def _kept_by(witness: Asked | None, key: VerifierKey, report: Report) -> str | None:
    """The witness's own checkpoint; None where it has none, or cannot be asked, which is wrong.

    Asked before anything is read: what it cosigns while the log goes on would be more than is read.
    """
    try:
        return witness.latest(key.name) if witness else None
    except WitnessError as error:
        says = f"The witness could not be asked, so the log may have been cut since. {error}"
        report.wrong(Wrong.COSIGNATURE, says)
        return None


def _notes(
    connection: Connection,
    newest: Head,
    key: VerifierKey,
    witness: Asked | None,
    kept: str | None,
    report: Report,
) -> list[Checkpoint]:
    """All checkpoints there are, opened: the head's first. kept: the witness's own."""
    named = {"the head": newest.note} if newest.size else {}
    sizes = {"the head": newest.size}  # what the rows say, which pick the one that is shown
    for row in connection.execute(select(checkpoints.c.size, checkpoints.c.note)):
        named[f"the checkpoint of {row.size}"] = row.note
        sizes[f"the checkpoint of {row.size}"] = row.size
    if witness is None and len(named) > 1:
        says = (
            "A witness has cosigned this log before, and none is configured, so nobody can tell "
            "whether it was cut since. Set TIEBREAK_WITNESS_URL and TIEBREAK_WITNESS_KEY, or the "
            "TIEBREAK_HOME that its folder is in."
        )
        report.wrong(Wrong.COSIGNATURE, says)
    elif witness is None:
        report.not_checked.append(
            "No witness is configured: whoever holds the log's key can have rewritten all of it."
        )
    elif kept:
        named["the witness's checkpoint"] = kept
    opened = []
    for name, note in named.items():
        try:
            found = open_checkpoint(note, key, [witness.key] if witness else [])
        except InvalidNote as error:
            report.wrong(Wrong.SIGNATURE, f"In {name}: {error}")
            continue
        opened.append(found)
        if name == "the head":
            report.checkpoint = found
        if sizes.get(name, found.size) != found.size:
            says = f"In {name}: its size is not the one that was signed, {found.size}."
            report.wrong(Wrong.MISSING, says)
    if witness is not None:
        _tell_waiting(newest, opened, report)
    return opened


def _tell_waiting(newest: Head, notes: Sequence[Checkpoint], report: Report) -> None:
    """How many entries the witness has not yet seen: these the log's key alone vouches for."""
    cosigned = max((note.size for note in notes if note.cosigned_at), default=0)
    waiting = newest.size - cosigned
    if waiting > 0 and not cosigned:
        report.not_checked.append(f"The witness has cosigned none of the {newest.size} entries.")
    elif waiting > 0:
        wait = "newest entry waits" if waiting == 1 else f"newest {waiting} entries wait"
        report.checked.append(f"The witness has cosigned the first {cosigned}; the {wait} for it.")
    elif waiting == 0 and cosigned:
        report.checked.append(f"The witness has cosigned all {cosigned} entries.")


def _bodies(
    connection: Connection, frontier: Frontier, report: Report, gone_through: list[int]
) -> Iterator[bytes]:
    """Every entry in order, its kept hashes checked on the way."""
    kept = {(row.level, row.place): bytes(row.hash) for row in connection.execute(select(subtrees))}
    columns = (entries.c.seq, entries.c.leaf, entries.c.body)
    while True:
        start = frontier.size
        query = select(*columns).where(entries.c.seq >= start).order_by(entries.c.seq)
        rows = connection.execute(query.limit(AT_ONCE)).all()
        for row in rows:
            if row.seq != frontier.size:
                report.wrong(Wrong.MISSING, f"Entry {frontier.size} is not there.")
                return
            body = bytes(row.body)
            leaf = leaf_hash(body)
            if leaf != bytes(row.leaf):
                report.wrong(Wrong.ENTRIES, f"Entry {row.seq} is not the one that was hashed.")
            for level, place, node in frontier.append(leaf):
                if kept.pop((level, place), None) != node:
                    says = f"The kept hash of level {level}, place {place} is not of its entries."
                    report.wrong(Wrong.ENTRIES, says)
            yield body
        if not rows:
            break
        gone_through.append(len(rows))
    if kept:
        report.wrong(Wrong.ENTRIES, f"{len(kept)} kept hashes are of entries that are not there.")
