"""What the docs page shows: BentoML's description, with the live release's lead fields in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from features.lead import MAX_TEXT_CHARS, MAX_VALUE_CHARS
from features.lead_spec import Column, Kind
from models.release import Release
from service.ledger_docs import BODY, ledger_paths
from service.schemas import ItemError

JSON_SCHEMA = "https://json-schema.org/draft/2020-12/schema"
WORDS_SHOWN = 8  # known words of a categorical column
NEVER_SENT = (
    "Who the lead is: never a feature, never sent anywhere. "
    "Used only to find the lead's own identity inside its free text."
)
ABOUT = (
    "Scores sales leads with a classifier, and asks an LLM to break the tie: after redaction, on "
    "the record. Every endpoint but health needs an API key: `Authorization: Bearer tb_...`. "
    "Decisions may name an `Idempotency-Key`: asked again, they get the same bytes again."
)
STATUSES = {
    "400": "The body is not what this endpoint reads",
    "401": "No valid API key",
    "403": "The key's role does not cover this",
    "404": "Nothing is known of this",
    "408": "The body did not come in time",
    "410": "Whom this is about was erased",
    "413": "Too large, or too many leads",
    "415": "The body is no application/json",
    "422": "A lead cannot be read, or the idempotency key was used with another request",
    "503": "Try again: nothing is live, or nothing can be made durable now",
}
KEYED = ("401", "403")
BODIED = (*KEYED, "503", *BODY)  # of whatever reads a body
LIVE = (*KEYED, "503")  # of whatever a live release says
GETS = {
    "/release": ("The live release: versions, band, routing, LLM.", "Release", LIVE),
    "/schema/lead": ("JSON Schema of a lead of the live release.", "Release", LIVE),
    "/privacy": ("What is processed, where it goes, how long it stays.", "Release", LIVE),
    "/metrics": ("For Prometheus.", "Operation", KEYED),
    "/livez": ("The process is alive.", "Operation", ()),
    "/healthz": ("As /livez.", "Operation", ()),
    "/readyz": ("A real lead was decided on the live release.", "Operation", ("503",)),
}


def lead_schema(release: Release) -> dict[str, Any]:
    """JSON Schema of a lead: the columns a caller may send, none required."""
    words = {f.column: f.categories for f in release.classifier.encoder.features if f.categories}
    properties = {
        name: _property(column, words.get(name, ()), release.examples.get(name))
        for name, column in release.spec.readable.items()
    }
    return {
        "$schema": JSON_SCHEMA,
        "title": "Lead",
        "description": f"A lead as release {release.version} reads it. Missing columns are data.",
        "type": "object",
        "properties": properties,
        "additionalProperties": True,
        "examples": [example_lead(release)],
    }


def example_lead(release: Release) -> dict[str, object]:
    """A typical lead, without contact columns."""
    contacts = {column.name for column in release.spec.contacts}
    return {
        name: value
        for name, value in release.examples.items()
        if name in release.spec.readable and name not in contacts
    }


def docs(spec: Mapping[str, Any], release: Release | None) -> dict[str, Any]:
    """BentoML's OpenAPI description, made ours. Without a release, a lead is any object."""
    components = {name: _plain(s) for name, s in spec["components"]["schemas"].items()}
    components["Error"] = _error_schema()
    components["Lead"] = {"type": "object"}
    example: dict[str, object] = {}
    if release is not None:
        components["Lead"] = {k: v for k, v in lead_schema(release).items() if k != "$schema"}
        example = example_lead(release)
    components["DecideRequest"] = _with_lead(components.pop("decide__Input"), example)
    components["DecideBatchRequest"] = _with_leads(components.pop("decide_batch__Input"), example)
    components["OutcomesRequest"] = components.pop("outcomes__Input")
    paths = {path: {"post": _post(path, item["post"])} for path, item in _posts(spec).items()}
    paths |= {path: {"get": _get(*row)} for path, row in GETS.items()}
    paths |= ledger_paths(lambda *more: _errors(*KEYED, "503", *more))
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Tiebreak",
            "version": f"release {release.version}" if release else "no release is live",
            "description": ABOUT,
        },
        "servers": [{"url": "."}],
        "security": [{"ApiKey": []}],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"ApiKey": {"type": "http", "scheme": "bearer"}},
        },
    }


def _property(column: Column, words: tuple[str, ...], example: object) -> dict[str, Any]:
    kind = column.kind
    if kind is Kind.CONTACT:
        return _text(NEVER_SENT, MAX_VALUE_CHARS)
    if kind is Kind.NUMERIC:
        shown: dict[str, Any] = {"type": ["number", "null"]}
    elif kind is Kind.BOOLEAN:
        shown = {"type": ["boolean", "null"]}
    elif kind is Kind.TEXT:
        about = "What the lead wrote. It is redacted before an LLM may see it."
        shown = _text(about, MAX_TEXT_CHARS)
    else:
        about = f"{len(words)} words are known from training; any other is counted as unknown."
        shown = _text(about, MAX_VALUE_CHARS)
    examples = [e for e in (example, *words[:WORDS_SHOWN]) if e is not None]
    return shown | ({"examples": list(dict.fromkeys(examples))} if examples else {})


def _text(about: str, most: int) -> dict[str, Any]:
    return {"type": ["string", "null"], "maxLength": most, "description": about}


def _posts(spec: Mapping[str, Any]) -> dict[str, Any]:
    return {path: item for path, item in spec["paths"].items() if "post" in item}


REPEATED = frozenset({"/decide", "/decide_batch"})  # get the same bytes under the same key
REQUESTS = {
    "/decide": ("DecideRequest", "DecisionAnswerIODescriptor"),
    "/decide_batch": ("DecideBatchRequest", "BatchAnswerIODescriptor"),
    "/outcomes": ("OutcomesRequest", "OutcomesAnswerIODescriptor"),
}


def _post(path: str, operation: Mapping[str, Any]) -> dict[str, Any]:
    request, answer = REQUESTS[path]
    about = {"in": "header", "name": "Idempotency-Key", "required": False}
    named = [about | {"schema": {"type": "string", "maxLength": 255}}]
    summary, _, rest = operation["description"].strip().partition("\n")
    refusals = _errors(*BODIED, *(("422",) if path in REPEATED else ()))
    return {
        "summary": summary,
        "description": " ".join(rest.split()),
        "operationId": path.removeprefix("/"),
        "tags": ["Decisions"],
        "parameters": named if path in REPEATED else [],
        "requestBody": {"required": True, "content": _json(request)},
        "responses": {"200": {"description": "Durable", "content": _json(answer)}, **refusals},
    }


def _get(about: str, tag: str, statuses: tuple[str, ...]) -> dict[str, Any]:  # a row of GETS
    operation: dict[str, Any] = {"summary": about, "tags": [tag]}
    operation["responses"] = {"200": {"description": "As asked"}, **_errors(*statuses)}
    return operation if "401" in statuses else operation | {"security": []}


def _errors(*statuses: str) -> dict[str, Any]:
    wanted = sorted(set(statuses))
    return {s: {"description": STATUSES[s], "content": _json("Error")} for s in wanted}


def _json(component: str) -> dict[str, Any]:
    schema = {"$ref": f"#/components/schemas/{component}"}
    return {"application/json": {"schema": schema}}


def _with_lead(schema: dict[str, Any], example: dict[str, object]) -> dict[str, Any]:
    schema["properties"]["lead"] = {"$ref": "#/components/schemas/Lead"}
    return schema | {"title": "DecideRequest", "examples": [{"lead": example, "reasons": 3}]}


def _with_leads(schema: dict[str, Any], example: dict[str, object]) -> dict[str, Any]:
    lead = {"$ref": "#/components/schemas/Lead"}
    schema["properties"]["leads"] = schema["properties"]["leads"] | {"items": lead}
    return schema | {"title": "DecideBatchRequest", "examples": [{"leads": [example]}]}


def _error_schema() -> dict[str, Any]:
    item = ItemError.model_json_schema()
    properties = {name: p for name, p in item["properties"].items() if name != "index"}
    error = {"type": "object", "properties": properties, "required": list(properties)}
    return {"type": "object", "properties": {"error": error}, "required": ["error"]}


def _plain(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A copy that may be changed, without BentoML's name for the model."""
    return (
        {**schema, "properties": dict(schema["properties"])}
        if "properties" in schema
        else {**schema}
    )
