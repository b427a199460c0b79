"""Speed of redaction: CPU time of typical messages and of hostile ones, beside stock Presidio."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from features.errors import RedactionFailed
from features.redaction import Redactor
from pipelines.redaction.fresh_process import cost_in_fresh_process
from pipelines.redaction.held_out_corpus import Message
from pipelines.redaction.hostile_texts import hostile_texts
from pipelines.redaction.stock_presidio import StockPresidio

WARM_UP = 20
BLOCK = 50  # messages
STOCK_LIMIT_S = 10
MEMORY_LIMIT_S = 300


@dataclass(frozen=True, slots=True)
class MessageSpeed:
    """CPU milliseconds of one message, on one core, and how many messages a second of its CPU.

    The first where both read each message in turn, so that neither finds much of its own in the
    processor's caches; the second where each works through BLOCK messages before the other does.
    """

    p50_ms: float
    p99_ms: float
    stock_p50_ms: float
    stock_p99_ms: float
    per_second: float
    stock_per_second: float

    @property
    def ratio(self) -> float:
        """Throughput, as a multiple of stock's."""
        return self.per_second / self.stock_per_second


@dataclass(frozen=True, slots=True)
class HostileSpeed:
    """CPU milliseconds of each hostile text, by name, and which were refused.

    stock_s: CPU seconds of stock on some of them; None: more than its limit.
    """

    ms: dict[str, float]
    refused: tuple[str, ...]
    stock_s: dict[str, float | None]
    stock_limit_s: int = STOCK_LIMIT_S

    @property
    def worst(self) -> str:
        """The name of the most expensive one."""
        return max(self.ms, key=lambda name: self.ms[name])


def message_speed(
    redactor: Redactor, stock: StockPresidio, messages: Sequence[Message]
) -> MessageSpeed:
    """Both read the same messages, at the same time of the same machine."""
    contenders = (
        lambda m: redactor.redact(m.example.text, m.example.contacts),
        lambda m: stock.redact(m.example.text),
    )
    _timed(messages[:WARM_UP], contenders)
    in_turn = np.array([_timed([message], contenders) for message in messages])
    blocks = [messages[i : i + BLOCK] for i in range(0, len(messages), BLOCK)]
    in_blocks = np.array([_timed(block, contenders) for block in blocks]).sum(axis=0)
    return MessageSpeed(
        *(round(float(np.quantile(ms, q)), 2) for ms in in_turn.T for q in (0.5, 0.99)),
        *(round(1_000 * len(messages) / float(ms), 1) for ms in in_blocks),
    )


def _timed(
    messages: Sequence[Message], contenders: Iterable[Callable[[Message], object]]
) -> list[float]:
    """CPU milliseconds of each contender for all messages, one contender after the other."""
    ms = []
    for contender in contenders:
        begin = time.thread_time()
        for message in messages:
            contender(message)
        ms.append(1_000 * (time.thread_time() - begin))
    return ms


def hostile_speed(
    redactor: Redactor, stock_on: Iterable[str], advance: Callable[[], None]
) -> HostileSpeed:
    """Every hostile text by ours; by stock those named, each in a process that can be killed."""
    texts = hostile_texts()
    ms, refused = {}, []
    with _settled_heap():
        for name, text in texts.items():
            begin = time.thread_time()
            try:
                redactor.redact(text)
            except RedactionFailed:
                refused.append(name)
            ms[name] = round(1_000 * (time.thread_time() - begin), 1)
            advance()
    stock_s: dict[str, float | None] = {}
    for name in stock_on:
        cost = cost_in_fresh_process("stock", [texts[name]], STOCK_LIMIT_S)
        stock_s[name] = cost.cpu_s if cost else None
        advance()
    return HostileSpeed(ms, tuple(refused), stock_s)


@contextmanager
def _settled_heap() -> Iterator[None]:
    """As in a service: a full collection does not walk over all that was there before.

    Here that is a bench with its corpora and networks: half a second, which some text would be
    said to have taken.
    """
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def peak_memory_mb(messages: Sequence[Message]) -> float:
    """Of a process that only redacts: these messages and all hostile texts."""
    texts = [m.example.text for m in messages] + list(hostile_texts().values())
    cost = cost_in_fresh_process("ours", texts, MEMORY_LIMIT_S)
    return cost.peak_mb if cost else float("nan")
