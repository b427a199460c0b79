"""README runs: its commands do what it says, and its map is the territory."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import pytest

from service.settings import PREFIX, Settings

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CONSOLE = re.compile(r"```console\n(.*?)```", re.DOTALL)
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


@pytest.mark.journey
@pytest.mark.timeout(1800)
@pytest.mark.xdist_group("readme")
def test_the_commands_in_readme_run(environment: dict[str, str], tmp_path: Path) -> None:
    ran = [c for c in commands() if c.startswith("tiebreak ")]
    assert len(ran) >= 4
    for command in ran:
        done = subprocess.run(
            shlex.split(command, comments=True),
            env=environment | {"TIEBREAK_HOME": str(tmp_path / "var")},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{command}: {done.stderr[-2000:]}"


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
