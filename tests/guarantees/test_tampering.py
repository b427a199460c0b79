"""Every kind of tampering with the ledger is found offline, and no honest log raises an alarm.

10,000 random tamperings of twelve kinds, 1,000 honest logs, each judged as an auditor would: an
export in a folder, the keys of the log and the witness, and for some a checkpoint from the witness.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random

import pytest
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

from service.ledger.checkpoint import SigningKey, cosign, sign_checkpoint, with_signature
from service.ledger.merkle import consistency_path
from service.ledger.verify import (
    Auditor,
    KeyType,
    Report,
    SignedNote,
    Wrong,
    open_checkpoint,
    verify_export,
)
from service.ledger.witness import Witness, WitnessRequest

TAMPERINGS = 10_000
HONEST_LOGS = 1_000
EDGES = (0, 1, 2, 255, 256, 257)  # sizes where trees change their shape
STEP_MS = 700
# Keys of the same names, which anyone can make.
FALSE_LOG = SigningKey(LOG.name, KeyType.LOG, b"\x0b" * 32)
FALSE_WITNESS = SigningKey(WITNESS.name, KeyType.WITNESS, b"\x0c" * 32)
LATEST_FILE = "latest"


def honest_log(rng: Random, at_least: int = 1, at_most: int = 24) -> list[bytes]:
    count = rng.randint(at_least, at_most)
    return honest_entries(count, start_ms=START_MS + rng.randrange(10**9), step_ms=STEP_MS)


def export_of(rng: Random, entries: Sequence[bytes], *, with_index: int | None = None) -> Export:
    """A full export, or a part that contains one index."""
    if rng.random() < 0.6:
        return Export.full(entries)
    indices = {index for index in range(len(entries)) if rng.random() < 0.5}
    indices |= {rng.randrange(len(entries)) if with_index is None else with_index}
    return Export.partial(entries, sorted(indices))


def edited(rng: Random, entry: bytes) -> bytes:
    """An entry of the same time that says something else, and is as well-formed."""
    tree = json.loads(entry)
    what = rng.choice(("kind", "note", "number", "decision_id"))
    tree[what] = f"{rng.random()}" if what != "number" else rng.randrange(10**6, 10**9)
    return json.dumps(tree, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


def resigned(entries: Sequence[bytes], original: str, rng: Random) -> str:
    """The best checkpoint of other entries that someone can make who holds the log's key.

    The witness does not cosign it, so its line is left out, taken from the original, or made with a
    key of their own.
    """
    note = sign_checkpoint(LOG, len(entries), Tree(entries).root(len(entries)))
    signed = SignedNote.parse(original)
    way = rng.randrange(3)
    if way == 0:
        return note
    if way == 1:
        return with_signature(note, signed.of(WITNESS.verifier)[0].text)
    return with_signature(note, cosign(FALSE_WITNESS, SignedNote.parse(note).body, 1_700_000_000))


def between(rng: Random, entries: Sequence[bytes], place: int) -> bytes:
    """A new entry whose time fits at a place."""
    last = entries[max(place - 1, 0)]
    return edited(rng, last)


# -- twelve kinds ---------------------------------------------------------------------------------


def flipped_bit(rng: Random, folder: Path) -> Export:
    """In any file of the export, after it was written."""
    export = export_of(rng, honest_log(rng))
    files = sorted(export.write(folder, table=rng.random() < 0.5).iterdir())
    sizes = [file.stat().st_size for file in files]
    (file,) = rng.choices(files, sizes)
    content = bytearray(file.read_bytes())
    content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    file.write_bytes(content)
    return export


def edited_entry(rng: Random) -> Export:
    entries = honest_log(rng)
    index = rng.randrange(len(entries))
    export = export_of(rng, entries, with_index=index)
    place = export.entries.index(entries[index])
    changed = [*export.entries]
    changed[place] = edited(rng, changed[place])
    return export.changed(entries=changed)


def swapped_entries(rng: Random) -> Export:
    """As they are, or with each other's times, so that the times still ascend."""
    entries = honest_log(rng, at_least=2)
    export = (
        Export.full(entries) if rng.random() < 0.6 else Export.partial(entries, range(len(entries)))
    )
    first, second = sorted(rng.sample(range(len(entries)), 2))
    changed = [*entries]
    changed[first], changed[second] = entries[second], entries[first]
    if rng.random() < 0.5:
        changed[first] = entries[first][:31] + entries[second][31:]
        changed[second] = entries[second][:31] + entries[first][31:]
    return export.changed(entries=changed)


def inserted_entry(rng: Random) -> Export:
    """And sometimes the last one dropped, so that the count stays."""
    entries = honest_log(rng)
    is_last_dropped = rng.random() < 0.5
    place = rng.randint(0, len(entries) - is_last_dropped)  # it is not the one that is dropped
    changed = [*entries[:place], between(rng, entries, place), *entries[place:]]
    if is_last_dropped:
        changed.pop()
    return Export.full(entries).changed(entries=changed)


def deleted_entry(rng: Random) -> Export:
    """And sometimes one added at the end, so that the count stays."""
    entries = honest_log(rng)
    changed = [*entries]
    del changed[rng.randrange(len(entries))]
    if rng.random() < 0.5:
        changed.append(edited(rng, entries[-1]))
    return Export.full(entries).changed(entries=changed)


def cut_tail(rng: Random) -> Export:
    """And sometimes signed anew by someone who holds the log's key."""
    entries = honest_log(rng)
    rest = entries[: rng.randrange(len(entries))]
    export = Export.full(entries)
    note = resigned(rest, export.checkpoint, rng) if rng.random() < 0.5 else export.checkpoint
    return export.changed(entries=rest, checkpoint=note)


def wiped_log(rng: Random) -> Export:
    """Empty, or begun anew; with the checkpoint as it was, or one signed with the log's key."""
    entries = honest_log(rng)
    export = Export.full(entries)
    anew = honest_log(rng) if rng.random() < 0.5 else []
    note = resigned(anew, export.checkpoint, rng) if rng.random() < 0.7 else export.checkpoint
    return export.changed(entries=anew, checkpoint=note)


def older_copy(rng: Random) -> Export:
    """Everything as it was some time ago, cosigned then. The auditor asks the witness today."""
    entries = honest_log(rng)
    old = entries[: rng.randrange(len(entries))]
    export = Export.full(old)
    if old and rng.random() < 0.4:
        export = export_of(rng, old)
    return export.changed(latest=cosigned(entries))


def recomputed_chain(rng: Random) -> Export:
    """One entry edited, and every hash, proof and signature after it made to fit again."""
    entries = honest_log(rng)
    original = cosigned(entries)
    index = rng.randrange(len(entries))
    changed = [*entries]
    changed[index] = edited(rng, entries[index])
    export = export_of(rng, changed, with_index=index)
    if rng.random() < 0.4:  # without the log's key
        return export.changed(checkpoint=cosigned(changed, log=FALSE_LOG))
    return export.changed(checkpoint=resigned(changed, original, rng))


def swapped_checkpoint(rng: Random) -> Export:
    """Of another log, of another time, or with the signatures of another."""
    entries = honest_log(rng, at_least=2)
    export = export_of(rng, entries)
    other = [cosigned(entries[: rng.randrange(len(entries))]), cosigned(entries, log=FALSE_LOG)]
    elsewhere = SigningKey("example.com/elsewhere", KeyType.LOG, LOG.seed)
    other.append(cosigned(entries, log=elsewhere))
    other.append(cosigned(honest_log(rng, at_least=25, at_most=30)))
    body = SignedNote.parse(export.checkpoint).body
    other.append(body + "\n" + other[0].partition("\n\n")[2])
    other.append(cosigned([*entries[:-1], edited(rng, entries[-1])]))
    return export.changed(checkpoint=rng.choice(other))


def fork(rng: Random) -> Export:
    """Two histories with a common beginning; even the witness may have been fooled or turned.

    What the auditor got from the witness, or kept, is of the other one.
    """
    entries = honest_log(rng)
    known = rng.randint(1, len(entries))
    split = rng.randrange(known)
    other = [*entries[:split], *(edited(rng, entry) for entry in entries[split:])]
    note = cosigned(other) if rng.random() < 0.5 else resigned(other, cosigned(entries), rng)
    return Export(other, note, latest=cosigned(entries[:known]))


def changed_clock(rng: Random) -> Export:
    """Set wrong while the log was written, set back in between, or only in the entries."""
    entries = honest_log(rng, at_least=2)
    off_s = rng.choice((1, -1)) * rng.randint(302, 10**7)
    way = rng.randrange(3)
    if way == 0:
        export = Export(entries, cosigned(entries, late_s=off_s))
        newest = Export.partial(entries, [len(entries) - 1]).proofs
        part = export.changed(entries=entries[-1:], proofs=newest)
        return rng.choice((export, part))
    if way == 1:
        place = rng.randrange(1, len(entries))
        start_ms = START_MS - rng.randint(1, 10**9)
        late = [entry_at(start_ms + n * STEP_MS, n) for n in range(place, len(entries))]
        start = honest_entries(place, start_ms=START_MS + len(entries) * STEP_MS)
        return Export.full([*start, *late])
    moved = [entry_at(START_MS + off_s * 1000 + n * STEP_MS, n) for n in range(len(entries))]
    return Export.full(entries).changed(entries=moved)


Tampering = Callable[[Random], Export]
KINDS: dict[Tampering | Callable[[Random, Path], Export], set[Wrong]] = {
    flipped_bit: set(Wrong),
    edited_entry: {Wrong.ENTRIES},
    swapped_entries: {Wrong.ENTRIES},
    inserted_entry: {Wrong.ENTRIES, Wrong.MISSING},
    deleted_entry: {Wrong.ENTRIES, Wrong.MISSING},
    cut_tail: {Wrong.MISSING, Wrong.COSIGNATURE, Wrong.SIGNATURE},
    wiped_log: {Wrong.MISSING, Wrong.ENTRIES, Wrong.COSIGNATURE, Wrong.SIGNATURE},
    older_copy: {Wrong.HISTORY},
    recomputed_chain: {Wrong.COSIGNATURE, Wrong.SIGNATURE},
    swapped_checkpoint: {Wrong.ENTRIES, Wrong.MISSING, Wrong.SIGNATURE},
    fork: {Wrong.HISTORY, Wrong.SIGNATURE},
    changed_clock: {Wrong.CLOCK, Wrong.ORDER, Wrong.ENTRIES},
}
ROUNDS = 10  # of each kind, so that several workers share them


def auditor_of(export: Export) -> Auditor:
    latest = [] if export.latest is None else [export.latest.encode()]
    return Auditor(LOG.verifier, [WITNESS.verifier], latest)


def tampered(kind: Callable[..., Export], rng: Random, folder: Path) -> Export:
    """One tampering of a kind, in the folder."""
    if kind is flipped_bit:
        return flipped_bit(rng, folder)
    export = kind(rng)
    export.write(folder, table=rng.random() < 0.25)
    return export


def told(export: Export, folder: Path, report: Report) -> str:
    return f"{sorted(folder.iterdir())}\n{export}\n{report.text()}"


@pytest.mark.parametrize("round_", range(ROUNDS))
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_tampering_is_found(kind: Callable[..., Export], round_: int, tmp_path: Path) -> None:
    rng = Random(f"{kind.__name__} {round_}")
    for _ in range(-(-TAMPERINGS // len(KINDS) // ROUNDS)):
        export = tampered(kind, rng, tmp_path)
        report = verify_export(tmp_path, auditor_of(export))
        found = {finding.kind for finding in report.findings}
        assert found & KINDS[kind], told(export, tmp_path, report)


def honest_exports(rng: Random, count: int) -> Iterator[Export]:
    for number in range(count):
        size = EDGES[number] if number < len(EDGES) else rng.randint(0, 60)
        entries = honest_log(rng, size, size)
        export = (
            Export.full(entries) if not entries or rng.random() < 0.5 else export_of(rng, entries)
        )
        known = rng.randint(0, size)
        late = cosigned(entries, late_s=rng.randint(-299, 299))
        latest = rng.choice((None, cosigned(entries[:known]), export.checkpoint))
        yield export.changed(checkpoint=late, latest=latest)


@pytest.mark.parametrize("table", [False, True], ids=["jsonl", "csv"])
@pytest.mark.parametrize("round_", range(ROUNDS // 2))
def test_no_honest_log_raises_an_alarm(round_: int, table: bool, tmp_path: Path) -> None:
    rng = Random(f"honest {round_} {table}")
    for export in honest_exports(rng, HONEST_LOGS // ROUNDS):
        report = verify_export(export.write(tmp_path, table=table), auditor_of(export))
        assert report.holds, told(export, tmp_path, report)


# -- the witness itself, and the command ----------------------------------------------------------


@pytest.mark.parametrize("seed", range(40))
def test_who_holds_the_logs_key_gets_no_cosignature_for_another_history(
    seed: int, tmp_path: Path
) -> None:
    """The real witness cosigned an honest log; every size of the forged one is offered to it."""
    rng = Random(seed)
    entries = honest_log(rng, at_most=12)
    Witness.begin(tmp_path / "state", WITNESS)
    witness = Witness(tmp_path / "state", WITNESS, [LOG.verifier])
    honest = sign_checkpoint(LOG, len(entries), Tree(entries).root(len(entries)))
    assert witness.add_checkpoint(WitnessRequest(0, [], honest).body).status == 200
    known = witness.latest(LOG.name)
    forged = [*entries, *honest_log(rng, at_most=5)]
    index = rng.randrange(len(entries))
    forged[index] = edited(rng, forged[index])
    tree = Tree(forged)
    for size in range(len(forged) + 1):
        note = sign_checkpoint(LOG, size, tree.root(size))
        for old in {0, index, len(entries), size} & set(range(size + 1)):
            path = consistency_path(old, size, tree.subtree)
            assert witness.add_checkpoint(WitnessRequest(old, path, note).body).status in {409, 422}
    assert witness.latest(LOG.name) == known
    assert known is not None
    report = verify_export(
        Export(forged, sign_checkpoint(LOG, len(forged), tree.root(len(forged)))).write(
            tmp_path / "export"
        ),
        Auditor(LOG.verifier, [WITNESS.verifier], [known.encode()]),
    )
    assert {Wrong.COSIGNATURE, Wrong.HISTORY} <= {finding.kind for finding in report.findings}
    assert open_checkpoint(known, LOG.verifier, [WITNESS.verifier]).size == len(entries)


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return auditors_machine(tmp_path_factory.mktemp("auditor"))


def exit_status(machine: Path, folder: Path, export: Export) -> int:
    keys = ["--key", LOG.verifier.text, "--witness", WITNESS.verifier.text]
    if export.latest is not None:
        (machine / LATEST_FILE).write_text(export.latest)
        keys += ["--latest", LATEST_FILE]
    return run_verifier(machine, folder, *keys).returncode


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_the_command_finds_every_kind_without_anything_of_ours(
    kind: Callable[..., Export], machine: Path, tmp_path: Path
) -> None:
    rng = Random(f"command {kind.__name__}")
    assert exit_status(machine, tmp_path, tampered(kind, rng, tmp_path)) == 1


def test_the_command_raises_no_alarm_for_an_honest_log(machine: Path, tmp_path: Path) -> None:
    for export in honest_exports(Random("command"), 4):
        assert exit_status(machine, export.write(tmp_path), export) == 0
