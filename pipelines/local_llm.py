"""The embedded LLM for as long as a command needs it: the running one, or one of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from models.errors import LlmUnavailable
from models.llm_version import LlmVersion
from service.llm.endpoint import EMBEDDED, LlmEndpoint
from service.llm.server import EmbeddedLlm, is_available, is_healthy, is_ours
from service.settings import Settings


@contextmanager
def embedded_llm(settings: Settings, *, keep_off: bool = False) -> Iterator[None]:
    """The embedded LLM answers at its port inside the block; a running one is used as it is.

    Raises:
        LlmUnavailable: it did not start, or another server answers at its port.
    """
    address = f"http://127.0.0.1:{settings.llm_port}"
    if keep_off or is_ours(address):
        yield
        return
    if is_healthy(address):
        message = f"Another server answers at {address}. End it, or set TIEBREAK_LLM_PORT."
        raise LlmUnavailable("start", message)
    with EmbeddedLlm(settings.home / "llm", port=settings.llm_port):
        yield


@contextmanager
def endpoint_running(
    settings: Settings, endpoint: LlmEndpoint, *, is_asked: bool = True
) -> Iterator[None]:
    """Whatever this endpoint needs on this machine runs inside the block, if it is asked at all."""
    with embedded_llm(settings, keep_off=not (endpoint.is_embedded and is_asked)):
        yield


@contextmanager
def llm_running(settings: Settings, llm: LlmVersion) -> Iterator[None]:
    """As `endpoint_running`, for a release's LLM. Where it cannot run, decisions are degraded."""
    wanted = llm.provider == EMBEDDED and settings.llm_base_url is None and is_available()
    with embedded_llm(settings, keep_off=not wanted):
        yield
