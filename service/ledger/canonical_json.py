"""Canonical JSON, RFC 8785 (JCS): one tree, one sequence of bytes, on any machine."""

from __future__ import annotations

from typing import Any

import orjson
import rfc8785

# orjson writes numbers of these sizes as ECMAScript does, as RFC 8785 wants it; beyond them it
# chooses another notation. The library that writes all of them takes fifty times as long.
LEAST, MOST = 1e-5, 1e15
AS_IT_IS = frozenset({str, int, bool, type(None)})


def canonical(tree: Any) -> bytes:
    """The canonical bytes of a tree of dicts with ASCII keys, lists, strings, numbers, booleans.

    Raises:
        ValueError: it holds what JSON cannot say exactly: NaN, infinity, an integer of 2**53 or
            more, a lone surrogate.
    """
    try:
        return orjson.dumps(_plain(tree), option=orjson.OPT_SORT_KEYS | orjson.OPT_STRICT_INTEGER)
    except (_Unusual, TypeError):  # orjson's error is a TypeError
        return rfc8785.dumps(tree)


class _Unusual(Exception):
    """A value that orjson would write in another way."""


def _plain(value: Any) -> Any:
    """The same tree in which every number has one way to be written."""
    kind = type(value)
    if kind in AS_IT_IS:
        return value
    if kind is float:
        return _number(value)
    if kind is dict:
        # Beyond ASCII, keys are sorted by UTF-16 units, and orjson's by UTF-8 bytes.
        if not "".join(value).isascii():
            raise _Unusual
        return {k: v if type(v) in AS_IT_IS else _plain(v) for k, v in value.items()}
    if kind is list or kind is tuple:
        return [_plain(item) for item in value]
    if isinstance(value, str):  # a StrEnum, as kinds of entries are
        return str.__str__(value)
    raise _Unusual


def _number(value: float) -> float | int:
    if not -MOST < value < MOST:  # NaN too
        raise _Unusual
    if value.is_integer():
        return int(value)
    if abs(value) < LEAST:
        raise _Unusual
    return value
