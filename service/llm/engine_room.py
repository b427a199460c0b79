"""EngineRoom: keeps one engine answering: starts it again when it ends, swaps it for a newer one.

llama.cpp loads adapters when it starts. So a new adapter means a second process beside the first:
it takes over once it answers, and the first ends when its last question is answered.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from models.adapter import depth_in
from models.errors import LlmUnavailable
from service.llm.adapter_shelf import (
    KEPT_FOLDER,
    PASSING_FOLDER,
    AdapterShelf,
    checked_content,
)
from service.llm.engine import Engine, EngineReply

log = logging.getLogger("tiebreak.llm")

PATIENCE = timedelta(seconds=10)  # a question waits so long for an engine; callers have deadlines
FIRST_PAUSE = timedelta(seconds=0.2)  # before another start after one that failed; doubles
LONGEST_PAUSE = timedelta(seconds=10)
TRIED_OUT_FOR = timedelta(hours=12)  # an adapter, by one command
ATTEMPTS = 2  # of one question: an engine may be killed under it


class EngineRoom:
    """Lives on one event loop.

    kept: adapters of releases; passing: those that a command tries out. These outlive a room that
    was killed, for their command asks on; one that nobody took back is gone some hours later.
    """

    def __init__(
        self, cache_dir: Path, *, threads: int | None = None, depth: int | None = None
    ) -> None:
        """Args: depth: layers of the model that its engines load, and its adapters sit on."""
        self._cache_dir = cache_dir
        self._threads = threads
        self._depth = depth
        self._kept = AdapterShelf(cache_dir / KEPT_FOLDER)
        self._passing = AdapterShelf(cache_dir / PASSING_FOLDER)
        self._engine: Engine | None = None
        self._names: frozenset[str] = frozenset()
        self._is_up = asyncio.Event()
        self._changing = asyncio.Lock()
        self._is_closing = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._retiring: asyncio.Task[None] | None = None

    @property
    def is_up(self) -> bool:
        return self._engine is not None

    @property
    def adapters(self) -> frozenset[str]:
        """The names that can be asked for, by the engine that answers or is being started again."""
        return self._names

    @property
    def engine_pid(self) -> int | None:
        return self._engine.pid if self._engine else None

    async def open(self) -> None:
        """Start the first engine. Raises LlmUnavailable."""
        async with self._changing:
            await self._replace()

    def open_when_it_can(self) -> None:
        """The same in the background, tried again until it is up; questions wait meanwhile."""
        self._names = frozenset(self.wanted())
        self._spawn(self._restart())

    async def close(self, *, gently: bool = False) -> None:
        """End whatever runs; gently: after it has answered what it was asked."""
        self._is_closing = True
        self._forget_passing()  # first: whoever waits for the end may lose patience
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        engine, self._engine = self._engine, None
        if engine is not None:
            await (engine.retire() if gently else engine.stop())

    async def load(self, name: str, file: Path) -> None:
        """Have this adapter served when this returns. Questions are answered meanwhile.

        Raises:
            WrongAdapter: the file's digest is not the one in the name.
            LlmUnavailable: llama.cpp cannot load it; what was served before still is.
        """
        is_kept = file.parent.resolve() == self._kept.folder.resolve()
        await asyncio.to_thread(checked_content if is_kept else self._passing.copy, name, file)
        async with self._changing:
            if name not in self._names:
                await self._take_in(name)

    async def _take_in(self, name: str) -> None:
        try:
            await self._replace()
        except LlmUnavailable:
            for shelf in (self._kept, self._passing):  # or no engine starts ever again
                shelf.drop(name)
            raise

    def unload(self, name: str) -> bool:
        """Whether an adapter of that name was tried out, and no longer is. Kept ones stay."""
        was_there = self._passing.drop(name)
        if was_there and not self._kept.has(name):
            self._names -= {name}  # its memory, 1.3 MB, is free with the next engine
        return was_there

    def drop_old(self) -> None:
        """Serve no longer what a command tried out and, since it was killed, never took back."""
        self._passing.drop_older_than(TRIED_OUT_FOR)
        shelves = (self._kept, self._passing)
        self._names = frozenset(n for n in self._names if any(s.has(n) for s in shelves))

    async def ask(self, path: str, question: Mapping[str, Any], adapter: str | None) -> EngineReply:
        """One question, asked again where the engine ends under it.

        Raises:
            LlmUnavailable: no engine answers for now.
        """
        for attempt in range(ATTEMPTS):
            engine = await self._ready()
            try:
                return await engine.ask(path, question, adapter)
            except LlmUnavailable:
                if attempt + 1 == ATTEMPTS:
                    raise
                await self._gone(engine)
        raise LlmUnavailable("connection")

    def _forget_passing(self) -> None:
        for name in self._names & self._passing.files().keys():
            self._passing.drop(name)

    def wanted(self) -> dict[str, Path]:
        """Adapters on the shelves that sit on the layers that are loaded here: files by name."""
        files = self._kept.files() | self._passing.files()
        return {name: file for name, file in files.items() if depth_in(name) == self._depth}

    async def _ready(self) -> Engine:
        try:
            async with asyncio.timeout(PATIENCE.total_seconds()):
                while self._engine is None:
                    if self._is_closing:
                        raise LlmUnavailable("starting")
                    await self._is_up.wait()
                return self._engine
        except TimeoutError:
            raise LlmUnavailable("starting") from None

    async def _gone(self, engine: Engine) -> None:
        """Return once it is known that this engine ended, or soon if it did not."""
        ending = asyncio.ensure_future(engine.ended())
        await asyncio.wait({ending}, timeout=1)
        ending.cancel()
        await asyncio.sleep(0)  # whoever watches it has seen it too

    async def _replace(self) -> None:
        if self._retiring is not None:  # there are never more than two
            await self._retiring
        self._passing.drop_older_than(TRIED_OUT_FOR)
        wanted = await asyncio.to_thread(self.wanted)
        new = await Engine.start(self._cache_dir, wanted, threads=self._threads, depth=self._depth)
        old, self._engine = self._engine, new
        # What was unloaded while it started is on no shelf any more.
        self._names = frozenset(new.adapters) & (await asyncio.to_thread(self.wanted)).keys()
        self._is_up.set()
        self._spawn(self._watch(new))
        if old is not None:
            self._retiring = self._spawn(old.retire())

    async def _watch(self, engine: Engine) -> None:
        await engine.ended()
        if self._engine is engine and not self._is_closing:
            log.warning("The LLM's process ended. Starting it again.")
            self._engine = None
            self._is_up.clear()
            await engine.stop()
            await self._restart()

    async def _restart(self) -> None:
        pause = FIRST_PAUSE
        async with self._changing:
            while self._engine is None:
                try:
                    await self._replace()
                except (LlmUnavailable, OSError) as error:  # whatever it was, it may pass
                    log.error("The LLM's process does not start: %s", error)
                    await asyncio.sleep(pause.total_seconds())
                    pause = min(2 * pause, LONGEST_PAUSE)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
