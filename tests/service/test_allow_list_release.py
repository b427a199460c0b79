"""A release's own allow list is what its decisions are redacted by."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

from service_fakes import EXAMPLES, small_release

from features.allow_list import AllowList
from features.lead import Lead
from models.band import EVERYTHING
from models.cascade import Cascade, ExampleOutbox, Leaving
from models.prompt import EvidenceKind
from models.release import Release
from models.routing import RoutingPolicy
from service.bootstrap import assembler
from service.settings import Settings

WROTE = "We moved off Velora last year. Ask Kowalczyk about Zellira."
ALWAYS_ASK = RoutingPolicy(EVERYTHING, EVERYTHING, frozenset({EvidenceKind.TEXT}))


class Remembering(ExampleOutbox):
    """Keeps what is about to leave."""

    def __init__(self) -> None:
        self.left: list[Leaving] = []

    async def leaving(self, leaving: Leaving) -> None:
        self.left.append(leaving)


def listing(*phrases: str) -> Release:
    release = small_release()
    spec = replace(release.spec, allow_list=AllowList(phrases))
    return replace(release, spec=spec, policy=ALWAYS_ASK)


async def left_by(cascade: Cascade) -> Leaving:
    outbox = Remembering()
    lead = Lead.parse(cascade.release.spec, {**EXAMPLES, "Message": WROTE})
    decision = await cascade.decide(lead, outbox=outbox)
    await cascade.close()
    (left,) = outbox.left
    assert decision.redaction is not None
    assert decision.redaction.policy == left.redaction.policy
    return left


async def test_each_release_is_redacted_by_its_own_list(tmp_path: Path) -> None:
    nobody = Settings(home=tmp_path, llm_base_url="http://127.0.0.1:9/v1")
    assemble = assembler(nobody)
    with_list, without = [
        await left_by(await asyncio.to_thread(assemble, release))
        for release in (listing("Velora", "Zellira"), listing())
    ]
    assert "Velora" in with_list.shown
    assert "Kowalczyk" not in with_list.shown
    assert "Velora" not in without.shown
    digest = AllowList(("Velora", "Zellira")).digest
    assert with_list.redaction.policy == f"{without.redaction.policy}+{digest}"
