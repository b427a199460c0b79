"""Edit: a part of a text, and what a person reads there."""

from __future__ import annotations

# Start, end, and what to read there. Where both have the same length, letter stands for letter;
# else all of the new stands for all of the part. Where it is empty, the part belongs to the letter
# before it.
Edit = tuple[int, int, str]


def in_lower_case(text: str) -> str:
    """`text` in lower case, with every letter at its place.

    The Turkish \u0130 and \u0131 are an i, as they are to a pattern that ignores case: the first
    would grow when it is lowered, the second stay what it is.
    """
    if not text.isascii():
        text = text.replace("\u0130", "i").replace("\u0131", "i")
    return text.lower()
