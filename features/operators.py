"""What comes to stand where a span stood: Presidio operators, one for each action of a policy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from presidio_anonymizer.operators import Operator, OperatorType

SHOWN_DIGITS = 12  # of a fingerprint: 48 bits, enough to tell the values of one text apart


class SpanOperator(Operator):  # type: ignore[misc]  # Presidio ships no types
    """Base of ours. A parameter that is missing is an error before any text is touched."""

    NAME = ""
    NEEDS: tuple[str, ...] = ()

    def validate(self, params: Mapping[str, Any]) -> None:
        missing = [name for name in self.NEEDS if name not in params]
        if missing:
            raise ValueError(f"The operator `{self.NAME}` needs: {', '.join(missing)}.")

    def operator_name(self) -> str:
        return self.NAME

    def operator_type(self) -> Any:
        return OperatorType.Anonymize


class Numbered(SpanOperator):
    """Replace by type and number. `numbers`: what `same_person.numbered` gave for the same text."""

    NAME = "number"
    NEEDS = ("numbers",)

    def operate(self, text: str, params: Mapping[str, Any]) -> str:
        entity_type = params["entity_type"]
        return f"<{entity_type}_{params['numbers'][entity_type, text]}>"


class Masked(SpanOperator):
    """Letters and digits as `*`, but for the last `keep_last` of them.

    Unlike Presidio's own, it counts no blanks, and keeps at most half of a value.
    """

    NAME = "masked"
    NEEDS = ("keep_last",)

    def operate(self, text: str, params: Mapping[str, Any]) -> str:
        signs = sum(map(str.isalnum, text))
        hidden = signs - min(params["keep_last"], signs // 2)
        masked: list[str] = []
        for c in text:
            hide = c.isalnum() and hidden > 0
            hidden -= hide
            masked.append("*" if hide else c)
        return "".join(masked)


class Fingerprinted(SpanOperator):
    """A keyed hash, `<PERSON_3f9c...>`. `fingerprints`: by entity type and value.

    Not Presidio's `hash`: without a key, anybody can try all phone numbers.
    """

    NAME = "fingerprint"
    NEEDS = ("fingerprints",)

    def operate(self, text: str, params: Mapping[str, Any]) -> str:
        entity_type = params["entity_type"]
        return f"<{entity_type}_{params['fingerprints'][entity_type, text][:SHOWN_DIGITS]}>"


OPERATORS = (Numbered, Masked, Fingerprinted)
