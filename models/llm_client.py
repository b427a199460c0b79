"""The openai client as Tiebreak uses it: no retries of its own, no redirects, bounded answers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx2
    from openai import AsyncOpenAI

BODY_LIMIT = 2 * 1024 * 1024  # bytes of one response, errors included; a usual one has 2 kB
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


def llm_client(
    base_url: str, api_key: str, *, transport: httpx2.AsyncBaseTransport | None = None
) -> AsyncOpenAI:
    """A client for any OpenAI-compatible endpoint. Close it with `await client.close()`.

    A redirect is not followed: what was redacted for one host is not sent to another. Proxy
    settings of the environment are obeyed, except for an LLM on this very machine.

    Args:
        base_url: usually ends in /v1.
        transport: stands in for the network; tests pass httpx2.MockTransport.
    """
    import httpx2
    from openai import AsyncOpenAI, DefaultAsyncHttpxClient

    is_local = httpx2.URL(base_url).host in LOOPBACK
    http = DefaultAsyncHttpxClient(
        transport=transport,
        follow_redirects=False,
        trust_env=not is_local,
        event_hooks={"response": [_bound]},
    )
    plain = {"Accept-Encoding": "identity"}  # a small compressed answer may unpack to gigabytes
    return AsyncOpenAI(
        base_url=base_url, api_key=api_key, max_retries=0, http_client=http, default_headers=plain
    )


async def _bound(response: httpx2.Response) -> None:
    """Let no response grow past BODY_LIMIT, whatever its status."""
    import httpx2

    class Bounded(httpx2.AsyncByteStream):
        def __init__(self, whole: httpx2.AsyncByteStream) -> None:
            self._whole = whole

        async def __aiter__(self) -> AsyncIterator[bytes]:
            size = 0
            async for chunk in self._whole:
                size += len(chunk)
                if size > BODY_LIMIT:
                    raise httpx2.ReadError("The response is too large.")
                yield chunk

        async def aclose(self) -> None:
            await self._whole.aclose()

    if response.headers.get("content-encoding", "identity") != "identity":
        raise httpx2.ReadError("The response is compressed, which was not asked for.")
    if isinstance(response.stream, httpx2.AsyncByteStream):
        response.stream = Bounded(response.stream)
