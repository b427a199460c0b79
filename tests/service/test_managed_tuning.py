"""A provider's fine-tuning API over a wire that is not there: what leaves, and what is on record.

The format: https://developers.openai.com/docs/guides/supervised-fine-tuning, one chat a line.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pytest
from service_fakes import store_at, subjects_beside

from features.fingerprint import SubjectKey
from features.lead import Lead
from features.redaction import RedactedText
from models.answer import read_chat
from models.errors import LlmUnavailable
from models.llm_client import llm_client
from models.llm_version import Api
from models.prompt import EvidenceKind, Prompt
from pipelines.ladder.managed_tuning import ManagedTuning, training_line
from pipelines.processes import stoppable
from pipelines.training_data import TrainingData
from pipelines.verdicts import Witness
from service.audit.auditor import Auditor, Reader
from service.audit.filters import Filters
from service.recording.question_record import QuestionRecord
from service.storage.store import Store
from service.storage.subject_keys import StoredKeys
from tests.fakes import Wire, chat, llm_version, prompt, redacted
from tests.small_release import sample_data, small_fit

MODEL = "ft:m:acme::1"


class EmailRedactor:
    """Knows e-mail addresses only."""

    def redact(self, text: str, contacts: object, key: SubjectKey | None) -> RedactedText:  # noqa: ARG002
        return redacted(text, key)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(store_at(f"sqlite:///{tmp_path}/t.db")) as opened:
        yield opened


@pytest.fixture
def keys(tmp_path: Path) -> Iterator[StoredKeys]:
    with closing(subjects_beside(f"sqlite:///{tmp_path}/t.db")) as opened:
        yield opened


def job(status: str, model: str | None = None) -> httpx2.Response:
    """A job as the API documents it."""
    tree = {
        "id": "ftjob-1",
        "object": "fine_tuning.job",
        "created_at": 1,
        "model": "m",
        "status": status,
        "fine_tuned_model": model,
        "training_file": "file-1",
        "hyperparameters": {},
        "organization_id": "o",
        "result_files": [],
        "seed": 0,
    }
    return httpx2.Response(200, json=tree)


class Provider:
    """Answers by path; a job is over at the second look."""

    def __init__(
        self,
        *,
        upload: int = 200,
        ends: str = "succeeded",
        looked_at: int = 200,
        when_looked_at: Callable[[], None] = lambda: None,
    ) -> None:
        """looked_at: the status of the first look at the job, and what else happens then."""
        self._upload, self._ends, self._looked_at = upload, ends, looked_at
        self._when_looked_at = when_looked_at
        self.wire = Wire(self._answer)

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        path = (request.method, request.url.path.removeprefix("/v1"))
        if path == ("POST", "/files"):
            named = {"id": "file-1", "object": "file", "purpose": "fine-tune", "filename": "f"}
            tree = named | {"bytes": 1, "created_at": 1, "status": "uploaded"}
            return httpx2.Response(self._upload, json=tree)
        if path == ("DELETE", "/files/file-1"):
            return httpx2.Response(200, json={"id": "file-1", "object": "file", "deleted": True})
        if path == ("POST", "/fine_tuning/jobs"):
            return job("queued")
        if path == ("POST", "/fine_tuning/jobs/ftjob-1/cancel"):
            return job("cancelled")
        looks = [r for r in self.wire.requests if r.url.path.endswith("/jobs/ftjob-1")]
        if len(looks) == 1:
            self._when_looked_at()
        if len(looks) == 1 and self._looked_at != 200:
            return httpx2.Response(self._looked_at, json={})
        return job("running") if len(looks) < 2 else job(self._ends, MODEL)

    @property
    def paths(self) -> list[str]:
        return [f"{r.method} {r.url.path.removeprefix('/v1')}" for r in self.wire.requests]

    def part(self, name: str) -> str:
        """A part of the form that was uploaded."""
        request = self.wire.requests[0]
        head = f"Content-Type: {request.headers['content-type']}\r\n\r\n".encode()
        for part in message_from_bytes(head + request.read()).walk():
            if part.get_param("name", header="content-disposition") == name:
                return bytes(part.get_payload(decode=True)).decode()
        raise KeyError(name)


def leads(number: int) -> TrainingData:
    one = sample_data().spec
    written = [
        Lead.parse(one, {"Message": f"lead {i}: write to p{i}@acme.com", "Email": f"p{i}@acme.com"})
        for i in range(number)
    ]
    won = np.arange(number, dtype=np.int8) % 2
    return replace(sample_data(), leads=written, won=won)


def tune(provider: Provider, store: Store, keys: StoredKeys, *, number: int = 12) -> str:
    async def run() -> str:
        client = llm_client(
            "http://llm.test/v1", "sk-secret", transport=httpx2.MockTransport(provider.wire)
        )
        tuning = ManagedTuning(
            client,
            llm_version(Api.CHAT),
            Witness(EmailRedactor(), small_fit().classifier.encoder, ()),  # type: ignore[arg-type]
            QuestionRecord(store, keys),
            poll=timedelta(0),
        )
        try:
            return await tuning.tune(leads(number), np.arange(number), seed=7)
        finally:
            await client.close()

    return asyncio.run(run())


def asked_for(wire: Wire, path: str) -> Any:
    (request,) = [r for r in wire.requests if r.url.path == path]
    return json.loads(request.content)


def test_a_line_is_the_chat_that_will_be_asked_and_the_answer_that_was_right() -> None:
    bare: Prompt = replace(prompt(EvidenceKind.TEXT), examples=())
    for won in (True, False):
        line = training_line(redacted("call jane@acme.com"), bare, won=won)
        assert "\n" not in line
        tree = json.loads(line)
        assert list(tree) == ["messages"]
        assert [m["role"] for m in tree["messages"]] == ["system", "user", "assistant"]
        assert all(isinstance(m["content"], str) and m["content"] for m in tree["messages"])
        assert tree["messages"][:2] == bare.render_chat(redacted("call jane@acme.com"))
        said = json.loads(chat(tree["messages"][2]["content"]).content)
        assert (read_chat(said).probability > 0.5) == won


def test_a_raw_text_makes_no_line() -> None:
    with pytest.raises(TypeError, match="RedactedText"):
        training_line("call jane@acme.com", prompt(), won=True)  # type: ignore[arg-type]


def test_upload_job_and_the_models_name_and_the_file_is_deleted(
    store: Store, keys: StoredKeys
) -> None:
    provider = Provider()
    assert tune(provider, store, keys) == MODEL
    assert provider.paths == [
        "POST /files",
        "POST /fine_tuning/jobs",
        *["GET /fine_tuning/jobs/ftjob-1"] * 2,
        "DELETE /files/file-1",
    ]
    assert provider.part("purpose") == "fine-tune"
    lines = provider.part("file").splitlines()
    answers = [json.loads(json.loads(line)["messages"][-1]["content"]) for line in lines]
    assert [answer["answer"] for answer in answers] == ["no", "yes"] * 6
    wanted = {"model": "m", "training_file": "file-1", "seed": 7}
    assert asked_for(provider.wire, "/v1/fine_tuning/jobs") == wanted


def test_no_address_leaves_and_every_text_is_on_record_with_the_request_it_left_with(
    store: Store, keys: StoredKeys
) -> None:
    provider = Provider()
    tune(provider, store, keys)
    sent = b"".join(request.read() for request in provider.wire.requests)
    assert b"acme.com" not in sent
    auditor = Auditor(store, keys, Reader.at_the_machine())
    report = auditor.reconcile(None, Filters())
    assert (report.findings, report.counts["redaction"], report.counts["llm_call"]) == ([], 12, 12)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_job_that_was_paid_for_is_not_given_up_for_one_look_that_failed(
    status: int, store: Store, keys: StoredKeys
) -> None:
    provider = Provider(looked_at=status)
    assert tune(provider, store, keys) == MODEL
    assert "POST /fine_tuning/jobs/ftjob-1/cancel" not in provider.paths


def test_a_job_that_is_given_up_is_cancelled(store: Store, keys: StoredKeys) -> None:
    provider = Provider(looked_at=401)
    with pytest.raises(LlmUnavailable, match="http_401"):
        tune(provider, store, keys)
    assert provider.paths[-2:] == ["POST /fine_tuning/jobs/ftjob-1/cancel", "DELETE /files/file-1"]


def test_a_job_of_a_command_that_is_ended_by_a_signal_is_cancelled_and_its_file_deleted(
    store: Store, keys: StoredKeys
) -> None:
    provider = Provider(when_looked_at=lambda: os.kill(os.getpid(), signal.SIGHUP))
    with pytest.raises(KeyboardInterrupt), stoppable():
        tune(provider, store, keys)
    assert provider.paths[-2:] == ["POST /fine_tuning/jobs/ftjob-1/cancel", "DELETE /files/file-1"]


@pytest.mark.parametrize(
    ("provider", "number", "cause"),
    [
        pytest.param(Provider(upload=401), 12, "http_401", id="upload refused"),
        pytest.param(Provider(ends="failed"), 12, "fine_tuning", id="job failed"),
        pytest.param(Provider(), 9, "too_few", id="fewer than the API takes"),
    ],
)
def test_whatever_goes_wrong_has_a_name_and_leaves_a_record_that_pairs(
    provider: Provider, number: int, cause: str, store: Store, keys: StoredKeys
) -> None:
    with pytest.raises(LlmUnavailable) as caught:
        tune(provider, store, keys, number=number)
    assert caught.value.cause == cause
    assert "acme.com" not in str(caught.value)
    auditor = Auditor(store, keys, Reader.at_the_machine())
    assert auditor.reconcile(None, Filters()).findings == []
    if "POST /files" in provider.paths and cause == "fine_tuning":
        assert provider.paths[-1] == "DELETE /files/file-1"
