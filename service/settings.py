"""Settings: the only place that reads the environment. One variable each, prefix TIEBREAK_."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from service.errors import InvalidSettings

PREFIX = "TIEBREAK_"
# Every character of these counts: who was found under such a secret is found under it alone.
EXACT = frozenset({"subject_secret", "ledger_key"})
CONTROL = re.compile(r"[\x00-\x1f\x7f]")
BLANK = re.compile(r"\s")


def _seconds(value: object) -> object:
    """timedelta reads a bare "4" as broken ISO 8601; here it is 4 seconds."""
    if not isinstance(value, str):
        return value
    try:
        return float(value)
    except ValueError:
        raise ValueError("is not a number of seconds, such as 4 or 0.5") from None


def _absolute(value: object) -> object:
    try:
        return Path(value).expanduser().resolve() if isinstance(value, str | Path) else value
    except RuntimeError:
        raise ValueError("is not a folder: there is no such user") from None


def _address(value: str) -> str:
    if CONTROL.search(value):
        raise ValueError("has a control character in it, such as the end of a line")
    return value


def _http_address(value: str) -> str:
    try:
        parts = urlsplit(_address(value))
        is_address = parts.port != 0 and bool(parts.hostname) and not BLANK.search(value)
    except ValueError:
        is_address = False
    if not is_address or parts.scheme not in ("http", "https"):
        raise ValueError("is not an address such as https://llm.example.com/v1")
    return value


Seconds = Annotated[timedelta, BeforeValidator(_seconds), Field(gt=timedelta(0))]
Folder = Annotated[Path, BeforeValidator(_absolute)]
Address = Annotated[str, AfterValidator(_address)]
HttpAddress = Annotated[str, AfterValidator(_http_address)]
Port = Annotated[int, Field(ge=1, le=65_535)]
ON_ALL = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  (read, not listened on)
LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR"]


class Settings(BaseSettings):
    """Every knob of the service, with its unit and the reason for its default."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, frozen=True, validate_default=True
    )

    @model_validator(mode="before")
    @classmethod
    def _stripped(cls, given: Mapping[str, object]) -> dict[str, object]:
        """A file that a setting was read from ends its line; what is only blank is not set."""
        read = {
            name: value.strip() if isinstance(value, str) and name not in EXACT else value
            for name, value in given.items()
        }
        return {name: value for name, value in read.items() if value != ""}

    # One folder for all state: easy to back up, easy to throw away. Ignored by git.
    home: Folder = Path("var")

    # Loopback: whoever wants the service on the network has to say so.
    host: str = "127.0.0.1"
    port: Port = 3000  # BentoML's own default
    mlflow_port: Port = 5000  # MLflow's own default

    # An MLflow server (http://...), or its database; the embedded one unless set.
    mlflow_uri: Address = Field(default_factory=lambda done: f"sqlite:///{done['home']}/mlflow.db")
    # Decisions, outcomes and API keys: any SQLAlchemy URL; SQLite unless set.
    database_url: Address = Field(
        default_factory=lambda done: f"sqlite:///{done['home']}/tiebreak.db"
    )

    # The keys of subjects (whom leads are about): a database of its own, so that copies of the
    # ledger hold none of them.
    subject_keys_url: Address = Field(
        default_factory=lambda done: f"sqlite:///{done['home']}/keys.db"
    )
    # What subjects are found by, 32 characters or more; a file under `home` unless set. Replicas
    # that share a database need the same one, and the same ledger key.
    subject_secret: Annotated[SecretStr, Field(min_length=32)] | None = None

    # What the ledger is signed with, one line `PRIVATE+KEY+...`; a file under `home` unless set.
    ledger_key: SecretStr | None = None
    # The log's name in checkpoints and proofs: like an address without a scheme, and yours alone.
    ledger_name: Annotated[str, Field(pattern=r"^[^\s+]{1,100}$")] = "tiebreak.local/ledger"
    # A witness, which cosigns what the ledger says; none unless set. `tiebreak up` starts one.
    witness_url: HttpAddress | None = None
    witness_key: str | None = None  # its public key, `name+hash+key`, as it prints it on starting
    witness_port: Port = 3002  # of the one that `tiebreak up` starts
    # How long a subject's key is kept after they were last decided on; None: until erased.
    retention_days: Annotated[int, Field(ge=1, le=36_500)] | None = None

    # Any OpenAI-compatible endpoint, ending in /v1; the embedded LLM unless set.
    llm_base_url: HttpAddress | None = None
    llm_api_key: SecretStr | None = None
    llm_model: str | None = None  # what the endpoint calls it
    # Base models want `completion`, instruction-tuned ones `chat`; auto: yours is taken for chat.
    llm_api: Literal["auto", "completion", "chat"] = "auto"
    llm_port: Port = 3001  # of the embedded LLM on loopback
    # For the whole call, retries included; the embedded model takes about 0.4 s on two cores.
    llm_deadline: Seconds = timedelta(seconds=4)
    # Calls in flight per worker; more would only queue on a small machine.
    llm_max_concurrency: Annotated[int, Field(ge=1)] = 4
    # Spending limit per worker, each attempt counted; None: no limit, which is right for an LLM of
    # one's own. Training has its own, --llm-calls.
    llm_max_calls_per_minute: Annotated[int, Field(ge=0)] | None = None
    # US dollars per million tokens; None: unknown, and then so is every cost (never 0).
    llm_price_usd_per_million_prompt_tokens: Annotated[float, Field(ge=0)] | None = None
    llm_price_usd_per_million_completion_tokens: Annotated[float, Field(ge=0)] | None = None

    # What an hour of this machine costs, in US dollars, for `tiebreak ladder`; None: unknown.
    machine_price_usd_per_hour: Annotated[float, Field(ge=0)] | None = None

    # How often a worker looks which release is live: promotion is promised within 5 s.
    release_poll: Seconds = timedelta(seconds=1)
    log_level: Annotated[LogLevel, BeforeValidator(lambda v: str(v).upper())] = "INFO"

    @property
    def elsewhere(self) -> str:
        """What to do for releases that are elsewhere; the folder counts where nothing is set."""
        if "mlflow_uri" in self.model_fields_set:
            return "correct TIEBREAK_MLFLOW_URI"
        if "home" in self.model_fields_set:
            return "set TIEBREAK_HOME to the folder that has them (or set TIEBREAK_MLFLOW_URI)"
        return (
            "go (cd) to the folder whose `var` has them, or set TIEBREAK_HOME (or "
            "TIEBREAK_MLFLOW_URI)"
        )

    @property
    def host_to_ask(self) -> str:
        """Where this machine asks the service: one that listens on all addresses, on loopback."""
        return ON_ALL.get(self.host, self.host)


def read_settings() -> Settings:
    """The settings in the environment. A `.env` file is not read.

    Raises:
        InvalidSettings: a variable cannot be used; one sentence that names it, without its value.
    """
    try:
        return Settings()
    except ValidationError as error:
        raise InvalidSettings(_sentence(error)) from None  # the cause repeats values, also secrets


def make_home(settings: Settings) -> None:
    """The folder of all state, for whoever writes to it. Raises InvalidSettings: it cannot be."""
    try:
        settings.home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"TIEBREAK_HOME cannot be used: {error.strerror}. Set it to a folder of yours."
        raise InvalidSettings(message) from error


def _sentence(error: ValidationError) -> str:
    first: Any = error.errors(include_url=False, include_input=False, include_context=False)[0]
    name = f"{PREFIX}{first['loc'][0]}".upper()
    problem = first["msg"].removeprefix("Value error, ").rstrip(".")
    return f"{name} cannot be used: {problem[:1].lower()}{problem[1:]}. Correct or unset it."


SILENT = {
    "BENTOML_DO_NOT_TRACK": "True",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
}


def forbid_usage_tracking() -> None:
    """Keep BentoML and MLflow from reporting usage to their makers: nothing here phones home.

    Called before either is imported: MLflow reads its variable on import.
    """
    os.environ.update(SILENT)  # noqa: TID251
    if "bentoml" in sys.modules:
        # Its command line has cached the answer by the time our code is loaded.
        from bentoml._internal.utils.analytics import usage_stats

        usage_stats.do_not_track.cache_clear()


def environment_with(more: Mapping[str, str]) -> dict[str, str]:
    """The environment for a child process: ours, usage tracking forbidden, and `more`."""
    return {**os.environ, **SILENT, **more}  # noqa: TID251


def own_bento_home(home: Path) -> dict[str, str]:
    """A folder of its own for BentoML, unless one is set: who starts empties the metrics in it.

    In the one that all services of a user share, that would be the metrics of those that run.
    """
    return {"BENTOML_HOME": os.environ.get("BENTOML_HOME") or str(home / "bentoml")}  # noqa: TID251


def metrics_folder() -> Path | None:
    """Where BentoML has its workers keep their metrics; None outside of one."""
    folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")  # noqa: TID251
    return Path(folder) if folder else None
