"""The provider's own log of requests, held against the ledger's, both ways."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select

from service.audit.filters import Filters
from service.audit.reconciling import Reconciled
from service.errors import MalformedRequest
from service.storage.tables import llm_calls

THEIRS = frozenset({"requestid", "xrequestid", "id", "responseid"})
OURS = frozenset({"clientrequestid", "xclientrequestid", "clientid"})


def compare(connection: Connection, path: Path, report: Reconciled, asked: Filters) -> None:
    """Add to the report what one has and the other has not. `asked`: the time that `path` covers.

    Raises:
        MalformedRequest: it cannot be read, or has no column with ids.
    """
    theirs, ours = _ids(path)
    query = select(llm_calls.c.call_id, llm_calls.c.request_id, llm_calls.c.cause)
    if asked.since is not None:
        query = query.where(llm_calls.c.at >= asked.since)
    if asked.until is not None:
        query = query.where(llm_calls.c.at < asked.until)
    found: set[str] = set()
    known: set[str] = set()
    for call in connection.execute(query.order_by(llm_calls.c.seq)):
        named = {call.call_id, call.request_id} - {None}
        known |= named
        there = (call.call_id in ours) or (call.request_id in theirs)
        found |= named if there else set()
        if not there and call.cause is None:
            report.wrong(
                f"The provider's log does not have call {call.call_id}, which it answered."
            )
        elif not there:
            report.notes.append(
                f"Call {call.call_id} got no answer; the provider does not know it."
            )
    for number, (request, client) in enumerate(_rows(path), start=1):
        if not {request, client} & known:
            name = request or client or f"number {number}"
            report.wrong(f"The provider's log has request {name}, which is not in the ledger.")


def _ids(path: Path) -> tuple[set[str], set[str]]:
    theirs: set[str] = set()
    ours: set[str] = set()
    for request, client in _rows(path):
        theirs.add(request)
        ours.add(client)
    return theirs - {""}, ours - {""}


def _rows(path: Path) -> Iterator[tuple[str, str]]:
    """The provider's id and ours of each request; "" where there is none."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            first = next((line.lstrip()[:1] for line in file if line.strip()), "")
            file.seek(0)
            rows = (json.loads(line) for line in file if line.strip())
            trees: Iterator[Mapping[str, Any]] = rows if first == "{" else csv.DictReader(file)
            for tree in trees:
                yield _row(tree)
    except (OSError, ValueError, csv.Error, AttributeError) as error:
        message = "The provider's log cannot be read."
        fix = "Give a CSV file with a header, or JSON Lines, in UTF-8."
        raise MalformedRequest(message, fix, field="provider_log") from error


def _row(tree: Mapping[str, Any]) -> tuple[str, str]:
    by_name = {"".join(c for c in str(n).lower() if c.isalnum()): v for n, v in tree.items()}
    request = next(
        (by_name[name] for name in sorted(THEIRS, key=len)[::-1] if by_name.get(name)), None
    )
    client = next((by_name[name] for name in OURS if by_name.get(name)), None)
    if request is None and client is None and not by_name.keys() & (THEIRS | OURS):
        fix = "Name a column request_id, or client_request_id."
        raise MalformedRequest("The provider's log has no ids.", fix, field="provider_log")
    return str(request or ""), str(client or "")
