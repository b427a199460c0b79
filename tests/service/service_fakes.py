"""Doubles at the service's edge: where releases come from, and who decides.

`FakeScorer` is the real service around them: `bentoml serve service_fakes:FakeScorer`.
"""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from functools import cache, partial
from pathlib import Path
from typing import Any

import bentoml
import httpx
import numpy as np
from prometheus_client import REGISTRY, CollectorRegistry

from features.encoding import Encoder
from features.fingerprint import SubjectKey
from features.lead import Lead
from features.lead_spec import LeadSpec
from features.redaction import RedactedSpan
from features.redaction_policy import Action
from models.answer import VerdictSource
from models.band import Band
from models.calibration import CalibrationMethod, Calibrator
from models.cascade import Leaving, Outbox
from models.classifier import Classifier
from models.combiner import Combiner
from models.decision import Decision, Redaction, Route, RouteReason
from models.errors import ReleaseNotFound
from models.llm_version import Api, LlmVersion
from models.prompt import EvidenceKind, Prompt
from models.release import Release
from models.routing import RoutingPolicy
from models.verdict import LlmCall, Verdict
from service.app import GatedService, LeadScorer
from service.desk import Desk
from service.keys import KeyRing
from service.ledger.checkpoint import SigningKey
from service.ledger.log import Log
from service.ledger.verify import KeyType
from service.live_release import LiveRelease
from service.metrics import Metrics
from service.recording.release_change import record_release
from service.storage.database import BUSY_TIMEOUT
from service.storage.keys_ahead import KeysOf
from service.storage.store import Store
from service.storage.subject_keys import StoredKeys
from service.storage.writing import no_keys
from service.storage.writing_process import Orders, WritingProcess

SPEC = LeadSpec.parse(
    """
    [outcome]
    column = "won"
    won = "1"
    [missing]
    words = ["Select"]
    [columns]
    Visits = {kind = "numeric"}
    "Lead Source" = {kind = "categorical"}
    Newsletter = {kind = "boolean"}
    Message = {kind = "text"}
    Email = {kind = "contact"}
    "Lead Id" = {kind = "id"}
    """
)
EXAMPLES: Mapping[str, object] = {
    "Visits": 4,
    "Lead Source": "Search",
    "Newsletter": True,
    "Message": "How much is the course?",
}
VERDICT = Verdict(
    win_probability=0.8,
    source=VerdictSource.LOGPROBS,
    evidence="asks for the price",
    prompt_tokens=210,
    completion_tokens=1,
    cost_usd=None,
    latency_s=0.4,
    request_id=None,
    calls=(LlmCall("0190a3c4-0000-4000-8000-000000000001", 200, None),),
)
BY_TEXT = "please ask the LLM"
BY_BROKEN_LLM = "please ask the LLM, it is down"


@cache
def classifier() -> Classifier:
    """A real booster: visits win, and so does the source Search."""
    import xgboost

    leads = [
        Lead.parse(SPEC, {"Visits": v, "Lead Source": s, "Newsletter": v % 2, "Message": "x" * v})
        for v in range(20)
        for s in ("Search", "Chat", "Fair")
    ]
    encoder = Encoder.fit(SPEC, leads)
    won = np.array([float(lead.values["Visits"]) > 9 for lead in leads], dtype=np.float32)
    rows = xgboost.DMatrix(
        encoder.encode(leads),
        label=won,
        feature_names=encoder.booster_names,
        feature_types=encoder.types,
        enable_categorical=True,
    )
    booster = xgboost.train({"max_depth": 2, "nthread": 1}, rows, num_boost_round=5)
    return Classifier(booster, encoder, Calibrator(CalibrationMethod.IDENTITY))


def small_release(version: str = "7") -> Release:
    prompt = Prompt(EvidenceKind.TEXT, "instruction\n---\n{lead}", "won")
    llm = LlmVersion("embedded", "m", Api.COMPLETION, {EvidenceKind.TEXT: prompt}, "policy-1")
    return Release(
        version=version,
        spec=SPEC,
        classifier=classifier(),
        policy=RoutingPolicy(Band(0.4, 0.6), Band(0.2, 0.8), frozenset({EvidenceKind.TEXT})),
        combiner=Combiner(3.0),
        llm=llm,
        fields_shown=("Visits",),
        versions={"release": version, "classifier": "9", "llm": "4", "band": "b1"},
        examples=EXAMPLES,
    )


class FakeSource:
    """Where releases come from. Without a version, nothing is live; some versions are broken."""

    def __init__(self, version: str | None = "7") -> None:
        self.version = version
        self.broken: set[str] = set()
        self.is_down = False

    def champion_version(self) -> str | None:
        if self.is_down:
            raise ConnectionError("MLflow is down, says jane@example.com")
        return self.version

    def load(self, version: str, into: Path) -> Release:
        if version in self.broken:
            raise ReleaseNotFound(f"Release {version} cannot be unpacked from MLflow.")
        (into / "unpacked").touch()
        return small_release(version)


def taken_out(key: SubjectKey, *entity_types: str) -> Redaction:
    """A redaction in which these went, one after the other."""
    events = (
        RedactedSpan(9 * i, 9 * i + 8, kind, 0.9, "Test", "1", Action.REPLACE, f"{i:032x}")
        for i, kind in enumerate(entity_types)
    )
    return Redaction("policy-1", key.subject, tuple(events))


class FakeDecider:
    """Real classifier; the LLM's part follows from what the lead says."""

    def __init__(self, release: Release, *, pause: timedelta = timedelta(0)) -> None:
        self.release = release
        self.pause = pause
        self.decided = 0

    async def decide(self, lead: Lead, *, outbox: Outbox, reasons: int = 3) -> Decision:
        self.decided += 1
        await asyncio.sleep(self.pause.total_seconds())
        text = next(iter(lead.texts.values()), "")
        if text == "crash":
            raise RuntimeError("crash on jane@example.com")
        alone, key = self._alone(lead, reasons), await outbox.key()
        if text == BY_BROKEN_LLM:
            redaction = taken_out(key, "PERSON")
            await outbox.leaving(Leaving("redacted", "p1", EvidenceKind.TEXT, redaction))
            return replace(
                alone,
                reason=RouteReason.LLM_UNAVAILABLE,
                llm_failure="timeout",
                llm_calls=(LlmCall(str(uuid.uuid4())),),
                redaction=redaction,
            )
        if text == BY_TEXT:
            redaction = taken_out(key, "EMAIL_ADDRESS", "EMAIL_ADDRESS")
            await outbox.leaving(Leaving("redacted", "p1", EvidenceKind.TEXT, redaction))
            verdict = replace(VERDICT, calls=(LlmCall(str(uuid.uuid4()), 200, None),))
            return replace(
                alone,
                probability=0.75,
                route=Route.LLM,
                reason=RouteReason.FREE_TEXT,
                verdict=verdict,
                llm_calls=verdict.calls,
                redaction=redaction,
            )
        return alone

    def rehearsing(self, *, asks: bool) -> FakeDecider:  # noqa: ARG002 it asks nobody
        return self

    def _alone(self, lead: Lead, reasons: int) -> Decision:
        model = self.release.classifier
        opinion = model.opinion(lead, reasons)
        return Decision(
            probability=opinion.probability,
            classifier_probability=opinion.probability,
            route=Route.CLASSIFIER,
            reason=RouteReason.CONFIDENT,
            reasons=opinion.reasons,
            unknown_categories=model.encoder.unknown_categories(lead),
            unknown_fields=lead.unknown_fields,
            missing=model.encoder.missing(lead),
            has_text=lead.has_text,
            row=opinion.row,
        )


POLL = timedelta(milliseconds=20)
LEDGER_KEY = SigningKey("tiebreak.local/ledger", KeyType.LOG, b"k" * 32)
SUBJECT_SECRET = b"s" * 32


def store_at(
    url: str, *, keys_of: KeysOf = no_keys, busy_timeout: timedelta = BUSY_TIMEOUT
) -> Store:
    """A store whose ledger is signed with the one key of all tests."""
    return Store(url, Log(LEDGER_KEY), keys_of=keys_of, busy_timeout=busy_timeout)


def store_with_process_at(url: str, *, busy_timeout: timedelta = BUSY_TIMEOUT) -> Store:
    """The same, with units written by a process of their own."""
    orders = Orders(url, keys_url_beside(url), SUBJECT_SECRET, LEDGER_KEY.text, busy_timeout)
    return Store(url, Log(LEDGER_KEY), units=WritingProcess(orders), busy_timeout=busy_timeout)


def subjects_beside(url: str) -> StoredKeys:
    """The keys of subjects, in a database beside that of the ledger."""
    return StoredKeys(keys_url_beside(url), SUBJECT_SECRET)


def keys_url_beside(url: str) -> str:
    """On PostgreSQL the same: both histories may share one database."""
    return f"{url.removesuffix('.db')}.keys.db" if url.startswith("sqlite") else url


def fake_desk(
    url: str,
    *,
    source: FakeSource | None = None,
    registry: CollectorRegistry | None = None,
    pause: timedelta = timedelta(0),
    is_priced: bool = False,
) -> Desk:
    """A real desk over a real database, with doubles where MLflow and the LLM would be."""
    subjects = subjects_beside(url)
    store = store_at(url, keys_of=subjects.make, busy_timeout=timedelta(milliseconds=100))
    metrics = Metrics(registry or CollectorRegistry())
    live = LiveRelease(
        source or FakeSource(),
        assemble=lambda release: FakeDecider(release, pause=pause),
        metrics=metrics,
        poll=POLL,
        record=partial(record_release, store),
    )
    keys = KeyRing(store, refresh=POLL)
    return Desk(
        live=live,
        store=store,
        subjects=subjects,
        keys=keys,
        metrics=metrics,
        is_priced=is_priced,
    )


def scorer_with(open_desk: Any, *, metrics: bool = False) -> GatedService:
    """The real BentoML service, with this desk instead of bootstrap's.

    metrics: BentoML's own. It can have them once in a process: only where it serves.
    """

    class Scorer(LeadScorer.inner):  # type: ignore[misc, name-defined]
        def open_desk(self) -> Desk:
            desk: Desk = open_desk()
            return desk

    decorate = bentoml.service(
        name="lead_scorer", service_class=GatedService, metrics={"enabled": metrics}
    )
    service: GatedService = decorate(Scorer)
    return service


def _from_environment() -> Desk:
    return fake_desk(os.environ["FAKE_DATABASE_URL"], registry=REGISTRY)  # noqa: TID251


FakeScorer = scorer_with(_from_environment, metrics=True)


@asynccontextmanager
async def running(service: GatedService, *, status: int = 200) -> Any:
    """An httpx client of the service's real ASGI app, started and stopped as a server would."""
    app = service.to_asgi()
    messages: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    started, stopped = asyncio.Event(), asyncio.Event()

    async def send(message: Any) -> None:
        assert "failed" not in message["type"], message
        (started if message["type"] == "lifespan.startup.complete" else stopped).set()

    async def live() -> None:
        await app({"type": "lifespan", "state": {}}, messages.get, send)

    lifespan = asyncio.create_task(live())
    await messages.put({"type": "lifespan.startup"})
    await asyncio.wait(
        {asyncio.create_task(started.wait()), lifespan}, return_when="FIRST_COMPLETED"
    )
    transport = httpx.ASGITransport(app=app)
    try:
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            await until_ready(client, status=status)
            yield client
    finally:
        await messages.put({"type": "lifespan.shutdown"})
        await lifespan


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    """Wait until it holds: on a busy machine what takes milliseconds may take seconds."""
    for _ in range(3_000):
        if await holds():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("after half a minute it still does not hold")


async def until_ready(client: httpx.AsyncClient, *, status: int = 200) -> httpx.Response:
    """Wait until readiness is answered with this status."""
    for _ in range(3_000):
        response = await client.get("/readyz")
        if response.status_code == status:
            return response
        await asyncio.sleep(0.01)
    raise AssertionError(f"still {response.status_code}: {response.text}")
