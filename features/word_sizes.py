"""Lists of words with two small numbers each, on disk: `smith 7 13`, one word a line."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

Sizes = Mapping[str, tuple[int, int]]


def read_sizes(path: Path) -> Sizes:
    """The list in a file."""
    pairs: dict[str, tuple[int, int]] = {}  # few differ: a tuple for each word is 10 MB
    sizes: dict[str, tuple[int, int]] = {}
    with path.open(encoding="ascii") as lines:
        for line in lines:
            word, _, size = line.partition(" ")
            if size not in pairs:
                first, second = size.split()
                pairs[size] = int(first), int(second)
            sizes[word] = pairs[size]
    return sizes


def write_sizes(sizes: Sizes, path: Path) -> None:
    """Write a list, in order."""
    lines = (f"{word} {first} {second}\n" for word, (first, second) in sorted(sizes.items()))
    path.write_text("".join(lines), encoding="ascii", newline="\n")
