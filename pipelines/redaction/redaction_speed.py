"""Speed of redaction: CPU time of typical messages and of hostile ones, beside stock Presidio."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from features.errors import RedactionFailed
from features.redaction import Redactor
from pipelines.redaction.fresh_process import cost_in_fresh_process
from pipelines.redaction.held_out_corpus import Message
from pipelines.redaction.hostile_texts import hostile_texts
from pipelines.redaction.stock_presidio import StockPresidio

WARM_UP = 20
STOCK_LIMIT_S = 10
MEMORY_LIMIT_S = 300


@dataclass(frozen=True, slots=True)
class MessageSpeed:
    """CPU milliseconds of one message, on one core; messages a second follow from their sum."""

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
    """Each message by both, one after the other, so that both meet the same machine."""
    for message in messages[:WARM_UP]:
        redactor.redact(message.example.text)
        stock.redact(message.example.text)
    mine, theirs = [], []
    for message in messages:
        text, contacts = message.example.text, message.example.contacts
        begin = time.thread_time()
        redactor.redact(text, contacts)
        between = time.thread_time()
        stock.redact(text)
        mine.append(1_000 * (between - begin))
        theirs.append(1_000 * (time.thread_time() - between))
    return MessageSpeed(
        *(round(float(np.quantile(ms, q)), 2) for ms in (mine, theirs) for q in (0.5, 0.99)),
        *(round(1_000 * len(messages) / sum(ms), 1) for ms in (mine, theirs)),
    )


def hostile_speed(
    redactor: Redactor, stock_on: Iterable[str], advance: Callable[[], None]
) -> HostileSpeed:
    """Every hostile text by ours; by stock those named, each in a process that can be killed."""
    texts = hostile_texts()
    ms, refused = {}, []
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


def peak_memory_mb(messages: Sequence[Message]) -> float:
    """Of a process that only redacts: these messages and all hostile texts."""
    texts = [m.example.text for m in messages] + list(hostile_texts().values())
    cost = cost_in_fresh_process("ours", texts, MEMORY_LIMIT_S)
    return cost.peak_mb if cost else float("nan")
