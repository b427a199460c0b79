"""ColumnFacts: one column of a table, reduced to its distinct values and where they stand."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from features.lead import category

if TYPE_CHECKING:
    import pandas as pd

MISSING = -1


@dataclass(frozen=True)
class ColumnFacts:
    """One column.

    Attributes:
        name: its name in the table.
        words: the distinct values, stripped, in order of appearance; 7.0 is 7, as for a lead.
        codes: for each row its place in `words`, or MISSING.
        sentinels: missing-value words found here, with their rows (the empty value is not one).
    """

    name: str
    words: tuple[str, ...]
    codes: NDArray[np.intp]
    sentinels: tuple[tuple[str, int], ...] = ()

    @classmethod
    def of(cls, name: str, column: pd.Series) -> ColumnFacts:
        """The facts of one column of a table, from CSV or Parquet."""
        import pandas as pd

        values, missing = column.tolist(), column.isna().tolist()
        words = ["" if m else _word(v) for v, m in zip(values, missing, strict=True)]
        codes, uniques = pd.factorize(np.array(words, dtype=object))
        return cls(name, tuple(uniques), codes).without(("",))

    def without(self, missing_words: Collection[str]) -> ColumnFacts:
        """The same column with these words (casefolded) counted as missing."""
        gone = [i for i, word in enumerate(self.words) if word.casefold() in missing_words]
        if not gone:
            return self
        counts = self.counts
        found = tuple((self.words[i], int(counts[i])) for i in gone if self.words[i])
        place = np.full(len(self.words) + 1, MISSING, dtype=np.intp)  # the last one is MISSING's
        kept = [i for i in range(len(self.words)) if i not in set(gone)]
        place[kept] = np.arange(len(kept))
        words = tuple(self.words[i] for i in kept)
        return ColumnFacts(self.name, words, place[self.codes], self.sentinels + found)

    @cached_property
    def rows(self) -> int:
        return len(self.codes)

    @cached_property
    def counts(self) -> NDArray[np.intp]:
        """Rows of each distinct value."""
        return np.bincount(self.codes[self.codes != MISSING], minlength=len(self.words))

    @cached_property
    def present(self) -> int:
        """Rows that have a value."""
        return int(self.counts.sum())

    @cached_property
    def values(self) -> list[str]:
        """The value of each row, "" where it is missing."""
        words = (*self.words, "")  # MISSING is the last place
        return [words[code] for code in self.codes.tolist()]

    @cached_property
    def missing_share(self) -> float:
        return 1 - self.present / self.rows

    @cached_property
    def distinct_share(self) -> float:
        """Distinct values per row that has one: 1.0 where no value repeats."""
        return len(self.words) / max(self.present, 1)

    def share(self, matching: NDArray[np.bool_]) -> float:
        """Of the rows that have a value, the share whose value matches (a flag per word)."""
        return float(self.counts[matching].sum() / max(self.present, 1))

    @cached_property
    def floats(self) -> NDArray[np.float64]:
        """Each distinct value as a finite number, NaN where it is none."""
        return np.array([number(word) for word in self.words], dtype=np.float64)

    @cached_property
    def numbers(self) -> NDArray[np.float64] | None:
        """`floats` where every value is a number, else None."""
        return self.floats if len(self.words) and not np.isnan(self.floats).any() else None


def _word(value: object) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # gaps make floats of whole numbers
    isoformat = getattr(value, "isoformat", None)
    return category(str(isoformat() if callable(isoformat) else value).strip())


def number(word: str) -> float:
    """What `word` says, finite; NaN where that is no number."""
    try:
        said = float(word)
    except ValueError:
        return math.nan
    return said if math.isfinite(said) else math.nan
