"""Money: what a rung costs at a million leads a month. Prices are the settings', never ours."""

from __future__ import annotations

from dataclasses import dataclass

from models.verdict import Prices
from pipelines.ladder.rung import Cost, Place

LEADS_A_MONTH = 1_000_000
MS_AN_HOUR = 3_600_000


@dataclass(frozen=True, slots=True)
class Monthly:
    """At a million leads a month, of which a share is read by the rung.

    machine_hours: of this machine, where the rung runs on it. tokens_millions: prompt and
    completion; None where not known. self_hosted_usd, managed_usd: None where the price is not set,
    the tokens are not known, or it cannot run so; managed_usd: the same tokens at the configured
    provider's prices.
    """

    reads: int
    machine_hours: float
    tokens_millions: float | None
    self_hosted_usd: float | None
    managed_usd: float | None


def monthly(
    cost: Cost, place: Place, share_read: float, *, hour_usd: float | None, tokens: Prices | None
) -> Monthly:
    """share_read: of all leads, in [0, 1]. hour_usd: what an hour of this machine costs."""
    reads = round(LEADS_A_MONTH * share_read)
    hours = reads * cost.ms_per_lead / MS_AN_HOUR if place is Place.HERE else 0.0
    prompt, completion = (reads * each for each in cost.tokens_per_lead or (0.0, 0.0))
    has_tokens = prompt + completion > 0
    return Monthly(
        reads=reads,
        machine_hours=hours,
        tokens_millions=(prompt + completion) / 1e6 if cost.tokens_per_lead else None,
        self_hosted_usd=hours * hour_usd if hour_usd is not None and place is Place.HERE else None,
        managed_usd=tokens.cost_usd(round(prompt), round(completion))
        if tokens and has_tokens
        else None,
    )
