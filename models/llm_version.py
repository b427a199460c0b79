"""LlmVersion: everything about the LLM that can change its answer, as one version in MLflow."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from typing import Any, Self

from models.adapter import Adapter
from models.answer import ANSWER_SCHEMA_VERSION
from models.prompt import EvidenceKind, Prompt


class Api(StrEnum):
    """Which of the OpenAI protocol's calls the model understands."""

    COMPLETION = "completion"  # base models: worked examples, then one token
    CHAT = "chat"  # instruction-tuned models: a JSON answer


@dataclass(frozen=True, slots=True)
class Decoding:
    """How tokens are picked. `top_logprobs`: 5 is the most that every provider gives."""

    temperature: float = 0.0
    max_tokens: int = 200
    top_logprobs: int = 5
    seed: int | None = 0

    @classmethod
    def for_api(cls, api: Api) -> Self:
        return cls(max_tokens=1) if api is Api.COMPLETION else cls()


@dataclass(frozen=True)
class LlmVersion:
    """One version of the LLM side.

    provider: who runs it, in a word: "embedded", or the endpoint's host name. Never a key.
    model: what the endpoint calls it. weights: SHA-256 of the model file, None where unknown.
    prompt_uris: where MLflow keeps the prompts; filled by the registry, not part of `version`.
    adapter: what it was tuned with, None for none.
    redaction_policy: version of the rules under which worked examples and leads are redacted.
    """

    provider: str
    model: str
    api: Api
    prompts: Mapping[EvidenceKind, Prompt]
    redaction_policy: str
    decoding: Decoding = field(default_factory=Decoding)
    answer_schema: str = ANSWER_SCHEMA_VERSION
    adapter: Adapter | None = None
    weights: str | None = None
    prompt_uris: Mapping[EvidenceKind, str] = field(default_factory=dict)

    @cached_property
    def version(self) -> str:
        """Digest of everything that can change an answer, 12 hex digits."""
        tree = self.to_json()
        del tree["prompt_uris"]
        tree["adapter"] = self.adapter.identity if self.adapter else None
        content = json.dumps(tree, sort_keys=True, ensure_ascii=True)
        return hashlib.sha256(content.encode()).hexdigest()[:12]

    @property
    def served_as(self) -> str:
        """What a request names as its `model`: the adapter where there is one (as in vLLM)."""
        return self.adapter.name if self.adapter else self.model

    def with_prompt_uris(self, uris: Mapping[EvidenceKind, str]) -> Self:
        return replace(self, prompt_uris=dict(uris))

    def to_json(self) -> dict[str, Any]:
        return {
            "provider": self.provider,
            "model": self.model,
            "api": self.api.value,
            "prompts": {kind.value: prompt.to_json() for kind, prompt in self.prompts.items()},
            "redaction_policy": self.redaction_policy,
            "decoding": asdict(self.decoding),
            "answer_schema": self.answer_schema,
            "adapter": self.adapter.to_json() if self.adapter else None,
            "weights": self.weights,
            "prompt_uris": {kind.value: uri for kind, uri in self.prompt_uris.items()},
        }

    @classmethod
    def from_json(cls, tree: Mapping[str, Any]) -> Self:
        """The version that `to_json` wrote. Raises KeyError or ValueError where it is damaged."""
        prompts = {EvidenceKind(k): Prompt.from_json(p) for k, p in tree["prompts"].items()}
        return cls(
            provider=tree["provider"],
            model=tree["model"],
            api=Api(tree["api"]),
            prompts=prompts,
            redaction_policy=tree["redaction_policy"],
            decoding=Decoding(**tree["decoding"]),
            answer_schema=tree["answer_schema"],
            adapter=Adapter.from_json(tree["adapter"]) if tree["adapter"] else None,
            weights=tree["weights"],
            prompt_uris={EvidenceKind(k): uri for k, uri in tree["prompt_uris"].items()},
        )
