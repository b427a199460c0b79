"""Redaction table: what `tiebreak bench redaction` prints, for people and for programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from itertools import groupby
from math import isnan
from typing import Any

from rich.console import Console
from rich.table import Table

from pipelines.metrics import Interval
from pipelines.redaction.redaction_bench import BenchReport
from pipelines.redaction.redaction_figures import (
    MAX_CHANGE,
    DisguiseFigures,
    Figure,
    disguise_gates,
)

MARKS = {True: "[green]pass[/green]", False: "[red]FAIL[/red]", None: ""}


def show_bench(report: BenchReport, console: Console | None = None) -> None:
    """Every figure beside stock Presidio's, with its target."""
    out = console or Console()
    bent = [gate for d in report.disguises for gate in disguise_gates(d)]  # in a table of their own
    plain = [figure for figure in report.figures if figure not in bent]
    out.print(_figures("Redaction beside stock Presidio, 95 % intervals", plain))
    out.print(_types(report))
    out.print(_figures("By language", report.languages))
    out.print(_disguises(report.disguises))
    for spread in report.spreads:
        values = ", ".join(f"{value:.3f}" for value in spread.f2)
        line = f"F2 on {spread.corpus}, by {spread.varied}: {values}"
        out.print(f"{line} (standard deviation {spread.deviation:.3f}).", highlight=False)
    for name, seconds in report.hostile.stock_s.items():
        took = f"{seconds:.1f} s" if seconds is not None else f"> {report.hostile.stock_limit_s} s"
        ours = report.hostile.ms[name] / 1_000
        out.print(f"Hostile text '{name}': ours {ours:.2f} s, stock {took}.", highlight=False)
    if report.hostile.refused:
        names = ", ".join(report.hostile.refused)
        share = f"{len(report.hostile.refused)} of {len(report.hostile.ms)}"
        out.print(f"Hostile texts refused, and so not sent, {share}: {names}.", highlight=False)
    counts = ", ".join(f"{count:,} {name}" for name, count in report.messages.items())
    out.print(
        f"Policy {report.policy}. Texts: {counts}; {report.refused} refused.", highlight=False
    )
    targets = [figure for figure in report.figures if figure.passed is not None]
    met = f"{len(targets) - len(report.failed)} of {len(targets)} targets are met"
    missed = "; ".join(f"{figure.name} ({figure.corpus})" for figure in report.failed)
    out.print(f"{met}. Missed: {missed}." if missed else f"{met}.", highlight=False)


def _figures(title: str, figures: Sequence[Figure]) -> Table:
    table = Table("figure", "ours", "stock", "target", "", title=title)
    for corpus, group in groupby(figures, key=lambda figure: figure.corpus):
        table.add_section()
        table.add_row(f"[bold]{corpus}[/bold]")
        for f in group:
            stock = _shown(f.stock, f.unit) if f.stock else ""
            table.add_row(f.name, _shown(f.ours, f.unit), stock, _target(f), MARKS[f.passed])
    return table


def _types(report: BenchReport) -> Table:
    title = "By type: share of spans found, and of characters left in clear"
    table = Table("type", "spans", "found", "stock", "in clear", "stock", title=title)
    for corpus, group in groupby(report.types, key=lambda row: row.corpus):
        table.add_section()
        table.add_row(f"[bold]{corpus}[/bold]")
        for row in group:
            shares = (row.recall, row.stock_recall, row.leak, row.stock_leak)
            table.add_row(row.entity_type, f"{row.spans:,}", *map(_share, shares))
    return table


def _disguises(disguises: Sequence[DisguiseFigures]) -> Table:
    title = "Disguised: F2 on the texts that change, and the change of what is left in clear"
    columns = ("disguise", "F2 before", "after", "change", "in clear", "target", "")
    table = Table(*columns, "stock before", "after", "change", title=title)
    for corpus, group in groupby(disguises, key=lambda row: row.corpus):
        table.add_section()
        table.add_row(f"[bold]{corpus}[/bold]")
        for d in group:
            gates = list(disguise_gates(d))
            table.add_row(
                d.disguise,
                *_before_and_after(d.plain, d.disguised, d.change),
                f"{d.leak_change.value:+.3f}",
                f"within {MAX_CHANGE}" if gates else "",
                MARKS[all(gate.passed for gate in gates)] if gates else "",
                *_before_and_after(d.stock_plain, d.stock_disguised, d.stock_change),
            )
    return table


def _before_and_after(
    before: Interval | None, after: Interval | None, change: Interval | None
) -> tuple[str, ...]:
    if not (before and after and change):
        return "", "", ""
    return f"{before.value:.3f}", f"{after.value:.3f}", f"{change.value:+.3f}"


def _share(value: float | None) -> str:
    return "" if value is None or isnan(value) else f"{value:.3f}"


def _shown(interval: Interval, unit: str) -> str:
    if 0 < interval.value < 0.001:  # not nothing, where nothing is the target
        return f"{interval.value:.6f} {unit}".rstrip()
    if interval.low < interval.high:
        return f"{interval} {unit}".rstrip()
    value = f"{interval.value:.3f}" if abs(interval.value) < 10 else f"{interval.value:,.0f}"
    return f"{value} {unit}".rstrip()


def _target(figure: Figure) -> str:
    sign, bound = (">=", figure.at_least) if figure.at_most is None else ("<=", figure.at_most)
    return "" if bound is None else f"{sign} {bound:g} {figure.unit}".rstrip()


def bench_json(report: BenchReport) -> dict[str, Any]:
    """What `tiebreak bench redaction --json` prints."""
    figures = [{**asdict(figure), "passed": figure.passed} for figure in report.figures]
    return {**asdict(report), "figures": figures, "passed": not report.failed}
