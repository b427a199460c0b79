"""DISGUISES: the ways to bend a text that a person reads through and a pattern does not.

Each is a step from a text to the edits that undo it, in time linear in the text, and nearly free
for a text without it. What comes out is what the LLM reads, so an honest text stays as it is.
"""

from __future__ import annotations

from features.homoglyphs import homoglyphs
from features.spaced_letters import dashed_letters, spaced_letters
from features.spelled_addresses import bracketed_signs, spelled_addresses
from features.spelled_digits import spelled_digits

# Letters come together before they are compared, and words are whole before they are understood.
DISGUISES = (
    spaced_letters,
    dashed_letters,
    homoglyphs,
    bracketed_signs,
    spelled_addresses,
    spelled_digits,
)
