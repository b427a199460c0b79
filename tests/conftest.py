"""Hypothesis on a shared machine: what is slow is the machine, and no test is about its speed."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile(
    "shared_machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("shared_machine")
