from __future__ import annotations

import pytest

from features.redaction import Redactor


@pytest.fixture(scope="session")
def redactor() -> Redactor:
    return Redactor.load()
