"""A stranger's first minutes: from nothing to decided leads, over real processes on localhost."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from pipelines.finetuning.machine_share import is_listening
from pipelines.processes import answers_ok
from pipelines.sample_leads import demo_leads
from pipelines.serving.process_usage import descendants
from service.llm.model_shards import model_shards
from tests.sweep import found_under

pytestmark = [
    pytest.mark.journey,
    pytest.mark.timeout(1200),
    pytest.mark.xdist_group("up"),
]


@dataclass
class Up:
    """What `tiebreak up --json` printed, and the process that keeps it up."""

    process: subprocess.Popen[str]
    printed: dict[str, Any]

    @property
    def url(self) -> str:
        return str(self.printed["api"]).removesuffix("/decide")

    @property
    def key(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.printed['api_key']}"}


@pytest.fixture(scope="session")
def up(environment: dict[str, str], home: Path) -> Iterator[Up]:
    process = subprocess.Popen(
        ["tiebreak", "up", "--json"],
        env=environment,
        cwd=home,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    lines: list[str] = []
    with process.stdout:
        try:
            while not lines or lines[-1] != "}\n":
                lines.append(process.stdout.readline())
                assert lines[-1], "tiebreak up ended before everything was up"
            yield Up(process, json.loads("".join(lines)))
        finally:  # also where time ran out before it was up
            process.send_signal(signal.SIGINT)
            process.wait(30)


def test_three_leads_are_decided_as_the_story_tells(up: Up) -> None:
    sure, ambiguous, hanging = up.printed["decisions"].values()
    assert (sure["route"], sure["reason"], sure["llm"]) == ("classifier", "confident", None)
    assert (ambiguous["route"], ambiguous["reason"]) == ("llm", "ambiguous")
    assert hanging["route"] == "llm"
    moved = hanging["probability"] - hanging["classifier_probability"]
    assert abs(moved) > 0.2
    assert sum(hanging["redacted"].values()) >= 2


def test_the_answer_to_the_same_request_is_the_same_bytes(up: Up) -> None:
    body = {"lead": demo_leads()[0].fields}
    headers = {**up.key, "Idempotency-Key": "once"}
    first, again = (httpx.post(f"{up.url}/decide", json=body, headers=headers) for _ in range(2))
    assert first.status_code == 200
    assert first.content == again.content


def test_bad_input_names_the_field_and_the_fix(up: Up) -> None:
    answer = httpx.post(f"{up.url}/decide", json={"lead": {"Employees": "many"}}, headers=up.key)
    assert answer.status_code in (400, 422)
    assert answer.json()["error"]["field"] == "Employees"
    assert answer.json()["error"]["fix"]


def test_outcomes_find_their_decision(up: Up) -> None:
    decision = next(iter(up.printed["decisions"].values()))["decision_id"]
    body = {"outcomes": [{"decision_id": decision, "won": True}]}
    answer = httpx.post(f"{up.url}/outcomes", json=body, headers=up.key)
    assert answer.json()["recorded"] == 1


def test_everything_but_health_wants_a_key(up: Up) -> None:
    assert httpx.get(f"{up.url}/readyz").status_code == 200
    for path in ("/release", "/schema/lead", "/metrics", "/docs.json", "/"):
        assert httpx.get(f"{up.url}{path}").status_code == 401
        assert httpx.get(f"{up.url}{path}", headers=up.key).status_code == 200


def test_the_docs_page_shows_the_live_releases_own_columns(up: Up) -> None:
    docs = httpx.get(f"{up.url}/docs.json", headers=up.key).text
    assert "Demo requested" in docs
    assert "Sales stage" not in docs  # the leak


def test_no_personal_detail_reaches_a_database_a_log_or_mlflow(up: Up, home: Path) -> None:
    sample = home / "sample"
    with (sample / "sample_leads.synthetic.csv").open(encoding="utf-8", newline="") as table:
        trained_on = [row for row in csv.DictReader(table) if row["Message"]]
    planted = [
        str(demo.fields[column])
        for demo in demo_leads()
        for column in ("Full name", "Email", "Phone", "Company")
        if demo.fields.get("Message")
    ]
    assert planted
    planted += [row[column] for row in trained_on[:10] for column in ("Email", "Phone")]
    weights = list((home / "llm").glob("gemma*.gguf"))
    written = [file.stat().st_mtime_ns for file in weights]
    model_shards(home / "llm")  # writes anew what is not as the package ships it, so nobody's
    assert written == [file.stat().st_mtime_ns for file in weights]
    found = found_under(home, filter(None, planted), but_not=(sample, *weights))
    assert (home / "tiebreak.db").exists()
    assert found == []
    assert up.process.poll() is None


def test_the_llm_is_back_after_kill_9_and_leads_are_decided_meanwhile(
    up: Up, environment: dict[str, str]
) -> None:
    port = int(environment["TIEBREAK_LLM_PORT"])
    lead = {"lead": demo_leads()[1].fields}
    (front,) = (pid for pid in descendants(up.process.pid) if "service.llm.server" in command(pid))
    os.kill(front, signal.SIGKILL)
    answer = httpx.post(f"{up.url}/decide", json=lead, headers=up.key, timeout=30)
    assert answer.status_code == 200
    deadline = time.monotonic() + 60
    while not answers_ok(port, "/health"):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    while answer.json()["route"] != "llm":
        assert time.monotonic() < deadline
        answer = httpx.post(f"{up.url}/decide", json=lead, headers=up.key, timeout=30)


def command(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")


def test_an_audit_asks_the_witness_that_was_started(up: Up, environment: dict[str, str]) -> None:
    command = ["tiebreak", "audit", "verify", "--json"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    report = json.loads(done.stdout)
    assert report["holds"]
    assert not [said for said in report["not_checked"] if "itness" in said]
    assert up.process.poll() is None


def test_mlflow_is_up_and_knows_the_release(up: Up) -> None:
    url = f"{up.printed['mlflow']}api/2.0/mlflow/registered-models/get"
    answer = httpx.get(url, params={"name": "lead-release"}).json()
    assert [a["alias"] for a in answer["registered_model"]["aliases"]] == ["champion"]


def test_promotion_and_rollback_reach_the_running_service_within_seconds(
    up: Up, environment: dict[str, str], home: Path
) -> None:
    def run(*arguments: str) -> dict[str, Any]:
        command = ["tiebreak", *arguments, "--json"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        tree: dict[str, Any] = json.loads(done.stdout)
        return tree

    def goes_live(version: str) -> bool:
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            answer = httpx.post(f"{up.url}/decide", json={"lead": {}}, headers=up.key)
            assert answer.status_code == 200  # no request fails meanwhile
            if answer.json()["versions"]["release"] == version:
                return True
        return False

    sample = home / "sample"
    trained = run(
        *(
            "train",
            str(sample / "sample_leads.synthetic.csv"),
            "--spec",
            str(sample / "leads.toml"),
        ),
        *("--llm-calls", "0", "--trials", "1"),
    )
    assert trained["comparison"] is None
    assert any("no lead; not asked" in note for note in trained["notes"])
    assert run("promote", trained["release"]) == {"live": "2"}
    assert goes_live("2")
    assert run("rollback") == {"live": "1"}
    assert goes_live("1")


def goes_silent(port: int) -> bool:
    """Within ten seconds: whoever listened there may still be on the way out."""
    for _ in range(100):
        if not is_listening(port):
            return True
        time.sleep(0.1)
    return False


def test_ctrl_c_stops_everything_it_started(up: Up, environment: dict[str, str]) -> None:
    ports = [int(environment[f"TIEBREAK_{n}PORT"]) for n in ("", "MLFLOW_", "LLM_")]
    started = descendants(up.process.pid)
    up.process.send_signal(signal.SIGINT)
    up.process.wait(30)
    assert len(started) > 5  # those of MLflow and BentoML that have sessions of their own, too
    assert [pid for pid in started if runs(pid)] == []
    for port in ports:
        assert goes_silent(port)


def runs(pid: int) -> bool:
    """Whether it is there, and is no zombie, which has no command any more."""
    try:
        return command(pid) != ""
    except (FileNotFoundError, ProcessLookupError):
        return False
