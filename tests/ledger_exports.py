"""A small honest ledger and its witness, in memory, and the exports that an auditor is given."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from service.ledger.checkpoint import SigningKey, cosign, sign_checkpoint, with_signature
from service.ledger.merkle import inclusion_path, root_at
from service.ledger.verify import KeyType, SignedNote, encoded, leaf_hash, node_hash

LOG = SigningKey("example.com/ledger", KeyType.LOG, b"\x01" * 32)
WITNESS = SigningKey("example.com/witness", KeyType.WITNESS, b"\x02" * 32)
START_MS = 1_700_000_000_000
KINDS = ("decision", "redaction", "llm_call", "read")


def entry_at(milliseconds: int, number: int, size: int = 40) -> bytes:
    """One entry as the service writes it: canonical JSON, keys sorted. size: of its padding."""
    at = datetime.fromtimestamp(milliseconds // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    tree = {
        "at": f"{at}.{milliseconds % 1000:03d}Z",
        "kind": KINDS[number % len(KINDS)],
        "note": "é" + "x" * size,
        "number": number,
    }
    if number % 4 < 3:
        tree["decision_id"] = f"{number // 4:036d}"
    return json.dumps(tree, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


def honest_entries(count: int, *, start_ms: int = START_MS, step_ms: int = 700) -> list[bytes]:
    return [entry_at(start_ms + number * step_ms, number) for number in range(count)]


class Tree:
    """The perfect subtrees of some entries."""

    def __init__(self, entries: Iterable[bytes]) -> None:
        self._levels = [[leaf_hash(entry) for entry in entries]]
        while len(self._levels[-1]) > 1:
            below = self._levels[-1]
            pairs = zip(below[::2], below[1::2], strict=False)
            self._levels.append([node_hash(left, right) for left, right in pairs])

    def subtree(self, level: int, index: int) -> bytes:
        return self._levels[level][index]

    def root(self, size: int) -> bytes:
        return root_at(size, self.subtree)

    def path(self, index: int, size: int) -> list[bytes]:
        return inclusion_path(index, size, self.subtree)


def cosigned(
    entries: Sequence[bytes], *, log: SigningKey = LOG, late_s: int = 1, at: int | None = None
) -> str:
    """The checkpoint of these entries, cosigned `late_s` seconds after the last of them."""
    note = sign_checkpoint(log, len(entries), Tree(entries).root(len(entries)))
    if at is None:
        at = seconds_of(entries[-1]) + late_s if entries else START_MS // 1000
    return with_signature(note, cosign(WITNESS, SignedNote.parse(note).body, at))


def seconds_of(entry: bytes) -> int:
    return int(datetime.fromisoformat(entry[7:31].decode()).timestamp())


@dataclass(frozen=True)
class Export:
    """The files of an export, before they are written.

    proofs: of a partial export: index in the log and inclusion path of each entry.
    """

    entries: Sequence[bytes]
    checkpoint: str
    proofs: Sequence[tuple[int, Sequence[bytes]]] | None = None
    latest: str | None = field(default=None)  # the auditor's own, not part of the export

    @classmethod
    def full(cls, entries: Sequence[bytes]) -> Export:
        return cls(entries, cosigned(entries))

    @classmethod
    def partial(cls, entries: Sequence[bytes], indices: Sequence[int]) -> Export:
        tree = Tree(entries)
        proofs = [(index, tree.path(index, len(entries))) for index in indices]
        return cls([entries[index] for index in indices], cosigned(entries), proofs)

    def changed(self, **files: object) -> Export:
        return replace(self, **files)  # type: ignore[arg-type]

    def files(self, *, table: bool = False) -> dict[str, bytes]:
        """Name -> content. table: as CSV instead of JSON Lines."""
        files = {"checkpoint": self.checkpoint.encode()}
        if table:
            return files | {"entries.csv": self._table()}
        files["entries.jsonl"] = b"".join(entry + b"\n" for entry in self.entries)
        if self.proofs is not None:
            lines = [{"index": i, "proof": [encoded(step) for step in p]} for i, p in self.proofs]
            text = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines)
            files["proofs.jsonl"] = text.encode()
        return files

    def write(self, folder: Path, *, table: bool = False) -> Path:
        """Write them, and remove those of an export that was there before."""
        folder.mkdir(exist_ok=True)
        for old in folder.iterdir():
            old.unlink()
        for name, content in self.files(table=table).items():
            (folder / name).write_bytes(content)
        return folder

    def _table(self) -> bytes:
        out = io.StringIO()
        writer = csv.writer(out)
        writer.writerow(["index", "at", "kind", "decision_id", "entry", "proof"])
        for number, entry in enumerate(self.entries):
            tree = json.loads(entry)
            index, path = (number, ()) if self.proofs is None else self.proofs[number]
            cells = [tree.get(column, "") for column in ("at", "kind", "decision_id")]
            proof = " ".join(encoded(step) for step in path)
            writer.writerow([index, *cells, entry.decode(), proof])
        return out.getvalue().encode()
