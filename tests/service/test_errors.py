from __future__ import annotations

import pytest

from features.errors import InvalidLead, ScoringError
from service import gateway  # noqa: F401 loads every error there is
from service.errors import STATUS_BY_ERROR, StorageUnavailable, error_tree, http_error


def leaves(root: type[ScoringError]) -> list[type[ScoringError]]:
    below = root.__subclasses__()
    return [leaf for child in below for leaf in leaves(child)] if below else [root]


def is_served(error: type[ScoringError]) -> bool:
    return error.__module__.split(".")[0] in {"features", "models", "service"}


def test_every_error_a_caller_can_meet_has_an_http_status() -> None:
    ours = [error for error in leaves(ScoringError) if is_served(error)]
    assert [e for e in ours if not any(base in STATUS_BY_ERROR for base in e.__mro__)] == []


def test_what_is_not_ours_is_a_500_that_says_nothing() -> None:
    error = KeyError("jane@example.com")
    assert http_error(error).status == 500
    assert "jane" not in str(error_tree(error))


@pytest.mark.parametrize(
    "error",
    [InvalidLead("Visits", "is not a finite number", "Send a number"), StorageUnavailable("No")],
)
def test_every_error_says_problem_and_fix(error: ScoringError) -> None:
    tree = error_tree(error)
    assert str(tree["problem"]).endswith(".")
    assert str(tree["fix"]).endswith(".")
