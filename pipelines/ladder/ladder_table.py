"""The ladder's table, for people (rich) and for programs (JSON)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from models.verdict import Prices
from pipelines.ladder.ladder import Ladder
from pipelines.ladder.money import Monthly, monthly
from pipelines.ladder.standing import NO_TEXT, Standing
from pipelines.metrics import Interval, Measure

UNKNOWN = "not known"  # the price is not set, or the provider does not say the tokens
PIPED_WIDTH = 220  # columns, where no terminal says how many it has


class Bill:
    """What each rung costs a month, at the prices in the settings."""

    def __init__(self, share_read: float, hour_usd: float | None, tokens: Prices | None) -> None:
        self._share_read, self._hour_usd, self._tokens = share_read, hour_usd, tokens

    def of(self, standing: Standing) -> Monthly:
        rung = standing.rung
        return monthly(
            rung.cost, rung.place, self._share_read, hour_usd=self._hour_usd, tokens=self._tokens
        )


def show_ladder(ladder: Ladder, bill: Bill) -> None:
    """Quality, then cost, then what was not measured, then the recommendation."""
    out = Console()
    out = out if out.is_terminal else Console(width=PIPED_WIDTH)
    out.print(_quality(ladder))
    out.print(_cost(ladder, bill))
    for standing in ladder.standings:
        for note in standing.rung.notes:
            out.print(f"{standing.rung.name}: {note}", highlight=False)
    for absent in ladder.absent:
        out.print(f"Not measured: {absent.name}. {absent.why}", highlight=False, style="dim")
    advice = ladder.recommendation
    out.print(f"[bold]Recommended: {advice.rung}.[/bold] {advice.reason}", highlight=False)
    out.print(advice.enough, highlight=False)


def _quality(ladder: Ladder) -> Table:
    shown = ladder.no_text
    title = (
        f"{escape(ladder.data.name)}: test leads with a text, 95 % intervals; combined with the "
        f"classifier unless said; {shown.share_in_band:.0%} of them are inside the band"
    )
    heads = ("leads", "AUC alone", "AUC", "log loss alone", "log loss", "in band", "change", "gate")
    table = Table("", *heads, title=title)
    table.add_row(
        NO_TEXT,
        f"{shown.leads:,}",
        "",
        str(shown.measures[Measure.AUC]),
        "",
        str(shown.measures[Measure.LOG_LOSS]),
        _interval(shown.in_band),
        "",
        "",
    )
    for one in ladder.standings:
        style = "bold" if one.rung.name == ladder.recommendation.rung else None
        table.add_row(one.rung.name, *_measured(one), style=style)
    return table


def _measured(one: Standing) -> Iterator[str]:
    yield f"{one.leads:,}"
    for which in (Measure.AUC, Measure.LOG_LOSS):
        yield str(one.alone[which])
        yield str(one.combined[which])
    yield _interval(one.in_band)
    yield f"{one.change.value:+.3f} [{one.change.low:+.3f}, {one.change.high:+.3f}]"
    yield _gate(one)


def _gate(one: Standing) -> str:
    if one.trial is None:
        return "too few leads"
    word = "passed" if one.is_passed else "refused"
    return f"{word} (gains at least {one.trial.gain_low:+.3f})"


def _interval(value: Interval | None) -> str:
    return str(value) if value is not None else "one outcome"


def _cost(ladder: Ladder, bill: Bill) -> Table:
    title = f"What it costs; a month: a million leads, {ladder.share_read:.0%} of them read"
    heads = ("calls", "tokens", "ms a lead", "MiB", "USD now", "machine hours a month")
    more = ("self-hosted USD a month", "million tokens a month", "managed USD a month")
    table = Table("", *heads, *more, title=title)
    for one in ladder.standings:
        cost, month = one.rung.cost, bill.of(one)
        table.add_row(
            one.rung.name,
            f"{cost.calls:,}",
            f"{cost.prompt_tokens + cost.completion_tokens:,}",
            f"{cost.ms_per_lead:.1f}" if cost.ms_per_lead < 10 else f"{cost.ms_per_lead:.0f}",
            UNKNOWN if cost.memory_mib is None else f"{cost.memory_mib:,.1f}",
            _usd(cost.usd),
            f"{month.machine_hours:,.1f}" if month.machine_hours else "",
            _usd(month.self_hosted_usd) if month.machine_hours else "",
            "" if month.tokens_millions == 0 else _tokens(month.tokens_millions),
            "" if month.tokens_millions == 0 else _usd(month.managed_usd),
        )
    return table


def _tokens(millions: float | None) -> str:
    return UNKNOWN if millions is None else f"{millions:,.0f}"


def _usd(amount: float | None) -> str:
    return UNKNOWN if amount is None else f"{amount:,.2f}"


def ladder_json(ladder: Ladder, bill: Bill) -> dict[str, Any]:
    """What `tiebreak ladder --json` prints."""
    return {
        "table": ladder.data.name,
        "seed": ladder.options.seed,
        "calls": ladder.options.calls,
        "band": ladder.fitted.band.to_json(),
        "share_read": ladder.share_read,
        NO_TEXT: {
            "leads": ladder.no_text.leads,
            "share_in_band": ladder.no_text.share_in_band,
            "in_band": _json(ladder.no_text.in_band),
            **{m.value: v.to_json() for m, v in ladder.no_text.measures.items()},
        },
        "rungs": [_rung_json(one, bill) for one in ladder.standings],
        "not_measured": [asdict(one) for one in ladder.absent],
        "recommendation": asdict(ladder.recommendation),
    }


def _rung_json(one: Standing, bill: Bill) -> dict[str, Any]:
    return {
        "name": one.rung.name,
        "place": one.rung.place.value,
        "leads": one.leads,
        "alone": {m.value: v.to_json() for m, v in one.alone.items()},
        "combined": {m.value: v.to_json() for m, v in one.combined.items()},
        "in_band": _json(one.in_band),
        "change": one.change.to_json(),
        "change_in_band": _json(one.change_in_band),
        "gate": {
            "passed": one.is_passed,
            "gain": one.trial.gain if one.trial else None,
            "gain_low": one.trial.gain_low if one.trial else None,
        },
        "cost": asdict(one.rung.cost),
        "monthly": asdict(bill.of(one)),
        "notes": list(one.rung.notes),
    }


def _json(value: Interval | None) -> dict[str, float] | None:
    return None if value is None else value.to_json()
