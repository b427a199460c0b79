"""A release brings its adapter along: into the embedded LLM before it goes live, whatever dies."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from features.lead import Lead
from models.adapter import Adapter, file_digest
from models.band import EVERYTHING
from models.cascade import Cascade, ExampleOutbox
from models.decision import Decision, Route
from models.errors import LlmUnavailable
from models.llm_version import Api, Decoding, LlmVersion
from models.prompt import EvidenceKind, Prompt, WorkedExample
from models.release import Release
from models.routing import RoutingPolicy
from pipelines.serving.random_adapter import write_random_adapter
from service.bootstrap import adapter_shelf, assembler
from service.llm.endpoint import LlmEndpoint, configured_endpoint
from service.llm.server import MODEL_ID, EmbeddedLlm, is_available, model_digest
from service.settings import Settings
from tests.service.service_fakes import EXAMPLES, small_release

pytestmark = [
    pytest.mark.journey,
    pytest.mark.skipif(not is_available(), reason="needs the extra local-llm"),
    pytest.mark.xdist_group("adapters"),
]
PAST = {"Love it, it fits great": True, "Bad cut, I returned it": False}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return Settings(
            home=tmp_path, llm_port=free.getsockname()[1], llm_deadline=timedelta(seconds=20)
        )


def tuned_release(folder: Path, seed: int) -> Release:
    """Always asks. The worked examples keep a random adapter at yes and no."""
    file = folder / f"{seed}.gguf"
    adapter = write_random_adapter(file, seed=seed, size=0.015)
    examples = tuple(WorkedExample(text, won) for text, won in PAST.items())
    asked = Prompt.newest(EvidenceKind.TEXT, outcome="Won", won="1", examples=examples)
    return replace(
        small_release(str(seed)),
        policy=RoutingPolicy(EVERYTHING, EVERYTHING, frozenset({EvidenceKind.TEXT})),
        llm=embedded_version(asked, adapter),
        adapter_file=file.read_bytes(),
    )


def embedded_version(asked: Prompt, adapter: Adapter) -> LlmVersion:
    return LlmVersion(
        provider="embedded",
        model=MODEL_ID,
        api=Api.COMPLETION,
        prompts={EvidenceKind.TEXT: asked},
        redaction_policy="1",
        decoding=Decoding.for_api(Api.COMPLETION),
        adapter=adapter,
        weights=model_digest(),
    )


async def decided(cascade: Cascade) -> Decision:
    lead = Lead.parse(cascade.release.spec, EXAMPLES)
    return await cascade.decide(lead, outbox=ExampleOutbox())


def win_probability(decision: Decision) -> float:
    assert decision.verdict is not None, decision.llm_failure
    return decision.verdict.win_probability


async def test_a_releases_adapter_is_served_before_it_decides_and_comes_back_with_the_llm(
    settings: Settings, tmp_path: Path
) -> None:
    assemble: Callable[[Release], Cascade] = assembler(settings)
    first = await asyncio.to_thread(assemble, tuned_release(tmp_path, 1))
    alone = await decided(first)  # no LLM runs: the release is live all the same
    assert (alone.route, alone.llm_failure) == (Route.CLASSIFIER, "connection")

    with EmbeddedLlm(settings.home / "llm", port=settings.llm_port) as llm:
        by_first = win_probability(await decided(first))  # found when it started
        second = await asyncio.to_thread(assemble, tuned_release(tmp_path, 2))
        by_second = win_probability(await decided(second))
        assert abs(by_first - by_second) > 0.005
        assert win_probability(await decided(first)) == by_first  # also while the next is live

        assert llm.pid is not None
        os.kill(llm.pid, signal.SIGKILL)
        meanwhile = [await decided(second) for _ in range(3)]
        assert all(0 <= decision.probability <= 1 for decision in meanwhile)
        for _ in range(300):
            again = await decided(second)
            if again.route is Route.LLM:
                break
            await asyncio.sleep(0.1)
        assert win_probability(again) == by_second

        with pytest.raises(LlmUnavailable, match="refuses"):  # and so it does not go live
            await asyncio.to_thread(assemble, unusable_release(first.release))
        assert win_probability(await decided(second)) == by_second
        await first.close()
        await second.close()


def unusable_release(release: Release) -> Release:
    """Its file is the one that it names, but no adapter."""
    assert release.llm.adapter is not None
    content = b"no GGUF"
    adapter = replace(release.llm.adapter, digest=file_digest(content))
    return replace(release, llm=replace(release.llm, adapter=adapter), adapter_file=content)


def test_an_endpoint_answers_for_adapters_on_its_own_weights(
    settings: Settings, tmp_path: Path
) -> None:
    release = tuned_release(tmp_path, 3)
    embedded = configured_endpoint(settings)
    assert embedded.answers_for(release.llm)
    assert release.llm.adapter is not None
    other = replace(release.llm.adapter, base="0" * 64)
    assert not embedded.answers_for(replace(release.llm, adapter=other))
    vllm = LlmEndpoint("gpu.example", "gemma", Api.COMPLETION, "http://gpu.example/v1")
    there = replace(release.llm, provider="gpu.example", model="gemma", weights=None)
    assert vllm.answers_for(there)  # it says no digest: the adapter's name alone is compared


async def test_a_release_on_another_endpoint_puts_nothing_on_the_shelf(
    settings: Settings, tmp_path: Path
) -> None:
    elsewhere = settings.model_copy(update={"llm_base_url": "http://127.0.0.1:9/v1"})
    await asyncio.to_thread(assembler(elsewhere), tuned_release(tmp_path, 4))
    assert adapter_shelf(elsewhere).files() == {}
