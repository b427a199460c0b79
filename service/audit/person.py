"""Person: all that the ledger has about one person (GDPR Art. 15)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, select

from service.audit.filters import Filters
from service.audit.finding import Found, walk
from service.audit.sent import opened
from service.errors import NoSuchEntry
from service.ledger.proofs import head
from service.recording.entry import Kind
from service.storage.subject_keys import StoredKeys
from service.storage.tables import decisions, entries, redactions

IN_ONE_QUERY = 500


def subjects_of_decision(connection: Connection, decision_id: str) -> list[str]:
    """Whom a decision, or a question asked in training, is about. Raises NoSuchEntry."""
    decided = select(decisions.c.subject).where(decisions.c.id == decision_id)
    asked = select(redactions.c.subject).where(redactions.c.about == decision_id)
    found = list(connection.scalars(decided.union(asked)))
    if not found:
        message = "Nothing was decided or asked under this id. Name the decision_id of an answer."
        raise NoSuchEntry(message)
    return found


def person(
    connection: Connection, keys: StoredKeys, subjects: Sequence[str], *, opens: bool
) -> dict[str, Any]:
    """Their decisions, redactions, calls, outcomes, overrides, erasure, and who read of them.

    opens: with what is sealed in clear, where its key is still there.
    """
    found = [_one(connection, keys, subject, opens=opens) for subject in subjects]
    return {"subjects": found}


def _one(connection: Connection, keys: StoredKeys, subject: str, *, opens: bool) -> dict[str, Any]:
    key = keys.find(subject)
    all_of_it = list(walk(connection, Filters(subject=subject), size=head(connection).size))
    trees = [opened(f, key.secret) if opens and key else f.tree for f in all_of_it]
    kinds = Counter(tree["kind"] for tree in trees)
    calls = Counter((t["provider"], t["model"]) for t in trees if t["kind"] == Kind.LLM_CALL.value)
    return {
        "subject": subject,
        "can_be_opened": key is not None,
        "counts": dict(sorted(kinds.items())),
        "recipients": [
            {"provider": provider, "model": model, "calls": number}
            for (provider, model), number in sorted(calls.items())
        ],
        "entries": trees,
        "read_by": [found.tree for found in _reads(connection, subject, trees)],
    }


def _reads(
    connection: Connection, subject: str, trees: Sequence[dict[str, Any]]
) -> Iterator[Found]:
    """Reads that named the subject, or one of their decisions. Searches are not among them."""
    ids = {str(tree.get("question_id") or tree.get("decision_id") or "") for tree in trees}
    by_id = sorted(ids - {""})
    query = select(entries.c.seq, entries.c.body).where(entries.c.kind == Kind.READ.value)
    for row in connection.execute(query.order_by(entries.c.seq)):
        found = Found(row.seq, bytes(row.body))
        tree = found.tree
        filters = tree["filters"]
        named = [*filters.get("subjects", ()), filters.get("subject")]
        about = {tree["decision_id"], filters.get("decision_id")}
        if subject in named or not about.isdisjoint(by_id):
            yield found
