"""Encoder: a lead becomes one float32 row. A dict look-up per column; no pandas on this path."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from features.lead import Lead, category
from features.lead_spec import Kind, LeadSpec

NAN = float("nan")
ROUND_BRACKETS = str.maketrans("[]<", "()\u2039")
MAX_CATEGORIES = 64  # per column; the rarer ones are read as unknown
MIN_CATEGORY_COUNT = 5  # a category seen less often teaches a tree only noise


@dataclass(frozen=True, slots=True)
class Feature:
    """One column of the row. For a text column the feature is its length in characters.

    typical: what stands in for a missing value (as a number of the row), where training never
    lacked one: trees send what they never saw into an arbitrary branch. None: NaN stands.
    """

    name: str
    column: str
    kind: Kind
    categories: tuple[str, ...] = ()
    typical: float | None = None


@dataclass(frozen=True)
class Encoder:
    """Fixes the order of the row's columns, and the code of every category.

    Missing and unknown become NaN, which XGBoost routes by what it learned about missing values;
    where training had none of them, the typical value.
    """

    features: tuple[Feature, ...]

    @classmethod
    def fit(cls, spec: LeadSpec, leads: Sequence[Lead]) -> Self:
        """Categories are those seen often enough in `leads`, most frequent first."""
        features = [
            Feature(c.name, c.name, c.kind, _frequent(c.name, leads))
            if c.kind is Kind.CATEGORICAL
            else Feature(c.name, c.name, c.kind)
            for c in spec.features
        ]
        features += [Feature(f"{c.name} (length)", c.name, Kind.TEXT) for c in spec.texts]
        rows = cls(tuple(features)).encode(leads)
        return cls(
            tuple(
                replace(feature, typical=_typical(feature, rows[:, place]))
                for place, feature in enumerate(features)
            )
        )

    @cached_property
    def names(self) -> list[str]:
        return [feature.name for feature in self.features]

    @cached_property
    def booster_names(self) -> list[str]:
        """`names` as XGBoost takes them: without `[`, `]` and `<`, and each only once."""
        taken: dict[str, int] = {}
        for name in self.names:
            plain = name.translate(ROUND_BRACKETS)
            while plain in taken:
                plain += "'"
            taken[plain] = len(taken)
        return list(taken)

    @cached_property
    def types(self) -> list[str]:
        """XGBoost feature types: "c" categorical, "q" quantitative."""
        return ["c" if f.kind is Kind.CATEGORICAL else "q" for f in self.features]

    def encode(self, leads: Iterable[Lead]) -> NDArray[np.float32]:
        """Rows for the classifier, shape (number of leads, number of features)."""
        rows = [self._row(lead) for lead in leads]
        return np.asarray(rows, dtype=np.float32).reshape(len(rows), len(self.features))

    def unknown_categories(self, lead: Lead) -> tuple[str, ...]:
        """Columns whose value training never saw (or saw too rarely to learn from)."""
        values, codes = lead.values, self._codes
        return tuple(c for c, known in codes.items() if c in values and values[c] not in known)

    def missing(self, lead: Lead) -> tuple[str, ...]:
        """Structured columns that the lead has no value for."""
        return tuple(c for c in self._structured if c not in lead.values)

    def shown(self, feature: Feature, lead: Lead) -> str | float | bool | None:
        """The lead's value of a feature, in its own words; None where missing or unknown.

        Only words known from training are ever shown: an unknown one may be personal data.
        """
        if feature.kind is Kind.TEXT:
            return float(len(lead.texts.get(feature.column, "")))
        value = lead.values.get(feature.column)
        if feature.kind is Kind.BOOLEAN and value is not None:
            return bool(value)
        if feature.kind is Kind.CATEGORICAL and value not in self._codes[feature.column]:
            return None
        return value

    def read(self, row: Sequence[float]) -> dict[str, str | float | bool | None]:
        """What a row says, by the names of its numbers; None where one is NaN.

        Raises:
            ValueError: another encoder made the row.
        """
        return {f.name: _word_of(f, value) for f, value in zip(self.features, row, strict=True)}

    def to_json(self) -> list[dict[str, Any]]:
        return [
            {
                "name": f.name,
                "column": f.column,
                "kind": f.kind.value,
                "categories": f.categories,
                "typical": f.typical,
            }
            for f in self.features
        ]

    @classmethod
    def from_json(cls, tree: list[dict[str, Any]]) -> Self:
        return cls(
            tuple(
                Feature(
                    f["name"], f["column"], Kind(f["kind"]), tuple(f["categories"]), f["typical"]
                )
                for f in tree
            )
        )

    @cached_property
    def _codes(self) -> Mapping[str, Mapping[str | float, float]]:
        return {
            f.column: _codes_of(f.categories) for f in self.features if f.kind is Kind.CATEGORICAL
        }

    @cached_property
    def _structured(self) -> tuple[str, ...]:
        return tuple(f.column for f in self.features if f.kind is not Kind.TEXT)

    def _row(self, lead: Lead) -> list[float]:
        values, texts, codes = lead.values, lead.texts, self._codes
        row: list[float] = []
        for feature in self.features:
            column = feature.column
            stand_in = NAN if feature.typical is None else feature.typical
            if feature.kind is Kind.TEXT:
                row.append(float(len(texts.get(column, ""))))
            elif feature.kind is Kind.CATEGORICAL:
                row.append(codes[column].get(values.get(column, NAN), stand_in))
            else:
                row.append(float(values.get(column, stand_in)))
        return row


def _codes_of(categories: Sequence[str]) -> Mapping[str | float, float]:
    codes: dict[str | float, float] = {}
    for code, word in enumerate(categories):
        # An older release may hold 7.0, or 7 and 7.0: then the more frequent one speaks for both.
        codes.setdefault(category(word), float(code))
    return codes


def _word_of(feature: Feature, value: float) -> str | float | bool | None:
    if np.isnan(value):
        return None
    if feature.kind is Kind.CATEGORICAL:
        return feature.categories[int(value)]
    return bool(value) if feature.kind is Kind.BOOLEAN else value


def _typical(feature: Feature, values: NDArray[np.float32]) -> float | None:
    """The middle value or the most frequent category; None where one is missing in training."""
    if not len(values) or np.isnan(values).any():
        return None
    if feature.kind is Kind.CATEGORICAL:
        return 0.0  # codes count up from the most frequent
    return float(np.sort(values)[(len(values) - 1) // 2])


def _frequent(column: str, leads: Sequence[Lead]) -> tuple[str, ...]:
    counts = Counter(str(lead.values[column]) for lead in leads if column in lead.values)
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return tuple(word for word, n in ranked[:MAX_CATEGORIES] if n >= MIN_CATEGORY_COUNT)
