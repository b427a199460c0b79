"""WitnessApp: a witness over HTTP, as a plain ASGI app.

POST /add-checkpoint          C2SP tlog-witness
GET  /checkpoint?origin=NAME  the latest cosigned checkpoint of a log, for auditors
GET  /healthz                 200 while its file is whole
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qs

from service.ledger.errors import WitnessStateDamaged
from service.ledger.witness import MAX_REQUEST_BYTES, TEXT, Witness, WitnessReply

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

METHODS = {"/add-checkpoint": "POST", "/checkpoint": "GET", "/healthz": "GET"}


class WitnessApp:
    """Needs no lifespan and no framework. What blocks (file, lock) runs in a thread."""

    def __init__(self, witness: Witness) -> None:
        self._witness = witness

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        reply = await self._reply(scope, receive)
        headers = [
            (b"content-type", reply.content_type.encode()),
            (b"content-length", str(len(reply.body)).encode()),
        ]
        if reply.status == 405:
            headers.append((b"allow", METHODS[scope["path"]].encode()))
        start = {"type": "http.response.start", "status": reply.status, "headers": headers}
        await send(start)
        await send({"type": "http.response.body", "body": reply.body})

    async def _reply(self, scope: Message, receive: Receive) -> WitnessReply:
        method = METHODS.get(scope["path"])
        if method is None:
            return WitnessReply.text(404, "Nothing is served here.")
        if method != scope["method"]:
            return WitnessReply.text(405, f"Use {method}.")
        if method == "GET":
            return await asyncio.to_thread(self._read, scope)
        body = await _body(receive)
        if body is None:
            return WitnessReply.text(413, "The request is too long.")
        return await asyncio.to_thread(self._witness.add_checkpoint, body)

    def _read(self, scope: Message) -> WitnessReply:
        query = parse_qs(scope["query_string"].decode("latin-1"))
        try:
            note = self._witness.latest(query.get("origin", [""])[0])
        except WitnessStateDamaged as error:
            return WitnessReply.text(500, str(error))
        if scope["path"] == "/healthz":
            return WitnessReply.text(200, "ok")
        if note is None:
            return WitnessReply.text(404, "No checkpoint of this log was cosigned.")
        return WitnessReply(200, TEXT, note.encode())


async def _body(receive: Receive) -> bytes | None:
    """None where it is too long, or the client left before its end."""
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if message["type"] != "http.request" or len(body) > MAX_REQUEST_BYTES:
            return None
        if not message.get("more_body", False):
            return bytes(body)
