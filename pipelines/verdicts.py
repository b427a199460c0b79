"""Verdicts: asks the LLM about many past leads, for fitting and for evaluation."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.encoding import Encoder
from features.errors import RedactionFailed
from features.fingerprint import SubjectKey
from features.lead import Lead
from features.redaction import RedactedText, Redactor
from models.errors import LlmUnavailable
from models.evidence import evidence_text
from models.llm_version import LlmVersion
from models.prompt import EvidenceKind
from models.verdict import LlmCall, LlmJudge, Verdict
from pipelines.kept_answers import KeptAnswers
from service.recording.question_record import QuestionRecord

Floats = NDArray[np.float64]
Call = tuple[int, EvidenceKind]  # number of a lead, and what the LLM is shown of it
NO_EVIDENCE, NOT_REDACTED = "no_evidence", "redaction_failed"  # then nobody was asked


@dataclass(frozen=True)
class Verdicts:
    """The answers to leads `rows` (numbers into the caller's leads), in the same order.

    log_odds are NaN where there was no verdict; `failures` counts why, and `lost` are the requests
    that were sent for these: a provider may charge for them all the same.
    """

    rows: NDArray[np.intp]
    kinds: tuple[EvidenceKind, ...]
    log_odds: Floats
    answers: tuple[Verdict | None, ...]
    failures: dict[str, int]
    lost: tuple[LlmCall, ...] = ()

    @property
    def asked(self) -> int:
        """How many leads the LLM was asked about, in vain or not: something of them could go."""
        return len(self.answers) - sum(self.failures.get(c, 0) for c in (NO_EVIDENCE, NOT_REDACTED))

    @property
    def unanswered(self) -> dict[str, int]:
        """Of these, how many have no verdict, by cause."""
        return {c: n for c, n in self.failures.items() if c not in (NO_EVIDENCE, NOT_REDACTED)}

    def of_kind(self, kind: EvidenceKind) -> NDArray[np.bool_]:
        """Which of them are answered, and were asked with this kind of evidence."""
        asked = np.array([k is kind for k in self.kinds], dtype=bool)
        return asked & ~np.isnan(self.log_odds)


@dataclass(frozen=True)
class Witness:
    """Turns past leads into evidence that may be shown to an LLM."""

    redactor: Redactor
    encoder: Encoder
    fields_shown: tuple[str, ...]

    def evidence(
        self, lead: Lead, kind: EvidenceKind, key: SubjectKey | None = None
    ) -> RedactedText | None:
        """The redacted evidence; None where it cannot be redacted, or says nothing."""
        try:
            return self.redacted(lead, kind, key)
        except RedactionFailed:
            return None

    def redacted(
        self, lead: Lead, kind: EvidenceKind, key: SubjectKey | None
    ) -> RedactedText | None:
        """The redacted evidence; None where it says nothing. Raises RedactionFailed."""
        text = self._raw(lead, kind)
        return self.redactor.redact(text, lead.contacts, key) if text else None

    def has_evidence(self, lead: Lead, kind: EvidenceKind) -> bool:
        """Something of this kind is there to be shown, once it is redacted."""
        return bool(self._raw(lead, kind))

    def _raw(self, lead: Lead, kind: EvidenceKind) -> str:
        return evidence_text(lead, kind, self.fields_shown, self.encoder)


def ask_about(
    leads: Sequence[Lead],
    asked: Sequence[Call],
    *,
    witness: Witness,
    open_judge: Callable[[], LlmJudge],
    record: QuestionRecord,
    concurrency: int,
    on_answer: Callable[[], None] = lambda: None,
    version_of: Callable[[int], LlmVersion] | None = None,
    kept: KeptAnswers | None = None,
) -> Verdicts:
    """Ask about each (row, kind of evidence), a few at a time. Failures cost a verdict, no more.

    version_of: the version of the LLM that a row is shown to; the judge's own unless given.
    kept: what was answered before is not asked again, and what is answered now is kept.
    `open_judge` is called inside the event loop that the judge then lives on, and closed there.
    `record` has what leaves in the ledger before it leaves.
    """
    failures: dict[str, int] = {}
    lost: list[LlmCall] = []

    async def ask(judge: LlmJudge, slots: asyncio.Semaphore, place: int) -> Verdict | None:
        row, kind = asked[place]
        try:
            if kept and (before := kept.of(asked[place])):
                return before
            async with slots:
                key = await record.key(leads[row].contacts)
                try:
                    evidence = await asyncio.to_thread(witness.redacted, leads[row], kind, key)
                except RedactionFailed:
                    await record.not_redacted(key)
                    raise LlmUnavailable(NOT_REDACTED) from None
                if evidence is None:
                    raise LlmUnavailable(NO_EVIDENCE)
                asked_one = judge.asking(version_of(row)) if version_of else judge
                verdict = await record.asked(asked_one, evidence, kind, key)
                if kept:
                    kept.keep(asked[place], verdict)
                return verdict
        except LlmUnavailable as error:
            failures[error.cause] = failures.get(error.cause, 0) + 1
            lost.extend(error.calls)
            return None
        finally:
            on_answer()

    async def ask_all() -> list[Verdict | None]:
        judge, slots = open_judge(), asyncio.Semaphore(concurrency)
        try:
            return await asyncio.gather(*(ask(judge, slots, i) for i in range(len(asked))))
        finally:
            await judge.close()

    answers = asyncio.run(ask_all())
    log_odds = np.array([a.log_odds if a else np.nan for a in answers], dtype=np.float64)
    rows = np.array([row for row, _ in asked], dtype=np.intp)
    kinds = tuple(kind for _, kind in asked)
    return Verdicts(rows, kinds, log_odds, tuple(answers), failures, tuple(lost))
