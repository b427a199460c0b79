"""Planted values are in no sink: not sent, not logged, not stored, not counted, not answered."""

from __future__ import annotations

import asyncio
import io
import logging
import tempfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from presidio_analyzer import LocalRecognizer
from prometheus_client import CollectorRegistry
from service_fakes import (
    POLL,
    FakeSource,
    running,
    scorer_with,
    small_release,
    store_at,
    subjects_beside,
)

from features.lead_spec import Column, Kind
from features.redaction import Redactor
from features.redaction_policy import RedactionPolicy
from models.band import EVERYTHING
from models.budget import CallBudget
from models.cascade import Cascade
from models.prompt import EvidenceKind
from models.release import Release
from models.routing import RoutingPolicy
from service.desk import Desk
from service.keys import KeyRing, Role, create_key
from service.live_release import LiveRelease
from service.metrics import Metrics
from tests.fakes import Wire, completion, judge
from tests.sweep import found_in, found_under

CANARIES = {
    "email": "quentin.zyxwolf@canarymail.net",
    "phone": "+49 30 55501234",
    "card": "4111 1111 1111 1111",
    "iban": "DE89 3704 0044 0532 0130 00",
    "ip": "203.0.113.77",
    "token": "sk-proj-c4n4ryC4N4RYc4n4ry123456",
    "own name": "Quentin Zyxwolf",
    "url": "https://canary-portfolio.example.org/quentin",
    "ssn": "536-90-4399",
}
ELSEWHERE = {  # fields that are no text: neither sent nor shown, whatever they hold
    "Lead Source": "canary-source-zqx",
    "Lead Id": "canary-id-zqx-99",
    "unknown": "canary-unknown-zqx",
    "unknown-name-canary-zqx": 1,
}
TEXT = ". ".join(f"my {kind} is {value}" for kind, value in CANARIES.items())
LEAD = {
    "Visits": 3,
    "Message": f"Hello, please call me. {TEXT}. Thanks!",
    "Email": CANARIES["email"],
    "Name": CANARIES["own name"],
    **ELSEWHERE,
}
PLANTED = [*CANARIES.values(), "zyxwolf", "canary-source-zqx", "canary-id-zqx-99"]
PLANTED += ["canary-unknown-zqx", "unknown-name-canary-zqx"]


@dataclass
class Sinks:
    """Everything that a service writes to."""

    home: Path
    wire: Wire
    answers: list[bytes] = field(default_factory=list)
    logged: io.StringIO = field(default_factory=io.StringIO)

    def sent(self) -> bytes:
        requests = self.wire.requests
        return b"\n".join(
            r.content + str(r.headers).encode() + str(r.url).encode() for r in requests
        )

    def hits(self) -> list[Any]:
        return [
            *((hit, "sent") for hit in found_in(self.sent(), PLANTED)),
            *((hit, "answered") for hit in found_in(b"\n".join(self.answers), PLANTED)),
            *((hit, "logged") for hit in found_in(self.logged.getvalue().encode(), PLANTED)),
            *found_under(self.home, PLANTED),
        ]


@pytest.fixture
def sinks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sinks]:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    sinks = Sinks(tmp_path, Wire(completion({" yes": 0.9, " no": 0.1})))
    handler = logging.StreamHandler(sinks.logged)
    handler.addFilter(lambda record: record.name.split(".")[0] != "httpx")  # the caller's own
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield sinks
    root.removeHandler(handler)
    root.setLevel(level)


def released() -> Release:
    release = small_release()
    both = frozenset(EvidenceKind)
    spec = release.spec
    columns = (*spec.columns, Column("Name", Kind.CONTACT, use=True))
    policy = RoutingPolicy(EVERYTHING, EVERYTHING, both)
    return replace(release, policy=policy, spec=replace(spec, columns=columns))


class Source(FakeSource):
    def load(self, version: str, into: Path) -> Release:
        super().load(version, into)
        return released()


def desk(sinks: Sinks, redactor: Redactor) -> Desk:
    url = f"sqlite:///{sinks.home}/tiebreak.db"
    store = store_at(url)
    metrics = Metrics(CollectorRegistry())

    def assemble(release: Release) -> Cascade:
        return Cascade(
            release,
            redactor=redactor,
            judge=judge(sinks.wire),
            budget=CallBudget(None),
            threads=ThreadPoolExecutor(1),
        )

    live = LiveRelease(Source(), assemble=assemble, metrics=metrics, poll=POLL)
    create_key(store, name="test", role=Role.ADMIN)
    return Desk(
        live=live,
        store=store,
        subjects=subjects_beside(url),
        keys=KeyRing(store, refresh=POLL),
        metrics=metrics,
    )


async def visit(
    sinks: Sinks, redactor: Redactor, lead: Mapping[str, object] = LEAD
) -> list[httpx.Response]:
    """Every endpoint, with good and bad requests that hold the planted values."""
    opened: list[Desk] = []

    def open_desk() -> Desk:
        opened.append(desk(sinks, redactor))
        return opened[0]

    async with running(scorer_with(open_desk)) as http:
        _, token = create_key(opened[0]._store, name="admin", role=Role.ADMIN)
        await asyncio.to_thread(opened[0].keys.read)
        sinks.wire.requests.clear()  # of the release's own example, when it went live
        headers = {"authorization": f"Bearer {token}"}
        good = await http.post("/decide", json={"lead": lead}, headers=headers)
        canary = CANARIES["email"]
        others = [
            await http.post("/decide_batch", json={"leads": [lead, canary]}, headers=headers),
            await http.post("/decide", json={"lead": {**lead, "Visits": canary}}, headers=headers),
            await http.post("/decide", json={canary: lead}, headers=headers),
            await http.post("/decide", content=canary.encode(), headers=headers),
            await http.post(
                "/outcomes", json={"outcomes": [{"decision_id": canary, "won": 1}]}, headers=headers
            ),
            await http.post("/decide", json={"lead": lead}, headers={"authorization": canary}),
            await http.get(f"/nowhere/{canary}", headers=headers),
            await http.get("/metrics", headers=headers),
            await http.get("/readyz"),
        ]
        sinks.answers += [r.content + str(r.headers).encode() for r in (good, *others)]
    return [good, *others]


@pytest.fixture(scope="module")
def redactor() -> Redactor:
    return Redactor.load()


async def test_planted_values_reach_no_sink(sinks: Sinks, redactor: Redactor) -> None:
    good, *_ = await visit(sinks, redactor)
    assert good.json()["route"] == "llm"
    assert sinks.wire.requests
    assert "please call me" in sinks.sent().decode()
    assert sinks.logged.getvalue()
    assert sinks.hits() == []


class Faulty(LocalRecognizer):  # type: ignore[misc]
    """Fails, and its error quotes all that it was given."""

    def __init__(self) -> None:
        super().__init__(supported_entities=["PERSON"])

    def load(self) -> None: ...

    def analyze(self, text: str, entities: list[str], nlp_artifacts: Any = None) -> list[Any]:  # noqa: ARG002
        raise ValueError(f"cannot read {text}")


def broken(redactor: Redactor, recognizer: int) -> Redactor:
    """The same, but one of its recognizers fails."""
    there = list(redactor._shelf.recognizers)
    there[recognizer] = Faulty()
    return Redactor(RedactionPolicy.shipped(), there)


def with_fault(redactor: Redactor, fault: str) -> Redactor:
    broken_one = Redactor(RedactionPolicy.shipped(), list(redactor._shelf.recognizers))
    if fault == "shelf":
        broken_one._shelf = _Raises()
    elif fault == "anonymizer":
        broken_one._anonymizer = _Raises()
    elif fault == "anonymizer leaves out a span":
        broken_one._anonymizer = _LeavesOut(broken_one._anonymizer)
    elif fault == "timer raises":
        ticks = iter([0.0])
        broken_one._clock = lambda: next(ticks)
    elif fault == "timer is no number":
        broken_one._clock = lambda: float("nan")
    elif fault == "timer is over at once":
        ticks = iter(range(0, 10_000, 1))
        broken_one._clock = lambda: float(next(ticks))
    return broken_one


class _Raises:
    def __getattr__(self, name: str) -> Callable[..., Any]:
        def fail(*args: Any, **kwargs: Any) -> Any:
            raise RuntimeError(f"{name} of {args} {kwargs}")

        return fail


class _LeavesOut:
    def __init__(self, real: Any) -> None:
        self._real = real

    def anonymize(self, text: str, found: list[Any], *args: Any, **kwargs: Any) -> Any:
        return self._real.anonymize(text, found[1:], *args, **kwargs)


FAULTS = [
    "shelf",
    "anonymizer",
    "anonymizer leaves out a span",
    "timer raises",
    "timer is no number",
    "timer is over at once",
]


async def stands_alone(sinks: Sinks, redactor: Redactor) -> None:
    good, *_ = await visit(sinks, redactor)
    answer = good.json()
    assert (answer["route"], answer["reason"]) == ("classifier", "redaction_failed")
    assert answer["degraded"]
    assert answer["probability"] == answer["classifier_probability"]
    assert sinks.wire.requests == []
    assert sinks.hits() == []


@pytest.mark.parametrize("fault", FAULTS)
async def test_nothing_leaves_when_a_part_of_redaction_fails(
    sinks: Sinks, redactor: Redactor, fault: str
) -> None:
    await stands_alone(sinks, with_fault(redactor, fault))


async def test_nothing_leaves_whichever_recognizer_fails(redactor: Redactor, sinks: Sinks) -> None:
    """In the cascade for one, in the redactor itself for each: they all go through one door."""
    await stands_alone(sinks, broken(redactor, 0))
