"""Replaying: a decision derived again from the log and the registry, and compared.

From the sealed row the classifier's probability, bit for bit; from that, and what the log says of
the circumstances, the route; from the recorded verdict the final probability, bit for bit. The LLM
is not asked again: what it said is in the log.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol, Self

import numpy as np

from models.decision import DEGRADED, Route, RouteReason
from models.errors import ReleaseNotFound
from models.prompt import EvidenceKind
from models.release import Release
from models.routing import Routing
from service.errors import SealBroken
from service.recording.entry import Kind
from service.storage.sealing import bound_to, open_sealed
from service.storage.subject_keys import StoredKeys


class Became(StrEnum):
    """What became of a replay."""

    SAME = "same"
    DIFFERENT = "different"
    ERASED = "erased"  # whom it is about was: nobody can open the row any more
    UNRELEASED = "unreleased"  # the registry does not have its release any more


@dataclass(frozen=True, slots=True)
class Replay:
    """differences: one sentence each."""

    decision_id: str
    became: Became
    differences: tuple[str, ...] = ()


class Source(Protocol):
    """Where releases come from: the registry."""

    def load(self, version: str, into: Path) -> Release: ...


class Releases:
    """Releases of the registry, unpacked once each. Use it as a context manager."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._open = ExitStack()
        self._loaded: dict[str, Release | None] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def get(self, version: str) -> Release | None:
        """None where the registry does not have it."""
        if version not in self._loaded:
            folder = Path(self._open.enter_context(TemporaryDirectory()))
            try:
                self._loaded[version] = self._source.load(version, folder)
            except ReleaseNotFound:
                self._loaded[version] = None
        return self._loaded[version]


def replay(
    entries: Iterable[Mapping[str, Any]], keys: StoredKeys, releases: Releases
) -> Iterator[Replay]:
    """Each decision again. entries: of decisions."""
    for entry in entries:
        named = entry["decision_id"]
        key = keys.find(entry["subject"])
        if key is None:
            yield Replay(named, Became.ERASED)
            continue
        release = releases.get(entry["release"])
        if release is None:
            yield Replay(named, Became.UNRELEASED)
            continue
        try:
            within = open_sealed(key.secret, bound_to(Kind.DECISION, named), entry["sealed"])
        except SealBroken as error:
            yield Replay(named, Became.DIFFERENT, (str(error),))
            continue
        found = tuple(_differences(entry, base64.b64decode(within["row"]), release))
        yield Replay(named, Became.DIFFERENT if found else Became.SAME, found)


def _differences(entry: Mapping[str, Any], row: bytes, release: Release) -> Iterator[str]:
    rows = np.frombuffer(row, dtype="<f4").astype(np.float32).reshape(1, -1)
    prior = float(release.classifier.probabilities(rows)[0])
    if prior != float(entry["classifier_probability"]):
        yield f"The classifier says {prior!r}, recorded is {entry['classifier_probability']!r}."
    routing = release.policy.route(prior, has_text=entry["has_text"])
    said = entry.get("text_log_odds")  # entries from before there were text models have none
    without_llm = _Settled(Route.CLASSIFIER, prior)
    if routing.route is Route.TEXT and said is not None:
        without_llm = _Settled(Route.TEXT, release.combiner.read(prior, said))
        routing = release.policy.after_reading(without_llm.probability, routing)
    elif said is not None:
        yield "The text model has no say here; recorded is what it said."
    verdict = (entry["llm"] or {}).get("win_probability")
    route, reason = _expected(entry, routing, without_llm.route, is_answered=verdict is not None)
    if (entry["route"], entry["reason"]) != (route, reason):
        recorded = f"{entry['route']}, {entry['reason']}"
        yield f"The policy says {route}, {reason}; recorded is {recorded}."
    final = without_llm.probability
    if verdict is not None and routing.evidence is not None:
        log_odds = math.log(verdict) - math.log1p(-verdict)
        final = release.combiner.combine(prior, routing.evidence, log_odds, said)
    if final != float(entry["probability"]):
        yield f"The final probability is {final!r}, recorded is {entry['probability']!r}."


@dataclass(frozen=True, slots=True)
class _Settled:
    """Who had decided before any LLM was asked, and what: it stands where no LLM answers."""

    route: Route
    probability: float


def _expected(
    entry: Mapping[str, Any], routing: Routing, without_llm: Route, *, is_answered: bool
) -> tuple[str, str]:
    """Route and reason, given what happened on the way: that is recorded, and not derived."""
    if routing.evidence is None:
        return without_llm.value, routing.reason.value
    if is_answered:
        return Route.LLM.value, routing.reason.value
    reason = RouteReason(entry["reason"])
    # Nothing to show: without a text, all of the fields that an LLM may see can be empty.
    shows_nothing = routing.evidence is EvidenceKind.FIELDS and reason is routing.reason
    if reason in DEGRADED or shows_nothing:
        return without_llm.value, reason.value
    return Route.LLM.value, routing.reason.value
