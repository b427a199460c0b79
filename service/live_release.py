"""LiveRelease: which release answers, and the moment it changes. One per worker.

A thread of its own looks which release should be live. A new one is unpacked, put together, and
has to decide a real lead; only then it takes over, in one assignment. A request that began on the
old release ends on it.
"""

from __future__ import annotations

import asyncio
import logging
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from features.errors import ScoringError
from features.lead import Lead
from models.cascade import ExampleOutbox, Outbox
from models.decision import Decision
from models.errors import ReleaseNotFound
from models.release import Release
from service.errors import StorageUnavailable
from service.last_release import LastRelease
from service.llm.endpoint import EMBEDDED
from service.metrics import Metrics

log = logging.getLogger("tiebreak.release")

RETRY = timedelta(seconds=10)  # after a release that could not be loaded
RETRY_WRITING = timedelta(seconds=1)  # after one that could not be recorded: decisions come back
AFTER_RESUMING = timedelta(seconds=3)
WARM_UP = timedelta(seconds=60)  # for the first decision: models of the redactor are loaded in it
ENDED_WITHIN = timedelta(seconds=10)
NOTHING_LIVE = (
    "No release is live. Train one: `tiebreak train TABLE --promote`, or promote one of "
    "`tiebreak releases`"
)


class Decider(Protocol):
    """Whoever decides: a Cascade."""

    async def decide(self, lead: Lead, *, outbox: Outbox, reasons: int = 3) -> Decision: ...


class RehearsedDecider(Decider, Protocol):
    """One that can be tried out before it answers."""

    def rehearsing(self, *, asks: bool) -> Decider: ...


class ReleaseSource(Protocol):
    """Where releases come from: the Registry. Called from a thread."""

    def champion_version(self) -> str | None: ...

    def load(self, version: str, into: Path) -> Release: ...


@dataclass(frozen=True, slots=True)
class Live:
    """A release that answers."""

    release: Release
    decider: Decider
    since: datetime = field(default_factory=lambda: datetime.now(UTC))


class LiveRelease:
    """Holds the live release. `current` is the only thing a request needs."""

    def __init__(
        self,
        source: ReleaseSource,
        *,
        assemble: Callable[[Release], RehearsedDecider],
        metrics: Metrics,
        poll: timedelta,
        last: LastRelease | None = None,
        record: Callable[[Release], None] = lambda _: None,
        settle: Callable[[], None] = lambda: None,
    ) -> None:
        """Who watches, and what happens when a release takes over.

        record: writes down that a release answers from now on. Where it fails, it does not.
        settle: called when this process has loaded all that it will hold for good.
        """
        self._source = source
        self._assemble = assemble
        self._metrics = metrics
        self._poll = poll
        self._last = last
        self._record = record
        self._settle = settle
        self._live: Live | None = None
        self._is_confirmed = False  # MLflow, and not our memory, says that it is live
        self._problem: str | None = None
        self._loading: str | None = None  # the version
        self._failed: tuple[str, float] | None = None  # version, and when to try it again
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def problem(self) -> str | None:
        """Why the release that should be live is not; None where all is well."""
        return self._problem

    @property
    def is_confirmed(self) -> bool:
        """Whether MLflow has been asked since the start; until then what was live last answers."""
        return self._is_confirmed

    def current(self) -> Live:
        """The live release: take it once per request, so that the answer names exactly one.

        Raises:
            ReleaseNotFound: none is live yet.
        """
        live = self._live
        if live is None:
            raise ReleaseNotFound(self._problem or f"{self._step}. Wait some seconds")
        return live

    @property
    def _step(self) -> str:
        """Of the way to a release that answers, where nothing is known to stand in it."""
        if self._loading is None:
            return "MLflow is being asked which release is live"
        return f"Release {self._loading} is being loaded"

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Watch from now on. Decisions, the first one too, run on `loop`."""
        self._thread = threading.Thread(
            target=self._watch, args=(loop,), name="live-release", daemon=True
        )
        self._thread.start()

    async def close(self) -> None:
        """Stop watching. The loop has to go on meanwhile: a first decision may be running on it.

        Whoever waits for an MLflow that is silent is left alone: nothing comes of it any more.
        """
        self._closing.set()
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join, ENDED_WITHIN.total_seconds())

    def _watch(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._resume(loop):
            # Importing MLflow takes seconds of this process: the first requests go before it.
            self._closing.wait(AFTER_RESUMING.total_seconds())
        while not self._closing.is_set():
            self.look(loop)
            self._closing.wait(self._poll.total_seconds())

    def look(self, loop: asyncio.AbstractEventLoop) -> None:
        """Look once, from a thread, and take over what should be live. Never raises."""
        try:
            version = self._source.champion_version()
        except Exception as error:  # whatever the registry's trouble, go on answering
            self._report(f"MLflow cannot be asked which release is live ({_said(error)}).")
            return
        live = self._live.release.version if self._live and self._is_confirmed else None
        if version is None:
            self._report(NOTHING_LIVE + ".")
        elif version == live:
            self._report(None)
        elif not self._is_waiting(version):
            self._take_over(version, loop)

    def _resume(self, loop: asyncio.AbstractEventLoop) -> bool:
        """Go on with the release that was live last, until MLflow has been asked."""
        release = self._last.load() if self._last else None
        if release is None:
            return False
        self._loading = release.version
        try:
            live = self._assembled(release, loop)
            self._record(release)
            self._settle()
            self._live = live
        except Exception as error:  # then MLflow's word comes first, as on a first start
            self._loading = None
            log.warning("The last live release cannot be resumed: %s.", _said(error))
            return False
        self._metrics.live(release)
        log.info("Release %s is live again.", release.version)
        return True

    def _take_over(self, version: str, loop: asyncio.AbstractEventLoop) -> None:
        old, self._loading = self._live, version
        if self._failed is None or self._failed[0] != version:
            self._report(None)  # what was said before one was live, or of another
        try:
            new = self._prepare(version, loop)
            self._record(new.release)
        except Exception as error:  # as above
            pause = RETRY_WRITING if isinstance(error, StorageUnavailable) else RETRY
            self._failed = (version, time.monotonic() + pause.total_seconds())
            stays = f"; release {old.release.version} goes on answering" if old else ""
            self._report(f"Release {version} cannot go live{stays}: {_said(error)}.")
            return
        if not self._is_confirmed:  # MLflow has been imported
            self._settle()
        self._live, self._is_confirmed = new, True
        if self._last:
            self._last.keep(new.release)
        self._metrics.live(old.release if old else None, is_live=False)
        self._metrics.live(new.release)
        self._report(None)
        log.info("Release %s is live.", version)

    def _prepare(self, version: str, loop: asyncio.AbstractEventLoop) -> Live:
        with tempfile.TemporaryDirectory(prefix="tiebreak-release-") as folder:
            release = self._source.load(version, Path(folder))
        return self._assembled(release, loop)

    def _assembled(self, release: Release, loop: asyncio.AbstractEventLoop) -> Live:
        """Ready to answer: a real lead has passed through it."""
        decider = self._assemble(release)
        lead = Lead.parse(release.spec, release.examples)
        # On no record, so an LLM is asked only where it is our own, and nothing leaves the machine.
        first_decider = decider.rehearsing(asks=release.llm.provider == EMBEDDED)
        first = asyncio.run_coroutine_threadsafe(_decide_twice(first_decider, lead), loop)
        decision = first.result(WARM_UP.total_seconds())
        if not 0 <= decision.probability <= 1:
            raise ReleaseNotFound("its first decision is no probability")
        return Live(release, decider)

    def _is_waiting(self, version: str) -> bool:
        return (
            self._failed is not None
            and self._failed[0] == version
            and time.monotonic() < self._failed[1]
        )

    def _report(self, problem: str | None) -> None:
        """One line when it changes, not one a second."""
        if problem is not None and problem != self._problem:
            log.error("%s", problem)
        self._problem = problem
        self._metrics.release_problem(is_there=problem is not None)


async def _decide_twice(decider: Decider, lead: Lead) -> Decision:
    """At once, so that two slots of an LLM of our own have read the prompt's beginning."""

    def first() -> Awaitable[Decision]:
        return decider.decide(lead, outbox=ExampleOutbox())

    decision, _ = await asyncio.gather(first(), first())
    return decision


def _said(error: Exception) -> str:
    """Our errors speak; of others only the type, for their text may hold anything."""
    return str(error).rstrip(".") if isinstance(error, ScoringError) else type(error).__name__
