from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from service_fakes import POLL, FakeDecider, FakeSource

from models.band import NOTHING
from models.release import Release
from models.routing import RoutingPolicy
from service.last_release import LastRelease
from service.live_release import LiveRelease
from service.metrics import Metrics
from tests.full_disk import full_disk
from tests.small_release import small_release


async def test_the_heap_is_settled_once_when_all_is_loaded_and_not_by_later_releases() -> None:
    settled: list[str] = []
    source = FakeSource("7")
    live = LiveRelease(
        source,
        assemble=FakeDecider,
        metrics=Metrics(CollectorRegistry()),
        poll=POLL,
        settle=lambda: settled.append(source.version or "none"),
    )
    loop = asyncio.get_running_loop()
    for version in ("7", "7", "8"):
        source.version = version
        await asyncio.to_thread(live.look, loop)
        assert live.current().release.version == version
    assert settled == ["7"]


@pytest.mark.parametrize(("provider", "asks"), [("embedded", True), ("llm.example.com", False)])
async def test_the_first_decisions_ask_no_llm_but_one_of_our_own(provider: str, asks: bool) -> None:
    asked: list[bool] = []

    class Source(FakeSource):
        def load(self, version: str, into: Path) -> Release:
            release = super().load(version, into)
            return replace(release, llm=replace(release.llm, provider=provider))

    class Rehearsed(FakeDecider):
        def rehearsing(self, *, asks: bool) -> FakeDecider:
            asked.append(asks)
            return self

    metrics = Metrics(CollectorRegistry())
    live = LiveRelease(Source("7"), assemble=Rehearsed, metrics=metrics, poll=POLL)
    await asyncio.to_thread(live.look, asyncio.get_running_loop())
    assert live.current().release.version == "7"
    assert asked == [asks]


@pytest.mark.parametrize("room", [100, 5_000])  # for nothing; for all but the booster
def test_a_release_that_a_full_disk_does_not_take_is_said_so_and_leaves_nothing(
    room: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    kept, release = (
        LastRelease(tmp_path),
        small_release(RoutingPolicy(NOTHING, NOTHING, frozenset())),
    )
    with full_disk(room):
        kept.keep(release)
    assert "was not kept for the next start" in caplog.text
    assert not any(tmp_path.iterdir())
    kept.keep(release)
    again = kept.load()
    assert again is not None
    assert again.version == release.version
