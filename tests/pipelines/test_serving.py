"""What `tiebreak bench llm` asks, and what it reads of processes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from models.adapter import Adapter
from models.prompt import EvidenceKind
from pipelines.errors import UnusableTable
from pipelines.serving.asking import EXAMPLE_POOL, Asked, table_texts
from pipelines.serving.process_usage import cpu_seconds, descendants, memory_mb
from service.llm.server import is_available


@pytest.mark.journey
@pytest.mark.skipif(not is_available(), reason="needs the extra local-llm")
def test_texts_of_a_table_are_redacted_and_asked_about_in_both_ways(tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    rows = [f"call jane{i}@example.com about item {i},{i % 2}" for i in range(EXAMPLE_POOL + 5)]
    table.write_text("\n".join(["Note,Sold", ",1", *rows]))
    texts = table_texts(table, "Note", "Sold", EXAMPLE_POOL + 3)
    assert (len(texts.asked), texts.won[:3]) == (3, (False, True, False))
    assert "jane" not in "".join(text.text for text in texts.texts)
    few_shot = texts.few_shot().prompts[EvidenceKind.TEXT].render_completion(texts.asked[0])
    tuned = texts.tuned(Adapter("a" * 64, "b" * 64, "d", 0, 8, 16, 6))
    bare = tuned.prompts[EvidenceKind.TEXT].render_completion(texts.asked[0])
    assert few_shot.count("Outcome [Sold]:") == 7
    assert bare.endswith("\nSold:")
    assert bare.count("\n") == 1


@pytest.mark.parametrize(("text", "outcome"), [("Message", "Sold"), ("Note", "Won")])
def test_a_column_that_a_table_lacks_is_named_with_those_it_has(
    text: str, outcome: str, tmp_path: Path
) -> None:
    table = tmp_path / "table.csv"
    table.write_text("Note,Sold\nhello,1\n")
    with pytest.raises(UnusableTable, match="Note, Sold"):
        table_texts(table, text, outcome, 5)


def test_rounds_add_up() -> None:
    asked = Asked([1.0], lost=1, within_s=2.0, cpu_s=0.5)
    asked.add(Asked([2.0, 3.0], within_s=4.0, cpu_s=0.5))
    assert asked == Asked([1.0, 2.0, 3.0], lost=1, within_s=6.0, cpu_s=1.0)
    assert asked.per_second == 0.5


@pytest.mark.skipif(sys.platform != "linux", reason="Linux tells whose pages are shared")
def test_what_two_processes_share_is_counted_once(tmp_path: Path) -> None:
    file = tmp_path / "weights"
    file.write_bytes(os.urandom(80_000_000))
    work = f"""if True:
        import mmap, os
        shared = mmap.mmap(os.open({str(file)!r}, os.O_RDONLY), 0, prot=mmap.PROT_READ)
        seen = sum(shared[i] for i in range(0, len(shared), 4096))
        print(); input()"""
    start = [sys.executable, "-c", work]
    pipe = subprocess.PIPE
    with (
        subprocess.Popen(start, stdin=pipe, stdout=pipe) as one,
        subprocess.Popen(start, stdin=pipe, stdout=pipe) as other,
    ):
        for child in (one, other):
            assert child.stdout is not None
            child.stdout.readline()
        assert 80 < memory_mb(one.pid) + memory_mb(other.pid) < 150
        for child in (one, other):
            child.communicate(b"\n")


def test_a_process_is_found_with_its_memory_and_time_until_it_is_gone() -> None:
    work = "b = bytearray(60_000_000)\nfor i in range(3_000_000): pass\nprint(); input()"
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", work], stdin=pipe, stdout=pipe) as child:
        assert child.stdout is not None
        child.stdout.readline()
        assert child.pid in descendants(os.getpid())
        assert memory_mb(child.pid) > 60
        assert cpu_seconds(child.pid) > 0
        child.communicate(b"\n")
    assert (descendants(child.pid), memory_mb(child.pid), cpu_seconds(child.pid)) == ([], 0, 0)
