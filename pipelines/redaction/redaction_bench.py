"""Redaction bench: `tiebreak bench redaction`. What is found, at what cost, beside stock Presidio.

Measured on messages of our own (`held_out_corpus`) and, where it is there, on a public annotated
set split by template: its odd templates are reported on, its even ones may be tuned on.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, compress
from pathlib import Path

from features.allow_list import AllowList
from features.redaction import Redactor
from pipelines.display import Display
from pipelines.redaction.contender import Ours, Stock, tallies
from pipelines.redaction.disguise import Disguise, disguised
from pipelines.redaction.held_out_corpus import (
    Half,
    Message,
    annotated_sentences,
    held_out_corpus,
)
from pipelines.redaction.held_out_messages import (
    HeldOut,
    held_out_products,
    held_out_templates,
)
from pipelines.redaction.hostile_texts import hostile_texts
from pipelines.redaction.redaction_figures import (
    Compared,
    DisguiseFigures,
    Figure,
    TypeFigures,
    allow_list_figures,
    decoy_figures,
    disguise_figures,
    disguise_gates,
    found_figures,
    lead_figures,
    note_figures,
    speed_figures,
    type_figures,
    watched_figures,
)
from pipelines.redaction.redaction_speed import (
    HostileSpeed,
    MessageSpeed,
    hostile_speed,
    message_speed,
    peak_memory_mb,
)
from pipelines.redaction.retraining import retrained_redactors
from pipelines.redaction.span_scores import f2, leak
from pipelines.redaction.stock_presidio import StockPresidio

SYNTH = "pii_synth_dev"
FULL_OF_DECOYS = (HeldOut.DECOYS, HeldOut.TRADE_TALK)
PEOPLE_AMONG_THINGS = (HeldOut.NOTES, HeldOut.WEB)
FULL_OF_PRODUCTS = (*FULL_OF_DECOYS, HeldOut.NOTES)
UNDISGUISED = (*FULL_OF_DECOYS, *PEOPLE_AMONG_THINGS)
STOCK_HOSTILE = ("a.a.a", "e-mails", "digits")


@dataclass(frozen=True, slots=True)
class BenchOptions:
    """What to measure.

    Attributes:
        seeds: how many corpora of our own are drawn.
        quick: one small corpus, stock only where it is cheap: for CI, in less than a minute.
        annotated: pii_synth_dev.json; None where it is not at hand.
        retrain: how often the name recogniser is trained anew, each with another seed.
        retrain_minutes: at most, for each.
    """

    seeds: int = 3
    quick: bool = False
    annotated: Path | None = None
    retrain: int = 0
    retrain_minutes: float = 30.0

    @property
    def draws(self) -> range:
        """Seeds of the corpora."""
        return range(1, 2 if self.quick else 1 + self.seeds)

    @property
    def copies(self) -> int:
        """Messages of each template in each corpus."""
        return 1 if self.quick else 3


@dataclass(frozen=True, slots=True)
class SeedSpread:
    """F2 of one corpus by seed: of the draw, or of the training."""

    varied: str
    corpus: str
    f2: tuple[float, ...]

    @property
    def deviation(self) -> float:
        """Standard deviation; 0 of a single one."""
        return statistics.stdev(self.f2) if len(self.f2) > 1 else 0.0


@dataclass(frozen=True, slots=True)
class BenchReport:
    """All that was measured. No text, no value of one.

    refused: messages that the redactor refused; they leak nothing, and find nothing.
    """

    policy: str
    messages: dict[str, int]
    refused: int
    figures: tuple[Figure, ...]
    types: tuple[TypeFigures, ...]
    languages: tuple[Figure, ...]
    disguises: tuple[DisguiseFigures, ...]
    spreads: tuple[SeedSpread, ...]
    speed: MessageSpeed
    hostile: HostileSpeed

    @property
    def failed(self) -> tuple[Figure, ...]:
        """Figures that miss their targets."""
        return tuple(figure for figure in self.figures if figure.passed is False)


def bench_redaction(options: BenchOptions, display: Display) -> BenchReport:
    """Measure everything. Raises RedactionFailed where the redactor cannot be loaded."""
    with display.stage("Loading the redactor, and stock Presidio"):
        redactor, presidio = Redactor.load(), StockPresidio()
    ours, stock = Ours(redactor), Stock(presidio)
    with display.stage("Writing messages"):
        corpora = _corpora(options)
    compared = [_compared(name, corpora[name], ours, stock, display) for name in corpora]
    allowing = list(_allowing(corpora, redactor, display))
    disguises = list(_disguises(corpora, compared, ours, stock, options, display))
    refused = ours.refused
    spreads = [_draw_spread(c, options) for c in compared if c.corpus in list(HeldOut)]
    spreads += _training_spreads(corpora, options, display)
    typical = held_out_corpus(HeldOut.LEADS, options.draws[0], options.copies)
    with display.stage("Timing messages"):
        speed = message_speed(redactor, presidio, typical)
    stock_on = () if options.quick else STOCK_HOSTILE
    with display.bar("Timing hostile texts", len(hostile_texts()) + len(stock_on)) as advance:
        hostile = hostile_speed(redactor, stock_on, advance)
    with display.stage("Measuring memory"):
        memory_mb = peak_memory_mb(typical)
    return BenchReport(
        policy=redactor.policy_version,
        messages={name: len(messages) for name, messages in corpora.items()},
        refused=refused,
        figures=(
            *chain.from_iterable(map(_figures, compared)),
            *allowing,
            *chain.from_iterable(map(disguise_gates, disguises)),
            *speed_figures(speed, hostile, memory_mb),
        ),
        types=tuple(chain.from_iterable(map(type_figures, compared))),
        languages=tuple(_languages(compared[0], corpora[HeldOut.LEADS])),
        disguises=tuple(disguises),
        spreads=tuple(spreads),
        speed=speed,
        hostile=hostile,
    )


def _corpora(options: BenchOptions) -> dict[str, list[Message]]:
    """By name; the leads first. Each draw of a corpus of our own is as long as the others."""
    corpora: dict[str, list[Message]] = {
        kind.value: [
            m for seed in options.draws for m in held_out_corpus(kind, seed, options.copies)
        ]
        for kind in HeldOut
    }
    if options.annotated:
        for half in (Half.HELD_OUT,) if options.quick else Half:
            corpora[f"{SYNTH}, {half}"] = annotated_sentences(options.annotated, half)
    return corpora


def _compared(
    name: str, messages: Sequence[Message], ours: Ours, stock: Stock, display: Display
) -> Compared:
    with display.bar(f"Redacting {name}", 2 * len(messages)) as advance:
        return Compared(name, tallies(messages, ours, advance), tallies(messages, stock, advance))


def _figures(compared: Compared) -> Iterator[Figure]:
    if compared.corpus == HeldOut.LEADS:
        return lead_figures(compared)
    if compared.corpus in FULL_OF_DECOYS:
        return decoy_figures(compared)
    if compared.corpus in PEOPLE_AMONG_THINGS:
        return note_figures(compared)
    held_out = compared.corpus.endswith(Half.HELD_OUT)
    return found_figures(compared) if held_out else watched_figures(compared)


def _allowing(
    corpora: Mapping[str, Sequence[Message]], redactor: Redactor, display: Display
) -> Iterator[Figure]:
    """Where the house has put all products of a corpus on its allow list, and every other one."""
    for kind in FULL_OF_PRODUCTS:
        products, messages = held_out_products(kind), corpora[kind]
        with display.bar(f"Redacting {kind}, products listed", 2 * len(messages)) as advance:
            for listed, words in (("all", products), ("half of its", products[::2])):
                ours = Ours(redactor.allowing(AllowList(words)))
                counted = tallies(messages, ours, advance)
                yield from allow_list_figures(kind, listed, counted)


def _disguises(
    corpora: Mapping[str, Sequence[Message]],
    compared: Sequence[Compared],
    ours: Ours,
    stock: Stock,
    options: BenchOptions,
    display: Display,
) -> Iterator[DisguiseFigures]:
    """Each disguise, on the messages that it changes. In a quick bench leads, and ours, alone."""
    for plain in compared:
        if plain.corpus in UNDISGUISED or plain.corpus.endswith(Half.DEVELOPMENT):
            continue
        if options.quick and plain.corpus != HeldOut.LEADS:
            continue
        messages = corpora[plain.corpus]
        for disguise in Disguise:
            bent = [disguised(message, disguise) for message in messages]
            chosen = [b.example.text != m.example.text for b, m in zip(bent, messages, strict=True)]
            changed = list(compress(bent, chosen))
            if not changed:
                continue
            steps = len(changed) * (1 if options.quick else 2)
            with display.bar(f"Redacting {plain.corpus}, {disguise}", steps) as advance:
                by_ours = tallies(changed, ours, advance)
                by_stock = None if options.quick else tallies(changed, stock, advance)
            yield disguise_figures(disguise, plain.where(chosen), by_ours, by_stock)


def _draw_spread(compared: Compared, options: BenchOptions) -> SeedSpread:
    draws = len(options.draws)
    size = len(compared.ours.each) // draws
    parts = [[i // size == draw for i in range(draws * size)] for draw in range(draws)]
    values = tuple(compared.ours.where(part).interval(f2).value for part in parts)
    return SeedSpread("messages drawn", compared.corpus, values)


def _training_spreads(
    corpora: Mapping[str, Sequence[Message]], options: BenchOptions, display: Display
) -> list[SeedSpread]:
    """F2 of each retrained redactor, on every corpus but what is tuned on."""
    values: dict[str, list[float]] = {}
    for redactor in retrained_redactors(options.retrain, options.retrain_minutes, display):
        for name, messages in corpora.items():
            with display.bar(f"Redacting {name}", len(messages)) as advance:
                counted = tallies(messages, Ours(redactor), advance)
            values.setdefault(name, []).append(counted.interval(f2).value)
    return [SeedSpread("name recogniser trained", name, tuple(v)) for name, v in values.items()]


def _languages(leads: Compared, messages: Sequence[Message]) -> Iterator[Figure]:
    """What stays in clear in each language of the messages of leads, and F2."""
    names = {template.name: template.language for template in held_out_templates(HeldOut.LEADS)}
    languages = [names[message.example.template] for message in messages]
    for language in sorted(set(languages), key=languages.index):
        part = leads.where([one == language for one in languages])
        for name, measure in (("F2", f2), ("left in clear", leak)):
            stock = part.stock.interval(measure) if part.stock else None
            yield Figure(name, f"{HeldOut.LEADS}, {language}", part.ours.interval(measure), stock)
