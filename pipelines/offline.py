"""Offline: the live release's cascade without a server. For one lead, and for a table of them.

These answers are not recorded: whoever needs the record asks the service.
"""

from __future__ import annotations

import asyncio
import csv
import json
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext
from datetime import timedelta
from pathlib import Path
from typing import Any

from features.errors import InvalidLead
from features.lead import Lead
from models.cascade import Cascade
from models.decision import Decision
from models.errors import ReleaseNotFound
from models.registry import Registry
from models.release import Release
from pipelines.display import Display
from pipelines.errors import UnusableFile
from pipelines.local_llm import llm_running
from pipelines.tables import read_table, rows
from service.bootstrap import assembler
from service.record import Record
from service.schemas import DecideRequest
from service.settings import Settings

PATIENT = timedelta(seconds=60)  # for one verdict: no caller waits here
AT_ONCE = 8  # leads in work at a time
COLUMNS = ("probability", "score", "grade", "route", "reason", "degraded")


def decide_file(path: Path, settings: Settings) -> dict[str, Any]:
    """The answer to the lead in a JSON file, either bare or as `POST /decide` takes it.

    Raises:
        UnusableFile, InvalidLead, ReleaseNotFound
    """
    tree = _read_json(path)
    request = DecideRequest.of(tree if "lead" in tree else {"lead": tree})
    with live_release(settings) as release, llm_running(settings, release.llm):
        lead = Lead.parse(release.spec, request.fields)
        decision = asyncio.run(_decide_one(release, lead, request.reasons, settings))
    return Record.of(decision, release, is_priced=False, latency_ms=0.0).answer


def score_table(table: Path, output: Path, settings: Settings, display: Display) -> dict[str, Any]:
    """Decide every row of a table, and write the answers beside the row numbers as CSV.

    A row that cannot be read gets its problem in the column `error`; the others are decided.
    """
    with display.stage(f"Reading {table.name}"):
        fields = list(rows(read_table(table)))
    counts: dict[str, int] = {}
    with live_release(settings) as release, llm_running(settings, release.llm):
        leads = [_parse(release, row) for row in fields]
        with display.bar("Deciding", len(leads)) as advance, _writer(output) as write:

            async def decide_all() -> None:
                async with _cascade(release, settings) as cascade:
                    for start in range(0, len(leads), AT_ONCE):
                        part = leads[start : start + AT_ONCE]
                        answers = await asyncio.gather(*(_answer(cascade, lead) for lead in part))
                        for number, answer in enumerate(answers, start=start + 1):
                            write(number, answer)
                            key = "unreadable" if isinstance(answer, str) else answer.route.value
                            counts[key] = counts.get(key, 0) + 1
                            if not isinstance(answer, str) and answer.degraded:
                                counts["degraded"] = counts.get("degraded", 0) + 1
                            advance()

            asyncio.run(decide_all())
    return {"table": str(table), "output": str(output), "release": release.version, **counts}


@contextmanager
def live_release(settings: Settings) -> Iterator[Release]:
    """The release that is live, unpacked in a temporary folder.

    Raises:
        ReleaseNotFound: nothing is live.
    """
    registry = Registry(settings.mlflow_uri)
    version = registry.champion_version()
    if version is None:
        raise ReleaseNotFound("Nothing is live. Run `tiebreak train TABLE --promote` first.")
    with tempfile.TemporaryDirectory() as folder:
        yield registry.load(version, Path(folder))


async def _decide_one(release: Release, lead: Lead, reasons: int, settings: Settings) -> Decision:
    async with _cascade(release, settings) as cascade:
        return await cascade.decide(lead, reasons=reasons)


@asynccontextmanager
async def _cascade(release: Release, settings: Settings) -> AsyncIterator[Cascade]:
    patient = settings.model_copy(update={"llm_deadline": PATIENT})
    cascade = assembler(patient)(release)
    try:
        yield cascade
    finally:
        await cascade.close()


async def _answer(cascade: Cascade, lead: Lead | str) -> Decision | str:
    return lead if isinstance(lead, str) else await cascade.decide(lead, reasons=0)


def _parse(release: Release, row: dict[str, object]) -> Lead | str:
    try:
        return Lead.parse(release.spec, row)
    except InvalidLead as error:
        return str(error)


@contextmanager
def _writer(output: Path) -> Iterator[Any]:
    try:
        file = output.open("w", encoding="utf-8", newline="")
    except OSError as error:
        raise UnusableFile(f"{output} cannot be written. Name another file with -o.") from error
    with file:
        sheet = csv.writer(file, lineterminator="\n")
        sheet.writerow(["row", *COLUMNS, "error"])

        def write(number: int, answer: Decision | str) -> None:
            if isinstance(answer, str):
                sheet.writerow([number, *[""] * len(COLUMNS), answer])
            else:
                sheet.writerow([number, *(getattr(answer, name) for name in COLUMNS), ""])

        yield write


def _read_json(path: Path) -> dict[str, Any]:
    source = nullcontext(sys.stdin) if str(path) == "-" else None
    try:
        with source or path.open(encoding="utf-8") as file:
            tree = json.load(file)
    except (OSError, ValueError, RecursionError) as error:
        raise UnusableFile(f"{path} cannot be read as JSON. It should hold one object.") from error
    if not isinstance(tree, dict):
        raise UnusableFile(f"{path} holds no JSON object. Write the lead as one object.")
    return tree
