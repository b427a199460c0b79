from __future__ import annotations

import asyncio

from prometheus_client import CollectorRegistry
from service_fakes import POLL, FakeDecider, FakeSource

from service.live_release import LiveRelease
from service.metrics import Metrics


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
