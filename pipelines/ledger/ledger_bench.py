"""`tiebreak bench ledger`: what the ledger costs, beside what people would use instead."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import select

from pipelines.display import Display
from pipelines.figure import Figure
from pipelines.ledger.appending import KEY
from pipelines.ledger.contenders import decision, hash_chain_rate, ledger_rate, single_row_rate
from pipelines.ledger.crashing import CrashReport, crash
from pipelines.ledger.deciding import Load, decisions_beside
from pipelines.ledger.temporary_postgres import TemporaryPostgres, temporary_postgres
from service.ledger.log import Log
from service.ledger.proofs import head
from service.ledger.verify import Auditor, verify_export
from service.storage.store import Store
from service.storage.tables import entries

AT_ONCE = (1, 8, 64)
ROUNDS = 3  # contenders take turns; the median counts
LEDGER_ENTRIES, SINGLE_ROWS, CHAINED = 4_000, 600, 2_000
VERIFIED = 60_000
LOAD_S = 6.0
PROMISED_AT = 0.4  # of what one process decides and records at most: busy, and not drowning
SERVER_KILLS = 5


def bench_ledger(display: Display, *, folder: Path, postgres: bool) -> list[Figure]:
    """All figures, on the disk that `folder` is on."""
    with _places(folder, postgres) as place:
        figures = list(_rates(display, place))
        figures += _latency(display, place)
    with tempfile.TemporaryDirectory(dir=folder) as scratch, display.stage("Verifying an export"):
        figures.append(_verification(Path(scratch)))
    return figures


def kill(display: Display, kills: int, *, folder: Path, postgres: bool) -> list[CrashReport]:
    """Kill whoever appends, so many times; with PostgreSQL, the server too, five times.

    Raises:
        LedgerBroken: something acknowledged is gone.
    """
    if not postgres:
        with tempfile.TemporaryDirectory(dir=folder) as scratch, display.stage("Killing"):
            return [crash(f"sqlite:///{scratch}/ledger.db", kills)]
    with temporary_postgres() as server, display.stage("Killing"):

        def kill_the_server() -> None:
            server.kill()
            server.start()

        return [
            crash(server.new_database(), kills),
            crash(server.new_database(), SERVER_KILLS, before=kill_the_server),
        ]


class _Places:
    """Where each contender writes: a fresh place each time."""

    def __init__(self, scratch: Path, server: TemporaryPostgres | None) -> None:
        self._scratch = scratch
        self._server = server
        self._made = 0

    def url(self) -> str:
        return self._server.new_database() if self._server else f"sqlite:///{self.file()}.db"

    def file(self) -> Path:
        self._made += 1
        return self._scratch / f"place{self._made}"


@contextmanager
def _places(folder: Path, postgres: bool) -> Iterator[_Places]:
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        if not postgres:
            yield _Places(Path(scratch), None)
            return
        with temporary_postgres() as server:
            yield _Places(Path(scratch), server)


def _rates(display: Display, place: _Places) -> Iterator[Figure]:
    for at_once in AT_ONCE:
        contenders: dict[str, Callable[[], float]] = {
            "ledger": lambda n=at_once: ledger_rate(place.url(), _fewer(LEDGER_ENTRIES, n), n),  # type: ignore[misc]
            "single-row commits": lambda n=at_once: single_row_rate(place.url(), SINGLE_ROWS, n),  # type: ignore[misc]
            "hash-chained file": lambda n=at_once: hash_chain_rate(place.file(), CHAINED, n),  # type: ignore[misc]
        }
        rates: dict[str, list[float]] = {name: [] for name in contenders}
        with display.stage(f"{at_once} at once"):
            for _ in range(ROUNDS):
                for name, measure in contenders.items():
                    rates[name].append(measure())
        middle = {name: statistics.median(measured) for name, measured in rates.items()}
        is_most = at_once == AT_ONCE[-1]
        for name, rate in middle.items():
            target = 1_600 if is_most and name == "ledger" else None
            yield Figure(f"{name}, {at_once} at once", rate, "durable entries/s", target)
        ratio = middle["ledger"] / middle["single-row commits"]
        target = 10 if is_most else None
        yield Figure(f"ledger / single-row commits, {at_once} at once", ratio, "times", target)


def _fewer(count: int, at_once: int) -> int:
    return count if at_once > 1 else count // 4


def _latency(display: Display, place: _Places) -> list[Figure]:
    with display.stage("Deciding under load"):
        loads = decisions_beside(place.url(), place.url(), LOAD_S)
    return [figure for load in loads for figure in _of_load(load)]


def _of_load(load: Load) -> list[Figure]:
    at = f"at {load.bare.rate:,.0f}/s ({load.share:.0%} of what a process can)"
    added = 1_000 * (load.recorded.p50 - load.bare.p50)
    target = 3 if load.share == PROMISED_AT else None
    return [
        Figure(f"decision without a ledger, p50, {at}", 1_000 * load.bare.p50, "ms"),
        Figure(f"decision with the ledger, p50, {at}", 1_000 * load.recorded.p50, "ms"),
        Figure(f"decision with the ledger, p99, {at}", 1_000 * load.recorded.p99, "ms"),
        Figure(f"added by the ledger, p50, {at}", added, "ms", target, at_most=True),
    ]


def _verification(scratch: Path) -> Figure:
    url, folder = f"sqlite:///{scratch}/ledger.db", scratch / "export"
    folder.mkdir()
    with closing(Store(url, Log(KEY))) as store:
        for _ in range(VERIFIED // 10_000):
            with store.writing() as writing:
                writing.append([decision() for _ in range(10_000)])
        with store.reading() as connection, (folder / "entries.jsonl").open("wb") as file:
            for body in connection.scalars(select(entries.c.body).order_by(entries.c.seq)):
                file.write(bytes(body) + b"\n")
            (folder / "checkpoint").write_text(head(connection).note, encoding="utf-8")
    started = time.perf_counter()
    report = verify_export(folder, Auditor(KEY.verifier, (), ()))
    if not report.holds:
        raise AssertionError(report.text())
    rate = VERIFIED / (time.perf_counter() - started)
    return Figure("verification of an export", rate, "entries/s", 100_000)
