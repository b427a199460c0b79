"""An auditor with a copy of verify.py and two keys can trust what it says, whatever it is given."""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from ledger_exports import (
    LOG,
    START_MS,
    WITNESS,
    Export,
    Tree,
    auditors_machine,
    cosigned,
    entry_at,
    honest_entries,
    run_verifier,
)

from service.ledger import verify
from service.ledger.checkpoint import SigningKey, sign_checkpoint, tlog_proof
from service.ledger.verify import Auditor, KeyType, Report, Wrong, verify_entry, verify_export

AUDITOR = Auditor(LOG.verifier, [WITNESS.verifier])
ENTRIES = honest_entries(21)
FULL = Export.full(ENTRIES)
PARTIAL = Export.partial(ENTRIES, [0, 3, 4, 15, 20])
FORKED = [*ENTRIES[:2], entry_at(START_MS + 1400, 99), *ENTRIES[3:]]


def kinds(report: Report) -> set[Wrong]:
    return {finding.kind for finding in report.findings}


def auditor(latest: str | None = None, **changes: object) -> Auditor:
    notes = [] if latest is None else [latest.encode()]
    given_ = {"log": LOG.verifier, "witnesses": [WITNESS.verifier], "latest": notes}
    return Auditor(**(given_ | changes))  # type: ignore[arg-type]


# -- what holds -----------------------------------------------------------------------------------


@pytest.mark.parametrize("table", [False, True], ids=["jsonl", "csv"])
@pytest.mark.parametrize("size", [0, 1, 2, 3, 8, 21, 255, 256, 257])
def test_a_full_export_holds(tmp_path: Path, size: int, table: bool) -> None:
    entries = honest_entries(size)
    folder = Export.full(entries).write(tmp_path, table=table)
    for known in {0, 1, size // 2, size}:
        latest = cosigned(entries[: min(known, size)])
        report = verify_export(folder, auditor(latest, is_full=True))
        assert report.holds, report.text()
        assert report.entries == size


@pytest.mark.parametrize("table", [False, True], ids=["jsonl", "csv"])
@pytest.mark.parametrize("indices", [[0], [20], [0, 1, 2], [0, 3, 4, 15, 20], range(21)])
def test_a_partial_export_holds(tmp_path: Path, indices: Sequence[int], table: bool) -> None:
    folder = Export.partial(ENTRIES, indices).write(tmp_path, table=table)
    report = verify_export(folder, auditor(cosigned(ENTRIES[:9])))
    assert report.holds, report.text()
    assert report.entries == len(indices)
    assert any("left out" in says for says in report.not_checked) == (len(indices) < 21)


def test_a_partial_export_of_nothing_proves_nothing_and_says_so(tmp_path: Path) -> None:
    report = verify_export(Export.partial(ENTRIES, []).write(tmp_path), AUDITOR)
    assert report.holds
    assert "21 entries are left out" in report.text()


def test_both_formats_in_one_folder_are_both_checked(tmp_path: Path) -> None:
    FULL.write(tmp_path)
    table = FULL.changed(entries=FORKED).files(table=True)["entries.csv"]
    (tmp_path / "entries.csv").write_bytes(table)
    report = verify_export(tmp_path, AUDITOR)
    assert kinds(report) == {Wrong.ENTRIES}
    assert any(says.startswith("entries.jsonl: all 21") for says in report.checked)


def test_entries_of_one_millisecond_are_in_order(tmp_path: Path) -> None:
    entries = [entry_at(START_MS, number) for number in range(5)]
    assert verify_export(Export.full(entries).write(tmp_path), AUDITOR).holds


def test_what_was_not_checked_is_said(tmp_path: Path) -> None:
    folder = FULL.write(tmp_path)
    report = verify_export(folder, Auditor(LOG.verifier))
    assert report.holds
    assert "Without --witness" in report.text()
    assert "Without --latest" in report.text()


def test_the_report_reads_as_sentences(tmp_path: Path) -> None:
    folder = FULL.changed(entries=ENTRIES[:-1]).write(tmp_path)
    assert verify_export(folder, auditor(cosigned(ENTRIES[:5]))).text().splitlines() == [
        "ok     The checkpoint of 21 entries is signed by the log.",
        "ok     The witness example.com/witness cosigned it at 2023-11-14T22:13:35Z.",
        "ok     entries.jsonl: it begins with the 5 entries of --latest.",
        "WRONG  entries.jsonl: 20 entries, but the checkpoint is of 21: some are missing at the "
        "end. [missing]",
        "1 thing is wrong.",
    ]


# -- what is wrong --------------------------------------------------------------------------------


STRANGER = SigningKey("example.com/ledger", KeyType.LOG, b"\x07" * 32)
SPLIT = FULL.checkpoint.index("— example.com/witness")
WRONG_FULL: dict[str, tuple[Export, Wrong]] = {
    "entry edited": (FULL.changed(entries=FORKED), Wrong.ENTRIES),
    "tail cut": (FULL.changed(entries=ENTRIES[:-1]), Wrong.MISSING),
    "all gone": (FULL.changed(entries=[]), Wrong.MISSING),
    "entry added": (FULL.changed(entries=[*ENTRIES, ENTRIES[-1]]), Wrong.MISSING),
    "swapped": (
        FULL.changed(entries=[*ENTRIES[:4], ENTRIES[5], ENTRIES[4], *ENTRIES[6:]]),
        Wrong.ORDER,
    ),
    "signed by a stranger": (
        FULL.changed(checkpoint=cosigned(ENTRIES, log=STRANGER)),
        Wrong.SIGNATURE,
    ),
    "not cosigned": (FULL.changed(checkpoint=FULL.checkpoint[:SPLIT]), Wrong.COSIGNATURE),
    "no checkpoint at all": (FULL.changed(checkpoint=""), Wrong.SIGNATURE),
    "entry without its time": (
        Export(
            [*ENTRIES, b'{"kind":"x"}'], cosigned([*ENTRIES, b'{"kind":"x"}'], at=START_MS // 1000)
        ),
        Wrong.MALFORMED,
    ),
    "no such day": (
        Export.full([entry.replace(b"-11-14", b"-02-30") for entry in ENTRIES[:1]] + ENTRIES[1:]),
        Wrong.MALFORMED,
    ),
    "time goes back": (Export.full([*ENTRIES, entry_at(START_MS, 21)]), Wrong.ORDER),
    "log's clock ahead": (
        Export(ENTRIES, cosigned(ENTRIES, late_s=-301 - 1)),
        Wrong.CLOCK,
    ),
    "log's clock behind": (Export(ENTRIES, cosigned(ENTRIES, late_s=301)), Wrong.CLOCK),
    "cosigned beyond any calendar": (
        Export(ENTRIES, cosigned(ENTRIES, at=2**63 - 1)),
        Wrong.CLOCK,
    ),
}


@pytest.mark.parametrize("table", [False, True], ids=["jsonl", "csv"])
@pytest.mark.parametrize(("export", "kind"), WRONG_FULL.values(), ids=WRONG_FULL)
def test_a_wrong_full_export_is_found(
    tmp_path: Path, export: Export, kind: Wrong, table: bool
) -> None:
    assert kind in kinds(verify_export(export.write(tmp_path, table=table), AUDITOR))


def test_clocks_may_be_apart_as_far_as_the_auditor_says(tmp_path: Path) -> None:
    folder = Export(ENTRIES, cosigned(ENTRIES, late_s=3600)).write(tmp_path)
    assert kinds(verify_export(folder, AUDITOR)) == {Wrong.CLOCK}
    assert verify_export(folder, auditor(tolerance_s=3600)).holds


@pytest.mark.parametrize("table", [False, True], ids=["jsonl", "csv"])
@pytest.mark.parametrize(
    ("latest", "kind"),
    [
        (cosigned([*ENTRIES, entry_at(START_MS + 20_000, 21)]), Wrong.HISTORY),
        (cosigned(FORKED), Wrong.HISTORY),
        (cosigned(FORKED[:3]), Wrong.HISTORY),
        (cosigned(ENTRIES[:5], log=STRANGER), Wrong.SIGNATURE),
        ("nonsense", Wrong.SIGNATURE),
        (cosigned(ENTRIES[:5], at=START_MS // 1000 - 400), Wrong.CLOCK),
    ],
    ids=["longer", "fork", "early fork", "stranger", "nonsense", "seen before it was written"],
)
def test_the_auditors_own_checkpoint_decides(
    tmp_path: Path, latest: str, kind: Wrong, table: bool
) -> None:
    report = verify_export(FULL.write(tmp_path, table=table), auditor(latest))
    assert kinds(report) == {kind}


def test_in_a_partial_export_the_auditors_checkpoint_counts_as_far_as_it_can(
    tmp_path: Path,
) -> None:
    folder = PARTIAL.write(tmp_path)
    longer = cosigned([*ENTRIES, entry_at(START_MS + 20_000, 21)])
    assert kinds(verify_export(folder, auditor(longer))) == {Wrong.HISTORY}
    assert kinds(verify_export(folder, auditor(cosigned(FORKED)))) == {Wrong.HISTORY}
    report = verify_export(folder, auditor(cosigned(FORKED[:3])))
    assert report.holds
    assert "Only a full export shows" in report.text()


def test_who_asks_for_a_full_export_is_not_put_off_with_a_part(tmp_path: Path) -> None:
    report = verify_export(PARTIAL.write(tmp_path), auditor(is_full=True))
    assert kinds(report) == {Wrong.MISSING}


PROOFS = list(PARTIAL.proofs or ())
WRONG_PARTIAL: dict[str, tuple[Export, Wrong]] = {
    "entry edited": (
        PARTIAL.changed(entries=[entry_at(START_MS, 7), *PARTIAL.entries[1:]]),
        Wrong.ENTRIES,
    ),
    "entries swapped": (
        PARTIAL.changed(entries=[PARTIAL.entries[1], PARTIAL.entries[0], *PARTIAL.entries[2:]]),
        Wrong.ENTRIES,
    ),
    "rows swapped": (
        PARTIAL.changed(
            entries=[PARTIAL.entries[1], PARTIAL.entries[0], *PARTIAL.entries[2:]],
            proofs=[PROOFS[1], PROOFS[0], *PROOFS[2:]],
        ),
        Wrong.ORDER,
    ),
    "row doubled": (
        PARTIAL.changed(
            entries=[PARTIAL.entries[0], *PARTIAL.entries], proofs=[PROOFS[0], *PROOFS]
        ),
        Wrong.ORDER,
    ),
    "another index": (
        PARTIAL.changed(proofs=[(1, PROOFS[0][1]), *PROOFS[1:]]),
        Wrong.ENTRIES,
    ),
    "index beyond the tree": (
        PARTIAL.changed(proofs=[*PROOFS[:-1], (21, PROOFS[-1][1])]),
        Wrong.ENTRIES,
    ),
    "short proof": (
        PARTIAL.changed(proofs=[(0, PROOFS[0][1][:-1]), *PROOFS[1:]]),
        Wrong.ENTRIES,
    ),
    "short hash": (PARTIAL.changed(proofs=[(0, [b"x"]), *PROOFS[1:]]), Wrong.ENTRIES),
    "clock ahead": (PARTIAL.changed(checkpoint=cosigned(ENTRIES, late_s=-400)), Wrong.CLOCK),
    "clock behind": (PARTIAL.changed(checkpoint=cosigned(ENTRIES, late_s=400)), Wrong.CLOCK),
}


@pytest.mark.parametrize("table", [False, True], ids=["jsonl", "csv"])
@pytest.mark.parametrize(("export", "kind"), WRONG_PARTIAL.values(), ids=WRONG_PARTIAL)
def test_a_wrong_partial_export_is_found(
    tmp_path: Path, export: Export, kind: Wrong, table: bool
) -> None:
    assert kind in kinds(verify_export(export.write(tmp_path, table=table), AUDITOR))


def test_a_part_without_the_newest_entry_says_nothing_about_its_clock(tmp_path: Path) -> None:
    late = cosigned(ENTRIES, late_s=400)
    export = Export.partial(ENTRIES, [0, 3]).changed(checkpoint=late)
    assert verify_export(export.write(tmp_path), AUDITOR).holds


# -- malformed files ------------------------------------------------------------------------------


def proof_line(text: str) -> Callable[[Path], object]:
    lines = PARTIAL.files()["proofs.jsonl"].decode().splitlines(keepends=True)
    return lambda folder: (folder / "proofs.jsonl").write_text("".join([f"{text}\n", *lines[1:]]))


def damaged(name: str, old: bytes, new: bytes) -> Callable[[Path], object]:
    def write(folder: Path) -> None:
        content = (folder / name).read_bytes()
        assert old in content
        (folder / name).write_bytes(content.replace(old, new, 1))

    return write


def cut(name: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes()[:-1])


def removed(name: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).unlink()


def made_a_folder(name: str) -> Callable[[Path], object]:
    return lambda folder: ((folder / name).unlink(), (folder / name).mkdir())


MALFORMED: dict[str, tuple[bool, bool, Callable[[Path], object], set[Wrong]]] = {
    # partial, table, what happens to it, what is found
    "checkpoint lost": (False, False, removed("checkpoint"), {Wrong.UNREADABLE}),
    "checkpoint a folder": (False, False, made_a_folder("checkpoint"), {Wrong.UNREADABLE}),
    "entries lost": (False, False, removed("entries.jsonl"), {Wrong.UNREADABLE}),
    "entries a folder": (False, False, made_a_folder("entries.jsonl"), {Wrong.UNREADABLE}),
    "last newline lost": (False, False, cut("entries.jsonl"), {Wrong.MALFORMED}),
    "blank line": (
        False, False, damaged("entries.jsonl", b"\n", b"\n\n"),
        {Wrong.MALFORMED, Wrong.MISSING, Wrong.ENTRIES},
    ),
    "carriage return": (False, False, damaged("entries.jsonl", b"\n", b"\r\n"), {Wrong.ENTRIES}),
    "proofs lost": (True, False, removed("proofs.jsonl"), {Wrong.MISSING}),
    "proofs a folder": (True, False, made_a_folder("proofs.jsonl"), {Wrong.UNREADABLE}),
    "proofs cut": (True, False, cut("proofs.jsonl"), {Wrong.MALFORMED}),
    "proof no JSON": (True, False, proof_line("{"), {Wrong.MALFORMED}),
    "proof a list": (True, False, proof_line("[]"), {Wrong.MALFORMED}),
    "proof a number": (True, False, proof_line("1"), {Wrong.MALFORMED}),
    "proof deep": (True, False, proof_line("[" * 100_000), {Wrong.MALFORMED}),
    "proof not UTF-8": (True, False, damaged("proofs.jsonl", b"i", b"\xff"), {Wrong.MALFORMED}),
    "index a float": (True, False, proof_line('{"index":0.0,"proof":[]}'), {Wrong.MALFORMED}),
    "index a bool": (True, False, proof_line('{"index":false,"proof":[]}'), {Wrong.MALFORMED}),
    "index long": (
        True, False, proof_line(f'{{"index":{"9" * 9999},"proof":[]}}'), {Wrong.MALFORMED},
    ),
    "index negative": (
        True, False, proof_line('{"index":-1,"proof":[]}'), {Wrong.ORDER, Wrong.ENTRIES},
    ),
    "proof a text": (True, False, proof_line('{"index":0,"proof":"AAAA"}'), {Wrong.MALFORMED}),
    "proof of numbers": (True, False, proof_line('{"index":0,"proof":[1]}'), {Wrong.MALFORMED}),
    "proof no base64": (True, False, proof_line('{"index":0,"proof":["?"]}'), {Wrong.MALFORMED}),
    "proof with more": (
        True, False, proof_line('{"index":0,"proof":[],"x":1}'), {Wrong.MALFORMED},
    ),
    "table cut": (False, True, cut("entries.csv"), {Wrong.MALFORMED}),
    "table empty": (
        False, True, lambda folder: (folder / "entries.csv").write_text(""), {Wrong.MALFORMED},
    ),
    "table without entries": (
        False, True,
        lambda folder: (folder / "entries.csv").write_text(",".join(verify.COLUMNS) + "\n"),
        {Wrong.MISSING},
    ),
    "other columns": (False, True, damaged("entries.csv", b"kind", b"sort"), {Wrong.MALFORMED}),
    "more cells": (
        False, True, damaged("entries.csv", b"decision,", b"decision,,"), {Wrong.MALFORMED},
    ),
    "open quote": (False, True, damaged("entries.csv", b'}"', b"}"), {Wrong.MALFORMED}),
    "table not UTF-8": (
        False, True, damaged("entries.csv", "é".encode(), b"\xff"), {Wrong.MALFORMED},
    ),
    "other kind": (False, True, damaged("entries.csv", b",decision,", b",read,"), {Wrong.ENTRIES}),
    "other time": (False, True, damaged("entries.csv", b"0,2023", b"0,2024"), {Wrong.ENTRIES}),
    "other decision": (
        False, True, damaged("entries.csv", b",000000000", b",100000000"), {Wrong.ENTRIES},
    ),
    "other index": (False, True, damaged("entries.csv", b"\n0,", b"\n1,"), {Wrong.MALFORMED}),
    "index padded": (False, True, damaged("entries.csv", b"\n0,", b"\n00,"), {Wrong.MALFORMED}),
    "a first proof in a full table": (
        False, True, damaged("entries.csv", b",\r\n1,", b",AAAA\r\n1,"), {Wrong.ENTRIES},
    ),
    "a later proof in a full table": (
        False, True, damaged("entries.csv", b",\r\n2,", b",AAAA\r\n2,"), {Wrong.MALFORMED},
    ),
    "no proof in a partial table": (
        True, True, damaged("entries.csv", b"= ", b"=,"), {Wrong.MALFORMED},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("partial", "table", "damage", "found"), MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_file_is_a_finding_never_a_crash(
    tmp_path: Path,
    partial: bool,
    table: bool,
    damage: Callable[[Path], object],
    found: set[Wrong],
) -> None:
    folder = (PARTIAL if partial else FULL).write(tmp_path, table=table)
    damage(folder)
    report = verify_export(folder, AUDITOR)
    assert kinds(report) == found, report.text()


def test_a_line_without_end_takes_no_more_memory_than_allowed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verify, "MAX_LINE_BYTES", 1000)
    monkeypatch.setattr(verify, "READ_BYTES", 100)
    folder = FULL.write(tmp_path)
    (folder / "entries.jsonl").write_bytes(b"x" * 5000)
    report = verify_export(folder, AUDITOR)
    assert "a line is longer than 1000 bytes" in report.text()


def test_an_export_is_read_in_blocks_of_any_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = FULL.write(tmp_path)
    for block in (1, 2, 7, 128, 129, 1 << 20):
        monkeypatch.setattr(verify, "READ_BYTES", block)
        assert verify_export(folder, AUDITOR).holds


def test_a_million_findings_are_counted_not_told(tmp_path: Path) -> None:
    folder = FULL.write(tmp_path)
    (folder / "entries.jsonl").write_bytes(b"\n" * 5000)
    report = verify_export(folder, AUDITOR)
    assert report.findings_in_all >= 5000
    assert len(report.findings) == verify.MAX_FINDINGS
    assert "more findings" in report.text()


NAMES = ("checkpoint", "entries.jsonl", "entries.csv", "proofs.jsonl")


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_no_content_of_any_file_crashes_the_verifier(tmp_path: Path, data: st.DataObject) -> None:
    """Real files, cut and filled with junk: a report comes back, and it finds something."""
    partial, table = data.draw(st.booleans()), data.draw(st.booleans())
    folder = (PARTIAL if partial else FULL).write(tmp_path, table=table)
    name = data.draw(st.sampled_from([n for n in NAMES if (folder / n).exists()]))
    content = (folder / name).read_bytes()
    start = data.draw(st.integers(0, len(content)))
    end = data.draw(st.integers(start, min(len(content), start + 60)))
    junk = data.draw(st.binary(max_size=60) | st.text(max_size=20).map(str.encode))
    if content[start:end] == junk:
        return
    (folder / name).write_bytes(content[:start] + junk + content[end:])
    report = verify_export(folder, AUDITOR)
    assert report.text()
    assert json.dumps(report.tree())
    if name == "entries.jsonl":
        assert not report.holds


# -- one entry and its proof ----------------------------------------------------------------------


def proof_of(index: int, entries: Sequence[bytes] = ENTRIES, note: str | None = None) -> bytes:
    path = Tree(entries).path(index, len(entries))
    return tlog_proof(index, path, note or cosigned(entries)).encode()


@pytest.mark.parametrize("index", range(21))
def test_one_entry_holds_with_its_proof(index: int) -> None:
    report = verify_entry(ENTRIES[index], proof_of(index), AUDITOR)
    assert report.holds, report.text()
    assert f"number {index} of the log" in report.text()
    assert verify_entry(ENTRIES[index] + b"\n", proof_of(index), AUDITOR).holds


def test_extra_data_in_a_proof_is_read_past() -> None:
    proof = proof_of(3).replace(b"index 3", b"extra AAAA\nindex 3")
    assert verify_entry(ENTRIES[3], proof, AUDITOR).holds
    assert not verify_entry(ENTRIES[3], proof.replace(b"AAAA", b"A"), AUDITOR).holds


def test_a_proof_may_be_older_than_the_auditors_checkpoint() -> None:
    longer = cosigned([*ENTRIES, entry_at(START_MS + 20_000, 21)])
    assert verify_entry(ENTRIES[3], proof_of(3), auditor(longer)).holds
    assert kinds(verify_entry(ENTRIES[3], proof_of(3), auditor(cosigned(FORKED)))) == {
        Wrong.HISTORY
    }


WRONG_PROOFS: dict[str, tuple[bytes, bytes, Wrong]] = {
    "other entry": (ENTRIES[4], proof_of(3), Wrong.ENTRIES),
    "edited entry": (ENTRIES[3].replace(b"x", b"y", 1), proof_of(3), Wrong.ENTRIES),
    "two newlines": (ENTRIES[3] + b"\n\n", proof_of(3), Wrong.ENTRIES),
    "other index": (ENTRIES[3], proof_of(3).replace(b"index 3", b"index 2"), Wrong.ENTRIES),
    "index beyond": (ENTRIES[3], proof_of(3).replace(b"index 3", b"index 99"), Wrong.ENTRIES),
    "index padded": (ENTRIES[3], proof_of(3).replace(b"index 3", b"index 03"), Wrong.MALFORMED),
    "no index": (ENTRIES[3], proof_of(3).replace(b"index 3\n", b""), Wrong.MALFORMED),
    "other version": (ENTRIES[3], proof_of(3).replace(b"@v1", b"@v2"), Wrong.MALFORMED),
    "empty": (ENTRIES[3], b"", Wrong.MALFORMED),
    "binary": (ENTRIES[3], b"\xff" + proof_of(3), Wrong.MALFORMED),
    "only the header": (ENTRIES[3], b"c2sp.org/tlog-proof@v1\n\n", Wrong.MALFORMED),
    "no checkpoint": (ENTRIES[3], proof_of(3).partition(b"\n\n")[0], Wrong.SIGNATURE),
    "other tree": (ENTRIES[3], proof_of(3, note=cosigned(FORKED)), Wrong.ENTRIES),
    "stranger": (ENTRIES[3], proof_of(3, note=cosigned(ENTRIES, log=STRANGER)), Wrong.SIGNATURE),
    "not cosigned": (
        ENTRIES[3],
        proof_of(3, note=sign_checkpoint(LOG, 21, Tree(ENTRIES).root(21))),
        Wrong.COSIGNATURE,
    ),
    "clock ahead": (ENTRIES[20], proof_of(20, note=cosigned(ENTRIES, late_s=-400)), Wrong.CLOCK),
    "clock behind": (ENTRIES[20], proof_of(20, note=cosigned(ENTRIES, late_s=400)), Wrong.CLOCK),
}


@pytest.mark.parametrize(("entry", "proof", "kind"), WRONG_PROOFS.values(), ids=WRONG_PROOFS)
def test_a_wrong_proof_is_found(entry: bytes, proof: bytes, kind: Wrong) -> None:
    report = verify_entry(entry, proof, AUDITOR)
    assert kind in kinds(report), report.text()
    assert not any("number" in says for says in report.checked)


def test_every_flipped_bit_of_a_proof_is_found() -> None:
    proof = proof_of(3)
    for place in range(len(proof) * 8):
        changed = bytearray(proof)
        changed[place // 8] ^= 1 << place % 8
        assert not verify_entry(ENTRIES[3], bytes(changed), AUDITOR).holds, place


# -- as an auditor runs it ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return auditors_machine(tmp_path_factory.mktemp("auditor"))


KEYS = ("--key", LOG.verifier.text, "--witness", WITNESS.verifier.text)


def test_the_command_runs_without_anything_of_ours(machine: Path, tmp_path: Path) -> None:
    folder = FULL.write(tmp_path / "export")
    (tmp_path / "latest").write_text(cosigned(ENTRIES[:5]))
    done = run_verifier(machine, folder, *KEYS, "--latest", tmp_path / "latest", "--full")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("Everything holds.\n")
    FULL.changed(entries=ENTRIES[:-1]).write(folder)
    done = run_verifier(machine, folder, *KEYS, "--json")
    assert done.returncode == 1
    report = json.loads(done.stdout)
    assert (report["holds"], report["entries"]) == (False, 20)
    assert [finding["kind"] for finding in report["findings"]] == ["missing"]


def test_the_command_checks_one_entry(machine: Path, tmp_path: Path) -> None:
    (tmp_path / "entry").write_bytes(ENTRIES[3])
    (tmp_path / "entry.tlog-proof").write_bytes(proof_of(3))
    asked = ("--proof", tmp_path / "entry.tlog-proof", *KEYS)
    assert run_verifier(machine, tmp_path / "entry", *asked).returncode == 0
    (tmp_path / "entry").write_bytes(ENTRIES[4])
    assert run_verifier(machine, tmp_path / "entry", *asked).returncode == 1


def test_wrong_usage_is_told_apart_from_a_wrong_log(tmp_path: Path) -> None:
    folder = str(FULL.write(tmp_path / "export"))
    missing = str(tmp_path / "missing")
    key = ("--key", LOG.verifier.text)
    wrong: list[tuple[str, ...]] = [
        (folder,),
        (folder, "--key", "nonsense"),
        (folder, "--key", WITNESS.verifier.text),
        (folder, *key, "--witness", LOG.verifier.text),
        (folder, *KEYS, "--witness", WITNESS.verifier.text),
        (folder, *key, "--latest", missing),
        (folder, *key, "--proof", missing),
        (missing, *key),
        (str(tmp_path / "export" / "checkpoint"), *key),
        (missing, *key, "--proof", folder + "/checkpoint"),
    ]
    for arguments in wrong:
        with pytest.raises(SystemExit) as ended:
            verify.main(arguments)
        assert ended.value.code == 2, arguments
    assert verify.main((folder, *KEYS)) == 0


def test_the_verifier_imports_the_standard_library_and_cryptography_only() -> None:
    tree = ast.parse(Path(verify.__file__).read_text())
    named = {a.name for node in ast.walk(tree) if isinstance(node, ast.Import) for a in node.names}
    named |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    ours = {name for name in named if name.split(".")[0] not in sys.stdlib_module_names}
    assert {name.split(".")[0] for name in ours} == {"cryptography"}


WORDS_AS_KEYS = st.sampled_from(["kind", "decision_id", "at", "a", "z", "k\\"])
WORDS = st.sampled_from(
    ["decision", "read", "1-a", "", 'x","kind":"read', '","kind":"read",', "{", "]"]
)
TREES = st.recursive(
    WORDS | st.none() | st.integers(),
    lambda inner: st.dictionaries(WORDS_AS_KEYS, inner, max_size=4) | st.lists(inner, max_size=2),
    max_leaves=12,
)


@given(
    tree=st.dictionaries(WORDS_AS_KEYS, TREES, max_size=6),
    cells=st.tuples(st.sampled_from(["read", "decision"]), st.sampled_from(["", "1-a", "read"])),
    is_sorted=st.booleans(),
)
@example(tree={"kind": "read", "decision_id": "1-a"}, cells=("read", ""), is_sorted=False)
@example(tree={"a": {"kind": "read"}, "z": 1}, cells=("read", ""), is_sorted=True)
@settings(max_examples=300)
def test_a_glance_at_an_entry_never_believes_what_reading_it_would_not(
    tree: dict[str, object], cells: tuple[str, str], is_sorted: bool
) -> None:
    at = "2026-11-25T17:00:00.000Z"
    tree = {"at": at} | tree | {"at": at}
    entry = json.dumps(tree, separators=(",", ":"), sort_keys=is_sorted)
    assert not verify._says_at_a_glance(entry, at, *cells) or verify._says(entry, [at, *cells])


def test_the_entries_of_a_log_are_taken_in_at_a_glance() -> None:
    for entry in ENTRIES:
        tree = json.loads(entry)
        cells = [tree["at"], tree["kind"], tree.get("decision_id") or ""]
        assert verify._says_at_a_glance(entry.decode(), *cells)
        for place in range(3):
            wrong = ["x" if i == place else cell for i, cell in enumerate(cells)]
            assert not verify._says_at_a_glance(entry.decode(), *wrong)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"\n1,", b'\n"1\n",'),
        (b"\n1,", b"\n1,,"),
        (b"\n1,", b"\n\n1,"),
        (b"\n1,", b"\n\xff1,"),
        (b"\n1,", b'\n"1,'),
        (b"\n1,", b"\n\r1,"),
    ],
    ids=["goes on in the next line", "one cell more", "empty", "no UTF-8", "no end", "stray CR"],
)
def test_a_line_that_is_no_row_of_the_table_is_found(
    tmp_path: Path, old: bytes, new: bytes
) -> None:
    table = FULL.write(tmp_path, table=True) / "entries.csv"
    table.write_bytes(table.read_bytes().replace(old, new, 1))
    assert kinds(verify_export(tmp_path, AUDITOR)) == {Wrong.MALFORMED}
