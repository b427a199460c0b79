from __future__ import annotations

import asyncio
import json
import logging
import math
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.redaction import RedactedText
from models.answer import ANSWER_SCHEMA_VERSION, read_chat, read_completion, read_usage
from models.errors import LlmUnavailable, MalformedVerdict
from models.llm_client import BODY_LIMIT, llm_client
from models.llm_version import Api
from models.prompt import EvidenceKind
from models.verdict import LlmJudge, Prices, Verdict, VerdictSource
from tests.fakes import Spelled, Wire, chat, completion, judge, llm_version, redacted, verdict_json

TEXT = EvidenceKind.TEXT
LEAD = "planted-words-of-a-lead"
YES = completion({" yes": 0.6, " no": 0.2})
SPELLED: Spelled = [
    ('{"answer', {}),
    ('": "', {}),
    ("yes", {"yes": 0.9, "no": 0.06, "Yes": 0.03}),
    ('", "probability": 80, "evidence": "x"}', {}),
]
SPELLED_JSON = "".join(token for token, _ in SPELLED)


def status(code: int, headers: dict[str, str] | None = None, **body: Any) -> httpx2.Response:
    return httpx2.Response(code, headers=headers, json=body or {"error": {"message": "no"}})


class Drip(httpx2.AsyncByteStream):
    """A body that never ends: a byte every 10 ms, or as fast as it is read."""

    def __init__(self, chunk: bytes, pause_s: float) -> None:
        self._chunk, self._pause_s = chunk, pause_s

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            await asyncio.sleep(self._pause_s)
            yield self._chunk


class Slow(httpx2.AsyncBaseTransport):
    """A provider whose headers take `delay_s` and whose body is `stream`."""

    def __init__(self, delay_s: float, code: int = 200, stream: Drip | None = None) -> None:
        self._delay_s, self._code, self._stream = delay_s, code, stream
        self.asked = 0
        self.at_once = 0
        self._now = 0

    async def handle_async_request(self, _: httpx2.Request) -> httpx2.Response:
        self.asked += 1
        self._now += 1
        self.at_once = max(self.at_once, self._now)
        try:
            await asyncio.sleep(self._delay_s)
        finally:
            self._now -= 1
        if self._stream:
            return httpx2.Response(self._code, stream=self._stream)
        return httpx2.Response(200, content=YES.content)


# -- every fault of a provider --------------------------------------------------------------------

FAULTS: dict[str, tuple[Any, str]] = {
    "no answer at all": (lambda: Slow(60), "timeout"),
    "slow drip": (lambda: Slow(0, stream=Drip(b" ", 0.01)), "timeout"),
    "endless answer": (lambda: Slow(0, stream=Drip(b" " * 65_536, 0)), "connection"),
    "endless error": (lambda: Slow(0, 500, Drip(b" " * 65_536, 0)), "connection"),
    "connection refused": (httpx2.ConnectError("refused"), "connection"),
    "reset while reading": (httpx2.ReadError("reset"), "connection"),
    "broken protocol": (httpx2.RemoteProtocolError("garbage"), "connection"),
    "client timeout": (httpx2.ReadTimeout("late"), "timeout"),
    "foreign error": (RuntimeError(f"sk-secret-key {LEAD}"), "unexpected"),
    "400": (status(400), "http_400"),
    "401": (status(401), "http_401"),
    "403": (status(403), "http_403"),
    "404": (status(404), "http_404"),
    "429 for long": (status(429, {"retry-after": "3600"}), "http_429"),
    "429 for nonsense": (status(429, {"retry-after": "soon"}), "http_429"),
    "500": (status(500), "http_500"),
    "503": (status(503), "http_503"),
    "redirect": (status(307, {"location": "http://elsewhere.test/"}), "http_307"),
    "empty body": (httpx2.Response(200), "no_choices"),
    "HTML": (httpx2.Response(200, text="<html>Log in</html>"), "no_choices"),
    "truncated JSON": (httpx2.Response(200, content=YES.content[:80]), "no_choices"),
    "deep JSON": (httpx2.Response(200, text="[" * 500_000), "no_choices"),
    "not UTF-8": (httpx2.Response(200, content=b"\xff\xfe\x00{"), "no_choices"),
    "a bare number": (httpx2.Response(200, json=7), "no_choices"),
    "no choices": (httpx2.Response(200, json={"choices": []}), "no_choices"),
    "choices of another type": (httpx2.Response(200, json={"choices": {"0": 1}}), "no_choices"),
    "an error with status 200": (httpx2.Response(200, json={"error": {}}), "no_choices"),
    "compressed": (
        lambda: httpx2.MockTransport(
            lambda _: httpx2.Response(200, headers={"content-encoding": "br"}, stream=Drip(b"", 0))
        ),
        "connection",
    ),
}
COMPLETION_FAULTS: dict[str, tuple[Any, str]] = {
    "no logprobs": (httpx2.Response(200, json={"choices": [{"text": " yes"}]}), "no_answer"),
    "another word": (completion({" maybe": 0.9, " yes": 0.01}), "no_answer"),
    "NaN logprobs": (
        httpx2.Response(
            200,
            text='{"choices":[{"logprobs":{"content":[{"top_logprobs":'
            '[{"token":"yes","logprob":NaN}]}]}}]}',
        ),
        "no_answer",
    ),
}
CHAT_FAULTS: dict[str, tuple[Any, str]] = {
    "content is null": (chat(None), "not_json"),
    "content is empty": (chat(""), "not_json"),
    "prose": (chat("I think so."), "not_json"),
    "JSON cut short": (chat(verdict_json()[:-5]), "not_json"),
    "wrong schema": (chat('{"verdict": "yes"}'), "not_json"),
    "NaN probability": (chat('{"answer": "yes", "probability": NaN}'), "not_json"),
    "a list": (chat('["yes", 80]'), "not_json"),
    "many braces": (chat('{"a":' * 100_000), "not_json"),
    "maybe": (chat(verdict_json("maybe")), "no_answer"),
    "probability above 100": (chat(verdict_json(probability=180)), "no_probability"),
    "probability below 0": (chat(verdict_json(probability=-1)), "no_probability"),
    "no probability": (chat('{"answer": "yes"}'), "no_probability"),
    "probability is true": (chat(verdict_json(probability=True)), "no_probability"),
    "answer and number disagree": (chat(verdict_json("no", 90)), "contradiction"),
    "refusal": (chat(None, message={"refusal": "I cannot"}), "refused"),
    "content filter": (chat(verdict_json(), finish_reason="content_filter"), "refused"),
}
DEADLINE = timedelta(seconds=0.4)
TRIES = 5  # a busy machine may stop us for longer than the deadline allows for; not five times
CASES = [
    pytest.param(api, fault, cause, id=f"{api}-{name}")
    for api, faults in [
        (Api.COMPLETION, FAULTS | COMPLETION_FAULTS),
        (Api.CHAT, FAULTS | CHAT_FAULTS),
    ]
    for name, (fault, cause) in faults.items()
]


@pytest.mark.parametrize(("api", "fault", "cause"), CASES)
async def test_every_fault_is_llm_unavailable_in_time(api: Api, fault: Any, cause: str) -> None:
    text, seen = redacted(LEAD), []
    for _ in range(TRIES):
        wire = fault() if callable(fault) else Wire(fault)
        asked, started = judge(wire, api, deadline=DEADLINE), time.perf_counter()
        with pytest.raises(LlmUnavailable) as caught:
            await asked.ask(text, TEXT)
        late_s = time.perf_counter() - started - DEADLINE.total_seconds()
        assert_says_nothing_foreign(caught.value)
        if caught.value.cause == cause and late_s < 0.1:
            return
        seen.append((caught.value.cause, late_s))
    pytest.fail(f"Late, or for another reason, each time: {seen}")


def assert_says_nothing_foreign(error: BaseException) -> None:
    assert error.__cause__ is None
    assert error.__context__ is None
    assert LEAD not in f"{error!r} {error}"
    assert "secret" not in f"{error!r} {error}"


@pytest.mark.parametrize(
    "first",
    [status(429), status(429, {"retry-after": "0.05"}), status(500), httpx2.ConnectError("no")],
    ids=["429", "429 that says when", "500", "refused"],
)
async def test_what_may_pass_is_tried_again(first: Any) -> None:
    wire = Wire(first, YES)
    verdict = await judge(wire).ask(redacted(LEAD), TEXT)
    assert verdict.attempts == len(wire.requests) == 2
    assert verdict.win_probability == pytest.approx(0.75)


@pytest.mark.parametrize("code", [400, 401, 404])
async def test_what_will_not_pass_is_not_tried_again(code: int) -> None:
    wire = Wire(status(code))
    with pytest.raises(LlmUnavailable):
        await judge(wire).ask(redacted(LEAD), TEXT)
    assert len(wire.requests) == 1


async def test_a_retry_after_beyond_the_deadline_fails_at_once() -> None:
    wire, started = Wire(status(429, {"retry-after": "30"})), time.perf_counter()
    with pytest.raises(LlmUnavailable, match="http_429"):
        await judge(wire, deadline=timedelta(seconds=20)).ask(redacted(LEAD), TEXT)
    assert len(wire.requests) == 1
    assert time.perf_counter() - started < 5


async def test_waiting_for_a_free_slot_counts_against_the_deadline() -> None:
    text, late_s = redacted(LEAD), []
    for _ in range(TRIES):
        slow = Slow(60)
        asked = judge(slow, deadline=DEADLINE, max_concurrency=1)
        started = time.perf_counter()
        asks = [asked.ask(text, TEXT) for _ in range(5)]
        answers = await asyncio.gather(*asks, return_exceptions=True)
        late_s.append(time.perf_counter() - started - DEADLINE.total_seconds())
        assert all(isinstance(a, LlmUnavailable) and a.cause == "timeout" for a in answers)
        assert slow.at_once == 1
    assert min(late_s) < 0.1


async def test_no_more_questions_at_once_than_allowed() -> None:
    slow = Slow(0.02)
    asked = judge(slow, max_concurrency=3)
    await asyncio.gather(*(asked.ask(redacted(LEAD), TEXT) for _ in range(9)))
    assert (slow.asked, slow.at_once) == (9, 3)


async def test_cancellation_stays_cancellation_and_frees_its_slot() -> None:
    asked = judge(Slow(60), max_concurrency=1, deadline=timedelta(seconds=60))
    for _ in range(2):
        task = asyncio.create_task(asked.ask(redacted(LEAD), TEXT))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_a_kind_without_a_prompt_is_unavailable_and_sends_nothing() -> None:
    wire = Wire(YES)
    client = llm_client("http://llm.test/v1", "k", transport=httpx2.MockTransport(wire))
    version = llm_version()
    del version.prompts[EvidenceKind.FIELDS]  # type: ignore[attr-defined]
    asked = LlmJudge(client, version, deadline=DEADLINE, max_concurrency=1)
    with pytest.raises(LlmUnavailable, match="train again"):
        await asked.ask(redacted(LEAD), EvidenceKind.FIELDS)
    assert wire.requests == []


# -- privacy --------------------------------------------------------------------------------------


@pytest.mark.parametrize("api", Api)
@pytest.mark.parametrize("raw", ["a raw str", None, 7])
async def test_raw_text_never_reaches_the_wire(api: Api, raw: RedactedText) -> None:
    wire = Wire(YES)
    with pytest.raises(TypeError, match="redact it first"):
        await judge(wire, api).ask(raw, TEXT)
    assert wire.requests == []


async def test_what_was_redacted_is_not_sent() -> None:
    wire = Wire(YES)
    await judge(wire).ask(redacted("write to ada@lovelace.example, soon"), TEXT)
    assert b"lovelace" not in wire.requests[0].content
    assert "write to (EMAIL_ADDRESS_1) soon" in wire.bodies[0]["prompt"]


async def test_nothing_is_logged_but_by_the_libraries_and_nothing_of_the_lead(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    await judge(Wire(status(500), YES)).ask(redacted(LEAD), TEXT)
    assert not [r for r in caplog.records if r.name.startswith(("models", "features"))]
    assert LEAD not in caplog.text
    assert "secret" not in caplog.text


async def test_a_redirect_is_not_followed() -> None:
    wire = Wire(status(308, {"location": "http://elsewhere.test/v1/completions"}))
    with pytest.raises(LlmUnavailable):
        await judge(wire).ask(redacted(LEAD), TEXT)
    assert [r.url.host for r in wire.requests] == ["llm.test"]


# -- what a verdict says --------------------------------------------------------------------------


async def test_a_base_model_answers_with_the_odds_of_yes_over_no() -> None:
    wire = Wire(completion({" yes": 0.5, " Yes": 0.1, "no": 0.2, " the": 0.1}))
    verdict = await judge(wire, prices=Prices(prompt=2.0, completion=10.0)).ask(redacted("x"), TEXT)
    assert verdict.win_probability == pytest.approx(0.75)
    assert verdict.log_odds == pytest.approx(math.log(3))
    assert verdict.source is VerdictSource.LOGPROBS
    assert verdict.evidence is None
    assert (verdict.prompt_tokens, verdict.completion_tokens) == (100, 10)
    assert verdict.cost_usd == pytest.approx(300e-6)
    assert verdict.request_id == "cmpl-1"
    assert wire.bodies[0].items() >= {"max_tokens": 1, "temperature": 0.0, "logprobs": 5}.items()


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("call me  TODAY", "call me TODAY"),
        ("(EMAIL_ADDRESS_1)", "(EMAIL_ADDRESS_1)"),
        ("John Smith, +1 415 555 0199", None),
        ("", None),
    ],
)
async def test_evidence_is_a_quote_of_the_redacted_text_or_nothing(
    said: str, kept: str | None
) -> None:
    text = redacted("please\ncall me today at jane@acme.com")
    wire = Wire(chat(verdict_json(evidence=said)))
    assert (await judge(wire, Api.CHAT).ask(text, TEXT)).evidence == kept


@pytest.mark.parametrize("count", [2**70, 2**63, -1, 1.5, True, "7"])
async def test_token_counts_that_cannot_be_are_not_counted(count: Any) -> None:
    wire = Wire(
        completion(
            {" yes": 0.6, " no": 0.2}, usage={"prompt_tokens": count, "completion_tokens": 1}
        )
    )
    verdict = await judge(wire, prices=Prices(1.0, 1.0)).ask(redacted("x"), TEXT)
    assert (verdict.prompt_tokens, verdict.cost_usd) == (0, None)


async def test_a_chat_model_answers_with_the_odds_at_its_answer() -> None:
    wire = Wire(chat(SPELLED_JSON, SPELLED))
    verdict = await judge(wire, Api.CHAT).ask(redacted("x"), TEXT)
    assert verdict.win_probability == pytest.approx(0.93 / 0.99)
    assert verdict.source is VerdictSource.LOGPROBS
    assert verdict.evidence == "x"
    schema = wire.bodies[0]["response_format"]["json_schema"]
    assert schema["strict"] is True
    assert wire.bodies[0]["top_logprobs"] == 5


@pytest.mark.parametrize(
    "content",
    [
        verdict_json(),
        f"```json\n{verdict_json()}\n```",
        f"<think>{{hm}}</think> Sure! {verdict_json()} Hope it helps {{}}",
        verdict_json("YES", "80%"),
        verdict_json("yes", 80.0),
    ],
    ids=["plain", "fenced", "prose", "loud, with a sign", "float"],
)
async def test_without_logprobs_the_stated_probability_counts(content: str) -> None:
    verdict = await judge(Wire(chat(content)), Api.CHAT).ask(redacted("x"), TEXT)
    assert verdict.win_probability == pytest.approx(0.8)
    assert verdict.source is VerdictSource.STATED


async def test_unknown_prices_and_unknown_tokens_are_no_cost_rather_than_none() -> None:
    priced = Prices(1.0, 1.0)
    silent = completion({" yes": 0.6, " no": 0.2}, usage=None)
    assert (await judge(Wire(YES)).ask(redacted("x"), TEXT)).cost_usd is None
    unknown = await judge(Wire(silent), prices=priced).ask(redacted("x"), TEXT)
    assert (unknown.cost_usd, unknown.prompt_tokens) == (None, 0)


@pytest.mark.parametrize(("said", "shown"), [("e" * 5_000, 300), ("", None), (["list"], None)])
def test_evidence_is_short_or_none(said: Any, shown: int | None) -> None:
    answer = read_chat(chat(verdict_json(evidence=said)).json())
    assert (len(answer.evidence) if answer.evidence else None) == shown


# -- providers that refuse parameters -------------------------------------------------------------

REFUSALS = {
    "response_format": ("'response_format' of type 'json_schema' is not supported", "logprobs"),
    "logprobs": ("You are not allowed to request logprobs from this model.", "response_format"),
    "temperature": ("Unsupported value: 'temperature' does not support 0.0", "logprobs"),
    "seed": ("Unrecognized request argument supplied: seed", "logprobs"),
    "max_tokens": ("Use 'max_completion_tokens' instead of 'max_tokens'.", "logprobs"),
}


@pytest.mark.parametrize("refused", REFUSALS)
async def test_what_a_provider_refuses_is_left_out_and_stays_out(refused: str) -> None:
    words, kept = REFUSALS[refused]
    wire = Wire(status(400, error={"message": words}), chat(verdict_json()))
    asked = judge(wire, Api.CHAT)
    assert (await asked.ask(redacted("x"), TEXT)).attempts == 2
    assert (await asked.ask(redacted("x"), TEXT)).attempts == 1
    first, *later = wire.bodies
    assert refused in first
    assert all(refused not in body and kept in body for body in later)
    assert all("max_tokens" in body or body["max_completion_tokens"] == 200 for body in later)


async def test_a_refusal_without_a_reason_costs_the_extras_once() -> None:
    wire = Wire(status(400), chat(verdict_json()))
    await judge(wire, Api.CHAT).ask(redacted("x"), TEXT)
    assert not {"response_format", "logprobs", "top_logprobs"} & wire.bodies[1].keys()


async def test_a_bad_request_for_another_reason_is_not_remembered() -> None:
    wire = Wire(status(400), status(400), chat(verdict_json()))
    asked = judge(wire, Api.CHAT)
    with pytest.raises(LlmUnavailable, match="http_400"):
        await asked.ask(redacted("too long"), TEXT)
    await asked.ask(redacted("x"), TEXT)
    assert "response_format" in wire.bodies[2]


# -- pure reading ---------------------------------------------------------------------------------


def test_the_older_shape_of_logprobs_is_read_too() -> None:
    top = [{" yes": math.log(0.3), " no": math.log(0.6)}]
    body = {"choices": [{"text": " no", "logprobs": {"tokens": [" no"], "top_logprobs": top}}]}
    assert read_completion(body).probability == pytest.approx(1 / 3)


def test_an_answer_that_is_not_listed_is_at_most_as_likely_as_the_least_listed() -> None:
    body = completion({" yes": 0.9, " Yes": 0.08, " the": 0.01}).json()
    assert read_completion(body).probability == pytest.approx(0.98 / 0.99)


def test_the_answer_position_is_found_however_the_tokens_fall() -> None:
    rest = {"yes": 0.3, "no": 0.6}
    for opening in (
        ['{"answer":"'],
        ["{", '"answer', '":', ' "'],
        ["I say yes. {", '"answer" : "'],
    ):
        tokens: Spelled = [*((t, {}) for t in opening), ("no", rest), ('","probability":20}', {})]
        body = chat("".join(t for t, _ in tokens), tokens).json()
        assert read_chat(body).probability == pytest.approx(1 / 3)


def test_a_split_answer_falls_back_to_the_stated_probability() -> None:
    tokens: Spelled = [
        ('{"answer":"', {}),
        ("y", {"y": 0.9, "n": 0.1}),
        ('es","probability":80}', {}),
    ]
    answer = read_chat(chat("".join(t for t, _ in tokens), tokens).json())
    assert answer.source is VerdictSource.STATED
    assert answer.probability == pytest.approx(0.8)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["choices", "logprobs", "content", "top_logprobs", "message", "token"])
            | st.sampled_from(["logprob", "usage", "answer", "probability", "prompt_tokens"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(JSON, JSON, JSON)
def test_no_response_breaks_the_reader(message: Any, logprobs: Any, usage: Any) -> None:
    body = {"choices": [{"message": message, "logprobs": logprobs}], "usage": usage}
    for read in (read_completion, read_chat):
        with suppress(MalformedVerdict):
            assert 1e-4 <= read(body).probability <= 1 - 1e-4
    read_usage(body)


@given(st.text(max_size=60), st.sampled_from(["yes", "no"]), st.integers() | st.floats())
def test_whatever_a_chat_model_writes_is_a_probability_or_an_error(
    prose: str, answer: str, stated: float
) -> None:
    content = prose + json.dumps({"answer": answer, "probability": stated}) + prose
    with suppress(MalformedVerdict):
        assert 1e-4 <= read_chat(chat(content).json()).probability <= 1 - 1e-4


def test_a_verdict_is_light_to_import() -> None:
    heavy = "{'openai', 'httpx2', 'numpy', 'presidio_analyzer', 'xllamacpp'}"
    code = f"import sys, models.verdict; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_limits_are_what_the_documents_say() -> None:
    assert BODY_LIMIT == 2 * 1024 * 1024
    assert ANSWER_SCHEMA_VERSION == "1"
    assert Verdict(0.5, VerdictSource.STATED, None, 0, 0, None, 0.0, None, 1).log_odds == 0.0
