"""Deciding: what the ledger adds to a decision, under a load that does not wait for answers."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import count, islice

import numpy as np

from features.encoding import Encoder
from features.lead import Lead
from features.lead_spec import LeadSpec
from models.band import NOTHING
from models.calibration import CalibrationMethod, Calibrator
from models.cascade import ExampleOutbox, Outbox
from models.classifier import Classifier
from models.combiner import Combiner
from models.decision import Decision, Route, RouteReason
from models.llm_version import Api, LlmVersion
from models.release import Release
from models.routing import RoutingPolicy
from pipelines.ledger.appending import SECRET, open_as_served
from service.recording.record import compact
from service.recording.recorder import Recorder
from service.schemas import DecideRequest, answer_tree, usage_tree
from service.storage.subject_keys import StoredKeys

SPEC = LeadSpec.parse(
    """
    [outcome]
    column = "won"
    won = "1"
    [missing]
    words = []
    [columns]
    Visits = {kind = "numeric"}
    Source = {kind = "categorical"}
    Email = {kind = "contact"}
    """
)
SHARES = (0.2, 0.4, 0.6)  # of what one process decides and records at most
AT_ONCE, MOST = 64, 2_000  # how that is measured
# As in a service that has run for a minute: in a new file SQLite's write-ahead log still grows,
# which costs every commit more, until it was moved to its place once.
WARM_UPS = 3
REASONS = 3
NO_OUTBOX = ExampleOutbox()  # nobody has text: nothing leaves


@dataclass(frozen=True, slots=True)
class Latencies:
    """Seconds from a lead's arrival to its answer, and arrivals per second."""

    p50: float
    p99: float
    rate: float


class Alone:
    """The classifier's part of a cascade: here nobody has text."""

    def __init__(self, release: Release) -> None:
        self._classifier = release.classifier

    async def decide(
        self,
        lead: Lead,
        *,
        outbox: Outbox,  # noqa: ARG002
        reasons: int = REASONS,
    ) -> Decision:
        told = self._classifier.opinion(lead, reasons)
        prior = told.probability
        decision = Decision(prior, prior, Route.CLASSIFIER, RouteReason.CONFIDENT)
        return replace(decision, reasons=told.reasons, row=told.row)


@dataclass(frozen=True, slots=True)
class Load:
    """Latencies without a ledger and with it, at the same rate.

    share: of what one process decides and records at most.
    """

    share: float
    bare: Latencies
    recorded: Latencies


def decisions_beside(url: str, keys_url: str, seconds: float) -> list[Load]:
    """From light to heavy load, each for so many seconds without a ledger, and as many with it."""
    release = _release()
    decider = Alone(release)

    async def bare(request: DecideRequest) -> bytes:
        lead = Lead.parse(release.spec, request.fields)
        decision = await decider.decide(lead, outbox=NO_OUTBOX, reasons=REASONS)
        usage = usage_tree(decision, is_priced=False)
        return compact(answer_tree(decision, release, usage))

    async def measure() -> list[Load]:
        with (
            closing(open_as_served(url, keys_url)) as store,
            closing(StoredKeys(keys_url, SECRET)) as keys,
        ):
            recorder = Recorder(store, keys)

            async def recorded(request: DecideRequest) -> bytes:
                record = await recorder.decide(release, decider, request)
                await recorder.keep([record], key_id="bench")
                return record.answer_bytes

            # Somebody new each time: a key has to be made for them, which is the dearer case.
            leads = map(_lead, count())
            await recorded(next(leads))  # the first one makes the tables
            for _ in range(WARM_UPS):
                await _capacity(recorded, leads)
            most = await _capacity(recorded, leads)
            return [
                Load(
                    share,
                    await _load(bare, leads, share * most, seconds),
                    await _load(recorded, leads, share * most, seconds),
                )
                for share in SHARES
            ]

    return asyncio.run(measure())


Answer = Callable[[DecideRequest], Awaitable[bytes]]


async def _capacity(answer: Answer, leads: Iterator[DecideRequest]) -> float:
    turns, started = islice(leads, MOST), time.perf_counter()

    async def one_after_the_other() -> None:
        for lead in turns:
            await answer(lead)

    await asyncio.gather(*(one_after_the_other() for _ in range(AT_ONCE)))
    return MOST / (time.perf_counter() - started)


async def _load(
    answer: Answer, leads: Iterator[DecideRequest], rate: float, seconds: float
) -> Latencies:
    """Arrivals by chance (Poisson), whether or not those before were answered."""
    chance, took = random.Random(0), []  # noqa: S311

    async def one(lead: DecideRequest, arrived: float) -> None:
        await answer(lead)
        took.append(time.perf_counter() - arrived)

    started = time.perf_counter()
    at = started
    async with asyncio.TaskGroup() as group:
        while at < started + seconds:
            at += chance.expovariate(rate)
            await asyncio.sleep(max(at - time.perf_counter(), 0))
            group.create_task(one(next(leads), at))
    p50, p99 = np.quantile(took, [0.5, 0.99])
    return Latencies(float(p50), float(p99), rate)


def _lead(number: int) -> DecideRequest:
    fields = {"Visits": number % 20, "Source": "Search", "Email": f"lead{number}@example.com"}
    return DecideRequest(fields, REASONS)


def _release() -> Release:
    import xgboost

    leads = [
        Lead.parse(SPEC, {"Visits": v, "Source": s}) for v in range(40) for s in ("Search", "Fair")
    ]
    encoder = Encoder.fit(SPEC, leads)
    won = np.array([float(lead.values["Visits"]) > 20 for lead in leads], dtype=np.float32)
    rows = xgboost.DMatrix(
        encoder.encode(leads),
        label=won,
        feature_names=encoder.booster_names,
        feature_types=encoder.types,
        enable_categorical=True,
    )
    booster = xgboost.train({"max_depth": 4, "nthread": 1}, rows, num_boost_round=100)
    return Release(
        version="1",
        spec=SPEC,
        classifier=Classifier(booster, encoder, Calibrator(CalibrationMethod.IDENTITY)),
        policy=RoutingPolicy(NOTHING, NOTHING, frozenset()),
        combiner=Combiner(3.0),
        llm=LlmVersion("none", "none", Api.COMPLETION, {}, "none"),
        fields_shown=(),
        versions={"release": "1"},
        examples={},
    )
