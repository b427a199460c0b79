"""The embedded LLM for as long as a command needs it: the running one, or one of its own.

One that runs belongs to another command, and ends with that: then this one starts its own. One
that another command is just starting is waited for: it has the port before it can answer.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta

from models.errors import LlmUnavailable
from models.llm_version import LlmVersion
from pipelines.finetuning.machine_share import is_listening
from pipelines.processes import answers
from service.every import Every
from service.llm.endpoint import EMBEDDED, LlmEndpoint
from service.llm.server import START_DEADLINE, EmbeddedLlm, is_available, is_ours
from service.settings import Settings

LOOKED_EVERY = timedelta(seconds=2)
LOOKS = 2  # in a row at which nobody is there: who owns a killed one starts it again in a second


@contextmanager
def embedded_llm(settings: Settings, *, keep_off: bool = False) -> Iterator[None]:
    """The embedded LLM answers at its port inside the block; a running one is borrowed.

    Raises:
        LlmUnavailable: it did not start, or another server is at its port.
    """
    if keep_off:
        yield
        return
    own = _own(settings)
    if not _is_there(settings):
        try:
            own.start()
        except LlmUnavailable:
            if not _is_there(settings):  # or another command was first
                raise
    if not own.base_url:
        with _borrowed(settings):
            yield
        return
    try:
        yield
    finally:
        own.stop()


def _is_there(settings: Settings) -> bool:
    """Whether somebody has the embedded LLM at its port; one that is starting is waited for.

    Raises:
        LlmUnavailable: another server is there.
    """
    address = f"http://127.0.0.1:{settings.llm_port}"
    until = time.monotonic() + START_DEADLINE.total_seconds()
    while is_listening(settings.llm_port):
        is_silent = not answers(settings.llm_port, "/health")  # as one is that is starting
        if not is_silent and is_ours(address):
            return True
        if not is_silent or time.monotonic() > until:
            what = "Something is silent" if is_silent else "Another server answers"
            message = f"{what} at {address}. End it, or set TIEBREAK_LLM_PORT."
            raise LlmUnavailable("start", message)
        time.sleep(0.1)
    return False


def _own(settings: Settings) -> EmbeddedLlm:
    return EmbeddedLlm(settings.home / "llm", port=settings.llm_port)


@contextmanager
def _borrowed(settings: Settings) -> Iterator[None]:
    """Somebody else's, and one of our own at its port once nobody is there any more."""
    own, missed = _own(settings), 0

    def look() -> None:
        nonlocal missed
        if own.base_url:
            return  # it is up, and comes back by itself
        missed = 0 if is_listening(settings.llm_port) else missed + 1
        if missed >= LOOKS:
            with suppress(LlmUnavailable):  # another who had borrowed it was first: theirs will do
                own.start()

    looking = Every("borrowed-llm", LOOKED_EVERY, look)
    looking.start()
    try:
        yield
    finally:
        own.give_up()  # first: it may be starting, which takes its time
        looking.close()
        own.stop()


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
