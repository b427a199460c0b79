"""The release gate of redaction: `tiebreak bench redaction` in small, against its targets."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from rich.console import Console

from features.redaction import Redactor
from pipelines.display import Display
from pipelines.redaction.held_out_messages import HeldOut
from pipelines.redaction.redaction_bench import BenchOptions, BenchReport, bench_redaction
from pipelines.redaction.redaction_table import bench_json
from pipelines.report import print_json

pytest.importorskip("faker", reason="the extra `bench` is not installed")
pytestmark = [
    pytest.mark.xdist_group("redaction gate"),  # it is measured once
    pytest.mark.timeout(900),
]

# Targets not reached yet (docs/figures.md says so): a release may not fall below these.
FLOORS = {
    ("precision", "decoys"): 0.65,
    ("precision", "trade talk"): 0.55,
    ("precision", "trade talk, all products on the allow list"): 0.75,
    ("precision", "notes"): 0.75,
    ("recall of PERSON", "notes"): 0.85,
    ("precision", "web"): 0.55,
    ("recall of PERSON", "web"): 0.88,
}
ANNOTATED = Path(__file__).parents[2].parent / "shared" / "data" / "pii_synth_dev.json"


@pytest.fixture(scope="module")
def report() -> BenchReport:
    annotated = ANNOTATED if ANNOTATED.exists() else None
    options = BenchOptions(quick=True, annotated=annotated)
    return bench_redaction(options, Display(Console(quiet=True)))


def test_a_release_meets_every_target_of_redaction(report: BenchReport) -> None:
    """Those of quality: what a machine's load can change is for the bench to say."""
    missed = [
        f"{f.name}, {f.corpus}: {f.ours}"
        for f in report.failed
        if f.unit == "" and f.name != "throughput, of stock's" and (f.name, f.corpus) not in FLOORS
    ]
    assert not missed, "\n".join(missed)


@pytest.mark.parametrize("figure", FLOORS)
def test_what_misses_its_target_gets_no_worse(report: BenchReport, figure: tuple[str, str]) -> None:
    (measured,) = (f for f in report.figures if (f.name, f.corpus) == figure)
    assert measured.ours.value >= FLOORS[figure]


def test_the_gate_reads_enough_texts_and_hardly_one_is_refused(report: BenchReport) -> None:
    """None, on a machine of one's own: where others take the core away, a CPU clock may run on."""
    assert report.messages["leads"] >= 120
    assert report.messages["decoys"] >= 60
    assert report.refused <= 3
    assert {f.name for f in report.figures} >= {"F2", "precision", "left in clear", "CPU, p99"}


def test_what_was_measured_is_printed_as_json(
    report: BenchReport, capsys: pytest.CaptureFixture[str]
) -> None:
    print_json(bench_json(report))
    assert set(json.loads(capsys.readouterr().out)["messages"]) >= {*HeldOut}


def test_the_policy_that_was_measured_is_the_one_that_is_served(report: BenchReport) -> None:
    assert report.policy == Redactor.load().policy_version
