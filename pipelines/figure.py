"""Figure: one measurement of a benchmark, with what is promised beside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """One measurement. target: what is promised; None: nothing is."""

    name: str
    value: float
    unit: str
    target: float | None = None
    at_most: bool = False

    @property
    def failed(self) -> bool:
        if self.target is None:
            return False
        return self.value > self.target if self.at_most else self.value < self.target


def tell(figures: Sequence[Figure], *, as_json: bool) -> bool:
    """Print them, as a table or as one JSON object. Returns whether a target is missed."""
    from pipelines.report import print_json

    if as_json:
        print_json({"figures": [asdict(one) | {"failed": one.failed} for one in figures]})
    else:
        _show(figures)
    return any(figure.failed for figure in figures)


def _show(figures: Sequence[Figure]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("figure", "value", "unit", "target")
    for figure in figures:
        sign = "at most" if figure.at_most else "at least"
        target = f"{sign} {figure.target:,g}" if figure.target is not None else ""
        marked = f"[red]{target}: missed[/red]" if figure.failed else target
        table.add_row(figure.name, f"{figure.value:,.2f}", figure.unit, marked)
    Console().print(table)
