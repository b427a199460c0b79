"""An export proves itself to the auditor's own program; a change to the live ledger is found."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest
from filled_ledger import Filled
from service_fakes import LEDGER_KEY
from sqlalchemy import delete, insert, update

from service.audit import auditor
from service.audit.exporting import Format, export
from service.audit.filters import Filters
from service.errors import MalformedRequest, NoSuchEntry
from service.ledger.checkpoint import SigningKey, cosign, with_signature
from service.ledger.proofs import head
from service.ledger.verify import KeyType, SignedNote
from service.ledger.witness import WitnessClient
from service.recording.entry import read
from service.storage.tables import checkpoints, entries, log_head, subtrees
from tests.full_disk import full_disk

WITNESS = SigningKey("tiebreak.local/witness", KeyType.WITNESS, b"w" * 32)


def checks(folder: Path, *more: str) -> bool:
    command = [sys.executable, "-I", "verify.py", ".", "--key", LEDGER_KEY.verifier.text, *more]
    return subprocess.run(command, cwd=folder, check=False, capture_output=True).returncode == 0


@pytest.mark.parametrize("form", list(Format))
@pytest.mark.parametrize("filters", [{}, {"kind": "decision"}])
async def test_an_export_holds_and_a_changed_one_does_not(
    filled: Filled, tmp_path: Path, form: Format, filters: dict[str, str]
) -> None:
    folder = tmp_path / "export"
    done = filled.auditor.export(folder, Filters.parse(filters), form)
    assert done.entries == (4 if filters else done.size)
    assert checks(folder)
    assert checks(folder, "--full") is not bool(filters)
    file = folder / f"entries.{form}"
    file.write_bytes(file.read_bytes().replace(b"classifier", b"klassifier", 1))
    assert not checks(folder)


async def test_a_cosigned_checkpoint_is_preferred_and_the_export_is_of_its_size(
    filled: Filled, tmp_path: Path
) -> None:
    with filled.store.writing() as writing:
        now = head(writing.connection)
        note = with_signature(now.note, cosign(WITNESS, SignedNote.parse(now.note).body, 1))
        row = {"size": now.size, "at": now.at, "note": note}
        writing.connection.execute(insert(checkpoints), [row])
    done = filled.auditor.export(tmp_path / "export", Filters(), Format.JSONL)
    assert (done.size, done.is_cosigned, done.own_entry) == (now.size, True, now.size)
    assert "is not among them" in (tmp_path / "export" / "README.txt").read_text()


async def test_what_the_witness_has_not_seen_is_waited_for_and_else_said_to_be_left_out(
    filled: Filled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auditor, "COSIGNED_WITHIN", timedelta(seconds=0.5))
    with filled.store.writing() as writing:
        now = head(writing.connection)
        note = with_signature(now.note, cosign(WITNESS, SignedNote.parse(now.note).body, 1))
        row = {"size": now.size, "at": now.at, "note": note}
        writing.connection.execute(insert(checkpoints), [row])
    began = time.monotonic()
    done = filled.auditor.export(tmp_path / "export", Filters(), Format.JSONL)
    assert time.monotonic() - began >= 0.5
    assert (done.size, done.newer) == (now.size, 1)
    assert "1 newer entries are left out" in (tmp_path / "export" / "README.txt").read_text()
    own = Filters(kind="read")
    with pytest.raises(NoSuchEntry, match="that the witness has cosigned"):
        filled.auditor.export(tmp_path / "e", own, Format.JSONL)


async def test_nothing_is_overwritten_and_nothing_is_no_export(
    filled: Filled, tmp_path: Path
) -> None:
    (tmp_path / "theirs").touch()
    with pytest.raises(MalformedRequest):
        filled.auditor.export(tmp_path, Filters(), Format.JSONL)
    with pytest.raises(NoSuchEntry):
        filled.auditor.export(tmp_path / "e", Filters(release="8"), Format.JSONL)


async def test_an_export_that_a_full_disk_does_not_take_says_that_it_is_not_whole(
    filled: Filled, tmp_path: Path
) -> None:
    with (
        filled.store.reading() as connection,
        full_disk(500),
        pytest.raises(MalformedRequest, match="not whole"),
    ):
        list(export(connection, tmp_path / "export", Filters(), own_entry=0))


@pytest.mark.parametrize("quickly", [False, True])
async def test_a_kept_checkpoint_that_is_filed_under_another_size_is_found(
    filled: Filled, quickly: bool
) -> None:
    with filled.store.writing() as writing:
        newest = head(writing.connection)
        row = {"size": 1_000_000, "at": newest.at, "note": newest.note}
        writing.connection.execute(insert(checkpoints), [row])
    report = filled.auditor.verify(LEDGER_KEY.verifier, None, quickly=quickly)
    assert not report.holds
    assert "1000000" in report.text()


@pytest.mark.parametrize("quickly", [False, True])
async def test_the_live_ledger_holds(filled: Filled, quickly: bool) -> None:
    report = filled.auditor.verify(LEDGER_KEY.verifier, None, quickly=quickly)
    assert report.holds, report.text()
    assert report.entries > 10


@pytest.mark.parametrize("quickly", [False, True])
async def test_a_log_that_goes_on_while_it_is_verified_was_not_cut(
    filled: Filled, quickly: bool
) -> None:
    class Witness(WitnessClient):
        """Cosigns what gets into the log just as it is asked."""

        def __init__(self) -> None:
            self.key = WITNESS.verifier

        def latest(self, origin: str) -> str:  # noqa: ARG002  # a WitnessClient's
            with filled.store.writing() as writing:
                writing.append([read("verify", "another key", about=None, filters=None)])
                note = head(writing.connection).note
            return with_signature(note, cosign(WITNESS, SignedNote.parse(note).body, 1))

    report = filled.auditor.verify(LEDGER_KEY.verifier, Witness(), quickly=quickly)
    assert report.holds, report.text()


@pytest.mark.parametrize(
    "tampering",
    [
        update(entries).where(entries.c.seq == 3).values(body=b"{}"),
        update(entries).where(entries.c.seq == 3).values(leaf=b"0" * 32),
        delete(entries).where(entries.c.seq == 3),
        delete(entries).where(entries.c.seq == 0),
        update(log_head).values(size=3),
        update(log_head).values(at="2999-01-01T00:00:00.000Z"),
        update(log_head).values(frontier=b"0" * 32),
        insert(subtrees).values(level=8, place=0, hash=b"0" * 32),
    ],
)
async def test_a_change_to_the_live_ledger_is_found(filled: Filled, tampering: object) -> None:
    with filled.store.writing() as writing:
        writing.connection.execute(tampering)  # type: ignore[call-overload]
    with filled.store.reading() as connection:
        from service.audit.checking import check
        from service.ledger.verify import Report

        report = Report()
        list(check(connection, LEDGER_KEY.verifier, None, report))
    assert not report.holds
