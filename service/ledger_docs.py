"""What the docs page says of the endpoints about the ledger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from service.audit.audit_api import PATHS, Path
from service.recording.entry import Because
from service.schemas import ID_CHARS

ID = {"type": "string", "format": "uuid", "minLength": ID_CHARS, "maxLength": ID_CHARS}
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
ERASURE = {
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


def ledger_paths(errors: Mapping[str, Any]) -> dict[str, Any]:
    """OpenAPI path items. errors: the responses for refusals."""
    return {
        "/overrides": {"post": _post("A person decided otherwise about a lead.", OVERRIDE, errors)},
        "/erasures": {
            "post": _post("Forget somebody: what was sealed for them is noise.", ERASURE, errors)
        },
        "/decisions/{id}/proof": {
            "get": _get(
                "A proof that a decision is in the log (C2SP tlog-proof): check it offline.",
                errors,
                [{"in": "path", "name": "id", "required": True, "schema": ID}],
            )
        },
        **{path: {row.method.lower(): _question(path, row, errors)} for path, row in PATHS.items()},
        "/checkpoint": {
            "get": _get("The newest signed head of the log (C2SP tlog-checkpoint).", errors)
        },
    }


def _question(path: str, row: Path, errors: Mapping[str, Any]) -> dict[str, Any]:
    """An auditor's question. What may be asked is in docs/audit.md."""
    named = [{"in": "path", "name": "id", "required": True, "schema": ID}] if "{id}" in path else []
    answer = {"description": "As asked; the question itself is an entry of the ledger"}
    operation: dict[str, Any] = {
        "summary": f"For auditors: {path.removeprefix('/audit/')}",
        "tags": ["Audit"],
        "parameters": named,
        "responses": {"200": answer, **errors},
    }
    if row.max_bytes:
        body = {"application/json": {"schema": {"type": "object"}}}
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
