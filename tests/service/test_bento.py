from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.journey
def test_the_bento_holds_the_service_and_what_it_reads(tmp_path: Path) -> None:
    environment = os.environ | {  # noqa: TID251
        "BENTOML_HOME": str(tmp_path),
        "BENTOML_DO_NOT_TRACK": "True",
    }
    command = [sys.executable, "-m", "bentoml", "build", "--output", "tag"]
    built = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert built.returncode == 0, built.stderr
    (source,) = tmp_path.glob("bentos/lead_scorer/*/src")
    assert {path.name for path in source.iterdir() if path.is_dir()} == {
        "features",
        "models",
        "service",
        "pipelines",
    }
    for needed in ("service/docs_page.html", "service/app.py", "models/prompts"):
        assert (source / needed).exists()
