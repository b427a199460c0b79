"""Asking: an LLM about leads of the table, with a prompt that may differ from lead to lead."""

from __future__ import annotations

import http
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from models.llm_version import LlmVersion
from models.prompt import EvidenceKind, Prompt
from models.verdict import LlmCall, LlmJudge
from pipelines.display import Display
from pipelines.ladder.memory import listener_mib
from pipelines.ladder.rung import Cost, Opinions, Place, Rows, Rung
from pipelines.train import require_answers
from pipelines.training_data import TrainingData
from pipelines.verdicts import Verdicts, Witness, ask_about
from service.llm.endpoint import LlmEndpoint, judge_at, prices
from service.recording.question_record import QuestionRecord
from service.settings import Settings

PATIENT = timedelta(minutes=5)  # prompts without a common beginning take long on a busy machine
PromptOf = Callable[[int], Prompt]  # by row of the table


@dataclass(frozen=True, slots=True)
class Asked:
    """Verdicts, and how many questions were under way at a time."""

    verdicts: Verdicts
    at_once: int

    @property
    def opinions(self) -> Opinions:
        return Opinions(self.verdicts.rows, self.verdicts.log_odds)

    @property
    def calls(self) -> list[LlmCall]:
        answered = [call for answer in self.verdicts.answers if answer for call in answer.calls]
        return [*answered, *self.verdicts.lost]

    @property
    def took_s(self) -> float:
        """Seconds that the LLM took for all of them. What redaction took is not among these."""
        answered = sum(answer.latency_s for answer in self.verdicts.answers if answer)
        lost = sum(call.latency_s for call in self.verdicts.lost)
        return (answered + lost) / self.at_once


@dataclass(frozen=True)
class Asker:
    """One LLM, asked about the texts of one table. Each question is on the record."""

    data: TrainingData
    witness: Witness
    endpoint: LlmEndpoint
    settings: Settings
    record: QuestionRecord
    display: Display

    def ask(
        self, llm: LlmVersion, rows: Rows, what: str, prompt_of: PromptOf | None = None
    ) -> Asked:
        """Verdicts on the texts of these rows. Raises TrainingRefused where most calls fail."""

        def version_of(row: int) -> LlmVersion:
            if prompt_of is None:
                return llm
            return replace(llm, prompts={EvidenceKind.TEXT: prompt_of(row)})

        def open_judge() -> LlmJudge:
            return judge_at(self.endpoint, llm, self.settings, deadline=PATIENT)

        at_once = self.settings.llm_max_concurrency
        with self.display.bar(what, len(rows)) as advance:
            verdicts = ask_about(
                self.data.leads,
                [(int(row), EvidenceKind.TEXT) for row in rows],
                witness=self.witness,
                open_judge=open_judge,
                record=self.record,
                concurrency=at_once,
                on_answer=advance,
                version_of=version_of,
            )
        require_answers(verdicts)
        return Asked(verdicts, max(1, min(at_once, len(rows))))

    def rung(
        self,
        name: str,
        llm: LlmVersion,
        parts: tuple[Rows, Rows],
        *,
        prompt_of: PromptOf | None = None,
        before: Sequence[Asked] = (),
        notes: Sequence[str] = (),
    ) -> Rung:
        """This LLM as a rung. parts: calibration and test rows. before: asked to find the prompt.

        Raises:
            TrainingRefused: most calls fail.
        """
        calibration, test = (
            self.ask(llm, rows, f"{name}: {part} leads", prompt_of)
            for rows, part in zip(parts, ("calibration", "test"), strict=True)
        )
        return Rung(
            name,
            calibration.opinions,
            test.opinions,
            self._cost([calibration, test], before),
            Place.HERE if self.endpoint.is_embedded else Place.MANAGED,
            notes,
        )

    def _cost(self, asked: Sequence[Asked], before: Sequence[Asked]) -> Cost:
        calls = [call for one in (*before, *asked) for call in one.calls]
        tokens = (_prompt_tokens(calls), _completion_tokens(calls))
        about_leads = [call for one in asked for call in one.calls]
        is_counted = all(map(_says_tokens, calls))
        leads = max(sum(len(one.verdicts.rows) for one in asked), 1)
        here = self.endpoint.is_embedded
        charged = prices(self.settings)
        return Cost(
            ms_per_lead=1000 * sum(one.took_s for one in asked) / leads,
            calls=len(calls),
            prompt_tokens=tokens[0],
            completion_tokens=tokens[1],
            tokens_per_lead=(
                _prompt_tokens(about_leads) / leads,
                _completion_tokens(about_leads) / leads,
            )
            if is_counted
            else None,
            fit_s=sum(one.took_s for one in before),
            memory_mib=listener_mib(self.settings.llm_port) if here else None,
            usd=0.0 if here else charged.cost_usd(*tokens) if charged and is_counted else None,
        )


def _says_tokens(call: LlmCall) -> bool:
    """Whether it is known what is billed for it: nothing where there was no good response."""
    return call.status != http.HTTPStatus.OK or call.prompt_tokens is not None


def _prompt_tokens(calls: Sequence[LlmCall]) -> int:
    return sum(call.prompt_tokens or 0 for call in calls)


def _completion_tokens(calls: Sequence[LlmCall]) -> int:
    return sum(call.completion_tokens or 0 for call in calls)
