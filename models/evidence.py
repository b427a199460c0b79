"""What the LLM is shown of a lead, before redaction. Contact columns never."""

from __future__ import annotations

from collections.abc import Sequence

from features.encoding import Encoder
from features.lead import Lead
from models.prompt import EvidenceKind

FIELDS_SHOWN = 8  # columns; a small model loses the thread in more


def evidence_text(
    lead: Lead, kind: EvidenceKind, fields_shown: Sequence[str], encoder: Encoder
) -> str:
    """What the lead wrote, or (kind FIELDS) its most telling structured fields, one a line.

    This is raw text: only a Redactor may take it. Values of categorical fields that training
    never saw are left out.
    """
    if kind is EvidenceKind.TEXT:
        return lead.text
    shown = {f.column: encoder.shown(f, lead) for f in encoder.features if f.column in fields_shown}
    known = ((c, shown.get(c)) for c in fields_shown if c in lead.values)
    return "\n".join(f"{column}: {_plain(value)}" for column, value in known if value is not None)


def _plain(value: str | float | bool) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.6g}" if isinstance(value, float) else value
