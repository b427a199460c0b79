"""Answers survive a cut: what was said before is neither asked again nor said otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.prompt import EvidenceKind
from models.verdict import Verdict, VerdictSource
from pipelines.kept_answers import KeptAnswers
from tests.full_disk import full_disk

TEXT, FIELDS = EvidenceKind.TEXT, EvidenceKind.FIELDS


def verdict(p: float) -> Verdict:
    return Verdict(p, VerdictSource.LOGPROBS, "a quote", 80, 1, 0.1, 0.4, "id", ())


def test_a_new_process_knows_what_was_answered_and_what_was_not(tmp_path: Path) -> None:
    path = tmp_path / "new" / "answers.jsonl"
    kept = KeptAnswers(path)
    kept.keep((7, TEXT), verdict(0.123456789012345678))
    kept.keep((8, TEXT), verdict(0.9))
    again = KeptAnswers(path)
    for asked in ((7, TEXT), (8, TEXT)):
        before, after = kept.of(asked), again.of(asked)
        assert before is not None
        assert after is not None
        assert after.log_odds == before.log_odds  # to the last bit
    assert again.of((7, FIELDS)) is again.of((9, TEXT)) is None


@pytest.mark.parametrize("cut", [1, 2, 20])
def test_a_kill_loses_the_line_being_written_and_no_other(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "answers.jsonl"
    for row in range(3):
        KeptAnswers(path).keep((row, TEXT), verdict(0.5))
    path.write_bytes(path.read_bytes()[:-cut])
    survived = KeptAnswers(path)
    survived.keep((3, TEXT), verdict(0.7))
    last = KeptAnswers(path)
    assert [last.of((row, TEXT)) is not None for row in range(4)] == [True, True, False, True]


@pytest.mark.parametrize("damage", [b'[1,"text",0.5\x00\x00', b"\xff\xfe", b"{}", b"", b'[1,"x"]'])
def test_a_damaged_line_loses_that_answer_and_no_other(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "answers.jsonl"
    for row in range(3):
        KeptAnswers(path).keep((row, TEXT), verdict(0.5))
    first, _, last = path.read_bytes().splitlines()
    path.write_bytes(b"\n".join((first, damage, last, b"")))
    kept = KeptAnswers(path)
    assert [kept.of((row, TEXT)) is not None for row in range(3)] == [True, False, True]


def test_nothing_that_a_lead_wrote_is_kept_and_nothing_once_it_is_not_needed(
    tmp_path: Path,
) -> None:
    kept = KeptAnswers(tmp_path / "answers.jsonl")
    kept.keep((0, TEXT), verdict(0.5))
    assert "a quote" not in kept.path.read_text()
    kept.remove()
    assert not kept.path.exists()
    kept.remove()


def test_on_a_full_disk_answers_are_still_known_and_one_warning_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    kept = KeptAnswers(tmp_path / "answers.jsonl")
    kept.keep((0, TEXT), verdict(0.5))
    with full_disk(kept.path.stat().st_size + 10):
        for row in (1, 2):
            kept.keep((row, TEXT), verdict(0.5))
    kept.keep((3, TEXT), verdict(0.5))
    again = KeptAnswers(kept.path)
    assert all(kept.of((row, TEXT)) for row in range(4))
    assert [again.of((row, TEXT)) is not None for row in range(4)] == [True, False, False, False]
    assert [record.levelname for record in caplog.records] == ["WARNING"]
