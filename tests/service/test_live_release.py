from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Event

import pytest
from prometheus_client import CollectorRegistry
from service_fakes import POLL, FakeDecider, FakeSource

from models.band import NOTHING
from models.errors import ReleaseNotFound
from models.registry import Registry
from models.release import Release
from models.routing import RoutingPolicy
from service import live_release
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


async def test_an_mlflow_that_is_down_is_told_within_seconds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "MLFLOW_HTTP_REQUEST_TIMEOUT"):
        monkeypatch.setenv(name, "7")  # so that it is put back after this test
        monkeypatch.delenv(name)
    source = Registry("http://127.0.0.1:9", is_polled=True)
    metrics = Metrics(CollectorRegistry())
    live = LiveRelease(source, assemble=FakeDecider, metrics=metrics, poll=POLL)
    await asyncio.wait_for(asyncio.to_thread(live.look, asyncio.get_running_loop()), 60)
    assert "MLflow cannot be asked" in (live.problem or "")


async def test_whoever_waits_for_a_silent_mlflow_does_not_hold_up_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(live_release, "ENDED_WITHIN", timedelta(milliseconds=50))
    asked, goes_on = Event(), Event()

    class Silent(FakeSource):
        def champion_version(self) -> str | None:
            asked.set()
            goes_on.wait()
            return None

    metrics = Metrics(CollectorRegistry())
    live = LiveRelease(Silent(), assemble=FakeDecider, metrics=metrics, poll=POLL)
    live.start(asyncio.get_running_loop())
    await asyncio.to_thread(asked.wait)
    await asyncio.wait_for(live.close(), 30)
    goes_on.set()


async def test_what_was_live_last_answers_unconfirmed_until_mlflow_names_the_newest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_release, "AFTER_RESUMING", timedelta(0))
    goes_on = Event()

    class Slow(FakeSource):
        def champion_version(self) -> str | None:
            goes_on.wait()
            return super().champion_version()

    last, metrics = LastRelease(tmp_path), Metrics(CollectorRegistry())
    last.keep(replace(small_release(RoutingPolicy(NOTHING, NOTHING, frozenset())), version="6"))
    live = LiveRelease(Slow("7"), assemble=FakeDecider, metrics=metrics, poll=POLL, last=last)

    def answering() -> tuple[str, bool] | None:
        try:
            return live.current().release.version, live.is_confirmed
        except ReleaseNotFound:
            return None

    async def until(expected: tuple[str, bool]) -> None:
        async with asyncio.timeout(30):
            while answering() != expected:
                await asyncio.sleep(0.01)

    live.start(asyncio.get_running_loop())
    await until(("6", False))
    goes_on.set()
    await until(("7", True))
    await live.close()


async def test_a_release_that_is_live_but_not_loaded_yet_is_not_said_to_be_none() -> None:
    source, said = FakeSource(None), list[str]()

    class Loading(FakeSource):
        def champion_version(self) -> str | None:
            note()
            return source.version

        def load(self, version: str, into: Path) -> Release:
            note()
            return super().load(version, into)

    def note() -> None:
        with pytest.raises(ReleaseNotFound) as caught:
            live.current()
        said.append(str(caught.value).partition(". ")[0])

    metrics = Metrics(CollectorRegistry())
    live = LiveRelease(Loading(), assemble=FakeDecider, metrics=metrics, poll=POLL)
    loop = asyncio.get_running_loop()
    await asyncio.to_thread(live.look, loop)
    source.version = "7"
    await asyncio.to_thread(live.look, loop)
    assert said == [
        "MLflow is being asked which release is live",
        "No release is live",
        "Release 7 is being loaded",
    ]
    assert live.current().release.version == "7"


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
