"""A decision derived again from the log and the registry is the same, bit for bit."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from filled_ledger import KEY_ID
from service_fakes import store_at, subjects_beside

from features.fingerprint import SubjectKey
from features.redaction import RedactedText
from models.band import EVERYTHING, NOTHING
from models.budget import CallBudget
from models.cascade import Cascade, UnavailableJudge
from models.errors import ReleaseNotFound
from models.prompt import EvidenceKind
from models.release import Release
from models.routing import RoutingPolicy
from service.audit.auditor import Auditor, Reader
from service.audit.replaying import Became, Releases, replay
from service.errors import NoSuchEntry
from service.recording.recorder import Recorder
from service.schemas import DecideRequest
from tests.fakes import BrokenRedactor, Wire, completion, judge, redacted
from tests.small_release import small_release

YES = completion({" yes": 0.9, " no": 0.1})
LEADS: tuple[dict[str, object], ...] = (
    {"Message": "call me at jane@acme.com", "Email": "jane@acme.com", "Employees": 45},
    {"Full name": "Joe Miller", "Email": "joe@acme.com", "Employees": 7},
    {"Email": "ann@acme.com"},
)
BOTH = frozenset(EvidenceKind)


class EmailRedactor:
    def redact(self, text: str, contacts: Mapping[str, str], key: SubjectKey) -> RedactedText:  # noqa: ARG002
        return redacted(text, key)


class Kept:
    """A registry with one release."""

    def __init__(self, release: Release) -> None:
        self.release = release

    def load(self, version: str, into: Path) -> Release:  # noqa: ARG002
        if version != self.release.version:
            raise ReleaseNotFound("gone")
        return self.release


async def decided(url: str, release: Release, **parts: Any) -> list[str]:
    keys = subjects_beside(url)
    store = store_at(url, keys_of=keys.make)
    with ThreadPoolExecutor(1) as threads:
        given = {"redactor": EmailRedactor(), "judge": judge(Wire(YES)), "budget": CallBudget(None)}
        cascade = Cascade(release, threads=threads, **(given | parts))
        recorder, ids = Recorder(store, keys), []
        for lead in LEADS:
            record = await recorder.decide(release, cascade, DecideRequest(lead))
            await recorder.keep([record], key_id=KEY_ID)
            ids.append(record.id)
        await cascade.close()
    store.close()
    keys.close()
    return ids


@pytest.mark.parametrize(
    ("band", "parts"),
    [
        (EVERYTHING, {}),
        (NOTHING, {}),
        (EVERYTHING, {"judge": UnavailableJudge("timeout")}),
        (EVERYTHING, {"redactor": BrokenRedactor()}),
        (EVERYTHING, {"budget": CallBudget(0)}),
    ],
)
async def test_every_decision_is_derived_again_bit_for_bit(
    database_url: str, band: Any, parts: dict[str, Any]
) -> None:
    release = small_release(RoutingPolicy(band, band, BOTH))
    ids = await decided(database_url, release, **parts)
    store, keys = store_at(database_url), subjects_beside(database_url)
    auditor = Auditor(store, keys, Reader.at_the_machine())
    done = auditor.replay(Kept(release))
    assert [(one.decision_id, one.became, one.differences) for one in done] == [
        (named, Became.SAME, ()) for named in ids
    ]
    other = small_release(RoutingPolicy(NOTHING, NOTHING, BOTH))
    if band is EVERYTHING and not parts:
        differ = auditor.replay(Kept(other), decision_ids=ids[:1])
        assert differ[0].became is Became.DIFFERENT
    entry = next(tree for tree in auditor.decision(ids[0]) if tree["kind"] == "decision")
    with Releases(Kept(release)) as releases:
        for change in (
            {"probability": entry["probability"] + 1e-16 + 1e-15},
            {"classifier_probability": 0.5},
            {"reason": "free_text", "route": "llm"},
            {"sealed": entry["sealed"][:-8] + "AAAAAAA="},
        ):
            (changed,) = replay([entry | change], keys, releases)
            assert changed.became is Became.DIFFERENT
    (gone,) = auditor.replay(Kept(small_release_named("8", release)), decision_ids=ids[:1])
    assert gone.became is Became.UNRELEASED
    keys.destroy(keys.subjects({"Email": "jane@acme.com"}))
    assert [one.became for one in auditor.replay(Kept(release), sample=3)].count(Became.ERASED) == 1
    with pytest.raises(NoSuchEntry):
        auditor.replay(Kept(release), decision_ids=["00000000-0000-4000-8000-000000000000"])
    store.close()
    keys.close()


def small_release_named(version: str, release: Release) -> Release:
    from dataclasses import replace

    return replace(release, version=version)
