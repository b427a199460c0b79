"""Engine: one llama.cpp process and the adapters it holds, as the front sees it."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from models.errors import LlmUnavailable
from service.llm.llama_cpp import SLOTS

if TYPE_CHECKING:
    from asyncio.subprocess import Process

START_DEADLINE = timedelta(seconds=60)  # 1 s on a quiet machine, 3 s with a model to put together
STOP_DEADLINE = timedelta(seconds=5)
IDLE_DEADLINE = timedelta(seconds=15)  # what a question that is still being answered may take
KEEP_ALIVE_S = 2  # llama.cpp closes an idle connection after 5 s: never use one that it may close
ANSWER_DEADLINE = timedelta(seconds=120)  # callers have deadlines of their own; this ends a hang


@dataclass(frozen=True, slots=True)
class EngineReply:
    """What llama.cpp answered, as it was."""

    status: int
    body: bytes


class Engine:
    """A running llama.cpp. Make it with `start`; lives on one event loop."""

    def __init__(self, process: Process, address: str, adapters: tuple[str, ...]) -> None:
        import httpx2

        self._process = process
        self.adapters = adapters
        self._asked = 0
        self._idle = asyncio.Event()
        self._idle.set()
        # No more connections than it has threads for: who has to wait does so here, where a
        # caller that goes away takes its question along.
        self._client = httpx2.AsyncClient(
            base_url=address,
            trust_env=False,  # no proxy: this never leaves the machine
            timeout=httpx2.Timeout(ANSWER_DEADLINE.total_seconds(), pool=None),
            limits=httpx2.Limits(max_connections=SLOTS + 2, keepalive_expiry=KEEP_ALIVE_S),
        )

    @classmethod
    async def start(
        cls,
        cache_dir: Path,
        adapters: Mapping[str, Path],
        *,
        threads: int | None,
        depth: int | None = None,
    ) -> Self:
        """Start llama.cpp with these adapters (files by name), and wait until it answers.

        depth: layers of the model that it loads; all unless given.

        Raises:
            LlmUnavailable: it cannot load one of them, or took too long.
        """
        command = [sys.executable, "-m", "service.llm.llama_cpp", "--cache-dir", str(cache_dir)]
        command += ["--threads", str(threads)] if threads else []
        command += ["--depth", str(depth)] if depth is not None else []
        for file in adapters.values():
            command += ["--adapter", str(file)]
        pipe = asyncio.subprocess.PIPE
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=pipe,
                stdout=pipe,
                start_new_session=True,  # Ctrl-C is for who started it, and ends it
            )
        except OSError as error:  # no memory, no process or no file is left: some other time
            message = f"llama.cpp could not be started ({error.strerror})."
            raise LlmUnavailable("start", message) from error
        try:
            address = await _address(process)
        except BaseException:
            await _end(process)
            raise
        return cls(process, address, tuple(adapters))

    @property
    def pid(self) -> int:
        return self._process.pid

    async def ended(self) -> None:
        """Return as soon as the process is gone."""
        await self._process.wait()

    async def ask(self, path: str, question: Mapping[str, Any], adapter: str | None) -> EngineReply:
        """One question to one adapter, or to the model alone.

        Every adapter's scale is sent each time: what is left out is taken from the last request
        on that slot, with the state that was computed under it. The model alone keeps its prompt's
        beginning, which holds the worked examples; a tuned prompt has none, and computed afresh
        its answer is the same to the last bit, whatever was asked before.

        Raises:
            LlmUnavailable: the process ended meanwhile, or was started without that adapter.
        """
        import httpx2

        if adapter is not None and adapter not in self.adapters:
            raise LlmUnavailable("adapter")
        scales = [{"id": i, "scale": float(n == adapter)} for i, n in enumerate(self.adapters)]
        chosen = {"lora": scales, "cache_prompt": adapter is None}
        self._asked += 1
        self._idle.clear()
        try:
            response = await self._client.post(path, json={**question, **chosen})
        except httpx2.TransportError as error:
            raise LlmUnavailable("connection") from error
        finally:
            self._asked -= 1
            if not self._asked:
                self._idle.set()
        return EngineReply(response.status_code, response.content)

    async def retire(self) -> None:
        """Answer what was asked, then end."""
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(IDLE_DEADLINE.total_seconds()):
                    await self._idle.wait()
        finally:
            await self.stop()

    async def stop(self) -> None:
        """End it now."""
        await self._client.aclose()
        await _end(self._process)


async def _address(process: Process) -> str:
    assert process.stdout is not None  # noqa: S101  (it is a pipe)
    try:
        async with asyncio.timeout(START_DEADLINE.total_seconds()):
            line = await process.stdout.readline()
    except TimeoutError:
        line = b""
    if not line.endswith(b"\n"):  # none, or the beginning of one
        message = "llama.cpp did not start. Its own words are on standard error."
        raise LlmUnavailable("start", message)
    return str(json.loads(line)["address"])


async def _end(process: Process) -> None:
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(STOP_DEADLINE.total_seconds()):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
