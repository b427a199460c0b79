from __future__ import annotations

import base64
import gzip
import json
import urllib.parse
import zlib
from collections.abc import Callable

import pytest

from tests.sweep import found_in

VALUE = "jane.canary+7@acme.example"


@pytest.mark.parametrize(
    "written",
    [
        lambda v: v.upper().encode(),
        lambda v: v.encode("utf-16-le"),
        lambda v: json.dumps({"a": v}).encode(),
        lambda v: v.encode().hex().upper().encode(),
        lambda v: urllib.parse.quote(v).encode(),
        lambda v: urllib.parse.urlencode({"v": v}).encode(),
        lambda v: base64.b64encode(v.encode()),
        lambda v: base64.b64encode(b"x" + v.encode() + b"y"),
        lambda v: base64.urlsafe_b64encode(b"xy" + v.encode() + b"z"),
        lambda v: b"junk" + gzip.compress(v.encode()) + b"junk",
        lambda v: b"junk" + zlib.compress(v.encode()),
    ],
)
def test_a_planted_value_is_found_in_any_writing(written: Callable[[str], bytes]) -> None:
    assert found_in(b"before " + written(VALUE) + b" after", [VALUE])


def test_nothing_is_found_where_nothing_is() -> None:
    assert found_in(b"jane at acme, canary, 7" * 100, [VALUE]) == []
