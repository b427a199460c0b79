"""LlmFront: the embedded LLM over HTTP, in vLLM's words, as a plain ASGI app.

POST /v1/completions           `model` names an adapter, or the model itself
POST /v1/chat/completions      the same
GET  /v1/models                what can be named
POST /v1/load_lora_adapter     {"lora_name": ..., "lora_path": ...}: serve this file too
POST /v1/unload_lora_adapter   {"lora_name": ...}
GET  /health                   200 while llama.cpp answers
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.errors import LlmUnavailable, WrongAdapter
from service.llm.adapter_shelf import WRONG_ADAPTER
from service.llm.embedded_model import MODEL_ID
from service.llm.engine_rooms import EngineRooms

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

MOST_BYTES = 1 << 20  # of a request; a prompt has some 10 kB
OWNER = "tiebreak"  # of what it serves, by which it is known from other servers
QUESTIONS = ("/v1/completions", "/v1/chat/completions")
LOAD, UNLOAD = "/v1/load_lora_adapter", "/v1/unload_lora_adapter"
METHODS = {
    **dict.fromkeys((*QUESTIONS, LOAD, UNLOAD), "POST"),
    **dict.fromkeys(("/v1/models", "/health"), "GET"),
}
# What a caller may set. Not among them: whatever picks adapters, slots or cached state by hand.
PASSED_ON = frozenset(
    {"max_tokens", "temperature", "seed", "logprobs", "top_logprobs", "response_format", "stop"}
)
MOST_TOKENS = 1_000  # of an answer


@dataclass(frozen=True, slots=True)
class _Reply:
    status: int
    body: bytes
    headers: tuple[tuple[bytes, bytes], ...] = ()

    @classmethod
    def json(cls, tree: Any, status: int = 200) -> _Reply:
        return cls(status, json.dumps(tree).encode())

    @classmethod
    def error(cls, status: int, code: str, message: str) -> _Reply:
        tree = {"error": {"message": message, "type": code, "param": None, "code": status}}
        headers = ((b"retry-after", b"1"),) if status == 503 else ()
        return cls(status, json.dumps(tree).encode(), headers)


class LlmFront:
    """Needs no lifespan and no framework. Says nothing about what it is asked."""

    def __init__(self, rooms: EngineRooms) -> None:
        self._rooms = rooms

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        reply = await self._reply(scope, receive)
        if reply is None:
            return  # the caller is gone
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(reply.body)).encode()),
            *reply.headers,
        ]
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        await send({"type": "http.response.body", "body": reply.body})

    async def _reply(self, scope: Message, receive: Receive) -> _Reply | None:
        path, method = scope["path"], METHODS.get(scope["path"])
        if method is None:
            return _Reply.error(404, "not_found", "Nothing is served here.")
        if method != scope["method"]:
            return _Reply.error(405, "wrong_method", f"Use {method}.")
        if method == "POST":
            return await self._posted(path, scope, receive)
        return self._models() if path == "/v1/models" else self._health()

    async def _posted(self, path: str, scope: Message, receive: Receive) -> _Reply | None:
        if not _is_json(scope):  # a page in a browser cannot send this type without asking first
            return _Reply.error(415, "wrong_type", "Send application/json.")
        tree = _object(await _body(receive))
        if tree is None:
            return _Reply.error(400, "invalid_request", "Send one JSON object of at most 1 MB.")
        if path in QUESTIONS:
            return await _unless_gone(self._answer(path, tree), receive)
        return await self._load(tree) if path == LOAD else self._unload(tree)

    def _health(self) -> _Reply:
        if self._rooms.is_up:
            return _Reply.json({"status": "ok"})
        return _Reply.error(503, "starting", "The model is being loaded.")

    def _models(self) -> _Reply:
        model = {"id": MODEL_ID, "object": "model", "owned_by": OWNER, "parent": None}
        adapters = [
            {"id": name, "object": "model", "owned_by": OWNER, "parent": MODEL_ID}
            for name in sorted(self._rooms.adapters)
        ]
        return _Reply.json({"object": "list", "data": [model, *adapters]})

    async def _answer(self, path: str, tree: Mapping[str, Any]) -> _Reply:
        named = tree.get("model")
        if not isinstance(named, str) or named not in {MODEL_ID, *self._rooms.adapters}:
            return _no_such_model()
        adapter = None if named == MODEL_ID else named
        try:
            reply = await self._rooms.ask(path, _question(path, tree), adapter)
        except LlmUnavailable:
            return _Reply.error(503, "starting", "The model is being loaded.")
        return _Reply(reply.status, reply.body)

    async def _load(self, tree: Mapping[str, Any]) -> _Reply:
        name, path = tree.get("lora_name"), tree.get("lora_path")
        if not isinstance(name, str) or not isinstance(path, str):
            return _Reply.error(400, "invalid_request", "Send lora_name and lora_path.")
        try:
            await self._rooms.load(name, Path(path))
        except WrongAdapter as error:
            return _Reply.error(400, WRONG_ADAPTER, str(error))
        except LlmUnavailable as error:
            return _Reply.error(400, "unusable_adapter", str(error))
        except OSError as error:
            message = f"It cannot be kept beside the model ({error.strerror}). Make room there."
            return _Reply.error(507, "not_kept", message)
        return _Reply.json(f"Success: LoRA adapter '{name}' added successfully.")

    def _unload(self, tree: Mapping[str, Any]) -> _Reply:
        if self._rooms.unload(str(tree.get("lora_name"))):
            return _Reply.json("Success: LoRA adapter removed successfully.")
        return _no_such_model()


def _question(path: str, tree: Mapping[str, Any]) -> dict[str, Any]:
    """What llama.cpp is asked: what may be set, the model's name, and no streaming."""
    shown = "prompt" if path == "/v1/completions" else "messages"
    question = {name: value for name, value in tree.items() if name in PASSED_ON}
    tokens = question.get("max_tokens", MOST_TOKENS)
    most = tokens if isinstance(tokens, int) and 0 < tokens <= MOST_TOKENS else MOST_TOKENS
    more = {shown: tree.get(shown), "max_tokens": most, "model": MODEL_ID}
    return question | more


def _no_such_model() -> _Reply:
    return _Reply.error(404, "model_not_found", "No such model is served. See /v1/models.")


async def _unless_gone(answer: Awaitable[_Reply], receive: Receive) -> _Reply | None:
    """The answer; None where the caller left first, and then nobody computes it any more."""
    answering = asyncio.ensure_future(answer)
    leaving = asyncio.ensure_future(receive())
    try:
        await asyncio.wait({answering, leaving}, return_when=asyncio.FIRST_COMPLETED)
        return answering.result() if answering.done() else None
    finally:
        answering.cancel()
        leaving.cancel()


def _is_json(scope: Message) -> bool:
    types = [value for name, value in scope["headers"] if name == b"content-type"]
    return bool(types) and types[0].split(b";")[0].strip() == b"application/json"


def _object(body: bytes | None) -> dict[str, Any] | None:
    try:
        tree = json.loads(body or b"")
    except (ValueError, RecursionError):
        return None
    return tree if isinstance(tree, dict) else None


async def _body(receive: Receive) -> bytes | None:
    """None where it is too long, or the caller left before its end."""
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if message["type"] != "http.request" or len(body) > MOST_BYTES:
            return None
        if not message.get("more_body", False):
            return bytes(body)
