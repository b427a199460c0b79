"""A ladder run: hours of measuring are neither lost at their end, nor left running by a signal."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from pipelines.column_kinds import infer_spec
from pipelines.display import Display
from pipelines.ladder import ladder_run
from pipelines.ladder.ladder import Ladder, LadderOptions
from pipelines.sample_leads import write_sample
from pipelines.tables import check_outcome, read_table
from service.settings import Settings

pytestmark = pytest.mark.journey


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


def climbed(home: Path) -> Ladder:
    """What `tiebreak ladder` finds on a small table, asking no LLM."""
    write_sample(home / "leads.csv", rows=400)
    frame = read_table(home / "leads.csv")
    spec = infer_spec(frame, "Won", check_outcome(frame, "Won", None))
    ladder, _ = ladder_run.run_ladder(
        home / "leads.csv",
        spec,
        LadderOptions(calls=0, trials=1),
        settings=Settings(home=home),
        display=Display(),
    )
    return ladder


def test_a_signal_unwinds_it_so_that_a_job_that_is_paid_for_is_cancelled(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = signal.signal(signal.SIGTERM, lambda *_: None)
    monkeypatch.setattr(ladder_run, "climb", lambda *_, **__: os.kill(os.getpid(), signal.SIGTERM))
    try:
        with pytest.raises(KeyboardInterrupt):
            climbed(home)
    finally:
        signal.signal(signal.SIGTERM, before)


def test_what_mlflow_cannot_take_at_the_end_is_not_lost(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "mlartifacts").write_text("where the folder should be")
    found = climbed(home)
    assert found.recommendation.rung
    assert "was not logged to MLflow (" in capsys.readouterr().err
