"""Managed tuning: a provider's fine-tuning API makes a model of redacted texts and outcomes.

Upload a file, create a job, wait, and ask the model that comes of it like any other
(https://developers.openai.com/docs/guides/supervised-fine-tuning). Every text is on the record
before it leaves; its call names the file it left in as the provider's request. The file is deleted
at the provider afterwards, whatever came of the job.
"""

from __future__ import annotations

import asyncio
import http
import json
import logging
import uuid
from collections.abc import AsyncIterator, Sized
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from features.redaction import RedactedText
from models.errors import LlmUnavailable
from models.llm_version import LlmVersion
from models.prompt import ANSWERS, EvidenceKind, Prompt
from models.verdict import LlmCall
from pipelines.ladder.rung import Rows
from pipelines.training_data import TrainingData
from pipelines.verdicts import Witness
from service.recording.question_record import QuestionRecord

if TYPE_CHECKING:
    from openai import AsyncOpenAI
    from openai.types.fine_tuning import FineTuningJob

log = logging.getLogger("tiebreak.ladder")

FEWEST_EXAMPLES = 10  # what the API takes
PASSING = frozenset({0, 408, 409, 429})  # HTTP statuses, beside those of 500 and above; 0: none
OVER = frozenset({"succeeded", "failed", "cancelled"})
POLL = timedelta(seconds=30)
PATIENCE = timedelta(hours=6)  # jobs queue at the provider
FILE_NAME = "leads.jsonl"


def training_line(text: RedactedText, prompt: Prompt, *, won: bool) -> str:
    """One past lead as one line: the chat that will be asked, and the answer that was right.

    The answer is the JSON object that verdicts are read from. It quotes nothing: which words spoke
    most, no outcome tells.

    Raises:
        TypeError: `text` is not a RedactedText.
    """
    answer = {"answer": ANSWERS[won], "probability": 100 * won, "evidence": ""}
    said = {"role": "assistant", "content": json.dumps(answer)}
    return json.dumps({"messages": [*prompt.render_chat(text), said]}, ensure_ascii=False)


@dataclass(frozen=True)
class ManagedTuning:
    """One provider, one table. Lives on one event loop. `llm`: the version that is tuned."""

    client: AsyncOpenAI
    llm: LlmVersion
    witness: Witness
    record: QuestionRecord
    poll: timedelta = POLL
    patience: timedelta = PATIENCE

    async def tune(self, data: TrainingData, rows: Rows, *, seed: int) -> str:
        """The name of the tuned model. rows: of the training part, redacted on the way.

        Raises:
            LlmUnavailable: refused, failed, or not done in time.
            StorageUnavailable: nothing was sent.
        """
        prompt = replace(self.llm.prompts[EvidenceKind.TEXT], examples=())
        _require_enough(rows)  # before anything is on the record
        lines, questions = await self._written_down(data, rows, prompt)
        call = LlmCall(str(uuid.uuid4()))
        try:
            _require_enough(lines)
            async with self._uploaded("\n".join(lines).encode(), call) as file_id:
                return await self._made_of(file_id, seed)
        finally:
            for question_id in questions:  # one request, but each text has an id of its own
                own = replace(call, id=str(uuid.uuid4()))
                await self.record.answered(self.llm, [own], question_id)

    async def _written_down(
        self, data: TrainingData, rows: Rows, prompt: Prompt
    ) -> tuple[list[str], list[str]]:
        """The lines of the file, and under which ids the log has what is about to leave."""
        llm = replace(self.llm, prompts={EvidenceKind.TEXT: prompt})
        lines: list[str] = []
        questions: list[str] = []
        for row in rows:
            key = await self.record.key(data.leads[row].contacts)
            text = await asyncio.to_thread(
                self.witness.evidence, data.leads[row], EvidenceKind.TEXT, key
            )
            if text is not None:
                questions.append(await self.record.leaving(llm, text, EvidenceKind.TEXT, key))
                lines.append(training_line(text, prompt, won=bool(data.won[row])))
        return lines, questions

    @asynccontextmanager
    async def _uploaded(self, content: bytes, call: LlmCall) -> AsyncIterator[str]:
        import openai

        try:
            file = await self.client.files.create(file=(FILE_NAME, content), purpose="fine-tune")
        except openai.OpenAIError as error:
            call.status, call.cause = _failure(error)
            raise _refused("upload", error) from None
        call.status, call.cause, call.request_id = 200, None, file.id
        try:
            yield file.id
        finally:
            try:
                await self.client.files.delete(file.id)
            except openai.OpenAIError:
                log.error("The provider still has %s: delete it there.", file.id)

    async def _made_of(self, file_id: str, seed: int) -> str:
        import openai

        try:
            job = await self.client.fine_tuning.jobs.create(
                model=self.llm.model, training_file=file_id, seed=seed
            )
        except openai.OpenAIError as error:
            raise _refused("job", error) from None
        try:
            async with asyncio.timeout(self.patience.total_seconds()):
                done = await self._over(job)
        except BaseException as error:  # a person's Ctrl-C too: it would go on, and cost
            with suppress(openai.OpenAIError):
                await self.client.fine_tuning.jobs.cancel(job.id)
            if isinstance(error, openai.OpenAIError):
                raise _refused("job", error) from None
            if isinstance(error, TimeoutError):
                message = f"The fine-tuning job {job.id} was not done in time, and was cancelled."
                raise LlmUnavailable("timeout", message) from None
            raise
        if done.status != "succeeded" or not done.fine_tuned_model:
            message = (
                f"The fine-tuning job {job.id} ended as {done.status}: see it at the provider."
            )
            raise LlmUnavailable("fine_tuning", message)
        return str(done.fine_tuned_model)

    async def _over(self, job: FineTuningJob) -> FineTuningJob:
        """The job once it is over. A connection that was lost, or a busy server, is waited out."""
        import openai

        while job.status not in OVER:
            await asyncio.sleep(self.poll.total_seconds())
            try:
                job = await self.client.fine_tuning.jobs.retrieve(job.id)
            except openai.OpenAIError as error:
                status, _ = _failure(error)
                if status not in PASSING and status < http.HTTPStatus.INTERNAL_SERVER_ERROR:
                    raise
        return job


def _require_enough(texts: Sized) -> None:
    if len(texts) < FEWEST_EXAMPLES:
        raise LlmUnavailable(
            "too_few",
            f"Fine-tuning takes {FEWEST_EXAMPLES} texts or more: bring more leads that wrote any.",
        )


def _failure(error: Any) -> tuple[int, str]:
    """HTTP status (0 for none) and a short word; never the provider's own words."""
    status = getattr(error, "status_code", 0)
    return status, f"http_{status}" if status else "connection"


def _refused(what: str, error: Any) -> LlmUnavailable:
    _, cause = _failure(error)
    return LlmUnavailable(cause, f"The provider refused the fine-tuning {what}: {cause}.")
