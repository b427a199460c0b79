"""What the command line refuses, and what it says beside its results."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from pipelines.cli import app
from pipelines.errors import UnusableFile


def test_a_sample_is_never_written_over_a_table_unless_forced(tmp_path: Path) -> None:
    table = tmp_path / "leads.csv"
    run = ["sample", str(table), "--rows", "100"]
    table.write_text("Name\nmine\n", encoding="utf-8")
    refused = CliRunner().invoke(app, run)
    assert isinstance(refused.exception, UnusableFile)
    assert "--force" in str(refused.exception)
    assert table.read_text(encoding="utf-8") == "Name\nmine\n"
    assert CliRunner().invoke(app, [*run, "--force"]).exit_code == 0
    assert len(table.read_text(encoding="utf-8").splitlines()) > 100
    table.unlink()
    assert CliRunner().invoke(app, run).exit_code == 0
