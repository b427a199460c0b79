"""OnlyOnce: a request that names an idempotency key is answered once, then repeated.

The same key with the same request gets the same bytes again, also when both come at once, also
from another worker. Errors are not kept: they may be tried again under the same key.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable

from service.errors import AlreadyAnswered, IdempotencyMismatch, MalformedRequest
from service.storage.sealing import open_bytes, seal_bytes
from service.storage.store import Claim, Store
from service.storage.tables import Row

MAX_KEY_CHARS = 255


def claim(key_id: str, idempotency_key: str, path: str, body: bytes) -> Claim:
    """What a request with an `Idempotency-Key` header asks for. Raises MalformedRequest."""
    if not (0 < len(idempotency_key) <= MAX_KEY_CHARS and idempotency_key.isprintable()):
        fix = f"Send 1 to {MAX_KEY_CHARS} printable characters, for example a UUID."
        raise MalformedRequest("The idempotency key is unusable.", fix, field="Idempotency-Key")
    digest = hashlib.sha256(path.encode() + b"\0" + body).hexdigest()
    # Callers may name it after the lead: only its digest is kept. The answer is sealed under the
    # key itself, so that what the database keeps for a day can be read by its caller only.
    named = idempotency_key.encode()
    secret = hashlib.sha256(b"answer\0" + key_id.encode() + b"\0" + named).digest()
    return Claim(key_id, hashlib.sha256(named).hexdigest(), digest, secret)


def answered_row(claim: Claim, answer: bytes, at: str) -> Row:
    """The row of the table `answered`."""
    return {
        "key_id": claim.key_id,
        "idempotency_key": claim.idempotency_key,
        "request_digest": claim.request_digest,
        "answer": seal_bytes(claim.secret, claim.idempotency_key, answer),
        "at": at,
    }


class OnlyOnce:
    """The requests with an idempotency key that one worker has in hand."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._running: dict[tuple[str, str], tuple[str, asyncio.Task[bytes]]] = {}

    async def answer(self, claim: Claim, work: Callable[[], Awaitable[bytes]]) -> bytes:
        """The stored answer, or that of `work`, which has to store it together with `claim`.

        Raises:
            IdempotencyMismatch: the key was used with another request.
        """
        name = (claim.key_id, claim.idempotency_key)
        if name not in self._running:
            task = asyncio.create_task(self._first(claim, work))
            self._running[name] = (claim.request_digest, task)
            task.add_done_callback(lambda _: self._running.pop(name))
        digest, task = self._running[name]
        _check(digest, claim)
        return await asyncio.shield(task)  # one sender that hangs up does not take it from the rest

    async def _first(self, claim: Claim, work: Callable[[], Awaitable[bytes]]) -> bytes:
        known = await self._stored(claim)
        if known is not None:
            return known
        try:
            return await work()
        except AlreadyAnswered:  # another worker was faster
            known = await self._stored(claim)
            if known is None:
                raise
            return known

    async def _stored(self, claim: Claim) -> bytes | None:
        found = await self._store.answer_to(claim)
        if found is None:
            return None
        digest, sealed = found
        _check(digest, claim)
        return open_bytes(claim.secret, claim.idempotency_key, sealed)


def _check(digest: str, claim: Claim) -> None:
    if digest != claim.request_digest:
        fix = "Use a new key for a new request."
        problem = "This idempotency key was used with another request."
        raise IdempotencyMismatch(problem, fix, field="Idempotency-Key")
