"""Metrics: share per route, LLM spend, latency. For Prometheus, under GET /metrics."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import psutil
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.multiprocess import mark_process_dead

from models.decision import Decision
from models.release import Release

# Seconds. The classifier answers within milliseconds, the LLM within its deadline.
FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8)


class Metrics:
    """One set per process: BentoML adds up the workers' values when it is asked for them."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"tiebreak_{name}", text, labels, registry=registry)

        def histogram(name: str, text: str, *labels: str) -> Histogram:
            return Histogram(f"tiebreak_{name}", text, labels, buckets=FAST, registry=registry)

        self._decisions = counter("decisions", "Decisions", "route", "reason")
        self._seconds = histogram("decision_seconds", "Time to decide one lead", "route")
        self._llm_calls = counter("llm_calls", "LLM calls: ok, or why not", "outcome")
        self._llm_seconds = histogram("llm_seconds", "Time of an LLM call that gave a verdict")
        self._tokens = counter("llm_tokens", "Tokens used", "kind")
        self._cost = counter("llm_cost_usd", "LLM cost in US dollars, where the price is known")
        self._unpriced = counter("llm_unpriced_calls", "LLM calls whose cost is not known")
        self._redacted = counter("redacted_entities", "Entities taken out of text", "type")
        self._missing = counter("missing_values", "Columns that leads had no value for")
        self._unknown = counter("unknown_categories", "Values training never saw", "column")
        self._unknown_fields = counter("unknown_fields", "Fields the lead schema does not know")
        self._outcomes = counter("outcomes", "Outcomes reported", "result")
        self._requests = counter("http_requests", "HTTP requests", "endpoint", "status")
        self._http_seconds = histogram("http_seconds", "Time to answer a request", "endpoint")
        self._not_stored = counter("storage_failures", "Requests refused: not durable")
        self._release = Gauge(
            "tiebreak_release_info",
            "1 for the live release",
            ("release", "classifier", "llm"),
            multiprocess_mode="livemax",
            registry=registry,
        )
        self._witness = Gauge(
            "tiebreak_witness_problem",
            "1 while checkpoints are not cosigned; 2: the witness saw another log, look at once",
            multiprocess_mode="livemax",
            registry=registry,
        )
        self._problem = Gauge(
            "tiebreak_release_problem",
            "1 while the release that should be live is not",
            multiprocess_mode="livemax",
            registry=registry,
        )

    def decided(
        self, decision: Decision, usage: Mapping[str, float | None], *, seconds: float
    ) -> None:
        """Count one decision that is durable."""
        route = decision.route.value
        self._decisions.labels(route, decision.reason.value).inc()
        self._seconds.labels(route).observe(seconds)
        for kind, count in decision.redacted.items():
            self._redacted.labels(kind).inc(count)
        for column in decision.unknown_categories:
            self._unknown.labels(column).inc()
        if decision.missing:
            self._missing.inc(len(decision.missing))
        if decision.unknown_fields:
            self._unknown_fields.inc(decision.unknown_fields)
        if decision.verdict is not None or decision.llm_failure is not None:
            self._asked(decision, usage)

    def answered(self, endpoint: str, status: int, *, seconds: float) -> None:
        """Count one HTTP request."""
        self._requests.labels(endpoint, str(status)).inc()
        self._http_seconds.labels(endpoint).observe(seconds)

    def outcome(self, *, won: bool) -> None:
        """Count one outcome that was recorded."""
        self._outcomes.labels("won" if won else "lost").inc()

    def not_stored(self) -> None:
        """Count one request that could not be made durable."""
        self._not_stored.inc()

    def live(self, release: Release | None, *, is_live: bool = True) -> None:
        """Show a release as live, or no longer."""
        if release is not None:
            versions = (release.versions.get(name, "") for name in ("classifier", "llm"))
            self._release.labels(release.version, *versions).set(float(is_live))

    def release_problem(self, *, is_there: bool) -> None:
        """Show that the release which should be live is not."""
        self._problem.set(float(is_there))

    def witness_problem(self, *, is_there: bool, is_alarm: bool) -> None:
        """Show that checkpoints are not cosigned, and whether the log itself is in doubt."""
        self._witness.set(2.0 if is_alarm else float(is_there))

    def _asked(self, decision: Decision, usage: Mapping[str, float | None]) -> None:
        self._llm_calls.labels(decision.llm_failure or "ok").inc()
        if decision.verdict is not None:
            self._llm_seconds.observe(decision.verdict.latency_s)
        for kind in ("prompt", "completion"):
            self._tokens.labels(kind).inc(usage[f"{kind}_tokens"] or 0)
        cost = usage["cost_usd"]
        if cost is None:
            self._unpriced.inc()
        else:
            self._cost.inc(cost)


def forget_the_dead(folder: Path) -> None:
    """Drop what workers said of the present that are no more: else it is shown for ever."""
    for file in folder.glob("gauge_live*_*.db"):
        pid = file.stem.rpartition("_")[2]
        if pid.isdigit() and not psutil.pid_exists(int(pid)):
            mark_process_dead(int(pid), str(folder))  # type: ignore[no-untyped-call]
