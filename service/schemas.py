"""JSON in and out <-> Lead and Decision. The pydantic models are the published contract."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import orjson
from pydantic import BaseModel, ConfigDict, Field

from models.decision import Decision, FeatureReason, Route, RouteReason
from models.release import Release
from service.errors import BodyTooLarge, MalformedRequest

MAX_LEADS = 1_000  # of one batch
MAX_OUTCOMES = 1_000
MAX_REASONS = 20
DEFAULT_REASONS = 3
ID_CHARS = 36  # of a decision id
DECISION_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

# -- in ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DecideRequest:
    """One lead's fields, not yet read against a lead spec. `reasons`: how many to give."""

    fields: Mapping[str, object]
    reasons: int = DEFAULT_REASONS

    @classmethod
    def parse(cls, body: bytes) -> DecideRequest:
        """Raises MalformedRequest."""
        return cls.of(parse_object(body, {"lead", "reasons"}))

    @classmethod
    def of(cls, tree: Mapping[str, object]) -> DecideRequest:
        """From a parsed body. Raises MalformedRequest."""
        fields = tree.get("lead")
        if not isinstance(fields, Mapping):
            fix = 'Send {"lead": {column: value, ...}}; GET /schema/lead lists the columns.'
            raise MalformedRequest("The lead is missing, or is no object.", fix, field="lead")
        return cls(fields, _reasons(tree))


@dataclass(frozen=True, slots=True)
class BatchRequest:
    """Many leads. What is no object stays as it is: it is that lead's error, not the batch's."""

    leads: list[object]
    reasons: int = DEFAULT_REASONS

    @classmethod
    def parse(cls, body: bytes) -> BatchRequest:
        """Raises MalformedRequest, BodyTooLarge."""
        return cls.of(parse_object(body, {"leads", "reasons"}))

    @classmethod
    def of(cls, tree: Mapping[str, object]) -> BatchRequest:
        """From a parsed body. Raises MalformedRequest, BodyTooLarge."""
        return cls(_list(tree, "leads", MAX_LEADS), _reasons(tree))


@dataclass(frozen=True, slots=True)
class ReportedOutcome:
    """How a lead that was decided on ended."""

    decision_id: str
    won: bool

    @classmethod
    def of(cls, item: object) -> ReportedOutcome:
        """From one item of the list. Raises MalformedRequest."""
        if not isinstance(item, Mapping):
            fix = 'Send {"decision_id": "...", "won": true}.'
            raise MalformedRequest("The outcome is no object.", fix)
        decision_id, won = decision_id_in(item), item.get("won")
        if not isinstance(won, bool):
            raise MalformedRequest("It is neither true nor false.", "Send a boolean.", field="won")
        return cls(decision_id, won)


def decision_id_in(tree: Mapping[str, object]) -> str:
    """What such an object says under `decision_id`. Raises MalformedRequest."""
    said = tree.get("decision_id")
    if not isinstance(said, str) or not DECISION_ID.fullmatch(said):
        fix = "Send the decision_id of an answer."
        raise MalformedRequest("It is no decision id.", fix, field="decision_id")
    return said


def parse_outcomes(body: bytes) -> list[object]:
    """The outcomes of a request, not yet read one by one. Raises MalformedRequest, BodyTooLarge."""
    return _list(parse_object(body, {"outcomes"}), "outcomes", MAX_OUTCOMES)


def parse_object(body: bytes, names: set[str]) -> Mapping[str, object]:
    """A body with these fields and no others. Raises MalformedRequest."""
    try:
        tree = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        problem = f"The body is not JSON (line {error.lineno}, column {error.colno})."
        raise MalformedRequest(problem, "Send one JSON object in UTF-8.") from None
    listed = ", ".join(sorted(names))
    if not isinstance(tree, dict):
        raise MalformedRequest("The body is no object.", f"Send one JSON object with: {listed}.")
    if not tree.keys() <= names:
        fix = f"Send only: {listed}. Columns of a lead belong inside it."
        raise MalformedRequest("The body has a field that this endpoint does not know.", fix)
    return tree


def _list(tree: Mapping[str, object], name: str, most: int) -> list[object]:
    items = tree.get(name)
    if not isinstance(items, list):
        fix = f'Send {{"{name}": [...]}}.'
        raise MalformedRequest("The list is missing, or is no list.", fix, field=name)
    if len(items) > most:
        fix = f"Send at most {most:,} in one request."
        raise BodyTooLarge(f"The list has {len(items):,} items.", fix, field=name)
    return items


def _reasons(tree: Mapping[str, object]) -> int:
    reasons = tree.get("reasons", DEFAULT_REASONS)
    if type(reasons) is not int or not 0 <= reasons <= MAX_REASONS:
        problem = f"It is no whole number from 0 to {MAX_REASONS}."
        raise MalformedRequest(problem, f"Leave it out for {DEFAULT_REASONS}.", field="reasons")
    return reasons


# -- out --------------------------------------------------------------------------------------


def answer_tree(decision: Decision, release: Release, usage: dict[str, Any]) -> dict[str, Any]:
    """What the answer says, without its id and times. `DecisionAnswer` describes it."""
    return {
        "probability": decision.probability,
        "score": decision.score,
        "grade": decision.grade,
        "route": decision.route.value,
        "reason": decision.reason.value,
        "degraded": decision.degraded,
        "classifier_probability": decision.classifier_probability,
        "text_log_odds": decision.text_log_odds,
        "reasons": {
            "for": [_reason(r) for r in decision.reasons if r.log_odds > 0],
            "against": [_reason(r) for r in decision.reasons if r.log_odds < 0],
        },
        "llm": _llm(decision),
        "versions": dict(sorted(_versions(decision, release).items())),
        "redacted": dict(sorted(decision.redacted.items())),
        "usage": usage,
        "data": {
            "missing": list(decision.missing),
            "unknown_categories": list(decision.unknown_categories),
            "unknown_fields": decision.unknown_fields,
        },
    }


def _versions(decision: Decision, release: Release) -> Mapping[str, str]:
    """What took part. The redaction policy is the one applied, not the one trained with."""
    if decision.redaction is None:
        return release.versions
    return {**release.versions, "redaction_policy": decision.redaction.policy}


def usage_tree(decision: Decision, *, is_priced: bool) -> dict[str, Any]:
    """Tokens and cost. Null where not known, never 0 in its place; 0 tokens: no LLM was asked."""
    prompt: int | None = 0
    completion: int | None = 0
    cost = 0.0 if is_priced else None
    if decision.verdict is not None:
        verdict = decision.verdict
        says = verdict.prompt_tokens > 0  # no prompt has 0 tokens: this provider does not say
        prompt = verdict.prompt_tokens if says else None
        completion = verdict.completion_tokens if says else None
        cost = verdict.cost_usd
    elif decision.llm_failure is not None:
        prompt = completion = cost = None
    return {"prompt_tokens": prompt, "completion_tokens": completion, "cost_usd": cost}


def _reason(reason: FeatureReason) -> dict[str, Any]:
    return {"column": reason.column, "value": reason.value, "log_odds": reason.log_odds}


def _llm(decision: Decision) -> dict[str, Any] | None:
    verdict, failure = decision.verdict, decision.llm_failure
    if verdict is None and failure is None:
        return None
    return {
        "asked": True,
        "win_probability": verdict.win_probability if verdict else None,
        "evidence": verdict.evidence if verdict else None,
        "source": verdict.source.value if verdict else None,
        "latency_ms": round(1000 * verdict.latency_s, 1) if verdict else None,
        "failure": failure,
    }


class _Contract(BaseModel):
    """Nothing beside what is written down."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


Probability = Annotated[float, Field(ge=0, le=1)]


class Reason(_Contract):
    """One column's push on the classifier's log-odds."""

    column: str
    value: str | float | bool | None
    """In the lead's own words, where training knew them; else null."""
    log_odds: float


class Reasons(_Contract):
    """The strongest pushes, strongest first."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    for_: list[Reason] = Field(alias="for", description="They speak for winning.")
    against: list[Reason] = Field(description="They speak against it.")


class LlmPart(_Contract):
    """What the LLM said."""

    asked: bool
    win_probability: Probability | None
    """The LLM's own, before the combiner."""
    evidence: str | None
    """The words that spoke most, from the redacted text; where the LLM gives them."""
    source: str | None
    """`logprobs`: the model's own probabilities; `stated`: a number that it wrote."""
    latency_ms: float | None
    failure: str | None
    """Why there is no verdict: the classifier's answer stands."""


class Usage(_Contract):
    """What the LLM used. Null where it is not known, never 0 in its place."""

    prompt_tokens: int | None
    completion_tokens: int | None
    cost_usd: float | None
    """Null where the price is not known."""


class DataNotes(_Contract):
    """What the lead lacked, or training never saw: data, not errors."""

    missing: list[str]
    """Columns without a value."""
    unknown_categories: list[str]
    """Columns whose value training never saw."""
    unknown_fields: int
    """How many fields are not in GET /schema/lead. Their names may be personal: not kept."""


class DecisionAnswer(_Contract):
    """The answer to one lead. It is durable before it is sent."""

    decision_id: str
    """Sorts by time. Report how the lead ended under it: POST /outcomes."""
    decided_at: str
    probability: Probability
    """Final win probability."""
    score: Annotated[int, Field(ge=0, le=100)]
    """Win probability in per cent."""
    grade: Annotated[str, Field(pattern="^[ABCD]$")]
    """A: at least 75 in 100 such leads are won; B: 50; C: 25; D: fewer."""
    route: Route
    """Who decided."""
    reason: RouteReason
    """Why that one."""
    degraded: bool
    """True where the LLM should have been asked but could not be."""
    classifier_probability: Probability
    """What the classifier alone said."""
    text_log_odds: float | None
    """What the text model said by the redacted text alone, in log-odds; null where it read none."""
    reasons: Reasons
    llm: LlmPart | None
    """Null where it was not asked."""
    versions: dict[str, str]
    """Everything that took part."""
    redacted: dict[str, int]
    """How many entities of each type were taken out before the LLM was asked."""
    usage: Usage
    data: DataNotes
    latency_ms: float


class ItemError(_Contract):
    """What is wrong with one item of a list, and how to mend it."""

    index: int
    """Its place in the list that was sent, from 0."""
    code: str
    field: str | None
    problem: str
    fix: str


class BatchAnswer(_Contract):
    """The answers to many leads."""

    decisions: list[DecisionAnswer | None]
    """In the order of the leads; null where `errors` has an entry with this index."""
    errors: list[ItemError]


class OutcomesAnswer(_Contract):
    """What became of the outcomes."""

    recorded: int
    """New, or a correction of what was reported before."""
    unchanged: int
    """Reported before, with the same result."""
    errors: list[ItemError]


class OutcomeIn(_Contract):
    """How a lead that was decided on ended."""

    decision_id: str
    won: bool


def release_tree(release: Release, live_since: str) -> dict[str, Any]:
    """GET /release: what is live in this worker, since when, and by which rules it routes."""
    llm = release.llm
    return {
        "release": release.version,
        "live_since": live_since,
        "versions": dict(release.versions),
        "routing": release.policy.to_json(),
        "combiner": release.combiner.to_json() | {"is_identity": release.combiner.is_identity},
        "llm": {
            "provider": llm.provider,
            "model": llm.model,
            "api": llm.api.value,
            "version": llm.version,
            "adapter": llm.adapter.to_json() if llm.adapter else None,
            "prompts": {kind.value: prompt.version for kind, prompt in llm.prompts.items()},
        },
        "lead_spec": release.spec.digest[:12],
    }
