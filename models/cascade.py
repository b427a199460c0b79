"""Cascade.decide: the whole way of one lead, on one screen. Start reading here."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

from features.errors import RedactionFailed
from features.fingerprint import SubjectKey
from features.lead import Lead
from features.redaction import RedactedText
from models.budget import SPENT, CallBudget
from models.decision import Decision, Redaction, Route, RouteReason
from models.errors import LlmUnavailable
from models.evidence import evidence_text
from models.llm_version import LlmVersion
from models.prompt import EvidenceKind
from models.release import Release
from models.routing import Routing
from models.sentence_embedding import Embedding
from models.text_model import TextModel
from models.verdict import Verdict

log = logging.getLogger("tiebreak.cascade")


class Judge(Protocol):
    """Whoever breaks the tie: LlmJudge, or UnavailableJudge where no LLM is configured."""

    async def ask(self, evidence: RedactedText, kind: EvidenceKind) -> Verdict: ...

    async def close(self) -> None: ...


class TextRedactor(Protocol):
    """Raw text in, RedactedText out; raises RedactionFailed and nothing else."""

    def redact(self, text: str, contacts: Mapping[str, str], key: SubjectKey) -> RedactedText: ...


@dataclass(frozen=True, slots=True)
class Leaving:
    """What is about to be sent to an LLM.

    shown: the part of the prompt that is about the lead. prompt: version of all the rest.
    """

    shown: str
    prompt: str
    kind: EvidenceKind
    redaction: Redaction


def leaving(
    llm: LlmVersion, evidence: RedactedText, kind: EvidenceKind, redaction: Redaction
) -> Leaving:
    """What asking this LLM about this evidence sends."""
    prompt = llm.prompts.get(kind)
    if prompt is None:  # then the judge sends nothing
        return Leaving("", "", kind, redaction)
    return Leaving(prompt.shown(evidence), prompt.version, kind, redaction)


class Outbox(Protocol):
    """Of one lead. Where it raises, nothing is sent.

    key: of whom the lead is about; what goes is marked with it. leaving: writes down what is about
    to leave.
    """

    async def key(self) -> SubjectKey: ...

    async def leaving(self, leaving: Leaving) -> None: ...


class ExampleOutbox:
    """For warming up: the release's own example leaves, which is about nobody."""

    async def key(self) -> SubjectKey:
        return SubjectKey.passing()

    async def leaving(self, leaving: Leaving) -> None:
        """Nothing to write down."""


class UnavailableJudge:
    """Stands in where the release's LLM is not configured here: the classifier's answer stands."""

    def __init__(self, cause: str) -> None:
        self._cause = cause

    async def ask(self, evidence: RedactedText, kind: EvidenceKind) -> Verdict:  # noqa: ARG002
        raise LlmUnavailable(self._cause)

    async def close(self) -> None:
        """Nothing is open."""


class Cascade:
    """One release, with everything it needs to decide."""

    def __init__(
        self,
        release: Release,
        *,
        redactor: TextRedactor,
        judge: Judge,
        budget: CallBudget,
        threads: Executor,
        embedding: Embedding | None = None,
    ) -> None:
        """embedding: of texts; needed where the release's text model reads what they mean."""
        self.release = release
        self._embedding = embedding
        self._redactor = redactor
        self._judge = judge
        self._budget = budget
        self._threads = threads

    async def decide(self, lead: Lead, *, outbox: Outbox, reasons: int = 3) -> Decision:
        """The decision on one lead. LLM trouble of any kind leaves the answer there was before.

        outbox: told what is about to leave; what it raises comes through.
        """
        release = self.release
        alone = self._alone(lead, reasons)
        routing = release.policy.route(alone.classifier_probability, has_text=lead.has_text)
        text, kind = self._text(lead, routing.evidence), routing.evidence
        if kind is None or not text:
            return replace(alone, reason=routing.reason)
        if routing.route is Route.LLM and not self._budget.take():
            return replace(alone, reason=RouteReason.BUDGET_EXHAUSTED)
        try:
            # Raw text ends here.
            evidence, redaction = await self._redact(text, lead, await outbox.key())
        except RedactionFailed:
            return replace(alone, reason=RouteReason.REDACTION_FAILED)
        if routing.route is Route.TEXT:
            alone, routing = await self._read(alone, evidence, routing)
            if routing.route is not Route.LLM:
                return alone  # nothing leaves, so there is no redaction to write down
            if not self._budget.take():
                return replace(alone, reason=RouteReason.BUDGET_EXHAUSTED)
        await outbox.leaving(leaving(release.llm, evidence, kind, redaction))
        seen = replace(alone, redaction=redaction, reason=routing.reason)
        return await self._ask(seen, evidence, kind)

    async def _ask(self, seen: Decision, evidence: RedactedText, kind: EvidenceKind) -> Decision:
        """With the LLM's verdict; without one, `seen` stands."""
        try:
            verdict = await self._judge.ask(evidence, kind)
        except LlmUnavailable as error:
            failed = replace(seen, llm_failure=error.cause, llm_calls=error.calls)
            is_spent = error.cause == SPENT  # on the attempts before
            reason = RouteReason.BUDGET_EXHAUSTED if is_spent else RouteReason.LLM_UNAVAILABLE
            return replace(failed, reason=reason)
        prior, said = seen.classifier_probability, seen.text_log_odds
        return replace(
            seen,
            probability=self.release.combiner.combine(prior, kind, verdict.log_odds, said),
            route=Route.LLM,
            verdict=verdict,
            llm_calls=verdict.calls,
        )

    def rehearsing(self, *, asks: bool) -> Cascade:
        """For decisions that are on no record: no budget is spent.

        asks: whether the LLM is asked, because it is one of our own on this machine.
        """
        return Cascade(
            self.release,
            redactor=self._redactor,
            judge=self._judge if asks else UnavailableJudge("rehearsing"),
            budget=CallBudget(None),
            threads=self._threads,
            embedding=self._embedding,
        )

    async def close(self) -> None:
        """Close what this release alone used. It decides nothing any more."""
        await self._judge.close()

    async def _read(
        self, alone: Decision, evidence: RedactedText, routing: Routing
    ) -> tuple[Decision, Routing]:
        """The decision once the text model has read the text, and how it goes on from there."""
        release, prior = self.release, alone.classifier_probability
        said = await self._said(release.require_text(), evidence)
        read = release.combiner.read(prior, said)
        further = release.policy.after_reading(read, routing)
        decided = replace(alone, probability=read, route=Route.TEXT, reason=further.reason)
        return replace(decided, text_log_odds=said), further

    async def _said(self, text: TextModel, evidence: RedactedText) -> float:
        """What a text says; where its meaning cannot be told, what its words say."""
        if text.meaning is None or self._embedding is None:
            return text.log_odds(evidence)
        embed = partial(self._embedding.embed, [evidence])  # tens of milliseconds of CPU
        try:
            (vector,) = await asyncio.get_running_loop().run_in_executor(self._threads, embed)
        except Exception as error:  # of a library: an answer always comes
            log.warning("A text's meaning could not be told (%s).", type(error).__name__)
            return text.log_odds(evidence)
        said = text.log_odds(evidence, vector.tolist())
        return said if math.isfinite(said) else text.log_odds(evidence)

    def _alone(self, lead: Lead, reasons: int) -> Decision:
        classifier = self.release.classifier
        opinion = classifier.opinion(lead, reasons)
        return Decision(
            probability=opinion.probability,
            classifier_probability=opinion.probability,
            route=Route.CLASSIFIER,
            reason=RouteReason.CONFIDENT,
            reasons=opinion.reasons,
            unknown_categories=classifier.encoder.unknown_categories(lead),
            unknown_fields=lead.unknown_fields,
            missing=classifier.encoder.missing(lead),
            has_text=lead.has_text,
            row=opinion.row,
        )

    def _text(self, lead: Lead, kind: EvidenceKind | None) -> str:
        release = self.release
        if kind is None:
            return ""
        return evidence_text(lead, kind, release.fields_shown, release.classifier.encoder)

    async def _redact(
        self, text: str, lead: Lead, key: SubjectKey
    ) -> tuple[RedactedText, Redaction]:
        redact = partial(self._redactor.redact, text, lead.contacts, key)
        evidence = await asyncio.get_running_loop().run_in_executor(self._threads, redact)
        return evidence, Redaction(evidence.policy, key.subject, evidence.spans)
