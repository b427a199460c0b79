"""What the recognizers without a model find in a text, as `[TYPE value]`."""

from __future__ import annotations

import re
from functools import cache

from features.found_span import FoundSpan, disjoint
from features.recognizers import pattern_recognizers
from features.redaction_policy import RedactionPolicy

policy = cache(RedactionPolicy.shipped)
recognizers = cache(pattern_recognizers)
MARK = re.compile(r"\[[A-Z_]{3,} (.*?)\](?!\])", re.DOTALL)


def found(text: str) -> list[FoundSpan]:
    """Spans that leave, in order."""
    spans = {
        FoundSpan(start, end, entity_type, score, r.name, r.version)
        for r in recognizers()
        for start, end, score in r.find(text)
        for entity_type in r.supported_entities
    }
    return disjoint({s for s in spans if policy().takes_out(s.entity_type, s.score)}, text)


def marked(text: str) -> str:
    """`call [PHONE_NUMBER 555-0147]`."""
    parts, at = [], 0
    for span in found(text):
        parts += [text[at : span.start], f"[{span.entity_type} {text[span.start : span.end]}]"]
        at = span.end
    return "".join([*parts, text[at:]])


def unmarked(row: str) -> str:
    """The text of a row as `marked` shows it."""
    return MARK.sub(r"\1", row)
