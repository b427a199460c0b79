"""What an LLM's raw response says: pure functions from a response body to an Answer.

A response comes from outside: every field may be missing, of another type, or hostile.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeGuard

from models.errors import MalformedVerdict

ANSWER_SCHEMA_VERSION = "1"
ANSWER_SCHEMA: Mapping[str, Any] = {
    "name": "verdict",
    "strict": True,
    "schema": {
        "type": "object",
        "properties": {
            "answer": {"type": "string", "enum": ["yes", "no"]},
            "probability": {
                "type": "integer",
                "description": "0 to 100: how likely the answer yes is",
            },
            "evidence": {
                "type": "string",
                "description": "the words of the lead that speak most, quoted in at most 20 words",
            },
        },
        "required": ["answer", "probability", "evidence"],
        "additionalProperties": False,
    },
}
NO_ANSWER = "no_answer"  # a cause: it says neither yes nor no
EDGE = 1e-4  # probabilities are kept this far from 0 and 1: no LLM is that sure
LEAST_MASS = 0.05  # of the next token: below this, yes and no are not what the LLM wants to say
EVIDENCE_LIMIT = 300  # characters
CONTENT_LIMIT = 20_000  # characters; an answer has some 200
JSON_STARTS = 20  # how many opening braces are tried; prose around the object has few
YES_NO_VALUE = re.compile(r'"answer"\s*:\s*"\s*(?=yes|no)', re.IGNORECASE)


class VerdictSource(StrEnum):
    """Where the probability comes from."""

    LOGPROBS = "logprobs"  # the model's own probabilities of the tokens yes and no
    STATED = "stated"  # a number that it wrote


@dataclass(frozen=True, slots=True)
class Answer:
    """What the LLM said. `probability` of yes, in [EDGE, 1 - EDGE]."""

    probability: float
    source: VerdictSource
    evidence: str | None = None


def read_completion(body: Any) -> Answer:
    """The answer in a response of /v1/completions, from the probabilities of its first token.

    Raises:
        MalformedVerdict: no choices, no log-probabilities, or neither yes nor no is likely.
    """
    choice = _first_choice(body)
    probability = _yes_share(_first_position(_mapping(choice.get("logprobs"))))
    if probability is None:
        raise MalformedVerdict(NO_ANSWER, "The LLM's next token is neither yes nor no.")
    return Answer(probability, VerdictSource.LOGPROBS)


def read_chat(body: Any) -> Answer:
    """The answer in a response of /v1/chat/completions: a JSON object, prose around it or not.

    Its probability is that of the tokens yes and no where the answer stands. Where the provider
    gives none, it is the stated one, which must then agree with the answer.

    Raises:
        MalformedVerdict: refused, cut short, not JSON, or not what was asked for.
    """
    choice = _first_choice(body)
    message = _mapping(choice.get("message"))
    if message.get("refusal") or choice.get("finish_reason") == "content_filter":
        raise MalformedVerdict("refused", "The LLM refused to answer.")
    tree = _json_object(_text(message.get("content")))
    is_yes, stated = _is_yes(tree.get("answer")), _per_cent(tree.get("probability"))
    evidence = _quote(tree.get("evidence"))
    measured = _yes_share(_answer_position(_mapping(choice.get("logprobs"))))
    if measured is not None:
        return Answer(measured, VerdictSource.LOGPROBS, evidence)
    if is_yes != (stated >= 0.5):
        raise MalformedVerdict("contradiction", "The LLM's answer and its probability disagree.")
    return Answer(_clipped(stated), VerdictSource.STATED, evidence)


MAX_TOKENS = 10**9  # of one call; a provider that counts more does not count tokens


def read_usage(body: Any) -> tuple[int, int] | None:
    """Tokens of the prompt and of the completion; None where the provider does not say."""
    usage = _mapping(_mapping(body).get("usage"))
    prompt, completion = usage.get("prompt_tokens"), usage.get("completion_tokens")
    return (prompt, completion) if _is_count(prompt) and _is_count(completion) else None


# -- probabilities ------------------------------------------------------------------------------


def _yes_share(position: Iterable[tuple[str, float]]) -> float | None:
    """P(yes) / (P(yes) + P(no)) at one position, from its likeliest tokens and their logprobs.

    An answer that is not among them is at most as likely as the least of them. None where the
    two have less than LEAST_MASS together.
    """
    mass, least = {"yes": 0.0, "no": 0.0}, 1.0
    for token, logprob in position:
        word, probability = _letters(token), math.exp(min(logprob, 0.0))
        least = min(least, probability)
        if word in mass:
            mass[word] += probability
    total = sum(mass.values())
    if total < LEAST_MASS:
        return None
    yes, no = (max(mass[word], min(least, 1 - total, 0.5)) for word in ("yes", "no"))
    return _clipped(yes / (yes + no))


def _first_position(logprobs: Mapping[str, Any]) -> list[tuple[str, float]]:
    """Tokens at the first position, in llama.cpp's shape or in OpenAI's older one."""
    for position in _sequence(logprobs.get("content"))[:1]:
        return _candidates(_mapping(position))
    for position in _sequence(logprobs.get("top_logprobs"))[:1]:
        return _pairs(_mapping(position).items())
    return []


def _answer_position(logprobs: Mapping[str, Any]) -> list[tuple[str, float]]:
    """Tokens at the position where a JSON answer says yes or no."""
    positions = [_mapping(position) for position in _sequence(logprobs.get("content"))]
    tokens = [_text(position.get("token")) for position in positions]
    places = list(YES_NO_VALUE.finditer("".join(tokens)))
    end = 0
    for token, position in zip(tokens, positions, strict=True):
        end += len(token)
        if places and end > places[-1].end():
            return _candidates(position)
    return []


def _candidates(position: Mapping[str, Any]) -> list[tuple[str, float]]:
    top = [_mapping(candidate) for candidate in _sequence(position.get("top_logprobs"))]
    return _pairs((one.get("token"), one.get("logprob")) for one in top or [position])


def _pairs(candidates: Iterable[tuple[Any, Any]]) -> list[tuple[str, float]]:
    return [(_text(t), float(p)) for t, p in candidates if _is_number(p) and p <= 1e-3]


def _letters(token: str) -> str:
    return token.strip(" \t\r\n\"':.,▁Ġ").casefold()


# -- stated answers -----------------------------------------------------------------------------


def _json_object(content: str) -> Mapping[str, Any]:
    """The first JSON object with an answer in it."""
    decoder = json.JSONDecoder(parse_constant=_refuse_constant)
    for start in [m.start() for m in re.finditer(r"\{", content[:CONTENT_LIMIT])][:JSON_STARTS]:
        try:
            tree, _ = decoder.raw_decode(content[:CONTENT_LIMIT], start)
        except (ValueError, RecursionError):
            continue
        if isinstance(tree, dict) and "answer" in tree:
            return tree
    raise MalformedVerdict("not_json", "The LLM's answer holds no JSON object with an answer.")


def _refuse_constant(name: str) -> float:
    raise ValueError(name)  # NaN and Infinity are not JSON


def _is_yes(answer: Any) -> bool:
    word = _text(answer).strip().casefold()
    if word not in {"yes", "no"}:
        raise MalformedVerdict(NO_ANSWER, "The LLM's answer is neither yes nor no.")
    return word == "yes"


def _per_cent(stated: Any) -> float:
    value = stated.strip(" %") if isinstance(stated, str) else stated
    try:
        share = math.nan if isinstance(value, bool) else float(value) / 100
    except (TypeError, ValueError, OverflowError):
        share = math.nan
    if not 0.0 <= share <= 1.0:
        raise MalformedVerdict("no_probability", "The LLM's probability is not within 0 to 100.")
    return share


def _quote(evidence: Any) -> str | None:
    words = " ".join(_text(evidence)[: 4 * EVIDENCE_LIMIT].split())
    shown = "".join(c for c in words if c.isprintable())
    return shown[:EVIDENCE_LIMIT] or None


# -- what came from outside ---------------------------------------------------------------------


def _first_choice(body: Any) -> Mapping[str, Any]:
    for choice in _sequence(_mapping(body).get("choices"))[:1]:
        return _mapping(choice)
    raise MalformedVerdict("no_choices", "The LLM's response holds no answer at all.")


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _sequence(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and not math.isnan(value)


def _is_count(value: Any) -> TypeGuard[int]:
    return type(value) is int and 0 <= value <= MAX_TOKENS


def _clipped(probability: float) -> float:
    return min(max(probability, EDGE), 1 - EDGE)
