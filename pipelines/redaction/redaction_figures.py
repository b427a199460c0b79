"""Figures of redaction, each with its target: what a release must reach."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipelines.metrics import Interval
from pipelines.redaction.disguise import CASES
from pipelines.redaction.redaction_speed import HostileSpeed, MessageSpeed
from pipelines.redaction.span_scores import (
    ALL,
    ALL_BUT_KEPT,
    OWN,
    Measure,
    Tallies,
    f2,
    leak,
    precision,
    recall,
    typed_f2,
)

MIN_F2, MIN_PRECISION = 0.80, 0.90
MIN_RECALL = {"PERSON": 0.95, "PHONE_NUMBER": 0.97}
MAX_LEAK, MAX_CHANGE = 0.10, 0.02
NEVER_LEAK = ("EMAIL_ADDRESS", "CREDIT_CARD", "IBAN_CODE", "IP_ADDRESS", OWN)
MAX_P50_MS, MAX_P99_MS, MIN_RATIO = 12.0, 40.0, 5.0
MAX_HOSTILE_MS, MAX_MEMORY_MB = 250.0, 500.0


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure. Its target, where it has one, is that `ours` is on that side of it.

    Attributes:
        corpus: what it was measured on.
        at_least, at_most: the target.
        unit: "" for shares.
    """

    name: str
    corpus: str
    ours: Interval
    stock: Interval | None = None
    at_least: float | None = None
    at_most: float | None = None
    unit: str = ""

    @property
    def passed(self) -> bool | None:
        """None without a target. What could not be measured has not passed."""
        value = self.ours.value
        if self.at_least is not None:
            return value >= self.at_least
        return None if self.at_most is None else value <= self.at_most


@dataclass(frozen=True, slots=True)
class Compared:
    """One corpus, redacted by both. stock: None where it was not asked."""

    corpus: str
    ours: Tallies
    stock: Tallies | None

    def where(self, chosen: Sequence[bool]) -> Compared:
        """Some of the messages."""
        stock = self.stock.where(chosen) if self.stock else None
        return Compared(self.corpus, self.ours.where(chosen), stock)


@dataclass(frozen=True, slots=True)
class DisguiseFigures:
    """F2 on the messages that a disguise changes, without it and with it."""

    disguise: str
    corpus: str
    plain: Interval
    disguised: Interval
    change: Interval
    leak_change: Interval
    stock_plain: Interval | None = None
    stock_disguised: Interval | None = None
    stock_change: Interval | None = None


@dataclass(frozen=True, slots=True)
class TypeFigures:
    """One entity type on one corpus: how many spans, and how many of them were found."""

    entity_type: str
    corpus: str
    spans: int
    recall: float
    leak: float
    stock_recall: float | None
    stock_leak: float | None


def single(value: float) -> Interval:
    """A figure without an interval."""
    return Interval(value, value, value)


def lead_figures(compared: Compared) -> Iterator[Figure]:
    """Of messages of leads: the targets of names and phones too."""
    yield from found_figures(compared)
    for entity_type, bound in MIN_RECALL.items():
        both = _both(compared, recall, entity_type)
        yield Figure(f"recall of {entity_type}", compared.corpus, *both, at_least=bound)


def note_figures(compared: Compared) -> Iterator[Figure]:
    """Where people are among things: both whom one misses and what one takes for somebody."""
    person = _both(compared, recall, "PERSON")
    yield Figure("F2", compared.corpus, *_both(compared, f2), at_least=MIN_F2)
    yield Figure("recall of PERSON", compared.corpus, *person, at_least=MIN_RECALL["PERSON"])
    yield Figure("left in clear", compared.corpus, *_both(compared, leak), at_most=MAX_LEAK)
    yield from decoy_figures(compared)


def found_figures(compared: Compared) -> Iterator[Figure]:
    """F2, and what stayed in clear."""
    corpus = compared.corpus
    yield Figure("F2", corpus, *_both(compared, f2), at_least=MIN_F2)
    yield Figure("F2, types right", corpus, *_both(compared, typed_f2))
    yield Figure("F2, kept types as blank", corpus, *_both(compared, f2, ALL_BUT_KEPT))
    yield Figure("precision", corpus, *_both(compared, precision))
    yield Figure("recall", corpus, *_both(compared, recall))
    yield Figure("left in clear", corpus, *_both(compared, leak), at_most=MAX_LEAK)
    total = compared.ours.total()
    for kind in NEVER_LEAK:
        if total.chars[kind]:
            both = _both(compared, leak, kind)
            yield Figure(f"left in clear: {kind}", corpus, *both, at_most=0.0)


def watched_figures(compared: Compared) -> Iterator[Figure]:
    """As `found_figures`, without targets: what was tuned on proves nothing."""
    for figure in found_figures(compared):
        yield Figure(figure.name, figure.corpus, figure.ours, figure.stock)


def decoy_figures(compared: Compared) -> Iterator[Figure]:
    """What was taken out of messages that are full of what must stay."""
    both = _both(compared, precision)
    yield Figure("precision", compared.corpus, *both, at_least=MIN_PRECISION)
    yield Figure("recall", compared.corpus, *_both(compared, recall))
    stock = _wrong_spans(compared.stock) if compared.stock else None
    yield Figure("wrong spans a message", compared.corpus, _wrong_spans(compared.ours), stock)


def allow_list_figures(corpus: str, listed: str, tallies: Tallies) -> Iterator[Figure]:
    """Where the house has listed its products: what is wrong then, and whom one misses for it.

    listed: how many of them, in words; the target is for "all".
    """
    named = f"{corpus}, {listed} products on the allow list"
    bound = MIN_PRECISION if listed == "all" else None
    yield Figure("precision", named, tallies.interval(precision), at_least=bound)
    yield Figure("recall of PERSON", named, tallies.interval(recall, "PERSON"))


def _wrong_spans(tallies: Tallies) -> Interval:
    return single(tallies.total().false[ALL] / len(tallies.each))


def disguise_figures(
    disguise: str, plain: Compared, ours: Tallies, stock: Tallies | None
) -> DisguiseFigures:
    """Of the same messages, as they were (`plain`) and disguised."""
    by_stock: tuple[Interval, ...] = ()
    if stock and plain.stock:
        by_stock = plain.stock.interval(f2), stock.interval(f2), stock.change(plain.stock, f2)
    return DisguiseFigures(
        disguise,
        plain.corpus,
        plain.ours.interval(f2),
        ours.interval(f2),
        ours.change(plain.ours, f2),
        ours.change(plain.ours, leak),
        *by_stock,
    )


def disguise_gates(figures: DisguiseFigures) -> Iterator[Figure]:
    """That a disguise changes next to nothing. Case hides nothing: it is shown without a target."""
    if figures.disguise in CASES:
        return
    where = f"{figures.corpus}, {figures.disguise}"
    yield Figure("change of F2", where, figures.change, figures.stock_change, at_least=-MAX_CHANGE)
    yield Figure("change of what is left in clear", where, figures.leak_change, at_most=MAX_CHANGE)


def speed_figures(messages: MessageSpeed, hostile: HostileSpeed, memory_mb: float) -> list[Figure]:
    """Time and memory."""
    leads, texts = "leads", "hostile texts"
    worst = f"{texts}, worst: {hostile.worst}"
    worst_ms = single(hostile.ms[hostile.worst])
    refused = single(len(hostile.refused) / len(hostile.ms))
    pairs = [
        (single(ours), single(stock))
        for ours, stock in (
            (messages.p50_ms, messages.stock_p50_ms),
            (messages.p99_ms, messages.stock_p99_ms),
            (messages.per_second, messages.stock_per_second),
        )
    ]
    memory = single(memory_mb)
    return [
        Figure("CPU, p50", leads, *pairs[0], at_most=MAX_P50_MS, unit="ms"),
        Figure("CPU, p99", leads, *pairs[1], at_most=MAX_P99_MS, unit="ms"),
        Figure("messages a second", leads, *pairs[2]),
        Figure("throughput, of stock's", leads, single(messages.ratio), at_least=MIN_RATIO),
        Figure("CPU", worst, worst_ms, at_most=MAX_HOSTILE_MS, unit="ms"),
        Figure("refused", texts, refused),
        Figure("peak memory", "a fresh process", memory, at_most=MAX_MEMORY_MB, unit="MB"),
    ]


def type_figures(compared: Compared) -> list[TypeFigures]:
    """Every entity type that the corpus holds, the most frequent first."""
    ours = compared.ours.total()
    stock = compared.stock.total() if compared.stock else None
    spans = ours.found + ours.missed
    rows = []
    del spans[ALL_BUT_KEPT]
    for kind, count in spans.most_common():
        counts = ours.of(kind)
        theirs = stock.of(kind) if stock else None
        rows.append(
            TypeFigures(
                kind,
                compared.corpus,
                count,
                recall(counts),
                leak(counts),
                recall(theirs) if theirs else None,
                leak(theirs) if theirs else None,
            )
        )
    return rows


def _both(
    compared: Compared, measure: Measure, kind: str = ALL
) -> tuple[Interval, Interval | None]:
    stock = compared.stock.interval(measure, kind) if compared.stock else None
    return compared.ours.interval(measure, kind), stock
