"""A draft says what its entry will say, byte for byte, whenever its time and its subject come."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.fingerprint import SubjectKey
from service.ledger.canonical_json import canonical
from service.ledger.draft import SCHEMA, Draft
from service.recording.entry import Kind
from service.storage.projection import READ_OFF, VALUES, read_off, rows_of
from service.storage.sealing import bound_to, open_sealed
from service.storage.unit import Unsealed

AT = "2026-11-27T12:00:00.000Z"
KEY = SubjectKey("5f" * 16, b"k" * 32)

# Around `sealed` and `subject` too, which are put in later.
names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1) | st.sampled_from(
    ["decision_id", "sealee", "sealedx", "sealed_", "span", "subjecs", "subjectx", "versions"]
)
fields = st.dictionaries(
    names.filter(lambda name: name > "at" and name not in {"kind", "v", "sealed", "subject"}),
    st.none() | st.text('aé€😀"\\\n') | st.floats(allow_nan=False, allow_infinity=False),
)
withins = st.none() | st.dictionaries(st.text("ab€"), st.text("ab€"))


def tree_at(kind: str, said: dict[str, Any]) -> dict[str, Any]:
    return {"at": AT, "kind": kind, "v": SCHEMA, **said}


@given(fields)
def test_its_body_is_the_canonical_json_of_all_that_it_says(said: dict[str, Any]) -> None:
    assert Draft.of("read", None, said).body(AT) == canonical(tree_at("read", said))


@given(fields, withins)
def test_so_is_that_of_one_whose_subject_comes_later(
    said: dict[str, Any], within: dict[str, Any] | None
) -> None:
    body = Unsealed.of("noted", "d", said, within).sealed_by(KEY).body(AT)
    told = orjson.loads(body)
    sealed = told["sealed"]
    place = bound_to("noted", "d")
    assert (sealed and open_sealed(KEY.secret, place, sealed)) == within
    assert body == canonical(tree_at("noted", {**said, "subject": KEY.subject, "sealed": sealed}))


@pytest.mark.parametrize("name", ["a", "as", "at", "about"])
def test_a_name_that_would_come_before_its_time_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="Call it otherwise"):
        Draft.of("read", None, {name: 1})
    with pytest.raises(ValueError, match="Call it otherwise"):
        Unsealed.of("read", None, {name: 1}, None)


def test_what_is_read_off_it_is_what_is_read_off_its_entry() -> None:
    said = {
        "question_id": "q",
        "purpose": "decision",
        "failed": False,
        "policy": "2026-11.5",
        "spans": [{"type": "PERSON", "recognizer": "R"}, {"type": "PERSON", "recognizer": "R"}],
    }
    draft = Unsealed.of(Kind.REDACTION, "q", said, None).sealed_by(KEY)
    entry = orjson.loads(draft.body(AT))
    tables = {table.name: table for table in READ_OFF}
    rows = [
        (tables[name], {"seq": 3, "at": AT, **dict(zip(VALUES[name], values, strict=True))})
        for name, values in draft.rows
    ]
    assert rows == list(rows_of(3, AT, entry["kind"], entry))
    assert draft.rows == read_off("redaction", {**said, "subject": KEY.subject})
    assert len(rows) == 2
