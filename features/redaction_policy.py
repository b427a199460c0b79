"""RedactionPolicy: which entity goes and which stays, as written in `redaction_policy.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any

from features.errors import RedactionFailed

SHIPPED = Path(__file__).with_name("redaction_policy.toml")


class Action(StrEnum):
    """What happens to a span."""

    REPLACE = "replace"  # by its type and number: <PERSON_1>
    KEEP = "keep"


@dataclass(frozen=True, slots=True)
class EntityRule:
    """What happens to one type of entity. `threshold` is the least score that counts, in [0, 1]."""

    action: Action
    threshold: float


UNNAMED = EntityRule(Action.REPLACE, threshold=0.0)  # what the policy forgot does not leave


@dataclass(frozen=True, slots=True)
class RedactionPolicy:
    """Which entity goes, which stays; one version of it.

    `max_ner_words` bounds the time that named entities may take: longer texts are refused.
    """

    version: str
    ner_model: str
    max_ner_words: int
    entities: Mapping[str, EntityRule]

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
            version, model = str(tree["version"]), str(tree["ner_model"])
            return cls(version, model, int(tree["max_ner_words"]), MappingProxyType(entities))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            message = f"{source} is not a redaction policy: {error}. Restore the shipped file."
            raise RedactionFailed(message) from error

    def takes_out(self, entity_type: str, score: float) -> bool:
        """True where a span of this type and score may not leave."""
        rule = self.entities.get(entity_type, UNNAMED)
        return rule.action is Action.REPLACE and score >= rule.threshold


def _rule(entry: Mapping[str, Any]) -> EntityRule:
    return EntityRule(Action(entry["action"]), float(entry["threshold"]))
