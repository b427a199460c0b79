"""Decisions that a text model settled: they pair in the ledger, and are derived again from it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from service_fakes import store_at, subjects_beside
from test_replaying import BrokenRedactor, Kept, decided

from models.band import EVERYTHING, NOTHING, Band
from models.budget import CallBudget
from models.cascade import UnavailableJudge
from models.prompt import EvidenceKind
from models.release import Release
from models.routing import RoutingPolicy, TextRouting
from service.audit.auditor import Auditor, Reader
from service.audit.filters import Filters
from service.audit.replaying import Became, Releases, replay
from tests.models.test_text_model import MODEL, PULLS
from tests.small_release import small_release

BOTH = frozenset(EvidenceKind)


def reading(left_open: Band) -> Release:
    policy = RoutingPolicy(EVERYTHING, NOTHING, BOTH, TextRouting(NOTHING, left_open))
    return small_release(policy, combiner=PULLS, text=MODEL)


@pytest.mark.parametrize(
    ("left_open", "parts", "route"),
    [
        (NOTHING, {}, "text"),
        (EVERYTHING, {}, "llm"),
        (EVERYTHING, {"judge": UnavailableJudge("timeout")}, "text"),
        (EVERYTHING, {"budget": CallBudget(0)}, "text"),
        (NOTHING, {"redactor": BrokenRedactor()}, "classifier"),
    ],
)
async def test_they_pair_and_are_derived_again_bit_for_bit(
    tmp_path: Path, left_open: Band, parts: dict[str, Any], route: str
) -> None:
    url, release = f"sqlite:///{tmp_path}/t.db", reading(left_open)
    ids = await decided(url, release, **parts)
    store, keys = store_at(url), subjects_beside(url)
    auditor = Auditor(store, keys, Reader.at_the_machine())
    report = auditor.reconcile(None, Filters())
    assert (report.findings, report.pairs) == ([], True)
    entries = auditor.decision(ids[0])
    entry = next(tree for tree in entries if tree["kind"] == "decision")
    assert entry["route"] == route
    left = [tree for tree in entries if tree["kind"] == "redaction" and not tree["failed"]]
    assert bool(left) == (entry["policy"] is not None)  # a redaction only of what left
    done = auditor.replay(Kept(release))
    assert {(one.became, one.differences) for one in done} == {(Became.SAME, ())}
    if entry["text_log_odds"] is not None:
        with Releases(Kept(release)) as releases:
            for change in (
                {"text_log_odds": entry["text_log_odds"] + 1e-9},
                {"route": "classifier"},
            ):
                (changed,) = replay([entry | change], keys, releases)
                assert changed.became is Became.DIFFERENT
    store.close()
    keys.close()
