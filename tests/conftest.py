"""Hypothesis on a shared machine; and the order in which tests begin.

What is slow is the machine, and no test is about its speed.
"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "shared_machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("shared_machine")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Journeys first: they take minutes, and begun last they leave a core with nothing to do."""
    items.sort(key=lambda item: item.get_closest_marker("journey") is None)
