"""What the docs page says of the endpoints about the ledger."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from models.decision import Route, RouteReason
from service.audit.audit_api import PATHS, Path
from service.audit.counting import Counted, Per
from service.audit.filters import NAMES
from service.audit.finding import MOST
from service.recording.entry import Because, Kind
from service.schemas import ID_CHARS

ID = {"type": "string", "format": "uuid", "minLength": ID_CHARS, "maxLength": ID_CHARS}
DECISION = {"in": "path", "name": "id", "required": True, "schema": ID}
OVERRIDE = {
    "type": "object",
    "required": ["decision_id", "pursue"],
    "properties": {
        "decision_id": ID,
        "pursue": {"type": "boolean", "description": "Whether the house goes on with this lead."},
        "because": {"type": "string", "enum": list(Because), "default": Because.OTHER.value},
    },
    "additionalProperties": False,
}
ERASURE: Mapping[str, Any] = {
    "type": "object",
    "description": "Whom to forget: one of the two.",
    "properties": {
        "decision_id": {**ID, "description": "Whoever this decision is about."},
        "contacts": {
            "type": "object",
            "additionalProperties": {"type": "string"},
            "description": "What is known of them, by contact column.",
            "examples": [{"email": "jane@acme.com"}],
        },
    },
    "additionalProperties": False,
}


ASKED_ABOUT = {
    **ERASURE,
    "description": "Whom the question is about: one of the two.",
    "properties": {
        **ERASURE["properties"],
        "open": {"type": "boolean", "default": False, "description": "Unseal what is sealed."},
    },
}
WORD, FLAG, COUNT = {"type": "string"}, {"type": "boolean"}, {"type": "integer", "minimum": 0}
FILTERS: Mapping[str, Mapping[str, Any]] = {
    "kind": WORD | {"enum": list(Kind)},
    "decision_id": ID,
    "route": WORD | {"enum": list(Route)},
    "reason": WORD | {"enum": list(RouteReason)},
    "failed": FLAG,
    "latest": FLAG,
}
QUERIES: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "/audit/entries": {
        **{name: FILTERS.get(name, WORD) for name in NAMES},
        "after": COUNT,
        "most": COUNT | {"maximum": MOST},
        "newest_first": FLAG,
    },
    "/audit/counts": {
        "of": WORD | {"enum": list(Counted)},
        "by": WORD | {"description": "Names with commas between."},
        "per": WORD | {"enum": list(Per)},
        "since": WORD,
        "until": WORD,
    },
}
BODY = ("400", "408", "413", "415")  # what whatever reads one may be refused with
BODIED = ("404", *BODY)
# What an auditor's question may be refused with, beside what all are.
REFUSALS: Mapping[str, Sequence[str]] = {
    "/audit/entries": ("400",),
    "/audit/counts": ("400",),
    "/audit/decisions/{id}": ("404",),
    "/audit/decisions/{id}/sent": ("404", "410"),
    "/audit/about": BODIED,
}

Errors = Callable[..., Mapping[str, Any]]


def ledger_paths(errors: Errors) -> dict[str, Any]:
    """OpenAPI path items. errors: responses for what all are refused with, and these statuses."""
    return {
        "/overrides": {
            "post": _post("A person decided otherwise about a lead.", OVERRIDE, errors(*BODIED))
        },
        "/erasures": {
            "post": _post(
                "Forget somebody: what was sealed for them is noise.", ERASURE, errors(*BODIED)
            )
        },
        "/decisions/{id}/proof": {
            "get": _get(
                "A proof that a decision is in the log (C2SP tlog-proof): check it offline.",
                errors("404"),
                [DECISION],
            )
        },
        **{path: {row.method.lower(): _question(path, row, errors)} for path, row in PATHS.items()},
        "/checkpoint": {
            "get": _get("The newest signed head of the log (C2SP tlog-checkpoint).", errors("404"))
        },
    }


def _question(path: str, row: Path, errors: Errors) -> dict[str, Any]:
    """An auditor's question. What may be asked is in docs/audit.md."""
    named = [DECISION] if "{id}" in path else []
    asked = [{"in": "query", "name": n, "schema": s} for n, s in QUERIES.get(path, {}).items()]
    answer = {"description": "As asked; the question itself is an entry of the ledger"}
    operation: dict[str, Any] = {
        "summary": f"For auditors: {path.removeprefix('/audit/')}",
        "tags": ["Audit"],
        "parameters": [*named, *asked],
        "responses": {"200": answer, **errors(*REFUSALS.get(path, ()))},
    }
    if row.max_bytes:
        body = {"application/json": {"schema": ASKED_ABOUT}}
        operation["requestBody"] = {"required": True, "content": body}
    return operation


def _post(summary: str, schema: Mapping[str, Any], errors: Mapping[str, Any]) -> dict[str, Any]:
    body = {"required": True, "content": {"application/json": {"schema": schema}}}
    responses = {"200": {"description": "Durable"}, **errors}
    return {"summary": summary, "tags": ["Ledger"], "requestBody": body, "responses": responses}


def _get(
    summary: str, errors: Mapping[str, Any], parameters: Sequence[Mapping[str, Any]] = ()
) -> dict[str, Any]:
    answer = {"description": "As asked", "content": {"text/plain": {"schema": {"type": "string"}}}}
    return {
        "summary": summary,
        "tags": ["Ledger"],
        "parameters": list(parameters),
        "responses": {"200": answer, **errors},
    }
