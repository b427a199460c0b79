"""README runs: its commands do what it says, and its map is the territory."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from models.adapter import Adapter
from models.registry import Registry
from pipelines.finetuning.machine_share import INSTALL, can_tune
from pipelines.finetuning.recipe import MOST_EPOCHS
from service.llm.embedded_model import model_digest
from service.settings import PREFIX, Settings

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CONSOLE = re.compile(r"```console\n(.*?)```", re.DOTALL)
FEWER = ("--llm-calls", "60", "--llm-test-calls", "30", "--trials", "4")
# Beside what README says.
BESIDE = {"train": FEWER, "tune": (*FEWER, "--promote", "--json")}
SETTING = re.compile(rf"{PREFIX}[A-Z_]+")


def commands() -> list[str]:
    lines = "\n".join(CONSOLE.findall(README)).splitlines()
    return [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]


def mapped_folders() -> list[str]:
    """Every package with a page of its own."""
    tops = ("features", "models", "service", "pipelines")
    return sorted(
        str(page.parent.relative_to(ROOT))
        for top in tops
        for page in (ROOT / top).rglob("README.md")
    )


@pytest.fixture(scope="module")
def printed(
    environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """What each command printed, one after the other in an empty folder; `tune` for programs.

    The embedded LLM is asked about fewer leads than a stranger's: that was a tenth of CI's time.
    """
    folder = tmp_path_factory.mktemp("readme")
    printed = {"home": str(folder / "var")}
    for command in commands():
        words = shlex.split(command, comments=True)
        if words[0] != "tiebreak" or (words[1] == "tune" and not can_tune()):
            continue
        done = subprocess.run(
            [*words, *BESIDE.get(words[1], ())],
            env=environment | {"TIEBREAK_HOME": printed["home"]},
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        codes = (0, 3) if words[1] in BESIDE else (0,)  # 3: a gate refused
        assert done.returncode in codes, f"{command}: {done.stderr[-2000:]}"
        printed[words[1]] = done.stdout
    return printed


@pytest.mark.journey
@pytest.mark.timeout(1800)
@pytest.mark.xdist_group("readme")
def test_the_commands_in_readme_run(printed: dict[str, str]) -> None:
    assert {"sample", "init", "train", "releases", "audit"} <= printed.keys()


@pytest.mark.journey
@pytest.mark.timeout(1800)
@pytest.mark.xdist_group("readme")
@pytest.mark.skipif(not can_tune(), reason=INSTALL)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # MLflow of SQLAlchemy
def test_the_command_that_tunes_registers_and_says_what_it_cost(
    printed: dict[str, str], tmp_path: Path
) -> None:
    told, home = json.loads(printed["tune"]), Path(printed["home"])
    tuning = told["tuning"]
    release = Registry(f"sqlite:///{home / 'mlflow.db'}").load(told["release"], tmp_path)
    assert release.llm.adapter == Adapter.from_json(tuning["adapter"])
    assert tuning["adapter"]["base"] == model_digest()
    assert release.llm.adapter.checked(release.adapter_file)
    assert tuning["recipe"]["epochs"] == MOST_EPOCHS  # of so few
    assert 100 < tuning["curve"][-1]["examples"] <= MOST_EPOCHS * 100
    assert tuning["agreement"]["mean_gap"] < 0.03
    assert told["metrics"]["tuning_minutes"] > 0 < told["metrics"]["tuning_peak_memory_mib"]
    assert told["promoted"] == all(gate["passed"] for gate in told["gates"])
    assert "inside the band" in told["gates"][-1]["name"]
    assert not list((home / "tuning").glob("*.pt"))


def test_the_make_targets_in_readme_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"`?make ([a-z]+)`?", README))
    assert {"run", "test", "check"} <= targets
    assert [t for t in targets if f"\n{t}:" not in makefile] == []


def test_every_file_that_readme_names_exists() -> None:
    named = re.findall(r"\]\(([^)#:]+)\)", README)
    named += re.findall(r"^(\w+/|[\w.]+)  +\S", README, re.MULTILINE)
    assert len(named) >= 10
    assert [name for name in named if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("folder", mapped_folders())
def test_every_file_of_a_folder_is_on_its_map(folder: str) -> None:
    page = (ROOT / folder / "README.md").read_text(encoding="utf-8")
    there = {p.name for p in (ROOT / folder).glob("*.py")} - {"__init__.py"}
    named = set(re.findall(r"`([\w.]+\.py)`", page))
    assert named == there


def test_every_setting_is_explained_and_no_other() -> None:
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    assert set(SETTING.findall(page)) == {f"{PREFIX}{n}".upper() for n in Settings.model_fields}
