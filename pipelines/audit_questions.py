"""The twenty questions that a real audit asks, and what answers each."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AuditQuestion:
    """source: who makes one ask. command: after `tiebreak audit`, with ids in capital letters.

    endpoint: "" where only the command line answers.
    """

    source: str
    asks: str
    command: str
    endpoint: str


def _q(source: str, asks: str, command: str, endpoint: str = "") -> AuditQuestion:
    return AuditQuestion(source, asks, command, endpoint)


LISTED = "/audit/entries?"
COUNTED = "/audit/counts?"
QUESTIONS = (
    _q("GDPR 15", "What do you have on this person?", "about DECISION --open", "/audit/about"),
    _q("GDPR 15", "What left about them, exactly?", "sent DECISION", "/audit/decisions/{id}/sent"),
    _q(
        "GDPR 15 (1) c",
        "Who received something about them?",
        "entries --subject SUBJECT --kind llm_call",
        f"{LISTED}subject=SUBJECT&kind=llm_call",
    ),
    _q(
        "GDPR 17",
        "Who was forgotten, when, and why?",
        "entries --kind erasure",
        f"{LISTED}kind=erasure",
    ),
    _q(
        "GDPR 22",
        "What took part in this decision?",
        "decision DECISION",
        "/audit/decisions/{id}",
    ),
    _q(
        "GDPR 22",
        "How often did a person decide otherwise, and why?",
        "counts --of overrides --by because,pursue",
        f"{COUNTED}of=overrides&by=because,pursue",
    ),
    _q(
        "GDPR 30",
        "Who receives data?",
        "counts --of calls --by provider,model",
        f"{COUNTED}of=calls&by=provider,model",
    ),
    _q(
        "GDPR 30",
        "Which categories of personal data were taken out first?",
        "counts --of spans --by entity_type",
        f"{COUNTED}of=spans&by=entity_type",
    ),
    _q(
        "AI Act 12",
        "What is recorded?",
        "counts --of entries --by kind",
        f"{COUNTED}of=entries&by=kind",
    ),
    _q("AI Act 12", "Is the head of the log what was signed?", "verify --quick"),
    _q(
        "AI Act 12",
        "Which release was live when?",
        "entries --kind release",
        f"{LISTED}kind=release",
    ),
    _q(
        "AI Act 13",
        "How far off are its probabilities?",
        "counts --of outcomes --by release,route",
        f"{COUNTED}of=outcomes&by=release,route",
    ),
    _q(
        "AI Act 14",
        "Which decisions did people override?",
        "entries --kind override",
        f"{LISTED}kind=override",
    ),
    _q(
        "AI Act 26 (5)",
        "How does it decide, day by day?",
        "counts --by route,reason --per day",
        f"{COUNTED}by=route,reason&per=day",
    ),
    _q(
        "AI Act 26 (6)",
        "How far back does the log go?",
        "entries --most 1",
        f"{LISTED}most=1",
    ),
    _q(
        "SOC 2 CC6",
        "Who read the log, and asked what?",
        "counts --of reads --by key,question",
        f"{COUNTED}of=reads&by=key,question",
    ),
    _q(
        "SOC 2 CC7",
        "Which texts could not be redacted?",
        "entries --failed",
        f"{LISTED}failed=true",
    ),
    _q(
        "SOC 2 CC7",
        "When did the LLM not answer, and why?",
        "counts --of calls --by provider,cause --per day",
        f"{COUNTED}of=calls&by=provider,cause&per=day",
    ),
    _q(
        "ISO 42001",
        "What does it cost?",
        "counts --of costs --by release --per month",
        f"{COUNTED}of=costs&by=release&per=month",
    ),
    _q(
        "ISO 42001",
        "A recognizer proved faulty: what did it see?",
        "entries --recognizer RECOGNIZER",
        f"{LISTED}recognizer=RECOGNIZER",
    ),
)


def table() -> str:
    """All of them in Markdown, as in docs/audit.md."""
    lines = ["| | from | question | `tiebreak audit ...` | endpoint |", "|---|---|---|---|---|"]
    lines += [
        f"| {n} | {q.source} | {q.asks} | `{q.command}` | {_code(q.endpoint)} |"
        for n, q in enumerate(QUESTIONS, start=1)
    ]
    return "\n".join(lines) + "\n"


def _code(text: str) -> str:
    return f"`{text}`" if text else ""
