"""LeadScorer: the BentoML service. `bentoml serve service.app:LeadScorer`

What it does with a request is in `desk.py`; over HTTP, `gateway.py` brings the requests. The typed
methods here are the contract that the docs page, BentoML's clients and in-process callers see.
"""

# mypy: disable-error-code="untyped-decorator"
# (BentoML is not typed for mypy.)

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import bentoml
from _bentoml_sdk import Service  # type: ignore[import-untyped]
from bentoml.exceptions import BentoMLConfigException
from pydantic import Field

from service.desk import Caller, Desk
from service.errors import InvalidSettings
from service.gateway import AsgiApp, Gateway
from service.schemas import (
    DEFAULT_REASONS,
    MAX_LEADS,
    MAX_OUTCOMES,
    MAX_REASONS,
    BatchAnswer,
    BatchRequest,
    DecideRequest,
    DecisionAnswer,
    OutcomeIn,
    OutcomesAnswer,
)
from service.settings import forbid_usage_tracking, read_settings

IN_PROCESS = Caller("in-process")

Reasons = Annotated[
    int, Field(ge=0, le=MAX_REASONS, description="How many columns to give as reasons, at most.")
]


class GatedService(Service):  # type: ignore[misc]
    """BentoML's service, with our gateway in front of its app."""

    def __call__(self) -> Any:
        self._scorer = super().__call__()
        return self._scorer

    def to_asgi(self, is_main: bool = True) -> AsgiApp:  # BentoML's signature
        app: AsgiApp = super().to_asgi(is_main=is_main)
        return Gateway(app, desk=lambda: self._scorer.desk, spec=lambda: self.openapi_spec)


@bentoml.service(
    name="lead_scorer",
    service_class=GatedService,
    envs=[{"name": "BENTOML_DO_NOT_TRACK", "value": "True"}],
    metrics={"enabled": True},
    logging={"access": {"enabled": True, "request_content_type": False}},
)
class LeadScorer:
    """Scores sales leads; an LLM breaks the tie, after redaction, on the record."""

    desk: Desk

    def open_desk(self) -> Desk:
        """Put everything together. Slow: called from a thread, once."""
        from service.bootstrap import open_desk  # quick to import this module

        return open_desk(read_settings())

    @bentoml.on_deployment
    @staticmethod
    def before_workers() -> None:
        """Once, before any worker starts: no usage tracking, no start with wrong settings."""
        forbid_usage_tracking()
        try:
            read_settings()
        except InvalidSettings as error:
            raise BentoMLConfigException(str(error)) from None

    @bentoml.on_startup
    async def start_up(self) -> None:
        self.desk = await asyncio.to_thread(self.open_desk)
        self.desk.start(asyncio.get_running_loop())

    @bentoml.on_shutdown
    async def shut_down(self) -> None:
        await self.desk.close()

    @bentoml.api
    async def decide(
        self, lead: dict[str, Any], reasons: Reasons = DEFAULT_REASONS
    ) -> DecisionAnswer:
        """Decide one lead.

        Missing columns and unknown categories are data, not errors. The answer is durable.
        """
        request = DecideRequest.of({"lead": lead, "reasons": reasons})
        return DecisionAnswer.model_validate_json(await self.desk.decide(request, IN_PROCESS))

    @bentoml.api
    async def decide_batch(
        self,
        leads: Annotated[list[dict[str, Any]], Field(max_length=MAX_LEADS)],
        reasons: Reasons = DEFAULT_REASONS,
    ) -> BatchAnswer:
        """Decide many leads at once, all on one release.

        A lead that cannot be read does not lose the others: `decisions` has null in its place, and
        `errors` says what to mend.
        """
        request = BatchRequest.of({"leads": leads, "reasons": reasons})
        return BatchAnswer.model_validate_json(await self.desk.decide_batch(request, IN_PROCESS))

    @bentoml.api
    async def outcomes(
        self, outcomes: Annotated[list[OutcomeIn], Field(max_length=MAX_OUTCOMES)]
    ) -> OutcomesAnswer:
        """Report how leads ended.

        Reporting one again changes nothing; another result for the same decision corrects it.
        """
        items: list[object] = [outcome.model_dump() for outcome in outcomes]
        return OutcomesAnswer.model_validate_json(await self.desk.outcomes(items, IN_PROCESS))
