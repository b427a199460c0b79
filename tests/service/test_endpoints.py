"""What a caller sees, through the real BentoML app."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from service_fakes import (
    BY_BROKEN_LLM,
    BY_TEXT,
    POLL,
    FakeSource,
    fake_desk,
    running,
    scorer_with,
    store_at,
    until,
    until_ready,
)
from sqlalchemy import select, update

from service import gateway
from service.audit.audit_api import PATHS as AUDIT_PATHS
from service.audit.filters import NAMES
from service.gateway import ASSET, ENDPOINTS
from service.keys import Role, create_key, revoke_key
from service.schemas import BatchAnswer, DecisionAnswer, OutcomesAnswer
from service.storage.database import iso
from service.storage.store import Store
from service.storage.tables import answered, decisions, outcomes, overrides

SENTINEL = "jane.roe-4711"  # a value that must never come back


@dataclass
class Service:
    http: httpx.AsyncClient
    store: Store
    source: FakeSource
    registry: CollectorRegistry

    async def post(self, path: str, tree: Any, **headers: str) -> httpx.Response:
        return await self.http.post(path, json=tree, headers=headers)

    async def decide(self, lead: dict[str, Any], **more: Any) -> dict[str, Any]:
        response = await self.post("/decide", {"lead": lead, **more})
        assert response.status_code == 200, response.text
        answer: dict[str, Any] = response.json()
        return answer

    def token(self, role: Role) -> str:
        return create_key(self.store, name=role.value, role=role)[1]

    async def known_token(self, role: Role) -> str:
        """A token that the service has heard of."""
        token = self.token(role)
        await until(lambda: self.answers(token, 200, 403))
        return token

    async def answers(self, token: str, *statuses: int) -> bool:
        """Whether who has this token is answered with one of these."""
        response = await self.http.get("/release", headers={"authorization": f"Bearer {token}"})
        return response.status_code in statuses

    async def has_problem(self) -> bool:
        return (await self.http.get("/readyz")).json()["problem"] is not None

    async def has_none(self) -> bool:
        return not await self.has_problem()

    def rows(self, table: Any) -> list[Any]:
        with self.store.reading() as connection:
            return list(connection.execute(select(table)))

    def metric(self, name: str, **labels: str) -> float:
        return self.registry.get_sample_value(f"tiebreak_{name}", labels) or 0.0


@pytest.fixture
async def service(database_url: str) -> AsyncIterator[Service]:
    url = database_url
    store, source, registry = store_at(url), FakeSource(), CollectorRegistry()
    _, token = create_key(store, name="admin", role=Role.ADMIN)
    pause = timedelta(milliseconds=5)
    opened = lambda: fake_desk(url, source=source, registry=registry, pause=pause)  # noqa: E731
    async with running(scorer_with(opened)) as client:
        client.headers["authorization"] = f"Bearer {token}"
        yield Service(client, store, source, registry)
    store.close()


# -- deciding ---------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["", "hello", BY_TEXT, BY_BROKEN_LLM])
async def test_every_answer_keeps_the_published_contract(service: Service, text: str) -> None:
    lead = {"Visits": 3, "Lead Source": "Moon", "Message": text, "Email": SENTINEL, "more": 1}
    response = await service.post("/decide", {"lead": lead})
    answer = DecisionAnswer.model_validate_json(response.content)
    assert answer.versions["release"] == "7"
    assert answer.data.unknown_categories == ["Lead Source"]
    assert answer.data.unknown_fields == 1
    assert answer.data.missing == ["Newsletter"]
    assert SENTINEL not in response.text


async def test_fields_that_are_no_column_are_counted_and_named_in_no_answer_or_record(
    service: Service,
) -> None:
    response = await service.post("/decide", {"lead": {"Visits": 3, SENTINEL: 1, "Vists": 2}})
    assert response.json()["data"]["unknown_fields"] == 2
    (row,) = service.rows(decisions)
    assert all(name not in f"{response.text} {row}" for name in (SENTINEL, "Vists"))


async def test_the_answer_is_durable_before_it_is_sent(service: Service) -> None:
    response = await service.post("/decide", {"lead": {"Message": BY_TEXT}})
    row = service.rows(decisions)[0]
    assert row.probability == response.json()["probability"]
    assert (row.id, row.release, row.route) == (response.json()["decision_id"], "7", "llm")
    assert (row.prompt_tokens, row.completion_tokens, row.cost_usd) == (210, 1, None)


async def test_ids_sort_by_time(service: Service) -> None:
    ids = []
    for _ in range(3):
        ids.append((await service.decide({}))["decision_id"])
        await asyncio.sleep(0.002)
    assert ids == sorted(ids)
    assert {i[14] for i in ids} == {"7"}


@pytest.mark.parametrize("count", [0, 1, 3, 20])
async def test_as_many_reasons_as_asked(service: Service, count: int) -> None:
    answer = await service.decide({"Visits": 15, "Lead Source": "Fair"}, reasons=count)
    given_reasons = answer["reasons"]["for"] + answer["reasons"]["against"]
    assert len(given_reasons) <= count
    assert bool(given_reasons) == bool(count)


async def test_an_llm_that_failed_leaves_a_degraded_answer(service: Service) -> None:
    answer = await service.decide({"Message": BY_BROKEN_LLM})
    assert (answer["route"], answer["degraded"]) == ("classifier", True)
    assert answer["llm"]["failure"] == "timeout"
    unknown = {"prompt_tokens": None, "completion_tokens": None, "cost_usd": None}
    assert answer["usage"] == unknown


async def test_cost_is_null_where_the_price_is_unknown(service: Service) -> None:
    asked, alone = await service.decide({"Message": BY_TEXT}), await service.decide({})
    assert asked["usage"] == {"prompt_tokens": 210, "completion_tokens": 1, "cost_usd": None}
    assert alone["usage"] == {"prompt_tokens": 0, "completion_tokens": 0, "cost_usd": None}


# -- many at once -----------------------------------------------------------------------------


async def test_one_bad_lead_does_not_lose_the_others(service: Service) -> None:
    leads = [{"Visits": 1}, {"Visits": SENTINEL}, SENTINEL, {"Visits": 19}]
    response = await service.post("/decide_batch", {"leads": leads, "reasons": 0})
    answer = BatchAnswer.model_validate_json(response.content)
    assert [d is None for d in answer.decisions] == [False, True, True, False]
    assert [(e.index, e.field) for e in answer.errors] == [(1, "Visits"), (2, "lead")]
    assert SENTINEL not in response.text
    assert len(service.rows(decisions)) == 2


async def test_a_batch_keeps_its_order(service: Service) -> None:
    leads = [{"Visits": v, "Extra": v} for v in range(20)] * 3
    alone = [(await service.decide(lead))["probability"] for lead in leads[:20]]
    answer = (await service.post("/decide_batch", {"leads": leads})).json()
    assert [d["probability"] for d in answer["decisions"]] == alone * 3
    assert {d["versions"]["release"] for d in answer["decisions"]} == {"7"}


async def test_a_thousand_leads_are_welcome_and_one_more_is_not(service: Service) -> None:
    ok = await service.post("/decide_batch", {"leads": [{}] * 1000, "reasons": 0})
    assert (ok.status_code, len(ok.json()["decisions"])) == (200, 1000)
    no = await service.post("/decide_batch", {"leads": [{}] * 1001})
    assert (no.status_code, no.json()["error"]["field"]) == (413, "leads")


# -- wrong input ------------------------------------------------------------------------------

JSON = {"content-type": "application/json"}
WRONG = [
    pytest.param(b"{", JSON, 400, "malformed_request", None, id="broken JSON"),
    pytest.param(b"\xff\xfe{}", JSON, 400, "malformed_request", None, id="not UTF-8"),
    pytest.param(b"[" * 5000, JSON, 400, "malformed_request", None, id="deep"),
    pytest.param(b'{"lead": {"Visits": NaN}}', JSON, 400, "malformed_request", None, id="NaN"),
    pytest.param(b"[]", JSON, 400, "malformed_request", None, id="a list"),
    pytest.param(b"", JSON, 400, "malformed_request", None, id="nothing"),
    pytest.param(b"{}", JSON, 400, "malformed_request", "lead", id="no lead"),
    pytest.param(b'{"lead": []}', JSON, 400, "malformed_request", "lead", id="lead is a list"),
    pytest.param(b'{"lead": {}, "x": 1}', JSON, 400, "malformed_request", None, id="unknown"),
    pytest.param(
        b'{"lead": {}, "reasons": 21}', JSON, 400, "malformed_request", "reasons", id="21 reasons"
    ),
    pytest.param(
        b'{"lead": {}, "reasons": true}', JSON, 400, "malformed_request", "reasons", id="true"
    ),
    pytest.param(
        b'{"lead": {"Visits": "jane.roe-4711"}}', JSON, 422, "invalid_lead", "Visits", id="number"
    ),
    pytest.param(
        b'{"lead": {"Newsletter": "jane.roe-4711"}}',
        JSON,
        422,
        "invalid_lead",
        "Newsletter",
        id="flag",
    ),
    pytest.param(
        b'{"lead": {"Email": ["jane.roe-4711"]}}', JSON, 422, "invalid_lead", "Email", id="list"
    ),
    pytest.param(
        b'{"lead": {"Message": "' + b"x" * 20_001 + b'"}}',
        JSON,
        422,
        "invalid_lead",
        "Message",
        id="long text",
    ),
    pytest.param(b"x" * 300_000, JSON, 413, "too_large", None, id="large"),
    pytest.param(b'{"lead": {}}', {}, 415, "unsupported_content_type", None, id="no type"),
    pytest.param(
        b"lead=1",
        {"content-type": "application/x-www-form-urlencoded"},
        415,
        "unsupported_content_type",
        None,
        id="a form",
    ),
]


@pytest.mark.parametrize(("body", "headers", "status", "code", "field"), WRONG)
async def test_wrong_input_says_what_to_mend(
    service: Service, body: bytes, headers: dict[str, str], status: int, code: str, field: str
) -> None:
    response = await service.http.post("/decide", content=body, headers=headers)
    error = response.json()["error"]
    assert (response.status_code, error["code"], error["field"]) == (status, code, field)
    assert error["problem"].endswith(".")
    assert error["fix"].endswith(".")
    assert SENTINEL not in response.text
    assert service.rows(decisions) == []


numbers = st.floats(allow_nan=False, allow_infinity=False, width=32) | st.integers(-9, 2**62)
values = st.recursive(
    st.none() | st.booleans() | numbers | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    lead=st.dictionaries(
        st.sampled_from(["Visits", "Lead Source", "Newsletter", "Message", "Email"]), values
    )
)
def test_any_json_gets_an_answer_or_a_4xx(any_service: _AnyService, lead: dict[str, Any]) -> None:
    response = any_service.decide(lead)
    assert response.status_code in {200, 400, 422}, response.text


class _AnyService:
    """The service on a loop of its own: Hypothesis calls plain functions."""

    def __init__(self, folder: Path) -> None:
        self._runner = asyncio.Runner()
        url = f"sqlite:///{folder}/tiebreak.db"
        store = store_at(url)
        _, token = create_key(store, name="t", role=Role.ADMIN)
        store.close()
        self._context = running(scorer_with(lambda: fake_desk(url)))
        self._http = self._runner.run(self._context.__aenter__())
        self._http.headers["authorization"] = f"Bearer {token}"

    def decide(self, lead: dict[str, Any]) -> httpx.Response:
        response: httpx.Response = self._runner.run(self._ask(lead))
        return response

    async def _ask(self, lead: dict[str, Any]) -> httpx.Response:
        response: httpx.Response = await self._http.post("/decide", json={"lead": lead})
        return response

    def close(self) -> None:
        self._runner.run(self._context.__aexit__(None, None, None))
        self._runner.close()


@pytest.fixture
def any_service(tmp_path: Path) -> Any:
    opened = _AnyService(tmp_path)
    yield opened
    opened.close()


async def test_a_crash_tells_nothing_of_the_lead(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    response = await service.post("/decide", {"lead": {"Message": "crash"}})
    assert (response.status_code, response.json()["error"]["code"]) == (500, "internal")
    assert "RuntimeError" in caplog.text
    assert "jane" not in caplog.text + response.text


async def test_unknown_paths_and_methods_are_told(service: Service) -> None:
    assert (await service.http.get("/nope")).status_code == 404
    assert (await service.http.get("/static_content/jane@acme.com")).status_code == 404
    wrong = await service.http.get("/decide")
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "POST")


# -- once only --------------------------------------------------------------------------------


async def test_the_same_idempotency_key_gets_the_same_bytes(service: Service) -> None:
    ask = {"lead": {"Visits": 3}}
    first = await service.post("/decide", ask, **{"idempotency-key": "k1"})
    again = await service.post("/decide", ask, **{"idempotency-key": "k1"})
    assert first.content == again.content
    assert len(service.rows(decisions)) == 1
    assert "k1" not in str(service.rows(answered))  # callers may name it after the lead


async def test_an_answer_of_the_day_before_is_given_no_more(service: Service) -> None:
    ask = {"lead": {"Visits": 3}}
    first = await service.post("/decide", ask, **{"idempotency-key": "k1"})
    with service.store.writing() as writing:
        yesterday = iso(datetime.now(UTC) - timedelta(hours=25))
        writing.connection.execute(update(answered).values(at=yesterday))
    later = await service.post("/decide", ask, **{"idempotency-key": "k1"})
    again = await service.post("/decide", ask, **{"idempotency-key": "k1"})
    assert later.status_code == 200
    assert later.json()["decision_id"] != first.json()["decision_id"]
    assert again.content == later.content
    assert len(service.rows(answered)) == 1


async def test_concurrent_duplicates_give_one_decision(service: Service) -> None:
    ask = {"leads": [{"Visits": 3}, {"Visits": 4}]}
    headers = {"idempotency-key": "k2"}
    asked = [service.post("/decide_batch", ask, **headers) for _ in range(20)]
    answers = await asyncio.gather(*asked)
    assert len({answer.content for answer in answers}) == 1
    assert len(service.rows(decisions)) == 2


async def test_an_idempotency_key_is_for_one_request(service: Service) -> None:
    headers = {"idempotency-key": "k3"}
    await service.post("/decide", {"lead": {"Visits": 3}}, **headers)
    other = await service.post("/decide", {"lead": {"Visits": 4}}, **headers)
    assert (other.status_code, other.json()["error"]["code"]) == (422, "idempotency_mismatch")
    together = await asyncio.gather(
        *(
            service.post("/decide", {"lead": {"Visits": v}}, **{"idempotency-key": "k4"})
            for v in range(2)
        )
    )
    assert sorted(response.status_code for response in together) == [200, 422]


async def test_idempotency_keys_of_two_callers_are_two(service: Service) -> None:
    ask: dict[str, Any] = {"lead": {}}
    headers = {"idempotency-key": "k5"}
    first = await service.post("/decide", ask, **headers)
    token = await service.known_token(Role.SCORE)
    other = await service.post("/decide", ask, authorization=f"Bearer {token}", **headers)
    assert other.status_code == 200
    assert other.json()["decision_id"] != first.json()["decision_id"]


async def test_an_error_may_be_tried_again_under_the_same_key(service: Service) -> None:
    bad = await service.post("/decide", {"lead": {"Visits": "x"}}, **{"idempotency-key": "k6"})
    good = await service.post("/decide", {"lead": {"Visits": 1}}, **{"idempotency-key": "k6"})
    assert (bad.status_code, good.status_code) == (422, 200)


async def test_two_workers_with_the_same_key_give_one_answer(
    service: Service, database_url: str
) -> None:
    async with running(scorer_with(lambda: fake_desk(database_url))) as other:
        headers = {**dict(service.http.headers), "idempotency-key": "k7"}
        asked = [
            c.post("/decide", json={"lead": {}}, headers=headers) for c in (service.http, other)
        ]
        first, second = await asyncio.gather(*asked)
    assert first.content == second.content
    assert len(service.rows(answered)) == 1


# -- outcomes ---------------------------------------------------------------------------------


async def test_outcomes_are_durable_idempotent_and_correctable(service: Service) -> None:
    decided = (await service.decide({}))["decision_id"]

    async def report(won: bool) -> OutcomesAnswer:
        tree = {"outcomes": [{"decision_id": decided, "won": won}]}
        response = await service.post("/outcomes", tree)
        return OutcomesAnswer.model_validate_json(response.content)

    counts = [(r.recorded, r.unchanged) for r in [await report(w) for w in (True, True, False)]]
    assert counts == [(1, 0), (0, 1), (1, 0)]
    assert [row.won for row in service.rows(outcomes)] == [True, False]


async def test_unusable_outcomes_are_told_one_by_one(service: Service) -> None:
    decided = (await service.decide({}))["decision_id"]
    items = [
        {"decision_id": decided[::-1], "won": True},
        {"decision_id": decided, "won": "yes"},
        SENTINEL,
        {"decision_id": decided, "won": True},
        {"decision_id": SENTINEL, "won": True},
        {"decision_id": "\0" * 36, "won": True},
    ]
    response = await service.post("/outcomes", {"outcomes": items})
    answer = OutcomesAnswer.model_validate_json(response.content)
    assert answer.recorded == 1
    assert [(e.index, e.field) for e in answer.errors] == [
        (0, "decision_id"),
        (1, "won"),
        (2, None),
        (4, "decision_id"),
        (5, "decision_id"),
    ]
    assert SENTINEL not in response.text


# -- who may ----------------------------------------------------------------------------------

OPEN = {"/livez", "/healthz", "/readyz"}
MAY = {
    Role.SCORE: {
        *("/decide", "/decide_batch", "/outcomes", "/overrides"),
        *("/decisions/{id}/proof", "/checkpoint", "/privacy", "/release", "/schema/lead"),
    },
    Role.READ: {"/checkpoint", "/privacy", "/release", "/schema/lead", "/metrics"},
    Role.AUDIT: {
        *("/decisions/{id}/proof", "/checkpoint", "/privacy", "/release", "/schema/lead"),
        *AUDIT_PATHS,
    },
    Role.ADMIN: set(ENDPOINTS),
}
DOCS = {"/", "/docs.json", "/schema.json"}


@pytest.mark.parametrize("path", sorted(ENDPOINTS))
async def test_every_endpoint_but_health_needs_a_key(service: Service, path: str) -> None:
    method = ENDPOINTS[path].method
    for authorization in ("", "Bearer tb_00000000_x", "Basic !", "Digest x", "Bearer"):
        headers = {"authorization": authorization}
        response = await service.http.request(method, path, headers=headers)
        assert (response.status_code == 401) == (path not in OPEN)
        if path not in OPEN:
            assert "Basic" in response.headers["www-authenticate"]


def test_roles_cover_what_they_should() -> None:
    for path, endpoint in ENDPOINTS.items():
        allowed = {role for role in Role if endpoint.roles is None or role in endpoint.roles}
        wanted = {role for role in Role if path in MAY[role] | OPEN | DOCS}
        assert allowed == wanted, path
    assert ASSET.roles == frozenset(Role)


async def test_a_role_is_kept_and_a_browser_may_use_basic(service: Service) -> None:
    reader = await service.known_token(Role.READ)
    basic = "Basic " + base64.b64encode(f"me:{reader}".encode()).decode()
    page = await service.http.get("/", headers={"authorization": basic})
    assert page.status_code == 200
    refused = await service.post("/decide", {"lead": {}}, authorization=f"Bearer {reader}")
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "not_allowed")


@pytest.mark.parametrize("credentials", ["Basic \xe9", "Basic ===", "Basic Og==", "Bearer \xe9"])
async def test_a_header_that_is_no_key_is_none(service: Service, credentials: str) -> None:
    headers = {"authorization": credentials.encode("latin-1")}
    refused = await service.http.post("/decide", json={"lead": {}}, headers=headers)
    assert refused.status_code == 401


async def test_a_body_that_does_not_come_lets_go_of_its_place(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway, "BODY_DEADLINE_S", 0.05)

    async def slowly() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.sleep(5)
        yield b"}"

    token = await service.known_token(Role.SCORE)
    headers = {"content-type": "application/json", "authorization": f"Bearer {token}"}
    late = await service.http.post("/decide", content=slowly(), headers=headers)
    assert (late.status_code, late.json()["error"]["code"]) == (408, "too_slow")


async def test_bodies_of_all_callers_together_are_bounded(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway, "MAX_HELD", 2_000)
    fits, too_much = ({"lead": {"Visits": 3, "Message": "x" * n}} for n in (1_000, 3_000))
    assert (await service.post("/decide", fits)).status_code == 200
    refused = await service.post("/decide", too_much)
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "overloaded")
    for _ in range(3):  # what was held is let go of
        assert (await service.post("/decide", fits)).status_code == 200


async def test_an_override_that_is_sent_again_is_one(service: Service) -> None:
    decided = (await service.post("/decide", {"lead": {"Visits": 3}})).json()["decision_id"]
    said = {"decision_id": decided, "pursue": True, "because": "knows_more"}
    for body in (said, said, said | {"because": "policy"}, said):
        assert (await service.post("/overrides", body)).status_code == 200
    assert len(service.rows(overrides)) == 3


async def test_a_revoked_key_stops_working(service: Service) -> None:
    key, token = create_key(service.store, name="t", role=Role.READ)
    await until(lambda: service.answers(token, 200))
    revoke_key(service.store, key.id)
    await until(lambda: service.answers(token, 401))


# -- what is live -----------------------------------------------------------------------------


async def test_promotion_swaps_the_release_and_no_request_fails(service: Service) -> None:
    async def ask() -> str:
        return str((await service.decide({}))["versions"]["release"])

    before = [asyncio.create_task(ask()) for _ in range(5)]
    await asyncio.sleep(0.002)
    service.source.version = "8"
    during = [await ask()]
    while during[-1] != "8" and len(during) < 3_000:
        during.append(await ask())
    assert {await task for task in before} == {"7"}
    assert during == sorted(during)
    assert during[-1] == "8"
    assert service.metric("release_info", release="7", classifier="9", llm="4") == 0
    assert service.metric("release_info", release="8", classifier="9", llm="4") == 1


async def test_a_broken_release_leaves_the_old_one_answering(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    service.source.broken.add("8")
    service.source.version = "8"
    await until(service.has_problem)
    await asyncio.sleep(5 * POLL.total_seconds())  # it looks again, and says no more
    assert (await service.decide({}))["versions"]["release"] == "7"
    readiness = (await service.http.get("/readyz")).json()
    assert readiness["ready"] is True
    assert "Release 8 cannot go live; release 7 goes on answering" in readiness["problem"]
    assert caplog.text.count("cannot go live") == 1
    assert service.metric("release_problem") == 1
    service.source.version = "7"
    await until(service.has_none)


async def test_an_unreachable_registry_is_told_without_its_words(service: Service) -> None:
    service.source.is_down = True
    await until(service.has_problem)
    readiness = await service.http.get("/readyz")
    assert readiness.status_code == 200
    assert readiness.json()["confirmed"] is True  # it was asked, once
    assert "ConnectionError" in readiness.text
    assert "jane" not in readiness.text


async def test_without_a_release_it_says_how_to_get_one(tmp_path: Path) -> None:
    source, url = FakeSource(None), f"sqlite:///{tmp_path}/tiebreak.db"
    store = store_at(url)
    _, token = create_key(store, name="t", role=Role.ADMIN)
    store.close()
    async with running(scorer_with(lambda: fake_desk(url, source=source)), status=503) as client:
        client.headers["authorization"] = f"Bearer {token}"
        for _ in range(3_000):  # first it reads the keys, then it looks, then it knows
            readiness = await client.get("/readyz")
            refused = await client.post("/decide", json={"lead": {}})
            if "--promote" in readiness.text and "--promote" in refused.text:
                break
            await asyncio.sleep(0.01)
        for response in (readiness, refused):
            assert response.status_code == 503
            assert "--promote" in response.json()["error"]["fix"]
        assert (await client.get("/docs.json")).status_code == 200
        source.version = "1"
        await until_ready(client)
        assert (await client.post("/decide", json={"lead": {}})).status_code == 200


async def test_release_and_schema_and_docs_show_the_live_release(service: Service) -> None:
    release = (await service.http.get("/release")).json()
    assert (release["release"], release["routing"]["band"]) == ("7", {"low": 0.4, "high": 0.6})
    schema = (await service.http.get("/schema/lead")).json()
    assert schema["properties"]["Visits"] == {"type": ["number", "null"], "examples": [4]}
    assert "never sent" in schema["properties"]["Email"]["description"]
    assert "examples" not in schema["properties"]["Email"]
    docs = (await service.http.get("/docs.json")).json()
    assert docs["components"]["schemas"]["Lead"]["properties"] == schema["properties"]
    assert docs["components"]["securitySchemes"]["ApiKey"]["scheme"] == "bearer"
    assert set(docs["paths"]) == set(ENDPOINTS) - {"/", "/docs.json", "/schema.json"}


async def test_every_reference_in_the_docs_leads_somewhere(service: Service) -> None:
    docs = (await service.http.get("/docs.json")).json()

    def references(tree: Any) -> list[str]:
        if isinstance(tree, list):
            return [r for item in tree for r in references(item)]
        if isinstance(tree, dict):
            own = [tree["$ref"]] if isinstance(tree.get("$ref"), str) else []
            return own + [r for item in tree.values() for r in references(item)]
        return []

    found = {r.removeprefix("#/components/schemas/") for r in references(docs)}
    assert found <= set(docs["components"]["schemas"])


DECIDED = "0190a3c4-0000-4000-8000-000000000001"  # nothing was
LONG = b"x" * 9_000_000
REFUSED: list[tuple[str, str, dict[str, Any], int]] = [
    ("POST", "/decide", {"content": b"{"}, 400),
    ("POST", "/decide", {"json": {"lead": {"Visits": "x"}}}, 422),
    ("GET", "/decisions/{id}/proof", {}, 404),
    ("GET", "/audit/entries", {"params": {"kind": "x"}}, 400),
    ("GET", "/audit/counts", {"params": {"of": "x"}}, 400),
    ("GET", "/audit/decisions/{id}", {}, 404),
    ("GET", "/audit/decisions/{id}/sent", {}, 404),
    ("POST", "/audit/about", {"json": {"decision_id": DECIDED}}, 404),
    ("POST", "/overrides", {"json": {"decision_id": DECIDED, "pursue": True}}, 404),
    ("POST", "/erasures", {"json": {"decision_id": DECIDED}}, 404),
]
POSTS = [path for path, endpoint in ENDPOINTS.items() if endpoint.method == "POST"]
REFUSED += [("POST", path, {"content": LONG, "headers": JSON}, 413) for path in POSTS]
REFUSED += [("POST", path, {"content": b"a=1"}, 415) for path in POSTS]


async def test_the_docs_name_each_status_that_is_answered(service: Service) -> None:
    documented = (await service.http.get("/docs.json")).json()["paths"]
    for method, path, asked, status in REFUSED:
        more = {"headers": JSON} | asked if "content" in asked and status == 400 else asked
        response = await service.http.request(method, path.replace("{id}", DECIDED), **more)
        assert response.status_code == status, (path, response.text)
        assert str(status) in documented[path][method.lower()]["responses"], (path, status)
    nobody = {"authorization": "Bearer tb_none"}
    for path, item in documented.items():
        for method, operation in item.items():
            place = path.replace("{id}", DECIDED)
            response = await service.http.request(method, place, headers=nobody)
            assert ("401" in operation["responses"]) == (response.status_code == 401), path


async def test_whoever_was_erased_is_gone_as_the_docs_say(service: Service) -> None:
    decided = (await service.decide({"Message": BY_TEXT}))["decision_id"]
    await service.post("/erasures", {"decision_id": decided})
    response = await service.http.get(f"/audit/decisions/{decided}/sent")
    documented = (await service.http.get("/docs.json")).json()["paths"]
    assert response.status_code == 410
    assert "410" in documented["/audit/decisions/{id}/sent"]["get"]["responses"]


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("/audit/entries", {*NAMES, "after", "most", "newest_first"}),
        ("/audit/counts", {"of", "by", "per", "since", "until"}),
    ],
)
async def test_the_docs_name_each_parameter_of_a_question(
    service: Service, path: str, names: set[str]
) -> None:
    operation = (await service.http.get("/docs.json")).json()["paths"][path]["get"]
    assert {one["name"] for one in operation["parameters"] if one["in"] == "query"} == names


# -- counting ---------------------------------------------------------------------------------


async def test_metrics_count_what_happened(service: Service) -> None:
    await service.decide({"Message": BY_TEXT, "Lead Source": "Moon", "more": 1})
    await service.decide({"Message": BY_BROKEN_LLM})
    await service.post("/decide", {"lead": {"Visits": "x"}})
    assert service.metric("decisions_total", route="llm", reason="free_text") == 1
    assert service.metric("llm_calls_total", outcome="ok") == 1
    assert service.metric("llm_calls_total", outcome="timeout") == 1
    assert service.metric("llm_tokens_total", kind="prompt") == 210
    assert service.metric("llm_cost_usd_total") == 0
    assert service.metric("llm_unpriced_calls_total") == 2
    assert service.metric("unknown_categories_total", column="Lead Source") == 1
    assert service.metric("unknown_fields_total") == 1
    assert service.metric("redacted_entities_total", type="EMAIL_ADDRESS") == 2
    assert service.metric("http_requests_total", endpoint="/decide", status="422") == 1
