"""Audit report: an auditor's answers, as a person reads them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table

from service.audit.finding import Page

SAID = {  # what a line says of each kind, besides when and about what
    "decision": ("route", "reason", "probability", "release"),
    "redaction": ("purpose", "policy", "failed"),
    "llm_call": ("provider", "model", "status", "cause"),
    "outcome": ("won",),
    "override": ("pursue", "because"),
    "release": ("release",),
    "erasure": ("subject", "because"),
    "read": ("question", "key", "filters"),
}


def show_page(page: Page) -> None:
    """Some entries, and how to get more."""
    show_entries([{"seq": found.seq, **found.tree} for found in page.entries])
    if page.after is not None:
        Console().print(f"There are more: --after {page.after}.", highlight=False)


def show_entries(trees: Sequence[Mapping[str, Any]]) -> None:
    """One line an entry."""
    if not trees:
        Console().print("Nothing matches.")
        return
    out = Console()  # lines, not a table: no id is cut, however narrow the window
    for tree in trees:
        about = tree.get("decision_id") or tree.get("question_id") or "-"
        says = ", ".join(f"{name} {_said(tree[name])}" for name in SAID[tree["kind"]])
        head = (str(tree["seq"]) if "seq" in tree else "", tree["at"], tree["kind"], about, says)
        line = " ".join(part for part in head if part)
        out.print(escape(line), highlight=False, soft_wrap=True)


def show_counts(rows: Sequence[Mapping[str, Any]]) -> None:
    """One line a group."""
    if not rows:
        Console().print("Nothing to count.")
        return
    table = Table(*(name.replace("_", " ") for name in rows[0]))
    for row in rows:
        table.add_row(*(escape(_said(value)) for value in row.values()))
    Console().print(table)


def show_sent(opened: Mapping[str, Any]) -> None:
    """What left, to whom, and what was made of it."""
    out = Console()
    if not opened["sent"]:
        out.print("No text left for this decision.")
    for text in opened["sent"]:
        shown = "It could not be redacted, so it did not leave."
        title = f"{text['at']}, prompt {text['prompt']}, redaction policy {text['policy']}"
        out.print(Panel(escape(text["shown"] or shown), title=title, title_align="left"))
    for call in opened["calls"]:
        outcome = call["cause"] or "answered"
        ids = f"ours {call['call_id']}, theirs {call['request_id'] or 'not given'}"
        where = f"{call['provider']}, {call['model']}, LLM version {call['llm']}"
        out.print(f"{call['at']} to {where}: {outcome} ({ids}).", highlight=False)
    if decided := opened["decision"]:
        says = ("route", "reason", "probability", "release", "reasons", "evidence", "row")
        for name in says:
            out.print(f"{name}: {escape(_said(decided[name]))}", highlight=False)


def show_person(found: Mapping[str, Any]) -> None:
    """All about a person."""
    out = Console()
    if not found["subjects"]:
        out.print("Nobody is known by these. Try their e-mail address, then their phone number.")
    for subject in found["subjects"]:
        counts = ", ".join(f"{number} {kind}" for kind, number in subject["counts"].items())
        erased = "" if subject["can_be_opened"] else " Erased: what is sealed cannot be opened."
        out.print(f"Subject {subject['subject']}: {counts}.{erased}", highlight=False)
        for recipient in subject["recipients"]:
            where = f"{recipient['provider']}, {recipient['model']}"
            out.print(f"Sent to {where}: {recipient['calls']} requests.", highlight=False)
        show_entries(subject["entries"])
        for tree in subject["entries"]:
            if "opened" in tree:
                out.print(f"{tree['at']} {tree['kind']}: {escape(_said(tree['opened']))}")
        out.print(f"Read of them: {len(subject['read_by'])} times.", highlight=False)


def _said(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, float):
        return f"{value:.6g}"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)
