"""QuestionRecord: what is asked of an LLM in training is in the ledger, as for decisions."""

from __future__ import annotations

from collections.abc import Mapping

from features.fingerprint import SubjectKey
from features.redaction import RedactedText
from models.cascade import leaving
from models.decision import Redaction
from models.errors import LlmUnavailable
from models.prompt import EvidenceKind
from models.verdict import LlmJudge, Verdict
from service import entry
from service.entry import Purpose
from service.record import new_decision_id
from service.store import Store, Unit
from service.subject_keys import StoredKeys


class QuestionRecord:
    """Of one training run: leads of the table are asked about, and nobody is decided on."""

    def __init__(self, store: Store, subjects: StoredKeys) -> None:
        self._store = store
        self._subjects = subjects

    async def key(self, contacts: Mapping[str, str]) -> SubjectKey:
        """The key of whom a lead is about. Raises StorageUnavailable."""
        return await self._subjects.key(contacts)

    async def asked(
        self, judge: LlmJudge, evidence: RedactedText, kind: EvidenceKind, key: SubjectKey
    ) -> Verdict:
        """The verdict, once question and answer are durable.

        Raises:
            LlmUnavailable: there is none.
            StorageUnavailable: nothing was sent, or the answer could not be written down.
        """
        question_id = new_decision_id()
        redaction = Redaction(evidence.policy, key.subject, evidence.spans)
        leaves = leaving(judge.version, evidence, kind, redaction)
        draft = entry.redaction(leaves, key, question_id, Purpose.TRAINING)
        await self._store.append(Unit([draft]))
        try:
            verdict = await judge.ask(evidence, kind)
        except LlmUnavailable as error:
            await self._keep(judge, error, question_id)
            raise
        await self._keep(judge, verdict, question_id)
        return verdict

    async def not_redacted(self, key: SubjectKey) -> None:
        """A text was to be shown and could not be redacted: it did not leave, and that is durable.

        Raises:
            StorageUnavailable
        """
        draft = entry.failed_redaction(key, new_decision_id(), Purpose.TRAINING)
        await self._store.append(Unit([draft]))

    async def _keep(
        self, judge: LlmJudge, answer: Verdict | LlmUnavailable, question_id: str
    ) -> None:
        drafts = [
            entry.llm_call(call, judge.version, question_id, Purpose.TRAINING)
            for call in answer.calls
        ]
        if drafts:
            await self._store.append(Unit(drafts))
