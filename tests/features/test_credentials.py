"""Rows to judge: what goes is marked with its type; what only looks like it stays."""

from __future__ import annotations

import pytest

from tests.features.recognized import marked, unmarked

GOES = [
    "key [CREDENTIAL sk-proj-abcdefghijklmnop12]",
    "the password is [CREDENTIAL hunter2!]",
    "Passwort: [CREDENTIAL geheim]",
    "mot de passe : [CREDENTIAL Soleil75]",
    "la contraseña es [CREDENTIAL Perro2024]",
    "[CREDENTIAL AKIAIOSFODNN7EXAMPLE]",
    "aws_secret_access_key = [CREDENTIAL wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY]",
    "[CREDENTIAL postgres://app:s3cr3t@db.acme.internal:5432/crm]",
    "Authorization: [CREDENTIAL Bearer abcdef1234567890]",
    "[CREDENTIAL eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc-DEF_123]",
    "[CREDENTIAL ghp_abcdefghijklmnopqrstuvwxyz0123456789]",
    "blob [CREDENTIAL dGhpcyBpcyBhIHNlY3JldCB0b2tlbiAxMjM0NTY3]",
    "PIN: [CREDENTIAL 4321] and otp [CREDENTIAL 993211]",
    "password: [CREDENTIAL hunter2]",
    "pin code [CREDENTIAL 1234]",
    "my password is [CREDENTIAL your-dog-Rex!]",
    "the alarm code is [CREDENTIAL 9911] and the door code [CREDENTIAL 4821]",
]
STAYS = [
    "the password is required",
    "the door code is changed weekly",
    "the safety pin is such a unique touch",
    "token based auth, key features",
    "secret sauce is great",
    "sk-ecommerce is a slug",
    "pin 5 notes",
]


@pytest.mark.parametrize("row", GOES)
def test_credentials_go(row: str) -> None:
    assert marked(unmarked(row)) == row


@pytest.mark.parametrize("text", STAYS)
def test_what_only_looks_like_credentials_stays(text: str) -> None:
    assert marked(text) == text


def test_a_run_that_nobody_can_read_goes() -> None:
    run = "(.)" * 70

    assert marked(f"see {run} here") == f"see [UNREADABLE {run}] here"
