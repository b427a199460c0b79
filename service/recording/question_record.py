"""QuestionRecord: what is asked of an LLM in training is in the ledger, as for decisions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from features.fingerprint import SubjectKey
from features.redaction import RedactedText
from models.cascade import leaving
from models.decision import Redaction
from models.errors import LlmUnavailable
from models.llm_version import LlmVersion
from models.prompt import EvidenceKind
from models.verdict import LlmCall, LlmJudge, Verdict
from service.recording import entry
from service.recording.entry import Purpose
from service.recording.record import new_decision_id
from service.storage.store import Store
from service.storage.subject_keys import StoredKeys
from service.storage.unit import Unit


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
        question_id = await self.leaving(judge.version, evidence, kind, key)
        try:
            verdict = await judge.ask(evidence, kind)
        except LlmUnavailable as error:
            await self.answered(judge.version, error.calls, question_id)
            raise
        await self.answered(judge.version, verdict.calls, question_id)
        return verdict

    async def leaving(
        self, llm: LlmVersion, evidence: RedactedText, kind: EvidenceKind, key: SubjectKey
    ) -> str:
        """The id of a question, once it is durable that its text is about to leave.

        Raises:
            StorageUnavailable: then it must not leave.
        """
        question_id = new_decision_id()
        redaction = Redaction(evidence.policy, key.subject, evidence.spans)
        leaves = leaving(llm, evidence, kind, redaction)
        draft = entry.redaction(leaves, key, question_id, Purpose.TRAINING)
        await self._store.append(Unit([draft]))
        return question_id

    async def answered(self, llm: LlmVersion, calls: Sequence[LlmCall], question_id: str) -> None:
        """Returns once it is durable which requests the text left with. Raises StorageUnavailable.

        calls: also those without an answer; none where nothing was sent.
        """
        drafts = [entry.llm_call(call, llm, question_id, Purpose.TRAINING) for call in calls]
        if drafts:
            await self._store.append(Unit(drafts))

    async def not_redacted(self, key: SubjectKey) -> None:
        """A text was to be shown and could not be redacted: it did not leave, and that is durable.

        Raises:
            StorageUnavailable
        """
        failed = entry.failed_redaction(new_decision_id(), Purpose.TRAINING)
        await self._store.append(Unit([failed.sealed_by(key)]))
