"""Asking the embedded LLM what a service asks it, and how long each answer takes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

from features.redaction import RedactedText, Redactor
from models.adapter import Adapter
from models.errors import LlmUnavailable, MalformedVerdict
from models.llm_client import llm_client
from models.llm_version import Api, Decoding, LlmVersion
from models.prompt import EvidenceKind, Prompt, choose_examples
from models.verdict import LlmJudge
from pipelines.errors import UnusableTable
from pipelines.sample_leads import sample_leads
from pipelines.tables import read_table
from service.llm.embedded_model import MODEL_ID, model_digest
from service.llm.endpoint import EMBEDDED

PATIENT = timedelta(seconds=60)
EXAMPLE_POOL = 100  # texts that worked examples are chosen from; the others are asked about


@dataclass(frozen=True)
class Texts:
    """Redacted texts with their outcomes, and the outcome's name."""

    texts: tuple[RedactedText, ...]
    won: tuple[bool, ...]
    outcome: str

    @property
    def asked(self) -> tuple[RedactedText, ...]:
        return self.texts[EXAMPLE_POOL:]

    def few_shot(self, seed: int = 0) -> LlmVersion:
        """The untuned LLM with worked examples, as `tiebreak train` asks it."""
        examples = choose_examples(self.texts[:EXAMPLE_POOL], self.won[:EXAMPLE_POOL], seed=seed)
        return self._version(
            Prompt.newest(EvidenceKind.TEXT, outcome=self.outcome, won="1", examples=examples)
        )

    def tuned(self, adapter: Adapter) -> LlmVersion:
        """The LLM with an adapter, asked the bare question."""
        bare = Prompt.bare(EvidenceKind.TEXT, outcome=self.outcome, won="1")
        return replace(self._version(bare), adapter=adapter)

    def _version(self, prompt: Prompt) -> LlmVersion:
        return LlmVersion(
            provider=EMBEDDED,
            model=MODEL_ID,
            api=Api.COMPLETION,
            prompts={EvidenceKind.TEXT: prompt},
            redaction_policy=self.texts[0].policy,
            decoding=Decoding.for_api(Api.COMPLETION),
            weights=model_digest(),
        )


def sample_texts(count: int) -> Texts:
    """Texts of the synthetic sample leads."""
    rows = [row for row in sample_leads() if row["Message"]][:count]
    return _redacted([(str(r["Message"]), r["Won"] == "yes") for r in rows], "Won")


def table_texts(table: Path, text: str, outcome: str, count: int) -> Texts:
    """Texts of a table's column. An outcome of 1, true or yes is a won one.

    Raises:
        UnusableTable: it cannot be read, or has no such columns.
    """
    frame = read_table(table)
    for column, option in ((text, "--text"), (outcome, "--outcome")):
        if column not in frame.columns:
            columns = ", ".join(map(str, frame.columns))
            raise UnusableTable(
                f"{table} has no column {column!r}. Name one with {option}: {columns}."
            )
    rows = frame[frame[text].notna() & (frame[text] != "")][:count]
    won = rows[outcome].astype(str).str.casefold().isin({"1", "1.0", "true", "yes"})
    return _redacted(list(zip(rows[text].astype(str), won, strict=True)), outcome)


def _redacted(rows: Sequence[tuple[str, bool]], outcome: str) -> Texts:
    redactor = Redactor.load()
    texts = tuple(redactor.redact(text) for text, _ in rows)
    return Texts(texts, tuple(won for _, won in rows), outcome)


@dataclass
class Asked:
    """What became of some questions.

    seconds: of each answer. lost: how many had none. within_s: all of them together. cpu_s:
    processor time of whoever answered, where somebody looked.
    """

    seconds: list[float] = field(default_factory=list)
    lost: int = 0
    within_s: float = 0.0
    cpu_s: float = 0.0

    def add(self, other: Asked) -> None:
        """Take in what another round found."""
        self.seconds += other.seconds
        self.lost += other.lost
        self.within_s += other.within_s
        self.cpu_s += other.cpu_s

    @property
    def per_second(self) -> float:
        return len(self.seconds) / self.within_s


def ask_all(base_url: str, llm: LlmVersion, texts: Sequence[RedactedText], at_once: int) -> Asked:
    """Ask about each text, `at_once` at the same moment.

    An answer that is neither yes nor no counts: a random adapter gives such, at the same cost.
    """
    asked, waiting = Asked(), iter(texts)

    async def keep_asking(judge: LlmJudge) -> None:
        for text in waiting:
            started = time.perf_counter()
            try:
                await judge.ask(text, EvidenceKind.TEXT)
            except MalformedVerdict:
                pass
            except LlmUnavailable:
                asked.lost += 1
                continue
            asked.seconds.append(time.perf_counter() - started)

    async def ask() -> None:
        async with llm_client(base_url, "none") as client:
            judge = LlmJudge(client, llm, deadline=PATIENT, max_concurrency=at_once)
            await asyncio.gather(*(keep_asking(judge) for _ in range(at_once)))

    started = time.perf_counter()
    asyncio.run(ask())
    asked.within_s = time.perf_counter() - started
    return asked
