"""What is typed into a filter stays in the ledger for good: so it takes only its own kind."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from filled_ledger import KEY_ID, Filled
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from features.redaction_policy import RedactionPolicy
from models.decision import Route, RouteReason
from service.audit.exporting import Format
from service.audit.filters import NAMES, Filters
from service.audit.finding import page
from service.errors import MalformedRequest
from service.recording.entry import Kind
from service.storage.tables import entries

POLICY = RedactionPolicy.shipped()
# What each filter may write down, in a ledger as `filled_ledger` makes it.
OWN: dict[str, Callable[[str], object]] = {
    "since": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z").fullmatch,
    "until": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z").fullmatch,
    "kind": list(Kind).__contains__,
    "decision_id": re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}").fullmatch,
    "subject": re.compile(r"[0-9a-f]{32}").fullmatch,
    "key": {KEY_ID, "command", "service", "none"}.__contains__,
    "route": list(Route).__contains__,
    "reason": list(RouteReason).__contains__,
    "release": re.compile(r"[1-9]\d{0,5}").fullmatch,
    "policy": {"policy-1", POLICY.version}.__contains__,
    "entity_type": {*POLICY.entities, "EMAIL_ADDRESS", "PERSON"}.__contains__,
    "recognizer": {"Test"}.__contains__,
    "provider": {"embedded"}.__contains__,
    "cause": {"timeout"}.__contains__,
    "failed": lambda written: written is True,
    "latest": lambda written: written is True,
}
WORDS = {str(word) for word in (*Kind, *Route, *RouteReason, *POLICY.entities)}  # of rules
PEOPLE = ("Jane", "Müller", "jane.roe", "+491705550123", "55501234", "4111111111111111", "555-1234")
TYPED = st.one_of(
    st.text(max_size=40),
    st.from_regex(r"[A-Za-z0-9_.:/+-]{1,40}", fullmatch=True),
    st.from_regex(r"[0-9a-f-]{1,40}", fullmatch=True),
    st.datetimes().map(str),
    st.sampled_from([*PEOPLE, *sorted(WORDS), KEY_ID, "7", "true"]),
    st.sampled_from(["policy-1", "Test", "embedded", "timeout", POLICY.version]),
)


def size(filled: Filled) -> int:
    with filled.store.reading() as connection:
        return int(connection.scalar(select(func.count()).select_from(entries)) or 0)


def newest(filled: Filled) -> dict[str, object]:
    with filled.store.reading() as connection:
        (found,) = page(connection, Filters(kind="read"), most=1, newest_first=True).entries
    tree: dict[str, object] = found.tree["filters"]
    return tree


def test_every_filter_is_tested() -> None:
    assert OWN.keys() == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
@given(typed=TYPED)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_typed_a_filter_writes_down_nothing_but_its_own_kind(
    filled: Filled, name: str, typed: str
) -> None:
    before = size(filled)
    try:
        filled.auditor.entries(Filters.parse({name: typed}), after=None, most=1, newest_first=False)
    except MalformedRequest as refused:
        assert size(filled) == before
        is_plain = len(typed) < 8 or typed in WORDS  # may stand in the advice all the same
        assert is_plain or typed not in str(refused)  # noqa: PT017 most that is typed is refused
    else:
        assert size(filled) == before + 1
        written = newest(filled)
        assert set(written) <= {name}  # "false" is not written at all
        assert all(OWN[name](value) for value in written.values())


def test_no_person_fits_into_a_filter(filled: Filled, tmp_path: Path) -> None:
    before, out = size(filled), tmp_path / "out"
    for name in NAMES:
        for person in PEOPLE:
            with pytest.raises(MalformedRequest) as refused:
                filled.auditor.export(out, Filters.parse({name: person}), Format.JSONL)
            assert refused.value.field == name
            assert person not in str(refused.value)
    assert size(filled) == before
    assert not out.exists()


@pytest.mark.parametrize("edge", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_moment_that_no_calendar_has_in_utc_is_refused(edge: str) -> None:
    with pytest.raises(MalformedRequest, match="no day and no time"):
        Filters.parse({"since": edge})
