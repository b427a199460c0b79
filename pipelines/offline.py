"""Offline: the live release's cascade without a server. For one lead, and for a table of them.

What they decide is in the ledger like what the service decides: a text that left has left.
"""

from __future__ import annotations

import asyncio
import csv
import json
import re
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, closing, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import IO, Any

from rich.markup import escape

from features.errors import InvalidLead
from features.lead_spec import LeadSpec
from models.cascade import Cascade
from models.decision import Decision
from models.errors import ReleaseNotFound
from models.registry import Registry
from models.release import Release
from pipelines.display import Display
from pipelines.errors import UnusableFile, UnusableTable, already_there
from pipelines.local_llm import llm_running
from pipelines.report import absent_note
from pipelines.tables import first_of, no_such_column, read_table, rows
from service.bootstrap import assembler, open_store, open_subjects
from service.llm.endpoint import prices
from service.recording.entry import COMMAND_LINE
from service.recording.record import Record
from service.recording.recorder import Recorder
from service.schemas import DecideRequest
from service.settings import Settings, make_home

PATIENT = timedelta(seconds=60)  # for one verdict: no caller waits here
AT_ONCE = 8  # leads in work at a time
ROW, ERROR = "row", "error"
STREAM = re.compile(r"/dev/(stdout|stderr|fd/\d+)")
COLUMNS = ("probability", "score", "grade", "route", "reason", "degraded")


@dataclass(frozen=True, slots=True)
class FromFile:
    """The answer to a lead in a file, and for whoever wrote that, where it is not as expected.

    unknown: names in it that the release does not know: kept nowhere, for a name may be anything.
    absent: columns that the release reads and the file lacks.
    """

    answer: dict[str, Any]
    unknown: list[str]
    absent: list[str]


def decide_file(path: Path, settings: Settings) -> FromFile:
    """Decide the lead in a JSON file, either bare or as `POST /decide` takes it.

    Raises:
        UnusableFile, InvalidLead, ReleaseNotFound, StorageUnavailable
    """
    tree = _read_json(path)
    request = DecideRequest.of(tree if "lead" in tree else {"lead": tree})
    with live_release(settings) as release, llm_running(settings, release.llm):
        answer = asyncio.run(_decide_one(release, request, settings)).answer
        unknown = [name for name in request.fields if name not in release.spec.known]
        return FromFile(answer, unknown, absent_columns(release.spec, request.fields))


def score_table(
    table: Path,
    output: Path,
    settings: Settings,
    display: Display,
    *,
    keep: Sequence[str] = (),
    force: bool = False,
) -> dict[str, Any]:
    """Decide every row of a table, and write the answers beside the row numbers as CSV.

    keep: columns of the table that are written beside them, as they are read; they go nowhere else.
    force: also over a file that is there, once all is decided: where that fails it stays.

    A row that cannot be read gets its problem in the column `error`; the others are decided.
    `absent_columns` of the summary are those that the release reads and the table lacks. What is
    decided stays in the ledger, so that is said first, and a table with none of them is refused.

    Raises:
        UnusableTable, UnusableFile, ReleaseNotFound, StorageUnavailable
    """
    with display.stage(f"Reading {table.name}"):
        frame = read_table(table)
        fields = list(rows(frame))
        kept = _kept([name.strip() for name in keep], list(map(str, frame.columns)))
    _require_free(output, table, force=force)
    with live_release(settings) as release:
        absent = absent_columns(release.spec, map(str, frame.columns))
        _require_some(release.spec, absent, table)
        if absent:
            display.say(absent_note(absent, list(release.spec.readable)))
        counts = _score(fields, kept, release, output, settings, display)
    named = {"table": str(table), "output": str(output), "release": release.version}
    return {**named, **counts, "absent_columns": absent}


def _score(
    fields: Sequence[Mapping[str, object]],
    kept: Sequence[str],
    release: Release,
    output: Path,
    settings: Settings,
    display: Display,
) -> dict[str, int]:
    """Decide and write these rows; how many went which way."""
    counts: dict[str, int] = {}
    with (
        llm_running(settings, release.llm),
        display.bar("Deciding", len(fields)) as advance,
        _writer(output, kept, display) as write,
    ):

        async def decide_all() -> None:
            async with _deciding(release, settings) as deciding:
                for start in range(0, len(fields), AT_ONCE):
                    answers = await deciding.many(fields[start : start + AT_ONCE])
                    for number, answer in enumerate(answers, start=start + 1):
                        write(number, [fields[number - 1][name] for name in kept], answer)
                        key = "unreadable" if isinstance(answer, str) else answer.route.value
                        counts[key] = counts.get(key, 0) + 1
                        if not isinstance(answer, str) and answer.degraded:
                            counts["degraded"] = counts.get("degraded", 0) + 1
                        advance()

        asyncio.run(decide_all())
    return counts


def _require_free(output: Path, table: Path, *, force: bool) -> None:
    """Raises UnusableFile: something would be lost."""
    if STREAM.fullmatch(str(output)):  # whatever it leads to, the shell has opened it
        return
    if output.exists() and output.samefile(table):
        raise UnusableFile(f"{output} is the table itself. Name another file with -o.")
    if output.is_file() and not force:  # not: a terminal, a pipe
        raise already_there(output)


def _kept(names: Sequence[str], columns: Sequence[str]) -> list[str]:
    """Each name once. Raises UnusableTable: the table lacks one, or the answers have it too."""
    for name in names:
        if name not in columns:
            raise UnusableTable(no_such_column(name, columns))
        if name in (ROW, *COLUMNS, ERROR):
            fix = "Rename it in the table to keep it."
            raise UnusableTable(f"The answers have a column {name!r} of their own. {fix}")
    return list(dict.fromkeys(names))


def absent_columns(spec: LeadSpec, columns: Iterable[str]) -> list[str]:
    """What a release reads of a lead and a table, or a file, lacks: it counts as not known."""
    there = frozenset(columns)
    return [name for name in spec.readable if name not in there]


def _require_some(spec: LeadSpec, absent: Sequence[str], table: Path) -> None:
    """Raises UnusableTable: there is nothing to decide by."""
    read = [column.name for column in (*spec.features, *spec.texts)]
    if set(read) <= set(absent):
        raise UnusableTable(
            f"{table} has no column that the live release decides by: {first_of(read)}. Nobody was "
            "decided. Check how its columns are spelled, or train a release on such a table."
        )


@contextmanager
def live_release(settings: Settings) -> Iterator[Release]:
    """The release that is live, unpacked in a temporary folder.

    Raises:
        ReleaseNotFound: nothing is live.
    """
    registry = Registry(settings.mlflow_uri, elsewhere=settings.elsewhere)
    version = registry.champion_version()
    if version is None:
        raise ReleaseNotFound(registry.why_nothing_is_live())
    make_home(settings)  # MLflow may be elsewhere
    with tempfile.TemporaryDirectory() as folder:
        yield registry.load(version, Path(folder))


async def _decide_one(release: Release, request: DecideRequest, settings: Settings) -> Record:
    async with _deciding(release, settings) as deciding:
        return await deciding.one(request)


@dataclass(frozen=True)
class _Deciding:
    release: Release
    cascade: Cascade
    recorder: Recorder

    async def one(self, request: DecideRequest) -> Record:
        record = await self.recorder.decide(self.release, self.cascade, request)
        await self.recorder.keep([record], key_id=COMMAND_LINE)
        return record

    async def many(self, rows: Sequence[Mapping[str, object]]) -> list[Decision | str]:
        """Decisions in order; in place of a row that cannot be read, what is wrong with it."""
        answers = await asyncio.gather(*(self._answer(row) for row in rows))
        records = [answer for answer in answers if isinstance(answer, Record)]
        await self.recorder.keep(records, key_id=COMMAND_LINE)
        return [a.decision if isinstance(a, Record) else a for a in answers]

    async def _answer(self, row: Mapping[str, object]) -> Record | str:
        try:
            return await self.recorder.decide(self.release, self.cascade, DecideRequest(row))
        except InvalidLead as error:
            return str(error)


@asynccontextmanager
async def _deciding(release: Release, settings: Settings) -> AsyncIterator[_Deciding]:
    patient = settings.model_copy(update={"llm_deadline": PATIENT})
    cascade = assembler(patient)(release)
    is_priced = prices(settings) is not None
    with (
        closing(open_subjects(settings)) as subjects,
        closing(open_store(settings, subjects=subjects)) as store,
    ):
        try:
            yield _Deciding(release, cascade, Recorder(store, subjects, is_priced=is_priced))
        finally:
            await cascade.close()


@contextmanager
def _writer(output: Path, kept: Sequence[str], display: Display) -> Iterator[Any]:
    written: list[int] = []
    with _whole_file(output, written, display) as file:
        sheet = csv.writer(file, lineterminator="\n")
        sheet.writerow([ROW, *kept, *COLUMNS, ERROR])

        def write(number: int, own: Sequence[object], answer: Decision | str) -> None:
            if isinstance(answer, str):
                sheet.writerow([number, *own, *[""] * len(COLUMNS), answer])
            else:
                sheet.writerow([number, *own, *(getattr(answer, n) for n in COLUMNS), ""])
            written.append(number)

        yield write


@contextmanager
def _whole_file(output: Path, written: Sequence[int], display: Display) -> Iterator[IO[str]]:
    """To be written to; a file is there, or another than before, only once all is written.

    Where that fails, what was written until then stays beside it. written: rows, so far.

    Raises:
        UnusableFile: it cannot be written.
    """
    if STREAM.fullmatch(str(output)) or (output.exists() and not output.is_file()):
        with _opened(output, output) as file:
            yield file
        return
    target = output.resolve()  # a link stays one
    part = target.with_name(f"{target.name}.part")
    is_there = target.exists()
    if is_there:
        with _opened(target, output, mode="r+"):  # it may be that nobody shall write to it
            pass
    try:
        with _opened(part, output) as file:
            if is_there:
                shutil.copymode(target, part)
            yield file
        part.replace(target)
    except UnusableFile:
        raise
    except BaseException:
        if written:
            so_far = "1 answer is" if len(written) == 1 else f"{len(written):,} answers are"
            display.say(f"{so_far} in {escape(str(part))}: it ended before all were decided.")
        else:
            part.unlink(missing_ok=True)
        raise


def _opened(file: Path, output: Path, *, mode: str = "w") -> IO[str]:
    """output: how it is called. Raises UnusableFile."""
    try:
        if STREAM.fullmatch(str(file)):
            sys.stdout.flush()
            # Not by its name: that would be a second file, with a place of its own to write at.
            number = {"stdout": 1, "stderr": 2}.get(file.name) or int(file.name)
            return open(number, mode, encoding="utf-8", newline="", closefd=False)
        return file.open(mode, encoding="utf-8", newline="")
    except OSError as error:
        raise UnusableFile(f"{output} cannot be written. Name another file with -o.") from error


def _read_json(path: Path) -> dict[str, Any]:
    source = nullcontext(sys.stdin) if str(path) == "-" else None
    try:
        with source or path.open(encoding="utf-8") as file:
            tree = json.load(file)
    except FileNotFoundError as error:
        fix = "Name a JSON file with one lead, or - for standard input."
        raise UnusableFile(f"There is no file {path}. {fix}") from error
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        fix = "Mend it there: the file should hold one object."
        raise UnusableFile(f"{path} is not valid JSON at {where}. {fix}") from None  # holds it all
    except (OSError, ValueError, RecursionError) as error:
        raise UnusableFile(f"{path} cannot be read as JSON. It should hold one object.") from error
    if not isinstance(tree, dict):
        raise UnusableFile(f"{path} holds no JSON object. Write the lead as one object.")
    return tree
