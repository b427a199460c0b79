"""Known names: those of rules and parties that a filter may have, since the ledger has them.

A filter is written into the ledger. Whatever else is typed into one (the name of a person, say) is
refused before anything is written.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Column, Connection, select

from features.redaction_policy import RedactionPolicy
from service.audit.filters import Filters
from service.errors import MalformedRequest
from service.recording.entry import COMMAND_LINE, SERVICE
from service.storage.tables import (
    api_keys,
    decisions,
    llm_calls,
    outcomes,
    overrides,
    redacted_spans,
    redactions,
)

NOBODY = "none"  # in place of an API key
# Where the ledger has names of each kind: indexed ones first.
KEPT_IN: Mapping[str, tuple[Column[str], ...]] = {
    "key": (api_keys.c.id, decisions.c.key_id, outcomes.c.key_id, overrides.c.key_id),
    "policy": (decisions.c.policy, redactions.c.policy),
    "entity_type": (redacted_spans.c.entity_type,),
    "recognizer": (redacted_spans.c.recognizer,),
    "provider": (llm_calls.c.provider,),
    "cause": (llm_calls.c.cause,),
}
LISTED = {
    "key": "`tiebreak keys list` shows them.",
    "policy": "`tiebreak audit counts --of redactions --by policy` lists them.",
    "entity_type": "`tiebreak audit counts --of spans --by entity_type` lists them.",
    "recognizer": "`tiebreak audit counts --of spans --by recognizer` lists them.",
    "provider": "`tiebreak audit counts --of calls --by provider` lists them.",
    "cause": "`tiebreak audit counts --of calls --by cause` lists them.",
}


def require_known(connection: Connection, filters: Filters) -> None:
    """Raises MalformedRequest, without repeating the name, where nothing has such a name."""
    for kind, columns in KEPT_IN.items():
        name = getattr(filters, kind)
        if name is None or name in _shipped(kind):
            continue
        if not any(_has(connection, column, name) for column in columns):
            problem = f"The ledger has no such {kind.replace('_', ' ')}."
            raise MalformedRequest(problem, LISTED[kind], field=kind)


def _has(connection: Connection, column: Column[str], name: str) -> bool:
    return connection.execute(select(1).where(column == name).limit(1)).first() is not None


def _shipped(kind: str) -> frozenset[str]:
    """What may be asked for though it has not happened yet."""
    if kind == "key":
        return frozenset({COMMAND_LINE, SERVICE, NOBODY})
    if kind not in ("policy", "entity_type"):
        return frozenset()
    policy = RedactionPolicy.shipped()
    return frozenset({policy.version}) if kind == "policy" else frozenset(policy.entities)
