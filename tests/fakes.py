"""Every test double, in one place. We pretend the wire, and leave out what is slow to load."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from functools import cache
from typing import Any

import httpx2

from features.errors import RedactionFailed
from features.fingerprint import SubjectKey
from features.redaction import RedactedText, Redactor
from features.redaction_policy import RedactionPolicy
from models.budget import CallBudget
from models.llm_client import llm_client
from models.llm_version import Api, Decoding, LlmVersion
from models.prompt import EvidenceKind, Prompt, WorkedExample
from models.verdict import LlmJudge, Prices

# -- redaction ----------------------------------------------------------------------------------


def redacted(text: str, key: SubjectKey | None = None) -> RedactedText:
    """The text after a real Redactor that knows e-mail addresses only: it needs no spaCy model."""
    return email_redactor().redact(text, key=key)


@cache
def email_redactor() -> Redactor:
    """A real one that takes out e-mail addresses and nothing else."""
    from presidio_analyzer import Pattern, PatternRecognizer

    pattern = Pattern("e-mail", r"\S+@\S+", 0.9)
    recognizer = PatternRecognizer("EMAIL_ADDRESS", patterns=[pattern])
    return Redactor(RedactionPolicy.shipped(), [recognizer])


class BrokenRedactor:
    """Can redact nothing."""

    def redact(self, *_: object) -> RedactedText:
        raise RedactionFailed("The text was not redacted.")


# -- an LLM behind a wire that is not there -------------------------------------------------------

Spelled = Sequence[tuple[str, Mapping[str, float]]]  # tokens, each with its rivals' probabilities
Answering = Callable[[httpx2.Request], httpx2.Response]


class Wire:
    """Stands in for the network: answers with `answers` in turn, the last one again and again."""

    def __init__(self, *answers: httpx2.Response | Exception | Answering) -> None:
        self._answers = answers
        self.requests: list[httpx2.Request] = []

    @property
    def bodies(self) -> list[dict[str, Any]]:
        """What was sent, as JSON."""
        return [json.loads(request.content) for request in self.requests]

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        answer = self._answers[min(len(self.requests), len(self._answers) - 1)]
        self.requests.append(request)
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, httpx2.Response):
            copy = httpx2.Headers(answer.headers)
            return httpx2.Response(answer.status_code, headers=copy, content=answer.content)
        return answer(request)


def judge(
    wire: Wire | httpx2.AsyncBaseTransport,
    api: Api = Api.COMPLETION,
    *,
    deadline: timedelta = timedelta(seconds=2),
    max_concurrency: int = 2,
    prices: Prices | None = None,
    budget: CallBudget | None = None,
) -> LlmJudge:
    """A real judge whose client talks to `wire`."""
    transport = httpx2.MockTransport(wire) if isinstance(wire, Wire) else wire
    client = llm_client("http://llm.test/v1", "sk-secret-key", transport=transport)
    limits = {"deadline": deadline, "max_concurrency": max_concurrency, "prices": prices}
    return LlmJudge(client, llm_version(api), budget=budget, **limits)  # type: ignore[arg-type]


def llm_version(api: Api = Api.COMPLETION) -> LlmVersion:
    """A version with a prompt for each kind of evidence."""
    prompts = {kind: prompt(kind) for kind in EvidenceKind}
    decoding = Decoding.for_api(api)
    return LlmVersion("test", "m", api, prompts, redaction_policy="1", decoding=decoding)


def prompt(kind: EvidenceKind = EvidenceKind.TEXT) -> Prompt:
    """Asks whether `Converted` becomes 1, with two worked examples."""
    past = [("please call me back", True), ("just looking around", False)]
    examples = tuple(WorkedExample(text, won) for text, won in past)
    return Prompt.newest(kind, outcome="Converted", won="1", examples=examples)


def completion(top: Mapping[str, float], **more: Any) -> httpx2.Response:
    """A response of /v1/completions in llama.cpp's shape; `top` holds probabilities by token."""
    content = [{"token": next(iter(top), ""), "top_logprobs": _logprobs(top)}]
    choice = {"index": 0, "text": next(iter(top), ""), "logprobs": {"content": content}}
    return _reply(choice, **more)


def chat(content: str | None, tokens: Spelled | None = None, **more: Any) -> httpx2.Response:
    """A response of /v1/chat/completions; `tokens` are the content's, with their rivals."""
    message = {"role": "assistant", "content": content, **more.pop("message", {})}
    choice = {"index": 0, "message": message, "finish_reason": more.pop("finish_reason", "stop")}
    if tokens is not None:
        spelled = [{"token": t, "logprob": -0.1, "top_logprobs": _logprobs(p)} for t, p in tokens]
        choice["logprobs"] = {"content": spelled}
    return _reply(choice, **more)


def verdict_json(answer: str = "yes", probability: Any = 80, evidence: Any = "call me") -> str:
    """What a chat model writes."""
    tree = {"answer": answer, "probability": probability, "evidence": evidence}
    return json.dumps(tree)


def _logprobs(top: Mapping[str, float]) -> list[dict[str, Any]]:
    return [{"token": token, "logprob": math.log(p)} for token, p in top.items()]


def _reply(choice: Mapping[str, Any], **more: Any) -> httpx2.Response:
    usage = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}
    tree = {"id": "cmpl-1", "choices": [choice], "usage": usage} | more
    return httpx2.Response(200, json=tree)
