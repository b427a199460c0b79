from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from pipelines.up import service_process
from service.bootstrap import ledger_key
from service.errors import InvalidSettings
from service.ledger.checkpoint import SigningKey
from service.ledger.verify import KeyType
from service.settings import EXACT, Settings, own_bento_home, read_settings


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"TIEBREAK_{name}".upper(), raising=False)


def test_all_state_lives_under_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TIEBREAK_HOME", str(tmp_path / "a" / ".." / "state"))
    settings = read_settings()
    assert settings.home == tmp_path / "state"
    assert settings.mlflow_uri == f"sqlite:///{tmp_path}/state/mlflow.db"
    assert settings.database_url == f"sqlite:///{tmp_path}/state/tiebreak.db"


def test_home_is_absolute_so_that_a_worker_elsewhere_finds_it() -> None:
    assert read_settings().home.is_absolute()


@pytest.mark.parametrize(
    ("given", "advice"),
    [
        ({}, "go (cd) to the folder"),
        ({"HOME": "/srv/tiebreak"}, "set TIEBREAK_HOME to the folder that has them"),
        ({"HOME": "/srv/tiebreak", "MLFLOW_URI": "http://127.0.0.1:9"}, "correct TIEBREAK_MLFLOW_"),
        ({"HOME": " "}, "go (cd) to the folder"),
    ],
)
def test_who_misses_a_release_goes_to_another_folder_only_where_none_is_named(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str], advice: str
) -> None:
    for name, value in given.items():
        monkeypatch.setenv(f"TIEBREAK_{name}", value)
    assert read_settings().elsewhere.startswith(advice)


def test_seconds_are_plain_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIEBREAK_LLM_DEADLINE", "2.5")
    assert read_settings().llm_deadline == timedelta(seconds=2.5)


def test_an_empty_variable_is_an_unset_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIEBREAK_LLM_BASE_URL", "")
    assert read_settings().llm_base_url is None


@pytest.mark.parametrize("name", sorted(Settings.model_fields.keys() - {"home"}))
def test_a_blank_variable_is_an_unset_one(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    before = read_settings()
    monkeypatch.setenv(f"TIEBREAK_{name}".upper(), " " if name not in EXACT else "")
    assert read_settings() == before


def test_white_space_around_a_value_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIEBREAK_LLM_BASE_URL", " http://127.0.0.1:9/v1\n")
    monkeypatch.setenv("TIEBREAK_LLM_API_KEY", "sk-abc\n")
    monkeypatch.setenv("TIEBREAK_LLM_MODEL", "small ")
    monkeypatch.setenv("TIEBREAK_DATABASE_URL", "sqlite:///my leads.db\n")
    settings = read_settings()
    assert settings.llm_base_url == "http://127.0.0.1:9/v1"
    assert settings.llm_api_key == SecretStr("sk-abc")
    assert settings.llm_model == "small"
    assert settings.database_url == "sqlite:///my leads.db"


def test_each_character_of_a_secret_that_finds_people_counts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TIEBREAK_SUBJECT_SECRET", f"{'s' * 32}\n")
    assert read_settings().subject_secret == SecretStr(f"{'s' * 32}\n")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TIEBREAK_PORT", "seventy"),
        ("TIEBREAK_PORT", "70000"),
        ("TIEBREAK_HOME", "~nobody-of-that-name/x"),
        ("TIEBREAK_RETENTION_DAYS", "1000000"),
        ("TIEBREAK_LLM_DEADLINE", "soon"),
        ("TIEBREAK_LLM_DEADLINE", "0"),
        ("TIEBREAK_LLM_API", "telepathy"),
        ("TIEBREAK_LLM_BASE_URL", "http://["),
        ("TIEBREAK_LLM_BASE_URL", "not-a-url"),
        ("TIEBREAK_LLM_BASE_URL", "http://llm\n.example.com/v1"),
        ("TIEBREAK_LLM_BASE_URL", "http://llm example.com/v1"),
        ("TIEBREAK_LLM_BASE_URL", "http://llm:99999/v1"),
        ("TIEBREAK_MLFLOW_URI", "http://mlflow\n:5000"),
        ("TIEBREAK_DATABASE_URL", "postgresql://me@host/l\teads"),
        ("TIEBREAK_LOG_LEVEL", "loud"),
        ("TIEBREAK_LLM_MAX_CALLS_PER_MINUTE", "-1"),
        ("TIEBREAK_LLM_PRICE_USD_PER_MILLION_PROMPT_TOKENS", "cheap"),
    ],
)
def test_a_wrong_value_gives_one_sentence_that_names_the_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(InvalidSettings) as caught:
        read_settings()
    message = str(caught.value)
    assert message.startswith(f"{name} cannot be used: ")
    assert "\n" not in message
    assert value not in message or value == "0"


def test_secrets_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIEBREAK_LLM_API_KEY", "sk-very-secret")
    assert "very-secret" not in repr(read_settings())


def test_a_witnesss_key_signs_no_log(tmp_path: Path) -> None:
    key = SigningKey("witness.example", KeyType.WITNESS, b"w" * 32)
    with pytest.raises(InvalidSettings, match="a witness's key"):
        ledger_key(Settings(home=tmp_path, ledger_key=SecretStr(key.text)))


def test_bentoml_has_a_folder_under_home_unless_one_is_set(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("BENTOML_HOME", raising=False)
    assert own_bento_home(tmp_path) == {"BENTOML_HOME": str(tmp_path / "bentoml")}
    monkeypatch.setenv("BENTOML_HOME", "/elsewhere")
    assert own_bento_home(tmp_path) == {"BENTOML_HOME": "/elsewhere"}
    assert service_process(Settings(home=tmp_path))._environment["BENTOML_HOME"] == "/elsewhere"
