"""What `tiebreak redact` prints: a text with its spans marked, and why each went or stayed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from features.redaction import RedactedText
from features.redaction_trace import Fate, Occurrence, Proposal, RedactionTrace

MARK = "bold reverse"


@dataclass(frozen=True, slots=True)
class Stay:
    """Where a value stands that was asked for, and which stage let it through. No value."""

    start: int
    end: int
    went: bool
    stage: str
    proposals: tuple[Proposal, ...]


def why_it_stayed(trace: RedactionTrace, value: str) -> list[Stay]:
    """Each place where `value` stands; an empty list where the text does not hold it."""
    return [_stay(place) for place in trace.occurrences(value)]


def _stay(place: Occurrence) -> Stay:
    fates = {proposal.fate for proposal in place.proposals}
    if place.went:
        lost = Fate.TAKEN_OUT not in fates
        stage = Fate.LOST.value if lost else Fate.TAKEN_OUT.value
    elif Fate.BELOW in fates:
        stage = Fate.BELOW.value
    elif Fate.ALLOWED in fates:
        stage = Fate.ALLOWED.value
    elif Fate.LISTED in fates:
        stage = Fate.LISTED.value
    else:
        stage = "in_part_not_proposed" if fates else "not_proposed"
    return Stay(place.start, place.end, place.went, stage, place.proposals)


SENTENCES = {
    "taken_out": "it went",
    "lost_to_an_overlap": "it went, as a part of a longer span of another type",
    "below_threshold": "it stayed: it was proposed, with a score below the threshold",
    "allowed_by_policy": "it stayed: the policy keeps this type",
    "on_the_allow_list": "it stayed: `allow_list` of leads.toml has it",
    "not_proposed": "it stayed: no recognizer proposed it",
    "in_part_not_proposed": "a part of it stayed: no recognizer proposed that part",
}


def show_redaction(text: str, redacted: RedactedText, asked: Mapping[str, Sequence[Stay]]) -> None:
    """The text with its spans marked, as an LLM would see it, and one line for each span."""
    out = Console()
    if not text.strip():
        out.print("The text is empty: there is nothing to redact.")
        return
    out.print(Text("The text. Marked: what goes.", style="dim"))
    out.print(_marked(text, redacted))
    out.print(Text("\nWhat an LLM sees:", style="dim"))
    out.print(Text(redacted.text))
    if redacted.spans:
        out.print(_span_table(redacted))
    else:
        out.print(Text(f"\nNothing was found to redact. Policy {redacted.policy}."))
    for value, places in asked.items():
        out.print(_answer(value, places))


def _span_table(redacted: RedactedText) -> Table:
    table = Table("where", "type", "score", "found by", "action", title=f"policy {redacted.policy}")
    for span in redacted.spans:
        found_by = f"{span.recognizer} {span.version}"
        where = f"{span.start}-{span.end}"
        table.add_row(where, span.entity_type, f"{span.score:.2f}", found_by, span.operator)
    return table


def _marked(text: str, redacted: RedactedText) -> Text:
    """Brackets too: colours are lost in a file."""
    text = printable(text)
    marked = Text()
    at = 0
    for span in redacted.spans:
        marked.append(text[at : span.start])
        marked.append(f"[{text[span.start : span.end]}]", style=MARK)
        marked.append(f"({span.entity_type})", style="dim")
        at = span.end
    return marked.append(text[at:])


def printable(text: str) -> str:
    """As long, without what could steer a terminal."""
    return "".join(c if c.isprintable() or c in "\n\t" else "\ufffd" for c in text)


def _answer(value: str, places: Sequence[Stay]) -> Text:
    answer = Text(f"\nWhy not {value!r}? ")
    if not places:
        return answer.append("The text does not hold it, in any writing of it.")
    for place in places:
        answer.append(f"\n  at {place.start}-{place.end}: {SENTENCES[place.stage]}.")
        for p in place.proposals:
            fate = p.fate.value.replace("_", " ")
            answer.append(
                f"\n    {p.entity_type} {p.start}-{p.end}, score {p.score:.2f} of at least "
                f"{p.threshold:.2f}, by {p.recognizer} {p.version}: {fate}"
            )
    return answer


def redaction_json(redacted: RedactedText, asked: Sequence[Sequence[Stay]]) -> dict[str, Any]:
    """What `tiebreak redact --json` prints: never a value that went.

    `why_not` has one list for each value that was asked for, in their order.
    """
    return {
        "text": redacted.text,
        "counts": dict(redacted.counts),
        "policy": redacted.policy,
        "spans": [asdict(span) for span in redacted.spans],
        "why_not": [[asdict(stay) for stay in places] for places in asked],
    }
