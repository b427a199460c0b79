"""Tests that share something dear stay on one worker: apart, each worker would make it anew."""

from __future__ import annotations

import pytest


@pytest.mark.xdist_group("together")
def test_a_group_stays_together(request: pytest.FixtureRequest, worker_id: str) -> None:
    alone = worker_id == "master"
    assert alone or request.node.nodeid.endswith("@together"), "run with --dist loadgroup"
