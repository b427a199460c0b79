"""LeadSpec: what each column of a table of leads is, as written in `leads.toml`."""

from __future__ import annotations

import hashlib
import math
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Any

from features.allow_list import AllowList
from features.errors import InvalidLeadSpec


class Kind(StrEnum):
    """What a column holds."""

    NUMERIC = "numeric"
    CATEGORICAL = "categorical"
    BOOLEAN = "boolean"
    DATE = "date"  # orders the leads in time; not a feature
    TEXT = "text"  # what the lead wrote; only its length is a feature
    CONTACT = "contact"  # name, e-mail, phone, company...: never a feature, never sent
    ID = "id"
    CONSTANT = "constant"


STRUCTURED = frozenset({Kind.NUMERIC, Kind.CATEGORICAL, Kind.BOOLEAN})
READABLE = STRUCTURED | {Kind.TEXT, Kind.CONTACT}
WHOLE = re.compile(r"[+-]?\d+")
AT_LINE = re.compile(r"at line (\d+)")  # as tomllib says it
YES_NO = re.compile(r"=\s*(true|false|yes|no|on|off)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    `use` is what a person decides: a suspected leak starts as False. `leak` and `look` hold the
    suspicion in words (excluded until a person says otherwise; worth a look).
    """

    name: str
    kind: Kind
    use: bool
    reason: str = ""
    leak: str | None = None
    look: str | None = None


@dataclass(frozen=True)
class LeadSpec:
    """Which column is the outcome, which are features, texts and contact details.

    allow_list: what the house's own products are called, which redaction leaves in texts.
    source: the file that it was read from, for messages.
    """

    outcome: str
    won: str
    missing_words: tuple[str, ...]
    columns: tuple[Column, ...]
    allow_list: AllowList = field(default_factory=AllowList)
    source: str = field(default="leads.toml", compare=False)

    @cached_property
    def features(self) -> tuple[Column, ...]:
        """Structured columns the classifier may see, in file order."""
        return tuple(c for c in self.columns if c.use and c.kind in STRUCTURED)

    @cached_property
    def texts(self) -> tuple[Column, ...]:
        return tuple(c for c in self.columns if c.use and c.kind is Kind.TEXT)

    @cached_property
    def contacts(self) -> tuple[Column, ...]:
        return tuple(c for c in self.columns if c.use and c.kind is Kind.CONTACT)

    @cached_property
    def date(self) -> Column | None:
        """The column that orders the leads in time: the first date column in use."""
        return next((c for c in self.columns if c.use and c.kind is Kind.DATE), None)

    @cached_property
    def open_looks(self) -> tuple[Column, ...]:
        """Columns in use whose `look` is still there: nobody has answered what it asks."""
        return tuple(c for c in self.columns if c.use and c.look and not c.leak)

    @cached_property
    def readable(self) -> Mapping[str, Column]:
        """The columns a caller may send, by name."""
        return {c.name: c for c in self.columns if c.use and c.kind in READABLE}

    @cached_property
    def known(self) -> frozenset[str]:
        """Every column name of the table, used or not."""
        return frozenset({c.name for c in self.columns} | {self.outcome})

    @cached_property
    def missing(self) -> frozenset[str]:
        """Words that mean "not known", casefolded; the empty string is one.

        A whole number is there in both writings: where values are missing, tables say -1.0 for -1.
        """
        return frozenset(written for word in self._missing for written in _writings(word))

    @cached_property
    def missing_numbers(self) -> frozenset[float]:
        """Those of `missing` that are numbers, as JSON and Parquet send them."""
        numbers = (_number(word) for word in self.missing)
        return frozenset(number for number in numbers if math.isfinite(number))

    @cached_property
    def _missing(self) -> frozenset[str]:
        return frozenset({"", *(word.strip().casefold() for word in self.missing_words)})

    @cached_property
    def digest(self) -> str:
        """SHA-256 over what changes a decision (reasons and comments do not), hex."""
        parts = [self.outcome, self.won, *sorted(self._missing)]
        parts += [f"{c.name}\x1f{c.kind}\x1f{c.use}" for c in self.columns]
        if self.allow_list.phrases:
            parts.append(self.allow_list.digest)
        return hashlib.sha256("\x1e".join(parts).encode()).hexdigest()

    @classmethod
    def read(cls, path: Path) -> LeadSpec:
        """The spec in a `leads.toml` file.

        Raises:
            InvalidLeadSpec: the file is missing, is not TOML, or lacks something.
        """
        try:
            text = path.read_text(encoding="utf-8-sig")
        except FileNotFoundError as error:
            fix = "Write one with `tiebreak init TABLE --outcome COL`, or name another with --spec."
            raise InvalidLeadSpec(f"There is no file {path}. {fix}") from error
        except (OSError, UnicodeDecodeError) as error:
            fix = "Check that it is a file in UTF-8, and that you may read it."
            raise InvalidLeadSpec(f"{path} cannot be read. {fix}") from error
        return cls.parse(text, source=str(path))

    @classmethod
    def parse(cls, text: str, *, source: str = "leads.toml") -> LeadSpec:
        """The spec in the text of a `leads.toml` file. Raises InvalidLeadSpec."""
        try:
            tree = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            message = f"{source} is not valid TOML: {error}.{_hint(text, str(error))}"
            raise InvalidLeadSpec(message) from error
        return cls.from_mapping(tree, source=source)

    @classmethod
    def from_mapping(cls, tree: Mapping[str, Any], *, source: str = "leads.toml") -> LeadSpec:
        """The spec in a parsed `leads.toml`. Raises InvalidLeadSpec."""
        try:
            outcome, won = str(tree["outcome"]["column"]), str(tree["outcome"]["won"])
        except (KeyError, TypeError) as error:
            message = f"{source}: [outcome] needs `column` and `won` (the value that means won)."
            raise InvalidLeadSpec(message) from error
        missing, entries = tree.get("missing", {}), tree.get("columns", {})
        words = missing.get("words", []) if isinstance(missing, Mapping) else None
        if not isinstance(entries, Mapping) or not isinstance(words, list):
            message = f"{source}: [columns] holds a table a column, and [missing] `words`, a list."
            raise InvalidLeadSpec(message)
        columns = tuple(_column(n, e, source) for n, e in entries.items())
        allow_list = _allow_list(tree.get("redaction", {}), source)
        spec = cls(outcome, won, tuple(str(word) for word in words), columns, allow_list, source)
        if outcome in spec.readable:
            raise InvalidLeadSpec(f"{source}: the outcome {outcome!r} may not be a column too.")
        if not spec.features and not spec.texts:
            message = f"{source}: no column is left to learn from. Set `use = true` on one."
            raise InvalidLeadSpec(message)
        return spec

    def to_mapping(self) -> dict[str, Any]:
        """The tree that `from_mapping` reads."""
        columns: dict[str, Any] = {}
        for c in self.columns:
            entry: dict[str, Any] = {"kind": c.kind.value, "use": c.use, "reason": c.reason}
            entry |= {k: v for k, v in (("leak", c.leak), ("look", c.look)) if v is not None}
            columns[c.name] = entry
        listed = {"redaction": {"allow_list": list(self.allow_list.phrases)}}
        return {
            "outcome": {"column": self.outcome, "won": self.won},
            "missing": {"words": list(self.missing_words)},
            **(listed if self.allow_list.phrases else {}),
            "columns": columns,
        }


def _hint(text: str, problem: str) -> str:
    """What to write instead, where the line that stops the parser has another yes or no."""
    at = AT_LINE.search(problem)
    line = text.split("\n")[int(at[1]) - 1] if at else ""
    return (
        " Write `true` for yes and `false` for no, in small letters." if YES_NO.search(line) else ""
    )


def _writings(word: str) -> tuple[str, ...]:
    whole = word.removesuffix(".0")
    return (whole, f"{whole}.0") if WHOLE.fullmatch(whole) else (word,)


def _number(word: str) -> float:
    try:
        return float(word)
    except ValueError:
        return math.nan


def _allow_list(entry: Any, source: str) -> AllowList:
    message = f"{source}: [redaction] holds `allow_list`, a list of names, and nothing else."
    if not isinstance(entry, Mapping) or set(entry) - {"allow_list"}:
        raise InvalidLeadSpec(message)
    phrases = entry.get("allow_list", [])
    if not isinstance(phrases, list) or not all(isinstance(p, str) for p in phrases):
        raise InvalidLeadSpec(message)
    try:
        return AllowList(tuple(phrases))
    except ValueError as error:
        raise InvalidLeadSpec(f"{source}: [redaction] allow_list: {error}.") from error


def _column(name: str, entry: Any, source: str) -> Column:
    kinds = ", ".join(Kind)
    if not isinstance(entry, Mapping) or entry.get("kind") not in set(Kind):
        raise InvalidLeadSpec(f"{source}: column {name!r} needs `kind`, one of: {kinds}.")
    use = entry.get("use", True)
    if not isinstance(use, bool):
        raise InvalidLeadSpec(f"{source}: column {name!r}: `use` is true or false.")
    return Column(
        name=name,
        kind=Kind(entry["kind"]),
        use=use,
        reason=str(entry.get("reason", "")),
        leak=entry.get("leak"),
        look=entry.get("look"),
    )
