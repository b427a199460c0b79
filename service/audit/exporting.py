"""Exporting: entries with their proofs, in a folder that proves itself without us.

All entries of the newest checkpoint, or those that match, each with its inclusion proof.
`verify.py` lies beside them; the keys do not: an auditor has them from elsewhere.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from io import TextIOWrapper
from pathlib import Path
from shutil import copyfile
from typing import BinaryIO, Protocol

from sqlalchemy import Connection, select

from service.audit.filters import Filters
from service.audit.finding import Found, walk
from service.errors import MalformedRequest, NoSuchEntry
from service.ledger import verify
from service.ledger.merkle import inclusion_path
from service.ledger.proofs import Head, head, subtree_of, witnessed
from service.ledger.verify import COLUMNS, encoded
from service.storage.tables import entries

KEPT_HASHES = 10_000  # of subtrees: neighbours share most of their proofs
AT_ONCE = 1_000


class Format(StrEnum):
    """How entries are written."""

    JSONL = "jsonl"
    CSV = "csv"


@dataclass(frozen=True, slots=True)
class Exported:
    """size: of the checkpoint. own_entry: the place of the entry that says so.

    newer: entries that are left out, since the witness has not cosigned them.
    """

    folder: Path
    entries: int
    size: int
    is_cosigned: bool
    own_entry: int
    newer: int = 0

    @property
    def left_out(self) -> str:
        """What is missing, in words; "" where nothing is."""
        if not self.newer:
            return ""
        return (
            f"{self.newer:,} newer entries are left out: the witness has not cosigned them. Export "
            "again while it answers."
        )

    @property
    def command(self) -> str:
        return f"python {self.folder / 'verify.py'} {self.folder} --key LOG_KEY"


def export(
    connection: Connection,
    folder: Path,
    filters: Filters,
    *,
    own_entry: int,
    form: Format = Format.JSONL,
) -> Iterator[int | Exported]:
    """Write the folder. Yields the place of each entry, and at the end what was exported.

    Raises:
        MalformedRequest: the folder is not empty, or cannot be made or written.
        NoSuchEntry: nothing matches, or the ledger is empty.
    """
    _make(folder)
    try:
        yield from _export(connection, folder, filters, own_entry=own_entry, form=form)
    except OSError as error:  # of files: the database has errors of its own
        problem = f"The export cannot be written ({error.strerror}), and is not whole."
        fix = "Remove the folder, make room, and export again."
        raise MalformedRequest(problem, fix, field="folder") from error


def _export(
    connection: Connection, folder: Path, filters: Filters, *, own_entry: int, form: Format
) -> Iterator[int | Exported]:
    cosigned = witnessed(connection)
    chosen = cosigned or head(connection)
    if chosen.size == 0:
        raise NoSuchEntry("The ledger is empty. Decide a lead first.")
    is_part = bool(filters.tree())
    rows = walk(connection, filters, size=chosen.size) if is_part else _all(connection, chosen)
    subtree = lru_cache(KEPT_HASHES)(subtree_of(connection))
    number = 0
    with ExitStack() as files:
        sink: _Sink = _Jsonl(folder, files) if form is Format.JSONL else _Csv(folder, files)
        for found in rows:
            path = inclusion_path(found.seq, chosen.size, subtree) if is_part else None
            sink.write(found, path)
            number += 1
            yield found.seq
    newer = head(connection).size - chosen.size
    if is_part and number == 0:
        among = f" among the {chosen.size:,} that the witness has cosigned" if newer else ""
        raise NoSuchEntry(f"No entry matches{among}, so there is nothing to prove. Ask for more.")
    (folder / "checkpoint").write_text(chosen.note, encoding="utf-8")
    copyfile(Path(verify.__file__), folder / "verify.py")
    done = Exported(folder, number, chosen.size, cosigned is not None, own_entry, newer)
    (folder / "README.txt").write_text(_readme(done, is_part=is_part), encoding="utf-8")
    yield done


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        is_used = any(folder.iterdir())
    except OSError as error:
        fix = "Name a new folder."
        raise MalformedRequest("The folder cannot be made.", fix, field="folder") from error
    if is_used:
        raise MalformedRequest("The folder is not empty.", "Name a new one.", field="folder")


def _all(connection: Connection, chosen: Head) -> Iterator[Found]:
    for start in range(0, chosen.size, AT_ONCE):
        end = min(start + AT_ONCE, chosen.size)
        query = select(entries.c.seq, entries.c.body).where(entries.c.seq >= start)
        query = query.where(entries.c.seq < end).order_by(entries.c.seq)
        for row in connection.execute(query):
            yield Found(row.seq, bytes(row.body))


class _Sink(Protocol):
    """Where entries are written to, one by one. path: None in a full export."""

    def write(self, found: Found, path: Sequence[bytes] | None) -> None: ...


class _Jsonl:
    def __init__(self, folder: Path, files: ExitStack) -> None:
        self._folder, self._files = folder, files
        self._entries = files.enter_context((folder / "entries.jsonl").open("wb"))
        self._proofs: BinaryIO | None = None

    def write(self, found: Found, path: Sequence[bytes] | None) -> None:
        self._entries.write(found.body + b"\n")
        if path is None:
            return
        if self._proofs is None:
            file = (self._folder / "proofs.jsonl").open("wb")
            self._proofs = self._files.enter_context(file)
        steps = [encoded(step) for step in path]
        self._proofs.write(json.dumps({"index": found.seq, "proof": steps}).encode() + b"\n")


class _Csv:
    def __init__(self, folder: Path, files: ExitStack) -> None:
        file = (folder / "entries.csv").open("w", encoding="utf-8", newline="")
        opened: TextIOWrapper = files.enter_context(file)
        self._rows = csv.writer(opened, lineterminator="\n")
        self._rows.writerow(COLUMNS)

    def write(self, found: Found, path: Sequence[bytes] | None) -> None:
        tree = found.tree
        proof = " ".join(encoded(step) for step in path or ())
        cells = (tree["at"], tree["kind"], tree.get("decision_id") or "")
        self._rows.writerow([found.seq, *cells, found.body.decode(), proof])


def _readme(done: Exported, *, is_part: bool) -> str:
    what = f"{done.entries:,} entries that matched" if is_part else f"all {done.size:,} entries"
    signed = "cosigned by the witness" if done.is_cosigned else "signed by the log alone"
    is_inside = done.own_entry < done.size and not is_part
    own = "is among them" if is_inside else "is not among them"
    return f"""Export of a Tiebreak ledger: {what} of a checkpoint of {done.size:,}, {signed}.
The entry that records this export is number {done.own_entry} (from 0) and {own}.
{done.left_out}
Check it, on a machine of your own, with Python 3.11 or newer and the package cryptography:

    python verify.py . --key LOG_KEY --witness WITNESS_KEY --latest CHECKPOINT

LOG_KEY and WITNESS_KEY are the public keys as you learned them, not from here; CHECKPOINT is one
that you kept from an earlier audit, or asked the witness for. Read verify.py first: it
is one file, and imports nothing of ours.
"""
