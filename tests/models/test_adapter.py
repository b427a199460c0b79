"""An adapter is told by its digest: in its name, in its LLM version, and against any file."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from models.adapter import Adapter, depth_in, file_digest
from models.errors import WrongAdapter
from models.llm_version import LlmVersion
from tests.fakes import llm_version

FILE = b"weights"
ADAPTER = Adapter(file_digest(FILE), "b" * 64, "d" * 64, examples=500, rank=8, alpha=16, layers=6)
TUNED = replace(llm_version(), adapter=ADAPTER)


def test_a_tuned_version_survives_json_and_is_asked_for_by_its_adapter() -> None:
    again = LlmVersion.from_json(json.loads(json.dumps(TUNED.to_json())))
    assert again == TUNED
    assert again.served_as == ADAPTER.name == f"adapter-{ADAPTER.digest[:16]}"
    assert llm_version().served_as == "m"


def test_the_version_changes_with_the_weights_and_not_with_what_they_cost() -> None:
    slower = replace(ADAPTER, minutes=9.5, peak_memory_mib=4_000, data="e" * 64)
    assert replace(TUNED, adapter=slower).version == TUNED.version
    for other in (replace(ADAPTER, digest="a" * 64), replace(ADAPTER, base="a" * 64), None):
        assert replace(TUNED, adapter=other).version != TUNED.version


@pytest.mark.parametrize("depth", [None, 9, 17])
def test_its_name_says_on_how_many_layers_it_sits(depth: int | None) -> None:
    shallow = replace(ADAPTER, depth=depth)
    assert depth_in(shallow.name) == depth
    assert shallow.name.startswith(ADAPTER.name)
    is_other = replace(TUNED, adapter=shallow).version != TUNED.version
    assert is_other == (depth is not None)


@pytest.mark.parametrize("end", ["0", "08", "٨", "100", "8\n", ""])
def test_what_is_no_depth_is_none(end: str) -> None:
    assert depth_in(f"{ADAPTER.name}-of-{end}-layers") is None
    assert depth_in(f"{ADAPTER.name}-of-8-layers{end}") == (None if end else 8)


def test_a_version_from_before_adapters_keeps_its_digest() -> None:
    tree = llm_version().to_json()
    assert tree["adapter"] is None
    assert LlmVersion.from_json(tree).version == "fb6a9de05ed0"


@pytest.mark.parametrize("file", [b"", b"weights ", None])
def test_another_file_is_refused(file: bytes | None) -> None:
    with pytest.raises(WrongAdapter):
        ADAPTER.checked(file)
    assert ADAPTER.checked(FILE) == FILE
