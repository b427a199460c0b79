"""Edit: a part of a text, and what a person reads there."""

from __future__ import annotations

# Start, end, and what to read there. Where both have the same length, letter stands for letter;
# else all of the new stands for all of the part. Where it is empty, the part belongs to the letter
# before it.
Edit = tuple[int, int, str]


def in_lower_case(text: str) -> str:
    """`text` in lower case, with every letter at its place: some grow when they are lowered."""
    lower = text.lower()
    if len(lower) == len(text):
        return lower
    return "".join(c if len(c.lower()) > 1 else c.lower() for c in text)
