"""EngineRooms: a room for the whole model, and one for each depth that an adapter was tuned at.

A shallow model is a process of its own: who asks few-shot and who asks a tuned model do not wait
for each other's swaps, and where nobody was tuned so, it takes no memory.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from models.adapter import depth_in
from service.llm.adapter_shelf import KEPT_FOLDER, PASSING_FOLDER, AdapterShelf
from service.llm.engine import EngineReply
from service.llm.engine_room import EngineRoom

SWEPT_EVERY = timedelta(hours=1)


class EngineRooms:
    """Lives on one event loop. What it says of one room holds of all."""

    def __init__(self, cache_dir: Path, *, threads: int | None = None) -> None:
        self._cache_dir = cache_dir
        self._threads = threads
        self._whole = EngineRoom(cache_dir, threads=threads)
        self._shallow: dict[int, EngineRoom] = {}
        self._changing: defaultdict[int | None, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._closing: set[asyncio.Task[None]] = set()
        self._sweeping: asyncio.Task[None] | None = None

    @property
    def is_up(self) -> bool:
        """Whether the whole model answers."""
        return self._whole.is_up

    @property
    def adapters(self) -> frozenset[str]:
        """The names that can be asked for."""
        return self._whole.adapters.union(*(room.adapters for room in self._shallow.values()))

    async def open(self) -> None:
        """Start the whole model; what adapters need beside it starts in the background.

        Raises:
            LlmUnavailable: the whole model does not start.
        """
        await self._whole.open()
        for folder in (KEPT_FOLDER, PASSING_FOLDER):
            for name in await asyncio.to_thread(AdapterShelf(self._cache_dir / folder).files):
                depth = depth_in(name)
                if depth is not None and depth not in self._shallow:
                    self._room(depth).open_when_it_can()
        self._sweeping = asyncio.create_task(self._sweep())

    async def close(self) -> None:
        """End whatever runs."""
        if self._sweeping is not None:
            self._sweeping.cancel()
        await asyncio.gather(*(room.close() for room in (self._whole, *self._shallow.values())))
        await asyncio.gather(*self._closing, return_exceptions=True)

    async def load(self, name: str, file: Path) -> None:
        """As `EngineRoom.load`; the first of a depth starts its engine."""
        depth = depth_in(name)
        try:
            async with self._changing[depth]:
                await self._room(depth).load(name, file)
        finally:
            self._close_unneeded()

    def unload(self, name: str) -> bool:
        """As `EngineRoom.unload`; the last of a depth takes its engine along."""
        depth = depth_in(name)
        if depth is not None and depth not in self._shallow:
            return False
        was_there = self._room(depth).unload(name)
        self._close_unneeded()
        return was_there

    async def _sweep(self) -> None:
        """Let go of what commands that were killed have left, for as long as this runs."""
        while True:
            await asyncio.sleep(SWEPT_EVERY.total_seconds())
            self.drop_old()

    def drop_old(self) -> None:
        """As `EngineRoom.drop_old`; the last of a depth takes its engine along."""
        for room in (self._whole, *self._shallow.values()):
            room.drop_old()
        self._close_unneeded()

    def _close_unneeded(self) -> None:
        """Rooms whose last adapter was unloaded, or made room on the shelf for others."""
        for depth in self._shallow:
            task = asyncio.create_task(self._close_if_unneeded(depth))
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

    async def _close_if_unneeded(self, depth: int) -> None:
        async with self._changing[depth]:
            room = self._shallow.get(depth)
            if room is None:
                return
            wanted = await asyncio.to_thread(room.wanted)
            if wanted:
                return
            del self._shallow[depth]
        await room.close(gently=True)

    async def ask(self, path: str, question: Mapping[str, Any], adapter: str | None) -> EngineReply:
        """One question. Raises LlmUnavailable: no engine answers for now."""
        return await self._room(depth_in(adapter or "")).ask(path, question, adapter)

    def _room(self, depth: int | None) -> EngineRoom:
        if depth is None:
            return self._whole
        if depth not in self._shallow:
            room = EngineRoom(self._cache_dir, threads=self._threads, depth=depth)
            self._shallow[depth] = room
        return self._shallow[depth]
