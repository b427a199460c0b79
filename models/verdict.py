"""LlmJudge asks an LLM about one redacted lead, under one deadline, and returns its Verdict."""

from __future__ import annotations

import asyncio
import copy
import json
import math
import random
import re
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from features.redaction import RedactedText
from models.answer import (
    ANSWER_SCHEMA,
    Answer,
    VerdictSource,
    read_chat,
    read_completion,
    read_usage,
)
from models.budget import SPENT, CallBudget
from models.errors import LlmUnavailable
from models.llm_version import Api, LlmVersion
from models.prompt import ROUND_BRACKETS, EvidenceKind, require_redacted

if TYPE_CHECKING:
    import openai

__all__ = ["LlmCall", "LlmJudge", "Prices", "Verdict", "VerdictSource"]

MAX_ATTEMPTS = 4  # of one question; the deadline usually comes first
FIRST_PAUSE_S = 0.1  # before the second attempt; doubles each time
NO_RESPONSE = 0  # in place of an HTTP status
PASSING = frozenset(
    {NO_RESPONSE, 408, 409, 425, 429, 500, 502, 503, 504, 529}
)  # may go well next time
REFUSING = frozenset({400, 422})  # may mind a parameter
CLIENT_REQUEST_ID = "X-Client-Request-Id"
COMPLAINT_LIMIT = 2_000  # characters
REQUEST_ID = re.compile(r"[\w.:-]{1,100}", re.ASCII)
# Parameters that some providers refuse: what to look for in their words, and what to leave out.
DISPENSABLE = {
    "response_format": ("response_format", "json_schema", "structured output"),
    "logprobs": ("logprobs",),
    "temperature": ("temperature",),
    "seed": ("seed",),
    "max_tokens": ("max_tokens",),
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """The LLM's answer about one lead.

    Attributes:
        win_probability: P(yes), in [1e-4, 1 - 1e-4]. Not calibrated: the combiner sees to that.
        evidence: what the LLM quotes of the redacted text, at most 300 characters; None where it
            quotes nothing that is there, and from base models.
        prompt_tokens, completion_tokens: as billed; 0 where the provider does not say.
        cost_usd: None where the price or the token counts are unknown, never 0 for that.
        latency_s: from the question to the answer, waiting and attempts included.
        request_id: the provider's own, None where it gives none.
        calls: the requests that were sent, in order; at least one, and the last one was answered.
    """

    win_probability: float
    source: VerdictSource
    evidence: str | None
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float | None
    latency_s: float
    request_id: str | None
    calls: tuple[LlmCall, ...]

    @property
    def attempts(self) -> int:
        return len(self.calls)

    @property
    def log_odds(self) -> float:
        """ln(p / (1 - p)) of the win probability, within +-9.3."""
        return math.log(self.win_probability) - math.log1p(-self.win_probability)


@dataclass(slots=True)
class LlmCall:
    """One request to a provider, whatever became of it. Written down before it is sent.

    Attributes:
        id: ours, sent along as `X-Client-Request-Id`: a provider finds it also where no response
            came back.
        status: of HTTP; 0 where there was no response.
        cause: why it gave no answer, a short word as in LlmUnavailable; None where it did.
        request_id: the provider's own, None where it gives none.
        prompt_tokens, completion_tokens: as billed; None where the provider does not say.
    """

    id: str
    status: int = NO_RESPONSE
    cause: str | None = "timeout"  # until it is known better: a deadline may come at any time
    request_id: str | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    latency_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Prices:
    """What a provider charges, in US dollars per million tokens."""

    prompt: float
    completion: float

    def cost_usd(self, prompt_tokens: int, completion_tokens: int) -> float:
        return (prompt_tokens * self.prompt + completion_tokens * self.completion) / 1e6


@dataclass(frozen=True, slots=True)
class _Reply:
    """One response of the endpoint; `pause_s` is what its Retry-After asks for."""

    status: int
    cause: str | None = None  # None for a good one
    body: Any = None
    request_id: str | None = None
    pause_s: float | None = None
    complaint: str = ""  # never leaves this file: a provider may repeat the prompt in it


class LlmJudge:
    """Asks one LLM version. Lives on one event loop.

    Args:
        client: from `llm_client`, which bounds what a provider can send back.
        deadline: for one verdict, waiting for a free slot and all attempts included.
        max_concurrency: questions under way at the same moment.
        prices: None where unknown.
        budget: of all attempts but a question's first, which whoever asks has taken from it.
    """

    def __init__(
        self,
        client: openai.AsyncOpenAI,
        version: LlmVersion,
        *,
        deadline: timedelta,
        max_concurrency: int,
        prices: Prices | None = None,
        budget: CallBudget | None = None,
    ) -> None:
        self.version = version
        self._client = client.with_options(max_retries=0)
        self._deadline_s = deadline.total_seconds()
        self._slots = asyncio.Semaphore(max_concurrency)
        self._prices = prices
        self._budget = budget or CallBudget(None)
        self._refused: frozenset[str] = frozenset()  # what this provider is no longer sent

    async def ask(self, evidence: RedactedText, kind: EvidenceKind) -> Verdict:
        """The LLM's verdict on one lead.

        Raises:
            TypeError: `evidence` is not a RedactedText; nothing was sent.
            MalformedVerdict: the LLM answered, but not the question.
            LlmUnavailable: anything else that went wrong, the deadline included.
        """
        require_redacted(evidence)
        trouble: LlmUnavailable
        calls: list[LlmCall] = []
        try:
            async with asyncio.timeout(self._deadline_s):
                return await self._ask(evidence, kind, calls)
        except LlmUnavailable as error:
            trouble = error
        except TimeoutError:
            trouble = LlmUnavailable("timeout")
        except Exception as error:
            trouble = LlmUnavailable("unexpected", f"The LLM call broke: {type(error).__name__}.")
        # Raised out here, it does not drag along a foreign error that holds prompt and key.
        trouble.calls = tuple(calls)
        raise trouble

    def asking(self, version: LlmVersion) -> LlmJudge:
        """The same judge with another prompt: it shares client and slots with this one."""
        other = copy.copy(self)
        other.version = version
        return other

    async def close(self) -> None:
        """Close the client's connections. The judge is not used any more."""
        await self._client.close()

    async def _ask(
        self, evidence: RedactedText, kind: EvidenceKind, calls: list[LlmCall]
    ) -> Verdict:
        started, until = time.perf_counter(), asyncio.get_running_loop().time() + self._deadline_s
        question = self._question(evidence, kind)
        async with self._slots:
            reply = await self._send_until_answered(question, until, calls)
        answer = self._read(reply.body)
        tokens = read_usage(reply.body)
        prompt_tokens, completion_tokens = tokens or (0, 0)
        return Verdict(
            win_probability=answer.probability,
            source=answer.source,
            evidence=_quoted(answer.evidence, evidence.text),
            prompt_tokens=prompt_tokens,
            completion_tokens=completion_tokens,
            cost_usd=self._prices.cost_usd(*tokens) if self._prices and tokens else None,
            latency_s=time.perf_counter() - started,
            request_id=reply.request_id,
            calls=tuple(calls),
        )

    def _question(self, evidence: RedactedText, kind: EvidenceKind) -> dict[str, Any]:
        """The request's parameters, before anything is left out."""
        prompt, decoding = self.version.prompts.get(kind), self.version.decoding
        if prompt is None:
            raise LlmUnavailable("no_prompt", f"The release has no prompt for {kind}: train again.")
        question: dict[str, Any] = {
            "model": self.version.served_as,
            "max_tokens": decoding.max_tokens,
            "temperature": decoding.temperature,
        }
        if decoding.seed is not None:
            question["seed"] = decoding.seed
        if self.version.api is Api.COMPLETION:
            shown = prompt.render_completion(evidence)
            return question | {"prompt": shown, "logprobs": decoding.top_logprobs}
        return question | {
            "messages": prompt.render_chat(evidence),
            "logprobs": True,
            "top_logprobs": decoding.top_logprobs,
            "response_format": {"type": "json_schema", "json_schema": ANSWER_SCHEMA},
        }

    def _read(self, body: Any) -> Answer:
        return read_completion(body) if self.version.api is Api.COMPLETION else read_chat(body)

    async def _send_until_answered(
        self, question: Mapping[str, Any], until: float, calls: list[LlmCall]
    ) -> _Reply:
        """The first good reply. Each request is added to `calls`. `until` is in loop time."""
        refused, pause_s = self._refused, FIRST_PAUSE_S
        for attempt in range(1, MAX_ATTEMPTS + 1):
            if attempt > 1 and not self._budget.take():
                raise LlmUnavailable(SPENT)
            calls.append(LlmCall(str(uuid.uuid4())))
            reply = await self._send_on_record(_without(refused, question), calls[-1])
            if reply.cause is None:
                self._refused = refused  # only now is it known that leaving it out helps
                return reply
            if reply.status in REFUSING and (more := self._disliked(reply) - refused):
                refused |= more
                continue
            wait_s = reply.pause_s or pause_s * random.uniform(0.5, 1.5)  # noqa: S311
            is_late = asyncio.get_running_loop().time() + wait_s >= until
            if reply.status not in PASSING or is_late or attempt == MAX_ATTEMPTS:
                raise LlmUnavailable(reply.cause)
            await asyncio.sleep(wait_s)
            pause_s *= 2
        raise LlmUnavailable("http_400")  # refused again and again, whatever was left out

    def _disliked(self, reply: _Reply) -> frozenset[str]:
        """Which parameters the provider seems to refuse; the likeliest where it does not say."""
        words = reply.complaint
        named = {name for name, signs in DISPENSABLE.items() if any(s in words for s in signs)}
        if self.version.api is Api.COMPLETION:
            return frozenset(named - {"logprobs"})  # without them there is no verdict
        return frozenset(named or {"response_format", "logprobs"})

    async def _send_on_record(self, question: Mapping[str, Any], call: LlmCall) -> _Reply:
        """One request, and what became of it."""
        started = time.perf_counter()
        try:
            reply = await self._send({**question, "extra_headers": {CLIENT_REQUEST_ID: call.id}})
        finally:
            call.latency_s = time.perf_counter() - started
        call.status, call.cause, call.request_id = reply.status, reply.cause, reply.request_id
        call.prompt_tokens, call.completion_tokens = read_usage(reply.body) or (None, None)
        return reply

    async def _send(self, question: Mapping[str, Any]) -> _Reply:
        """One request. Failures that have a name come back as a reply."""
        import openai

        is_base = self.version.api is Api.COMPLETION
        calls = self._client.completions if is_base else self._client.chat.completions
        try:
            response = await calls.with_raw_response.create(**question)
        except openai.APIStatusError as error:
            return _failure(error)
        except openai.APITimeoutError:
            return _Reply(NO_RESPONSE, "timeout")
        except openai.APIConnectionError:
            return _Reply(NO_RESPONSE, "connection")
        body = _decoded(response.content)
        named = _request_id(response.headers, body)
        return _Reply(response.status_code, body=body, request_id=named)


def _without(refused: frozenset[str], question: Mapping[str, Any]) -> dict[str, Any]:
    """The question in the words that the provider accepts."""
    kept = {name: value for name, value in question.items() if name not in refused}
    if "logprobs" in refused:
        kept.pop("top_logprobs", None)
    if "max_tokens" in refused:
        kept["max_completion_tokens"] = question["max_tokens"]
    return kept


def _failure(error: openai.APIStatusError) -> _Reply:
    return _Reply(
        error.status_code,
        f"http_{error.status_code}",
        request_id=_request_id(error.response.headers, None),
        pause_s=_seconds(error.response.headers.get("retry-after")),
        complaint=str(error.body)[:COMPLAINT_LIMIT].casefold(),
    )


def _seconds(retry_after: str | None) -> float | None:
    """A Retry-After header in seconds; None where it is missing, a date, or nonsense."""
    try:
        seconds = float(retry_after or "nan")
    except ValueError:
        return None
    return seconds if seconds > 0 else None


def _decoded(content: bytes) -> Any:
    """The JSON in a response, None where it is not JSON: then it holds no answer."""
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def _request_id(headers: Mapping[str, str], body: Any) -> str | None:
    """The provider's name for the request, where it is a plain one."""
    named = headers.get("x-request-id") or (body.get("id") if isinstance(body, dict) else None)
    return named if isinstance(named, str) and REQUEST_ID.fullmatch(named) else None


def _quoted(quote: str | None, text: str) -> str | None:
    """The quote, if it is one: what an LLM makes up may be anybody's name."""
    return quote if quote and _plain(quote) in _plain(text) else None


def _plain(text: str) -> str:
    """As the LLM was shown it, see Prompt."""
    return " ".join(text.translate(ROUND_BRACKETS).split()).casefold()
