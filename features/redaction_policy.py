"""RedactionPolicy: which entity goes, which stays, and how; as in `redaction_policy.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any

from features.allow_list import AllowList
from features.errors import RedactionFailed

SHIPPED = Path(__file__).with_name("redaction_policy.toml")
SHIPPED_NER = Path(__file__).with_name("ner")  # the name recognizer that it names


class Action(StrEnum):
    """What happens to a span."""

    REPLACE = "replace"  # by its type and number: <PERSON_1>
    MASK = "mask"  # ***-**-6789
    HASH = "hash"  # by its type and keyed fingerprint: <PERSON_3f9c01d2a4b5>
    KEEP = "keep"


@dataclass(frozen=True, slots=True)
class EntityRule:
    """What happens to one type of entity.

    threshold: the least score that counts, in [0, 1]. keep_last: with `mask`, how many letters
    and digits stay readable; never more than half of them.
    """

    action: Action
    threshold: float
    keep_last: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.threshold <= 1:
            raise ValueError("a threshold is a number from 0 to 1")
        if self.keep_last < 0 or (self.keep_last and self.action is not Action.MASK):
            raise ValueError("keep_last is a number of characters, and belongs to `mask`")


UNNAMED = EntityRule(Action.REPLACE, threshold=0.0)  # what the policy forgot does not leave


@dataclass(frozen=True, slots=True)
class RedactionPolicy:
    """Which entity goes, which stays, and how; one version of it.

    Attributes:
        ner_model: the spaCy model whose dictionary the name recognizer builds on.
        ner_weights: SHA-256 of the name recognizer's weights, hex: no other is loaded.
        max_ner_words: longer texts are refused.
        max_cpu: of the thread that redacts; a text that needs more is refused.
        allow_list: what stays though it is called like somebody; with one, `version` names it too.
    """

    version: str
    ner_model: str
    ner_weights: str
    max_ner_words: int
    max_cpu: timedelta
    entities: Mapping[str, EntityRule]
    allow_list: AllowList = field(default_factory=AllowList)

    @classmethod
    def shipped(cls) -> RedactionPolicy:
        """The policy that comes with this version of Tiebreak."""
        return cls.parse(SHIPPED.read_text(encoding="utf-8"), source=SHIPPED.name)

    @classmethod
    def parse(cls, text: str, *, source: str = "redaction_policy.toml") -> RedactionPolicy:
        """The policy in a TOML text. Raises RedactionFailed: without a policy nothing may leave."""
        try:
            tree = tomllib.loads(text)
            entities = {str(name): _rule(entry) for name, entry in tree["entities"].items()}
            return cls(
                version=str(tree["version"]),
                ner_model=str(tree["ner_model"]),
                ner_weights=str(tree["ner_weights"]),
                max_ner_words=int(tree["max_ner_words"]),
                max_cpu=timedelta(milliseconds=float(tree["max_cpu_ms"])),
                entities=MappingProxyType(entities),
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            message = f"{source} is not a redaction policy: {error}. Restore the shipped file."
            raise RedactionFailed(message) from error

    def allowing(self, allow_list: AllowList) -> RedactionPolicy:
        """The same policy with a list of a company's own words: another version of it."""
        version = self.version.partition("+")[0]
        if allow_list.phrases:
            version += f"+{allow_list.digest}"
        return replace(self, version=version, allow_list=allow_list)

    def rule(self, entity_type: str) -> EntityRule:
        """What happens to spans of a type, also of one that the policy does not name."""
        return self.entities.get(entity_type, UNNAMED)

    def takes_out(self, entity_type: str, score: float) -> bool:
        """True where a span of this type and score may not leave."""
        rule = self.rule(entity_type)
        return rule.action is not Action.KEEP and score >= rule.threshold


def _rule(entry: Mapping[str, Any]) -> EntityRule:
    known = {"action", "threshold", "keep_last"}
    if not entry.keys() <= known:
        raise ValueError(f"an entity has {', '.join(sorted(known))} and nothing else")
    keep_last = entry.get("keep_last", 0)
    return EntityRule(Action(entry["action"]), float(entry["threshold"]), int(keep_last))


def shipped_files() -> dict[str, bytes]:
    """The shipped policy and its name recognizer: everything that one policy version is."""
    ner = sorted(path for path in SHIPPED_NER.glob("*") if path.is_file())
    weights = {f"{SHIPPED_NER.name}/{path.name}": path.read_bytes() for path in ner}
    return {SHIPPED.name: SHIPPED.read_bytes(), **weights}
