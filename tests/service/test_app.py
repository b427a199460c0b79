"""The service around the desk: what happens before, and what does not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from service_fakes import BY_TEXT, fake_desk, running, scorer_with

from service.app import LeadScorer
from service.metrics import forget_the_dead

SLOW = ("mlflow", "spacy", "presidio_analyzer", "sklearn", "xgboost", "openai", "pandas")


def test_importing_the_service_loads_nothing_slow() -> None:
    code = f"import sys, service.app; print([m for m in {SLOW!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_serving_reports_no_usage_even_where_nobody_forbade_it(tmp_path: Path) -> None:
    code = """
from bentoml._internal.utils.analytics import usage_stats
assert not usage_stats.do_not_track()
from service.app import LeadScorer
from service.metrics import forget_the_dead
LeadScorer.inner.before_workers()
assert usage_stats.do_not_track()
"""
    environment = {k: v for k, v in os.environ.items() if k != "BENTOML_DO_NOT_TRACK"}  # noqa: TID251
    subprocess.run([sys.executable, "-c", code], env=environment, cwd=tmp_path, check=True)


async def test_the_typed_methods_answer_as_http_does(tmp_path: Path) -> None:
    service = scorer_with(lambda: fake_desk(f"sqlite:///{tmp_path}/s.db"))
    async with running(service):
        scorer = service._scorer
        answer = await scorer.decide.local(lead={"Message": BY_TEXT})
        assert answer.route == "llm"
        batch = await scorer.decide_batch.local(leads=[{}, {"Visits": "x"}])
        assert [error.index for error in batch.errors] == [1]


def test_only_the_contract_is_published() -> None:
    published = LeadScorer.apis  # type: ignore[attr-defined]
    assert set(published) == {"decide", "decide_batch", "outcomes"}


def test_what_a_dead_worker_said_of_the_present_is_forgotten(tmp_path: Path) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    for pid in (dead.pid, os.getpid()):
        for kind in ("gauge_livemax", "counter"):
            (tmp_path / f"{kind}_{pid}.db").touch()
    forget_the_dead(tmp_path)
    kept = {f"gauge_livemax_{os.getpid()}.db", f"counter_{os.getpid()}.db"}
    assert {file.name for file in tmp_path.iterdir()} == kept | {f"counter_{dead.pid}.db"}
