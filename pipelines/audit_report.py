"""Audit report: an auditor's answers, as a person reads them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table

from features.encoding import Encoder, Feature
from features.lead_spec import Kind as ColumnKind
from pipelines.redaction_report import printable
from pipelines.report import reason_lines
from service.audit.finding import Page
from service.audit.sent import floats
from service.recording.entry import Kind

# Of the release that an entry names; None where nobody has that any more.
EncoderOf = Callable[[Mapping[str, Any]], Encoder | None]
NOBODY_KNOWN = (
    "Nobody is known by these values; which column they are given for does not matter. Try their "
    "e-mail address, then their phone number; who gave neither is known by all their contact "
    "values together."
)
SAID = {  # what a line says of each kind, besides when and about what
    "decision": ("route", "reason", "probability", "release"),
    "redaction": ("purpose", "policy", "failed"),
    "llm_call": ("provider", "model", "status", "cause"),
    "outcome": ("won",),
    "override": ("pursue", "because"),
    "promotion": ("release", "before", "because", "forced", "key"),
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


def show_sent(opened: Mapping[str, Any], encoder_of: EncoderOf) -> None:
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
        for name in ("route", "reason", "probability", "classifier_probability", "release"):
            named = name.replace("_", " ")
            out.print(f"{named}: {escape(_said(decided[name]))}", highlight=False)
        left = [text["at"] for text in opened["sent"] if not text["failed"]]
        for line in _read_by_text_model(decided, left):
            out.print(line, highlight=False)
        row = [float("nan") if value is None else value for value in decided["row"]]
        for line in _read_of_lead(decided, row, decided, encoder_of(decided)):
            out.print(line, highlight=False)


def show_person(found: Mapping[str, Any], encoder_of: EncoderOf) -> None:
    """All about a person."""
    out = Console()
    if not found["subjects"]:
        out.print(NOBODY_KNOWN)
    for subject in found["subjects"]:
        counts = ", ".join(f"{number} {kind}" for kind, number in subject["counts"].items())
        erased = "" if subject["can_be_opened"] else " Erased: what is sealed cannot be opened."
        out.print(f"Subject {subject['subject']}: {counts}.{erased}", highlight=False)
        for recipient in subject["recipients"]:
            where = f"{recipient['provider']}, {recipient['model']}"
            out.print(f"Sent to {where}: {recipient['calls']} requests.", highlight=False)
        show_entries(subject["entries"])
        left = _left_of(subject["entries"])
        for tree in subject["entries"]:
            if tree["kind"] == Kind.DECISION:
                head = f"{tree['at']} {tree['kind']}"
                for line in _read_by_text_model(tree, left.get(tree["decision_id"], ())):
                    out.print(f"{head}, {line}", highlight=False)
            for line in _opened_lines(tree, encoder_of):
                out.print(line, highlight=False)
        out.print(f"Read of them: {len(subject['read_by'])} times.", highlight=False)


def _left_of(trees: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    """When a text left, by the decision that it left for."""
    left: dict[str, list[str]] = {}
    for tree in trees:
        if tree["kind"] == Kind.REDACTION and not tree["failed"]:
            left.setdefault(tree["question_id"], []).append(tree["at"])
    return left


def _read_by_text_model(decided: Mapping[str, Any], left: Sequence[str]) -> list[str]:
    """That a text model read the text, and where that is; no line where it read none.

    left: when the same redacted text left for an LLM: then its redaction is an entry.
    """
    said = decided.get("text_log_odds")
    if said is None:
        return []
    line = f"read by the text model here, redacted: it said log-odds {said:+.3f}"
    if left:
        also = "it was for the LLM too, as far as its prompt has room"
        return [f"{line}; {also}: redaction of {', '.join(left)}"]
    return [f"{line}; the text did not leave, so neither it nor its redaction is on record"]


def _opened_lines(tree: Mapping[str, Any], encoder_of: EncoderOf) -> list[str]:
    """What was sealed in an entry; no line where it is still sealed, or nothing was."""
    if "opened" not in tree:
        return []
    within, head = tree["opened"], f"{tree['at']} {tree['kind']}"
    if tree["kind"] == Kind.DECISION:
        row = floats(within["row"])
        lines = _read_of_lead(within, row, tree, encoder_of(tree))
        return [f"{head}, what was read of the lead:", *(f"  {line}" for line in lines)]
    return [f"{head}, {name}: {escape(_said(value))}" for name, value in within.items()]


def _read_of_lead(
    within: Mapping[str, Any],
    row: Sequence[float],
    decided: Mapping[str, Any],
    encoder: Encoder | None,
) -> list[str]:
    """The reasons, the LLM's quote, and the classifier's row by its columns.

    decided: what the decision's entry says in clear.
    """
    lines = reason_lines(within["reasons"])
    if within["evidence"] is not None:
        lines.append(f"quoted by the LLM: {escape(printable(within['evidence']))}")
    if encoder is None:
        numbers = escape(", ".join(_said(value) for value in row))
        release = decided["release"]
        why = f"their columns are not named, for MLflow does not give release {release}"
        return [*lines, f"row: {numbers} ({why})"]
    read, data = encoder.read(row), decided["data"]
    columns = {feature.name: feature for feature in encoder.features}
    lines.append("row:")
    return lines + [
        f"  {escape(printable(name))} = {escape(_word(value, _lacked(columns[name], data)))}"
        for name, value in read.items()
    ]


def _lacked(feature: Feature, data: Mapping[str, Any]) -> str:
    """Why a number of the row is not the lead's own; "" where it is."""
    if feature.kind is not ColumnKind.TEXT and feature.column in data["missing"]:
        return "not given"
    return "not known to training" if feature.column in data["unknown_categories"] else ""


def _word(value: str | float | bool | None, lacked: str) -> str:
    """A typical value that stands in, where training never lacked one, is no word of the lead."""
    if value is None:
        return lacked or "not given, or not known"
    said = printable(_said(value))
    return f"{lacked}, so the typical {said} stands in" if lacked else said


def _said(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, float):
        return f"{value:.6g}"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)
