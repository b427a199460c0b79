"""LedgerDesk: what one worker does with a request about the ledger, whoever brought it."""

from __future__ import annotations

import asyncio
from functools import partial

import orjson
from sqlalchemy import select

from service.audit.named_person import NamedPerson
from service.errors import NoSuchEntry
from service.ledger.proofs import head, proof_of, witnessed
from service.recording.entry import ErasedBecause
from service.recording.erasing import Erasing
from service.recording.overriding import Override, record_override
from service.schemas import DECISION_ID
from service.storage.store import Store
from service.storage.tables import decisions


class LedgerDesk:
    """Nothing here blocks the event loop. `key_id`: the API key that asks."""

    def __init__(self, store: Store, erasing: Erasing) -> None:
        self._store = store
        self._erasing = erasing

    async def override(self, override: Override, key_id: str) -> bytes:
        """`{"recorded": true}`, durable. Raises NoSuchEntry, StorageUnavailable."""
        await self._store.run(partial(record_override, override=override, key_id=key_id))
        return orjson.dumps({"recorded": True})

    async def erase(self, request: NamedPerson, key_id: str) -> bytes:
        """`{"erased": n}`: subjects that are forgotten. Raises NoSuchEntry, StorageUnavailable."""
        return orjson.dumps({"erased": await asyncio.to_thread(self._erase, request, key_id)})

    async def proof(self, decision_id: str) -> str:
        """A proof that the decision is in the log (C2SP tlog-proof). Raises NoSuchEntry."""
        return await asyncio.to_thread(self._proof, decision_id)

    async def checkpoint(self) -> str:
        """The newest checkpoint, cosigned where a witness has seen it. Raises NoSuchEntry."""
        return await asyncio.to_thread(self._checkpoint)

    def _erase(self, request: NamedPerson, key_id: str) -> int:
        if request.decision_id is not None:
            subjects = self._erasing.of_decision(request.decision_id)
        else:
            subjects = self._erasing.about(request.contacts)
        self._erasing.erase(subjects, because=ErasedBecause.REQUEST, key_id=key_id)
        return len(subjects)

    def _proof(self, decision_id: str) -> str:
        query = select(decisions.c.seq).where(decisions.c.id == decision_id)
        with self._store.reading() as connection:
            # Not asked about what is no id: PostgreSQL takes no NUL.
            seq = connection.scalar(query) if DECISION_ID.fullmatch(decision_id) else None
            if seq is None:
                raise NoSuchEntry("There is no such decision. Name the decision_id of an answer.")
            return proof_of(connection, seq)

    def _checkpoint(self) -> str:
        with self._store.reading() as connection:
            newest, cosigned = head(connection), witnessed(connection)
        if cosigned is not None and cosigned.size == newest.size:
            return cosigned.note
        if not newest.note:
            raise NoSuchEntry("The ledger is empty. Decide a lead first.")
        return newest.note
