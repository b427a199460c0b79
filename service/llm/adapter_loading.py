"""Asking a server for an adapter, in vLLM's words, before anybody is asked through it."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from models.adapter import Adapter
from models.errors import LlmUnavailable
from service.llm.adapter_shelf import WRONG_ADAPTER, AdapterShelf

MOST_BYTES = 10_000  # of an answer; an error has a sentence or two
DEADLINE = timedelta(minutes=5)  # 1 s on a quiet machine; 20 s where a model has to be cut first


def load_adapter(address: str, name: str, file: Path) -> None:
    """Have the server at `address` (http://host:port) serve this file when this returns.

    Raises:
        LlmUnavailable: `connection` where no server is there; `adapter` where it refuses.
    """
    status, body = _post(address, "load", {"lora_name": name, "lora_path": str(file)})
    if status != http.client.OK:
        message = f"The LLM refuses {name} (HTTP {status}). {_reason(body)}"
        raise LlmUnavailable("adapter", message.rstrip())


def unload_adapter(address: str, name: str) -> None:
    """Have it serve this no longer, unless a release needs it. Never raises."""
    with suppress(LlmUnavailable):  # what a server that is gone held is gone too
        _post(address, "unload", {"lora_name": name})


@contextmanager
def adapter_tried_out(address: str, adapter: Adapter, content: bytes | None) -> Iterator[None]:
    """The embedded LLM at `address` serves the adapter inside the block.

    Raises:
        WrongAdapter: the content is not the adapter's.
        LlmUnavailable: no server is there, or it cannot use it.
    """
    with TemporaryDirectory() as folder:
        file = AdapterShelf(Path(folder)).put(adapter, content)
        load_adapter(address, adapter.name, file)
    try:
        yield
    finally:
        unload_adapter(address, adapter.name)


def _reason(body: bytes) -> str:
    """What the server says, and what to do where nothing but another adapter helps."""
    try:
        error = json.loads(body)["error"]
        said, kind = str(error["message"]), error["type"]
    except (ValueError, KeyError, TypeError):
        return ""
    return f"{said} Tune again." if kind == WRONG_ADAPTER else said


def _post(address: str, verb: str, tree: Mapping[str, str]) -> tuple[int, bytes]:
    """Status and body, or as much of it as an error needs."""
    # As `is_healthy`: not a client that obeys proxy settings.
    connection = http.client.HTTPConnection(
        address.removeprefix("http://"), timeout=DEADLINE.total_seconds()
    )
    headers = {"Content-Type": "application/json"}
    try:
        connection.request("POST", f"/v1/{verb}_lora_adapter", json.dumps(tree), headers)
        response = connection.getresponse()
        return response.status, response.read(MOST_BYTES)
    except (OSError, http.client.HTTPException) as error:
        raise LlmUnavailable("connection") from error
    finally:
        connection.close()
