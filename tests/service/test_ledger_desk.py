"""What the ledger promises to whoever calls the service."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import httpx
import orjson
import pytest
from service_fakes import (
    BY_BROKEN_LLM,
    BY_TEXT,
    LEDGER_KEY,
    fake_desk,
    running,
    scorer_with,
    store_at,
    subjects_beside,
)
from sqlalchemy import select

from service.errors import SealBroken
from service.keys import Role, create_key
from service.ledger.checkpoint import (
    SigningKey,
    cosign,
    sign_checkpoint,
    tlog_proof,
    with_signature,
)
from service.ledger.merkle import inclusion_path
from service.ledger.verify import KeyType, leaf_hash, open_checkpoint, root_of_inclusion
from service.recording.entry import Kind
from service.storage.sealing import bound_to, open_sealed
from service.storage.store import Store
from service.storage.subject_keys import StoredKeys
from service.storage.tables import entries, subtrees

JANE = {"Email": "jane@acme.com"}


@dataclass
class Service:
    http: httpx.AsyncClient
    store: Store
    subjects: StoredKeys

    async def post(self, path: str, tree: Any, status: int = 200) -> Any:
        response = await self.http.post(path, json=tree)
        assert response.status_code == status, response.text
        return response.json()

    async def decide(self, **lead: Any) -> str:
        decided: str = (await self.post("/decide", {"lead": lead}))["decision_id"]
        return decided

    def entries(self, kind: Kind | None = None) -> list[dict[str, Any]]:
        query = select(entries.c.body).order_by(entries.c.seq)
        with self.store.reading() as connection:
            found = [orjson.loads(body) for body in connection.scalars(query)]
        return [entry for entry in found if kind is None or entry["kind"] == kind]


@pytest.fixture
async def service(database_url: str) -> AsyncIterator[Service]:
    with (
        closing(store_at(database_url)) as store,
        closing(subjects_beside(database_url)) as subjects,
    ):
        _, token = create_key(store, name="admin", role=Role.ADMIN)
        async with running(scorer_with(lambda: fake_desk(database_url))) as client:
            client.headers["authorization"] = f"Bearer {token}"
            yield Service(client, store, subjects)


async def test_each_decision_redaction_and_call_is_an_entry_in_order(service: Service) -> None:
    alone = await service.decide(Visits=3)
    asked = await service.decide(Message=BY_TEXT)
    broken = await service.decide(Message=BY_BROKEN_LLM)
    kinds = [(e["kind"], e.get("decision_id") or e.get("question_id")) for e in service.entries()]
    assert kinds[-7:] == [
        ("decision", alone),
        *(("redaction", asked), ("llm_call", asked), ("decision", asked)),
        *(("redaction", broken), ("llm_call", broken), ("decision", broken)),
    ]
    assert service.entries(Kind.LLM_CALL)[-1]["cause"] == "timeout"


async def test_an_entry_says_what_was_read_of_a_lead_only_to_its_subjects_key(
    service: Service,
) -> None:
    decided = await service.decide(Message=BY_TEXT, Visits=17, **JANE)
    (entry,) = service.entries(Kind.DECISION)
    (redaction,) = service.entries(Kind.REDACTION)
    assert "reasons" not in entry
    assert "evidence" not in entry["llm"]
    key = service.subjects.find(entry["subject"])
    assert key is not None
    read = open_sealed(key.secret, bound_to(Kind.DECISION, decided), entry["sealed"])
    assert read["evidence"] == "asks for the price"
    sent = open_sealed(key.secret, bound_to(Kind.REDACTION, decided), redaction["sealed"])
    assert sent == {"shown": "redacted"}
    with pytest.raises(SealBroken):  # moved to another entry
        open_sealed(key.secret, bound_to(Kind.REDACTION, decided), entry["sealed"])


async def test_a_decision_has_its_proof_at_once_and_it_is_small(service: Service) -> None:
    for visits in range(40):
        await service.decide(Visits=visits)
    decided = await service.decide(Message=BY_TEXT)
    response = await service.http.get(f"/decisions/{decided}/proof")
    assert response.status_code == 200
    check_proof(service, decided, response.text)
    unknown = "01a20732-4f86-7d46-899e-6d90bb2d96e1"
    for no_decision in (unknown, "%00", f"{decided}%00"):
        assert (await service.http.get(f"/decisions/{no_decision}/proof")).status_code == 404


def check_proof(service: Service, decided: str, proof: str) -> None:
    head, _, note = proof.partition("\n\n")
    _, index, *path = head.splitlines()
    checkpoint = open_checkpoint(note, LEDGER_KEY.verifier)
    with service.store.reading() as connection:
        seq = int(index.removeprefix("index "))
        body = connection.scalar(select(entries.c.body).where(entries.c.seq == seq))
    assert orjson.loads(body)["decision_id"] == decided
    steps = [base64.b64decode(step) for step in path]
    root = root_of_inclusion(leaf_hash(bytes(body)), seq, checkpoint.size, steps)
    assert root == checkpoint.root


def test_a_proof_of_one_in_a_million_fits_in_one_and_a_half_kilobytes() -> None:
    note = sign_checkpoint(LEDGER_KEY, 999_999, bytes(32))
    witness = SigningKey("tiebreak.local/witness", KeyType.WITNESS, b"w" * 32)
    body, _, _ = note.rpartition("\n\n")
    cosigned = with_signature(note, cosign(witness, body + "\n", 1_800_000_000))
    path = inclusion_path(123_456, 999_999, lambda level, place: bytes(32))  # noqa: ARG005
    assert len(path) == 20
    assert len(tlog_proof(123_456, path, cosigned).encode()) <= 1_500


async def test_proofs_hold_across_complete_subtrees(service: Service) -> None:
    leads = [{"Visits": n} for n in range(600)]
    answer = await service.post("/decide_batch", {"leads": leads, "reasons": 0})
    with service.store.reading() as connection:
        assert len(connection.execute(select(subtrees)).all()) >= 2
    for place_ in (0, 255, 256, 511, 599):
        decided = answer["decisions"][place_]["decision_id"]
        response = await service.http.get(f"/decisions/{decided}/proof")
        check_proof(service, decided, response.text)


async def test_a_person_may_decide_otherwise_and_the_log_says_so(service: Service) -> None:
    decided = await service.decide(Visits=3)
    body = {"decision_id": decided, "pursue": True, "because": "knows_more"}
    assert await service.post("/overrides", body) == {"recorded": True}
    (entry,) = service.entries(Kind.OVERRIDE)
    assert (entry["decision_id"], entry["pursue"], entry["because"]) == (
        decided,
        True,
        "knows_more",
    )
    unknown = {**body, "decision_id": decided[:-1] + ("0" if decided[-1] != "0" else "1")}
    await service.post("/overrides", unknown, status=404)
    no_id = {**body, "decision_id": "\0" * 36}
    for wrong in (no_id, {**body, "because": "jane@acme.com"}, {**body, "pursue": 1}, {}, []):
        await service.post("/overrides", wrong, status=400)
    assert len(service.entries(Kind.OVERRIDE)) == 1


async def test_whoever_is_erased_is_noise_from_then_on_and_the_log_still_proves_itself(
    service: Service,
) -> None:
    first = await service.decide(Message=BY_TEXT, **JANE)
    again = await service.decide(Message=BY_TEXT, Email="JANE@acme.com")
    other = await service.decide(Message=BY_TEXT, Email="joe@acme.com")
    by_id = {e["decision_id"]: e for e in service.entries(Kind.DECISION)}
    subject = by_id[first]["subject"]
    assert by_id[again]["subject"] == subject != by_id[other]["subject"]
    assert await service.post("/erasures", {"contacts": JANE}) == {"erased": 1}
    assert service.subjects.find(subject) is None
    assert service.subjects.find(by_id[other]["subject"]) is not None
    (entry,) = service.entries(Kind.ERASURE)
    assert (entry["subject"], entry["because"]) == (subject, "request")
    response = await service.http.get(f"/decisions/{first}/proof")
    check_proof(service, first, response.text)
    assert await service.post("/erasures", {"contacts": JANE}) == {"erased": 0}
    after = await service.decide(**JANE)
    assert service.entries(Kind.DECISION)[-1]["decision_id"] == after
    assert service.entries(Kind.DECISION)[-1]["subject"] != subject


async def test_somebody_without_contacts_is_erased_by_a_decision_about_them(
    service: Service,
) -> None:
    decided = await service.decide(Visits=3)
    (entry,) = service.entries(Kind.DECISION)
    assert await service.post("/erasures", {"decision_id": decided}) == {"erased": 1}
    assert service.subjects.find(entry["subject"]) is None
    no_id, too_long = {"decision_id": "\0" * 36}, {"contacts": {"email": "a" * 1_001}}
    no_person = ({}, {"contacts": {}}, {"contacts": {"a": 1}}, {"decision_id": 3})
    for wrong in (*no_person, no_id, too_long):
        await service.post("/erasures", wrong, status=400)


async def test_the_release_that_answers_is_an_entry_before_the_first_decision(
    service: Service,
) -> None:
    await service.decide(Visits=3)
    first, *_ = service.entries()
    assert (first["kind"], first["release"]) == ("release", "7")
    assert len(service.entries(Kind.RELEASE)) == 1


async def test_the_newest_checkpoint_covers_all_that_was_answered(service: Service) -> None:
    await asyncio.gather(*(service.decide(Visits=n) for n in range(20)))
    note = (await service.http.get("/checkpoint")).text
    assert open_checkpoint(note, LEDGER_KEY.verifier).size == len(service.entries())
