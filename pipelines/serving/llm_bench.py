"""`tiebreak bench llm`: what an escalation to the embedded LLM costs, tuned and untuned."""

from __future__ import annotations

import os
import signal
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

from features.redaction import RedactedText
from models.adapter import Adapter
from models.llm_version import LlmVersion
from pipelines.display import Display
from pipelines.figure import Figure
from pipelines.serving.asking import Asked, Texts, ask_all
from pipelines.serving.process_usage import cpu_seconds, descendants, memory_mb
from pipelines.serving.random_adapter import write_random_adapter
from service.llm.adapter_loading import load_adapter, unload_adapter
from service.llm.embedded_model import LAYERS
from service.llm.server import EmbeddedLlm

AT_ONCE = (1, 4)
ROUNDS = 3  # contenders take turns
MOST_MB, MOST_SHARE = 1_000, 0.5


def bench_llm(
    display: Display, texts: Texts, *, cache_dir: Path, calls: int, depth: int
) -> list[Figure]:
    """All figures.

    calls: questions in each round, of each contender. depth: layers of the model that the adapters
    sit on.
    """
    with ExitStack() as running, tempfile.TemporaryDirectory() as folder:
        adapters = _Adapters(Path(folder), None if depth == LAYERS else depth)
        with display.stage("Starting the LLM"):
            llm = running.enter_context(EmbeddedLlm(cache_dir))
            running.callback(adapters.unload_all, llm)
            first = adapters.load_next(llm)
        bench = _Bench(llm, texts, texts.tuned(first), calls)
        figures = [*bench.latency(display), bench.unread()]
        figures.append(bench.memory())
        with display.stage("Swapping adapters"):
            figures += bench.swap(lambda: adapters.load_next(llm))
        with display.stage("Killing"):
            figures += bench.recovery()
    return figures


class _Adapters:
    """Adapters with random weights, each a new one."""

    def __init__(self, folder: Path, depth: int | None) -> None:
        self._folder = folder
        self._depth = depth
        self._made = 0
        self._names: list[str] = []

    def load_next(self, llm: EmbeddedLlm) -> Adapter:
        """Have a new one served."""
        self._made += 1
        file = self._folder / f"{self._made}.gguf"
        adapter = write_random_adapter(file, seed=self._made, depth=self._depth)
        self._names.append(adapter.name)
        load_adapter(_address(llm), adapter.name, file)
        return adapter

    def unload_all(self, llm: EmbeddedLlm) -> None:
        """Leave none to be served after the bench."""
        for name in self._names:
            unload_adapter(_address(llm), name)


@dataclass(frozen=True)
class _Bench:
    llm: EmbeddedLlm
    texts: Texts
    tuned: LlmVersion
    calls: int

    def latency(self, display: Display) -> Iterator[Figure]:
        """Tuned against few-shot, in turns, alone and four at once."""
        contenders = {"few-shot": self.texts.few_shot(), "tuned": self.tuned}
        found = {(name, n): Asked() for name in contenders for n in AT_ONCE}
        with display.bar("Asking", ROUNDS * len(found)) as advance:
            for round_ in range(ROUNDS):
                for (name, at_once), asked in found.items():
                    asked.add(self._ask(contenders[name], at_once, round_))
                    advance()
        for (name, at_once), asked in found.items():
            yield Figure(f"{name}, {at_once} at once: p50", 1_000 * _p50(asked), "ms")
            yield Figure(f"{name}, {at_once} at once", asked.per_second, "answers/s")
            each = 1_000 * asked.cpu_s / len(asked.seconds)
            yield Figure(f"{name}, {at_once} at once: processor time each", each, "ms")
        for n in AT_ONCE:
            tuned, few_shot = found["tuned", n], found["few-shot", n]
            share, of_cpu = _p50(tuned) / _p50(few_shot), tuned.cpu_s / few_shot.cpu_s
            name = f"tuned / few-shot, {n} at once"
            yield Figure(f"{name}: p50", share, "", MOST_SHARE, at_most=True)
            yield Figure(f"{name}: processor time", of_cpu, "")
        gain = found["tuned", 4].per_second / found["tuned", 1].per_second
        yield Figure("tuned: answers/s 4 at once / one at a time", gain, "")

    def unread(self) -> Figure:
        """What worked examples cost where they have to be read, as after a start."""
        asked, one = Asked(), self._some(0, 1)
        for seed in range(1, ROUNDS + 1):
            asked.add(ask_all(self.llm.base_url, self.texts.few_shot(seed), one, 1))
        return Figure("few-shot, worked examples not yet read: p50", 1_000 * _p50(asked), "ms")

    def memory(self) -> Figure:
        """Front and llama.cpp together, after all that was asked."""
        return Figure(
            "memory of the LLM side at rest", self.memory_mb(), "MB", MOST_MB, at_most=True
        )

    def swap(self, load_next: Callable[[], Adapter]) -> Iterator[Figure]:
        """New adapters taken in while questions go on."""
        took, peaks, lost = [], [], 0
        for _ in range(ROUNDS):
            with self._under_load() as load:
                started = time.perf_counter()
                load_next()
                took.append(time.perf_counter() - started)
                peaks.append(load.peak_mb)
            lost += load.asked.lost
        yield Figure("hot swap under load", statistics.median(took), "s")
        yield Figure("memory while swapping", max(peaks), "MB", MOST_MB, at_most=True)
        yield Figure("questions lost by swaps", lost, "", 0, at_most=True)

    def recovery(self) -> Iterator[Figure]:
        """From kill -9 to the next answer."""
        engine, front = [], []
        for _ in range(ROUNDS):
            engine.append(self._back_after(descendants(self._pid)[0]))
            front.append(self._back_after(self._pid))
        yield Figure("answers again after kill -9 of llama.cpp", statistics.median(engine), "s")
        yield Figure("answers again after kill -9 of the front", statistics.median(front), "s")

    @property
    def _pid(self) -> int:
        assert self.llm.pid is not None  # noqa: S101  (it runs)
        return self.llm.pid

    def memory_mb(self) -> float:
        """Of front and llama.cpp together."""
        return sum(memory_mb(pid) for pid in (self._pid, *descendants(self._pid)))

    def _cpu_seconds(self) -> float:
        return sum(cpu_seconds(pid) for pid in (self._pid, *descendants(self._pid)))

    def _some(self, start: int, count: int) -> list[RedactedText]:
        return list(islice(cycle(self.texts.asked), start, start + count))

    def _ask(self, llm: LlmVersion, at_once: int, round_: int) -> Asked:
        ask_all(self.llm.base_url, llm, self.texts.asked[:at_once], at_once)  # warm
        before = self._cpu_seconds()
        texts = self._some(round_ * self.calls, self.calls)
        asked = ask_all(self.llm.base_url, llm, texts, at_once)
        asked.cpu_s = self._cpu_seconds() - before
        return asked

    def _back_after(self, pid: int) -> float:
        """Kill the process; seconds until the untuned model answers: it is there in any case."""
        os.kill(pid, signal.SIGKILL)
        started = time.perf_counter()
        llm, one = self.texts.few_shot(), self._some(0, 1)
        while not ask_all(self.llm.base_url, llm, one, 1).seconds:
            time.sleep(0.02)
        return time.perf_counter() - started

    @contextmanager
    def _under_load(self) -> Iterator[_Load]:
        load = _Load(self)
        try:
            yield load
        finally:
            load.stop()


class _Load:
    """Four callers that ask until they are told to stop, and what the LLM side holds meanwhile."""

    def __init__(self, bench: _Bench) -> None:
        self.asked, self.peak_mb = Asked(), 0.0
        self._bench = bench
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._ask), threading.Thread(target=self._look)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Let the callers end."""
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _ask(self) -> None:
        bench = self._bench
        while not self._over.is_set():
            self.asked.add(ask_all(bench.llm.base_url, bench.tuned, bench.texts.asked[:4], 4))

    def _look(self) -> None:
        while not self._over.wait(0.05):
            self.peak_mb = max(self.peak_mb, self._bench.memory_mb())


def _p50(asked: Asked) -> float:
    return statistics.median(asked.seconds)


def _address(llm: EmbeddedLlm) -> str:
    return llm.base_url.removesuffix("/v1")
