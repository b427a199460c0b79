from __future__ import annotations

import pytest
from presidio_anonymizer import AnonymizerEngine
from presidio_anonymizer.entities import InvalidParamError, OperatorConfig

from features.operators import OPERATORS, Masked
from features.redaction import Redactor
from features.redaction_policy import RedactionPolicy
from tests.features.test_redaction import Fixed
from tests.features.test_redaction_policy import POLICY


@pytest.mark.parametrize(
    ("value", "keep_last", "masked"),
    [
        ("4111 1111 1111 1234", 4, "**** **** **** 1234"),
        ("123-45-6789", 4, "***-**-6789"),
        ("abc", 4, "**c"),
        ("a", 4, "*"),
        ("abc", 0, "***"),
        ("...", 4, "..."),
    ],
)
def test_a_mask_hides_at_least_half_of_what_can_be_read(
    value: str, keep_last: int, masked: str
) -> None:
    assert Masked().operate(value, {"keep_last": keep_last}) == masked


def test_each_action_of_a_policy_has_its_operator() -> None:
    text = "Jane 4111111111111111 5550123 Jane 5550124 Rome"
    spans = [("PERSON", 0, 4, 0.9), ("CREDIT_CARD", 5, 21, 0.9), ("PHONE_NUMBER", 22, 29, 0.9)]
    more = [("PERSON", 30, 34, 0.9), ("PHONE_NUMBER", 35, 42, 0.9), ("LOCATION", 43, 47, 0.9)]
    redactor = Redactor(RedactionPolicy.parse(POLICY), [Fixed(*spans, *more)])
    redacted = redactor.redact(text)
    one, other = (s.fingerprint[:12] for s in redacted.spans if s.operator == "hash")
    assert one != other
    assert redacted.text == (
        f"<PERSON_1> ************1111 <PHONE_NUMBER_{one}> <PERSON_1> <PHONE_NUMBER_{other}> Rome"
    )


@pytest.mark.parametrize("operator", OPERATORS)
def test_an_operator_without_what_it_needs_touches_no_text(operator: type) -> None:
    engine = AnonymizerEngine()
    engine.add_anonymizer(operator)
    result = next(iter(Fixed(("PERSON", 0, 4, 0.9)).analyze("Jane", [])))
    with pytest.raises((ValueError, InvalidParamError), match="needs"):
        engine.anonymize("Jane", [result], {"PERSON": OperatorConfig(operator.NAME, {})})  # type: ignore[attr-defined]
