"""Gateway: the outermost ASGI app. Authenticates, limits, reads, answers; BentoML is behind it.

BentoML keeps 401, 403 and 5xx for itself, and its middlewares cost more than the model. So the
endpoints of the contract are answered here, and what BentoML does well (docs assets, the schema
for its clients, metrics of all workers) is passed on to it. What is not listed is not served.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
import traceback
from collections.abc import Awaitable, Callable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from features.errors import ScoringError
from service.audit.audit_api import PATHS as AUDIT_PATHS
from service.audit.audit_api import Asked
from service.audit.named_person import NamedPerson
from service.auth import MAY_AUDIT, MAY_ERASE, MAY_PROVE, MAY_READ, MAY_SCORE, MAY_WATCH, authorize
from service.desk import Caller, Desk
from service.errors import (
    BodyTooLarge,
    BodyTooSlow,
    Headers,
    NoSuchEndpoint,
    Overloaded,
    UnsupportedContentType,
    WrongMethod,
    error_body,
    error_headers,
    http_error,
)
from service.keys import ApiKey, Role
from service.only_once import claim
from service.openapi import docs
from service.recording.overriding import Override
from service.schemas import BatchRequest, DecideRequest, parse_outcomes

log = logging.getLogger("tiebreak.http")

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Take = Callable[[int], None]  # told how many bytes more are held; Overloaded where it is too much
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]

KIB, MIB = 1024, 1024 * 1024
MAX_IN_FLIGHT = 1_000  # requests per worker; more would wait longer than their senders do
BODY_DEADLINE_S = 30.0  # longer, and who sends slowly keeps others out
MAX_HELD = 256 * MIB  # of the bodies of a worker's requests in work
FEWER = "Try again in a second, with fewer at once."
JSON, HTML = "application/json", "text/html; charset=utf-8"
TEXT = "text/plain; charset=utf-8"
ID = re.compile(r"(?<=/)[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?=/|$)")
DOCS_PAGE = Path(__file__).with_name("docs_page.html")
# The docs page takes scripts and styles from this service, and talks to nobody else.
PAGE_POLICY = (
    "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; "
    "frame-ancestors 'none'"
)
EVERY_HEADER = ((b"x-content-type-options", b"nosniff"), (b"cache-control", b"no-store"))


@dataclass(frozen=True, slots=True)
class Question:
    """A request that may be answered."""

    key: ApiKey | None
    body: bytes
    headers: Mapping[bytes, bytes]
    path: str
    id: str = ""  # in the path
    query: str = ""

    @property
    def key_id(self) -> str:
        return self.key.id if self.key else "none"

    @property
    def caller(self) -> Caller:
        """Who asks. Raises MalformedRequest where the idempotency key is unusable."""
        named = self.headers.get(b"idempotency-key")
        if named is None:
            return Caller(self.key_id)
        return Caller(
            self.key_id, claim(self.key_id, named.decode("latin-1"), self.path, self.body)
        )


@dataclass(frozen=True, slots=True)
class Reply:
    """A response."""

    body: bytes
    status: int = 200
    content_type: str = JSON
    headers: Headers = ()


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One row of the table of what is served.

    roles: whose keys may; None: no key needed. answer: None where BentoML answers.
    """

    method: str
    roles: frozenset[Role] | None
    answer: Callable[[Gateway, Question], Awaitable[Reply]] | None = None
    max_bytes: int = 0


class _SenderIsGone(Exception):
    """Nobody waits for the reply."""


class _Answering:
    """Passes a response on, and remembers its status: None where it has not begun."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.status: int | None = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        await self._send(message)


class Gateway:
    """Wraps BentoML's app. `desk` and `spec` are asked for once the service is open."""

    def __init__(
        self, bento: AsgiApp, *, desk: Callable[[], Desk], spec: Callable[[], Any]
    ) -> None:
        self._bento = bento
        self._desk = desk
        self._spec = spec
        self._in_flight = 0
        self._held = 0  # bytes of bodies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._bento(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008})

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        started, answering = time.perf_counter(), _Answering(send)
        self._in_flight += 1
        try:
            reply = await self._reply(scope, receive)
            if reply is None:
                await self._bento(scope, receive, answering)
        except ScoringError as error:
            reply = refusal(error)
        except _SenderIsGone:
            return
        except Exception as error:  # whatever it is, it must not tell what it holds
            log.error("%s failed: %s", _name(scope["path"]), _place(error))
            reply = refusal(error)
        finally:
            self._in_flight -= 1
        if reply is not None and answering.status is None:
            await _send(reply, scope, answering)
        seconds = time.perf_counter() - started
        status = answering.status or 500
        self._desk().metrics.answered(_name(scope["path"]), status, seconds=seconds)

    async def _reply(self, scope: Scope, receive: Receive) -> Reply | None:
        """The reply, or None where BentoML answers. Raises ScoringError."""
        name, named_id = template(scope["path"])
        endpoint = _endpoint(scope["method"], name)
        headers = dict(scope["headers"])
        key = self._allowed(endpoint, headers)
        if endpoint.answer is None:
            return None
        query = scope["query_string"].decode("latin-1")
        with self._room() as take:
            body = b""
            if endpoint.max_bytes:
                body = await self._body(receive, headers, endpoint.max_bytes, take)
            asked = Question(key, body, headers, scope["path"], named_id, query)
            return await endpoint.answer(self, asked)

    async def _body(
        self, receive: Receive, headers: Mapping[bytes, bytes], most: int, take: Take
    ) -> bytes:
        if self._in_flight > MAX_IN_FLIGHT:
            raise Overloaded("Too many requests are in work.", FEWER)
        try:
            async with asyncio.timeout(BODY_DEADLINE_S):
                return await _read_body(receive, headers, most, take)
        except TimeoutError:
            problem = f"The body did not come within {BODY_DEADLINE_S:.0f} seconds."
            raise BodyTooSlow(problem, "Send it at once.") from None

    @contextmanager
    def _room(self) -> Iterator[Take]:
        """Within, one request's bytes are counted among those that all hold, before they are."""
        mine = 0

        def take(size: int) -> None:
            nonlocal mine
            if self._held + size > MAX_HELD:
                raise Overloaded("Too much was sent at once.", FEWER)
            mine += size
            self._held += size

        try:
            yield take
        finally:
            self._held -= mine

    def _allowed(self, endpoint: Endpoint, headers: Mapping[bytes, bytes]) -> ApiKey | None:
        if endpoint.roles is None:
            return None
        named = headers.get(b"authorization")
        authorization = named.decode("latin-1") if named is not None else None
        return authorize(authorization, self._desk().keys, endpoint.roles)

    # -- one method per endpoint ------------------------------------------------------------

    async def decide(self, asked: Question) -> Reply:
        request = DecideRequest.parse(asked.body)
        return Reply(await self._desk().decide(request, asked.caller))

    async def decide_batch(self, asked: Question) -> Reply:
        request = BatchRequest.parse(asked.body)
        return Reply(await self._desk().decide_batch(request, asked.caller))

    async def outcomes(self, asked: Question) -> Reply:
        return Reply(await self._desk().outcomes(parse_outcomes(asked.body), asked.caller))

    async def overrides(self, asked: Question) -> Reply:
        return Reply(await self._desk().ledger.override(Override.parse(asked.body), asked.key_id))

    async def erasures(self, asked: Question) -> Reply:
        return Reply(await self._desk().ledger.erase(NamedPerson.parse(asked.body), asked.key_id))

    async def proof(self, asked: Question) -> Reply:
        proof = await self._desk().ledger.proof(asked.id)
        return Reply(proof.encode(), content_type=TEXT)

    async def audit(self, asked: Question) -> Reply:
        assert asked.key is not None  # noqa: S101  (MAY_AUDIT: there is one)
        name, _ = template(asked.path)
        question = Asked(asked.id, asked.query, asked.body)
        return Reply(await self._desk().audit.answer(name, asked.key, question))

    async def privacy(self, _: Question) -> Reply:
        return Reply(self._desk().privacy())

    async def checkpoint(self, _: Question) -> Reply:
        return Reply((await self._desk().ledger.checkpoint()).encode(), content_type=TEXT)

    async def release(self, _: Question) -> Reply:
        return Reply(self._desk().release())

    async def lead_schema(self, _: Question) -> Reply:
        return Reply(self._desk().lead_schema())

    async def alive(self, _: Question) -> Reply:
        return Reply(orjson.dumps({"alive": True}))

    async def ready(self, _: Question) -> Reply:
        is_ready, tree = self._desk().readiness()
        return Reply(orjson.dumps(tree), 200 if is_ready else 503)

    async def docs_page(self, _: Question) -> Reply:
        return Reply(
            DOCS_PAGE.read_bytes(),
            content_type=HTML,
            headers=(("content-security-policy", PAGE_POLICY),),
        )

    async def docs_json(self, _: Question) -> Reply:
        is_ready, _tree = self._desk().readiness()
        release = self._desk().live.current().release if is_ready else None
        return Reply(orjson.dumps(docs(self._spec().asdict(), release)))


ENDPOINTS = {
    # 20,000 characters of text in any script, and room for the rest of the lead
    "/decide": Endpoint("POST", MAY_SCORE, Gateway.decide, 256 * KIB),
    "/decide_batch": Endpoint("POST", MAY_SCORE, Gateway.decide_batch, 8 * MIB),
    "/outcomes": Endpoint("POST", MAY_SCORE, Gateway.outcomes, MIB),
    "/overrides": Endpoint("POST", MAY_SCORE, Gateway.overrides, 16 * KIB),
    "/erasures": Endpoint("POST", MAY_ERASE, Gateway.erasures, 64 * KIB),
    "/decisions/{id}/proof": Endpoint("GET", MAY_PROVE, Gateway.proof),
    "/checkpoint": Endpoint("GET", MAY_READ, Gateway.checkpoint),
    "/privacy": Endpoint("GET", MAY_READ, Gateway.privacy),
    **{
        path: Endpoint(row.method, MAY_AUDIT, Gateway.audit, row.max_bytes)
        for path, row in AUDIT_PATHS.items()
    },
    "/release": Endpoint("GET", MAY_READ, Gateway.release),
    "/schema/lead": Endpoint("GET", MAY_READ, Gateway.lead_schema),
    "/livez": Endpoint("GET", None, Gateway.alive),
    "/healthz": Endpoint("GET", None, Gateway.alive),
    "/readyz": Endpoint("GET", None, Gateway.ready),
    "/": Endpoint("GET", MAY_READ, Gateway.docs_page),
    "/docs.json": Endpoint("GET", MAY_READ, Gateway.docs_json),
    "/schema.json": Endpoint("GET", MAY_READ),  # what BentoML's clients read first
    "/metrics": Endpoint("GET", MAY_WATCH),
}
ASSET = Endpoint("GET", MAY_READ)
# By name: whatever else stands behind this folder would end in logs and in metrics' labels.
ASSETS = frozenset(
    f"/static_content/{name}"
    for name in (
        "swagger-ui.css",
        "swagger-ui-bundle.js",
        "swagger-ui-standalone-preset.js",
        "swagger-initializer.js",
    )
)


def refusal(error: Exception) -> Reply:
    """How an error is answered."""
    return Reply(error_body(error), http_error(error).status, headers=error_headers(error))


def template(path: str) -> tuple[str, str]:
    """A path with {id} in place of the id in it, and that id."""
    found = ID.search(path)
    if found is None:
        return path, ""
    return f"{path[: found.start()]}{{id}}{path[found.end() :]}", found[0]


def _endpoint(method: str, name: str) -> Endpoint:
    endpoint = ASSET if name in ASSETS else ENDPOINTS.get(name)
    if endpoint is None:
        raise NoSuchEndpoint("Nothing is served under this path.", "See the docs page under /.")
    is_head = method == "HEAD" and endpoint.method == "GET" and name not in AUDIT_PATHS
    if method != endpoint.method and not is_head:  # each audit question is an entry: no dry runs
        raise WrongMethod(endpoint.method)
    return endpoint


async def _read_body(
    receive: Receive, headers: Mapping[bytes, bytes], most: int, take: Take
) -> bytes:
    # Insisting on JSON also keeps other sites' forms out: a browser asks before it sends JSON.
    content_type = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
    if content_type != JSON.encode():
        fix = f"Send `Content-Type: {JSON}`."
        raise UnsupportedContentType("The body is not declared as JSON.", fix)
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise _SenderIsGone
        chunks.append(message.get("body", b""))
        take(len(chunks[-1]))
        size += len(chunks[-1])
        if size > most:
            raise BodyTooLarge("The body is too large.", f"Send at most {most // KIB:,} KiB.")
        if not message.get("more_body", False):
            return b"".join(chunks)


async def _send(reply: Reply, scope: Scope, send: Send) -> None:
    headers = [
        (b"content-type", reply.content_type.encode()),
        (b"content-length", str(len(reply.body)).encode()),
        *EVERY_HEADER,
        *((name.encode(), value.encode()) for name, value in reply.headers),
    ]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    body = b"" if scope["method"] == "HEAD" else reply.body
    await send({"type": "http.response.body", "body": body})


def _name(path: str) -> str:
    """For metrics and the log: a path that is served, never what somebody made up."""
    name, _ = template(path)
    return name if name in ENDPOINTS else "other"


def _place(error: BaseException) -> str:
    """Type and place of an error, without its text: that may hold a lead's values."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    frames = traceback.extract_tb(error.__traceback__)[-3:]
    places = " < ".join(f"{Path(f.filename).name}:{f.lineno} {f.name}" for f in reversed(frames))
    return f"{type(error).__name__} at {places}"
