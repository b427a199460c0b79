"""AuditApi: an auditor's questions over HTTP. `PATHS` lists them, for the gateway to serve.

Whoever asks by contact values sends them in a body: addresses end in logs, bodies do not.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import orjson

from service.audit.auditor import Auditor, Reader, page_tree
from service.audit.counting import Counting
from service.audit.filters import Filters, yes_or_no
from service.audit.finding import MOST
from service.audit.named_person import NamedPerson
from service.errors import MalformedRequest
from service.keys import ApiKey
from service.schemas import parse_object
from service.storage.store import Store
from service.storage.subject_keys import StoredKeys

KIB = 1024
DEFAULT_MOST = 100
AT_ONCE = 2  # questions of one worker that are answered at the same moment


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as it came. id: in the path. query: after the question mark, not yet read."""

    id: str = ""
    query: str = ""
    body: bytes = b""


Answer = Callable[[Auditor, Asked], Any]


@dataclass(frozen=True, slots=True)
class Path:
    """One row of `PATHS`; all are for MAY_AUDIT. max_bytes: of the body, 0 where there is none."""

    method: str
    answer: Answer
    max_bytes: int = 0


class AuditApi:
    """Nothing here blocks the event loop."""

    def __init__(self, store: Store, keys: StoredKeys) -> None:
        self._store = store
        self._keys = keys
        # Of its own: a question that reads all of the log takes no thread that a decision needs.
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="audit")

    async def answer(self, path: str, key: ApiKey, asked: Asked) -> bytes:
        """JSON. path: one of PATHS.

        Raises:
            NotAllowed, MalformedRequest, NoSuchEntry, KeyDestroyed, SealBroken, StorageUnavailable
        """
        auditor = Auditor(self._store, self._keys, Reader.with_key(key))
        loop = asyncio.get_running_loop()
        tree = await loop.run_in_executor(self._threads, PATHS[path].answer, auditor, asked)
        return orjson.dumps(tree)


def _entries(auditor: Auditor, asked: Asked) -> Any:
    values = query_values(asked.query)
    after, most = _number(values, "after"), _number(values, "most")
    newest_first = yes_or_no("newest_first", values.pop("newest_first", "false"))
    page = auditor.entries(
        Filters.parse(values),
        after=after,
        most=min(most or DEFAULT_MOST, MOST),
        newest_first=newest_first,
    )
    return page_tree(page)


def _counts(auditor: Auditor, asked: Asked) -> Any:
    values = query_values(asked.query)
    of, by = values.pop("of", "decisions"), values.pop("by", "")
    per = values.pop("per", None)
    if values.keys() - {"since", "until"}:
        raise MalformedRequest("There is no such parameter.", "Send of, by, per, since, until.")
    return {"counts": auditor.counts(Counting.parse(of, by, per, Filters.parse({**values})))}


def _decision(auditor: Auditor, asked: Asked) -> Any:
    return {"entries": auditor.decision(asked.id)}


def _sent(auditor: Auditor, asked: Asked) -> Any:
    return auditor.sent(asked.id)


def _about(auditor: Auditor, asked: Asked) -> Any:
    tree = parse_object(asked.body, {"contacts", "decision_id", "open"})
    person, opens = NamedPerson.of(tree), tree.get("open", False) is True
    if person.decision_id is not None:
        return auditor.about_decision(person.decision_id, opens=opens)
    return auditor.about_contacts(person.contacts, opens=opens)


def _reconcile(auditor: Auditor, asked: Asked) -> Any:  # noqa: ARG001 a row of PATHS
    return auditor.reconcile(None, Filters()).tree()


PATHS: Mapping[str, Path] = {
    "/audit/entries": Path("GET", _entries),
    "/audit/counts": Path("GET", _counts),
    "/audit/decisions/{id}": Path("GET", _decision),
    "/audit/decisions/{id}/sent": Path("GET", _sent),
    "/audit/about": Path("POST", _about, 64 * KIB),
    "/audit/reconcile": Path("GET", _reconcile),
}


def query_values(query: str) -> dict[str, str]:
    """Each parameter once. Raises MalformedRequest."""
    pairs = parse_qsl(query, keep_blank_values=True)
    values = dict(pairs)
    if len(values) < len(pairs):
        raise MalformedRequest("A parameter is given twice.", "Give each once.")
    if "policy" in values:  # a `+` in its version, written as it is, arrives as a blank
        values["policy"] = values["policy"].replace(" ", "+")
    return values


def _number(values: dict[str, str], name: str) -> int | None:
    text = values.pop(name, None)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise MalformedRequest("It is no whole number.", "Send digits.", field=name)
    return int(text)
