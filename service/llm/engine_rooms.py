"""EngineRooms: a room for the whole model, and one for each depth that an adapter was tuned at.

A shallow model is a process of its own: who asks few-shot and who asks a tuned model do not wait
for each other's swaps, and where nobody was tuned so, it takes no memory.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from models.adapter import depth_in
from service.llm.adapter_shelf import KEPT_FOLDER, PASSING_FOLDER, AdapterShelf
from service.llm.engine import EngineReply
from service.llm.engine_room import EngineRoom


class EngineRooms:
    """Lives on one event loop. What it says of one room holds of all."""

    def __init__(self, cache_dir: Path, *, threads: int | None = None) -> None:
        self._cache_dir = cache_dir
        self._threads = threads
        self._whole = EngineRoom(cache_dir, threads=threads)
        self._shallow: dict[int, EngineRoom] = {}
        self._changing = asyncio.Lock()
        self._closing: set[asyncio.Task[None]] = set()

    @property
    def is_up(self) -> bool:
        """Whether the whole model answers."""
        return self._whole.is_up

    @property
    def adapters(self) -> frozenset[str]:
        """The names that can be asked for."""
        return self._whole.adapters.union(*(room.adapters for room in self._shallow.values()))

    async def open(self) -> None:
        """Start the whole model, and whatever depth an adapter needs. Raises LlmUnavailable."""
        await self._whole.open()
        for folder in (KEPT_FOLDER, PASSING_FOLDER):
            for name in await asyncio.to_thread(AdapterShelf(self._cache_dir / folder).files):
                room = self._room(depth_in(name))
                if not room.is_up:
                    await room.open()

    async def close(self) -> None:
        """End whatever runs."""
        await asyncio.gather(*self._closing, return_exceptions=True)
        await asyncio.gather(*(room.close() for room in (self._whole, *self._shallow.values())))

    async def load(self, name: str, file: Path) -> None:
        """As `EngineRoom.load`; the first of a depth starts its engine."""
        async with self._changing:
            await self._room(depth_in(name)).load(name, file)

    def unload(self, name: str) -> bool:
        """As `EngineRoom.unload`; the last of a depth takes its engine along."""
        depth = depth_in(name)
        if depth is None:
            return self._whole.unload(name)
        if depth not in self._shallow:
            return False
        was_there = self._shallow[depth].unload(name)
        task = asyncio.create_task(self._close_if_empty(depth))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)
        return was_there

    async def ask(self, path: str, question: Mapping[str, Any], adapter: str | None) -> EngineReply:
        """One question. Raises LlmUnavailable: no engine answers for now."""
        return await self._room(depth_in(adapter or "")).ask(path, question, adapter)

    async def _close_if_empty(self, depth: int) -> None:
        async with self._changing:
            room = self._shallow.get(depth)
            if room is not None and not room.adapters:
                del self._shallow[depth]
                await room.close()

    def _room(self, depth: int | None) -> EngineRoom:
        if depth is None:
            return self._whole
        if depth not in self._shallow:
            room = EngineRoom(self._cache_dir, threads=self._threads, depth=depth)
            self._shallow[depth] = room
        return self._shallow[depth]
