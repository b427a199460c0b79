"""Contender: who redacts the messages of a bench: the redactor as served, or stock Presidio."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from features.errors import RedactionFailed
from features.redaction import Redactor
from pipelines.redaction.example import Span
from pipelines.redaction.held_out_corpus import Message
from pipelines.redaction.span_scores import Tallies, tally
from pipelines.redaction.stock_presidio import StockPresidio


class Contender(Protocol):
    """Says what it takes out of a message."""

    def __call__(self, message: Message) -> Sequence[Span]: ...


class Ours:
    """The redactor as it is served, with the contact columns of the lead.

    refused: how many messages it would not send. Nothing of them leaks, and nothing is found.
    """

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self.refused = 0

    def __call__(self, message: Message) -> Sequence[Span]:
        example = message.example
        try:
            done = self._redactor.redact(example.text, contacts=example.contacts)
        except RedactionFailed:
            self.refused += 1
            return [Span(0, len(example.text), "REFUSED")]
        return [Span(s.start, s.end, s.entity_type) for s in done.spans]


class Stock:
    """Presidio as it comes."""

    def __init__(self, presidio: StockPresidio) -> None:
        self._presidio = presidio

    def __call__(self, message: Message) -> Sequence[Span]:
        return self._presidio.spans(message.example.text, message.example.spans)


def tallies(
    messages: Iterable[Message], contender: Contender, advance: Callable[[], None]
) -> Tallies:
    """Count what `contender` finds; `advance` is called after each message."""
    templates, each = [], []
    for message in messages:
        templates.append(message.example.template)
        each.append(tally(message, contender(message)))
        advance()
    return Tallies(tuple(templates), tuple(each))
