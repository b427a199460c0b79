"""What the LLM is shown of a lead, before redaction. Contact columns never."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from features.encoding import Encoder
from features.lead import MAX_TEXT_CHARS, Lead
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
        return "\n".join(lead.texts.values())
    return "\n".join(_fields(lead, fields_shown, encoder))


def text_and_fields(lead: Lead, columns: Sequence[str], encoder: Encoder) -> str:
    """What the lead wrote, and behind it, so that no offset in it moves, some structured fields.

    Raw text, as `evidence_text`. Nothing where the lead wrote nothing; the text alone where there
    is no room for more.
    """
    text = evidence_text(lead, EvidenceKind.TEXT, (), encoder)
    both = f"{text}\n{'; '.join(_fields(lead, columns, encoder))}".rstrip("\n")
    return both if text and len(both) <= MAX_TEXT_CHARS else text


def _fields(lead: Lead, columns: Sequence[str], encoder: Encoder) -> Iterator[str]:
    shown = {f.column: encoder.shown(f, lead) for f in encoder.features if f.column in columns}
    known = ((c, shown.get(c)) for c in columns if c in lead.values)
    yield from (f"{column}: {_plain(value)}" for column, value in known if value is not None)


def _plain(value: str | float | bool) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.6g}" if isinstance(value, float) else value
