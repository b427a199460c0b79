"""Up: everything on one machine, from nothing to three decided leads. What `make run` calls."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from rich.markup import escape

from features.lead_spec import LeadSpec
from models.registry import Registry
from pipelines.display import Display
from pipelines.local_llm import endpoint_running
from pipelines.processes import Child, answered_tree, require_free, stoppable
from pipelines.report import print_json, show_decision, show_where
from pipelines.sample_leads import DemoLead, demo_leads
from service.bootstrap import (
    announcing,
    last_release,
    ledger_key,
    open_store,
    with_own_witness,
    witness_home,
)
from service.keys import Role, create_key, list_keys, revoke_key
from service.live_release import NOTHING_LIVE
from service.llm.endpoint import configured_endpoint
from service.recording.entry import MovedBecause
from service.settings import Settings, own_bento_home

KEY_NAME = "tiebreak up"
WITNESS_NAME = "tiebreak.local/witness"
PATIENCE = timedelta(minutes=2)


def bring_up(settings: Settings, display: Display, *, keep_running: bool, as_json: bool) -> None:
    """Start MLflow, the LLM and the service; train on sample leads first if nothing is live.

    Decides three leads, prints them, says where everything is, and stays up until interrupted.

    Raises:
        DidNotStart: a port is taken, a process did not come up, or the service ended by itself.
    """
    _require_ports(settings)
    with stoppable() as running:
        with display.stage("Starting the witness"):
            settings = running.enter_context(witness_running(settings))
        service = service_process(settings)
        was_live = last_release(settings).is_there
        if was_live:
            running.enter_context(service)  # it takes longest: everything else meanwhile
        with display.stage("Starting the LLM"):
            running.enter_context(endpoint_running(settings, configured_endpoint(settings)))
        if not was_live:
            _train_if_nothing_is_live(settings, display)
        token = _fresh_key(settings)
        if not service.is_alive:
            running.enter_context(service)
        with display.stage("Starting the service"):
            import bentoml  # noqa: F401  (takes seconds that would only be waited for)

            service.wait_until(settings.port, "/readyz", within=PATIENCE, host=settings.host_to_ask)
        answers: dict[str, Any] = {}
        for demo, answer in _decide_three(settings, token):
            answers[demo.name] = answer
            if not as_json:
                show_decision(answer, title=demo.name, shows=demo.shows)
        if not _has_mlflow_server(settings):
            mlflow = running.enter_context(_mlflow_process(settings))
            with display.stage("Starting MLflow"):
                mlflow.wait_until(settings.mlflow_port, "/health", within=PATIENCE)
        where = _where(settings, token)
        if as_json:
            print_json({"decisions": answers, **where})
            sys.stdout.flush()
        else:
            show_where(where)
        if keep_running:
            service.wait()


def serve_alone(settings: Settings) -> None:
    """The service, and the embedded LLM unless another is configured, until interrupted.

    Raises:
        DidNotStart: a port is taken, the witness did not come up, or the service ended by itself.
    """
    require_free(settings.port, "TIEBREAK_PORT", settings.host)
    display = Display()
    with stoppable() as running:
        settings = running.enter_context(witness_running(settings))
        running.enter_context(endpoint_running(settings, configured_endpoint(settings)))
        service = running.enter_context(service_process(settings))
        display.say(f"Starting on {escape(_url(settings.host, settings.port))}, Ctrl-C to stop.")
        for line in said_while_starting(service, settings):
            display.say(escape(line))
        service.wait()


def said_while_starting(service: Child, settings: Settings) -> Iterator[str]:
    """Which release answers, or why none does, until it is the one that MLflow says is live."""
    url, said = _url(settings.host, settings.port), ""
    looked_in = Registry(settings.mlflow_uri, elsewhere=settings.elsewhere).looked_in
    while service.is_alive:
        tree = answered_tree(settings.port, "/readyz", settings.host_to_ask) or {}
        line = standing(tree, url, looked_in) if "ready" in tree else said
        if line != said:
            yield line
        if tree.get("confirmed"):
            return
        said = line
        time.sleep(1)


def standing(readiness: Mapping[str, Any], url: str, looked_in: str) -> str:
    """What `/readyz` answers, in words. looked_in: for releases, which it tells nobody itself."""
    if not readiness["ready"]:
        error = readiness["error"]
        line = f"Not serving yet. {error['problem']} {error['fix']}"
        return f"{line} {looked_in}" if NOTHING_LIVE.startswith(error["problem"]) else line
    line = f"Serving release {readiness['release']} on {url}."
    if problem := readiness["problem"]:
        return f"{line} {problem}"
    if not readiness["confirmed"]:
        return f"{line} It was live last. Asking MLflow."
    return line


@contextmanager
def witness_running(settings: Settings) -> Iterator[Settings]:
    """Settings with a witness: the configured one, or one of our own on this machine.

    One that runs beside the log guards against edits and against copies put back by whoever cannot
    write to its file too; a witness elsewhere guards against everybody here.
    """
    if settings.witness_url is not None:
        yield settings
        return
    require_free(settings.witness_port, "TIEBREAK_WITNESS_PORT")
    home = str(witness_home(settings))
    arguments = ["service.ledger.witness", "--home", home, "--name", WITNESS_NAME]
    arguments += ["--port", str(settings.witness_port)]
    arguments += ["--log-key", ledger_key(settings).verifier.text]
    with Child("The witness", arguments, log=settings.home / "logs" / "witness.log") as child:
        child.wait_until(settings.witness_port, "/healthz", within=PATIENCE)
        yield with_own_witness(settings)


def service_process(settings: Settings) -> Child:
    """`bentoml serve` on the configured address."""
    address = ["--host", settings.host, "--port", str(settings.port)]
    return Child(
        "The service",
        ["bentoml", "serve", "service.app:LeadScorer", *address],
        log=settings.home / "logs" / "service.log",
        environment={
            "TIEBREAK_HOME": str(settings.home),
            "TIEBREAK_WITNESS_URL": settings.witness_url or "",
            "TIEBREAK_WITNESS_KEY": settings.witness_key or "",
            **own_bento_home(settings.home),
        },
    )


def _has_mlflow_server(settings: Settings) -> bool:
    """Whether MLflow runs elsewhere already, with a UI of its own."""
    return settings.mlflow_uri.startswith(("http://", "https://"))


def _mlflow_process(settings: Settings) -> Child:
    """MLflow's UI over its database."""
    arguments = ["mlflow", "server", "--host", "127.0.0.1", "--port", str(settings.mlflow_port)]
    arguments += ["--workers", "1"]
    arguments += ["--artifacts-destination", (settings.home / "mlartifacts").as_uri()]
    return Child(
        "MLflow",
        arguments,
        log=settings.home / "logs" / "mlflow.log",
        environment={
            "MLFLOW_BACKEND_STORE_URI": settings.mlflow_uri,  # no argument: it may hold a password
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",  # a scheduler nobody uses here
        },
    )


def _require_ports(settings: Settings) -> None:
    require_free(settings.port, "TIEBREAK_PORT", settings.host)
    if not _has_mlflow_server(settings):
        require_free(settings.mlflow_port, "TIEBREAK_MLFLOW_PORT")
    if settings.witness_url is None:
        require_free(settings.witness_port, "TIEBREAK_WITNESS_PORT")
    if settings.llm_base_url is None:
        require_free(settings.llm_port, "TIEBREAK_LLM_PORT")


def _train_if_nothing_is_live(settings: Settings, display: Display) -> None:
    with display.stage("Looking for a live release"):
        live = Registry(settings.mlflow_uri).champion_version()
    if live is None:
        _train_on_sample(settings, display)


def _train_on_sample(settings: Settings, display: Display) -> None:
    from pipelines.column_kinds import infer_spec
    from pipelines.sample_leads import write_sample
    from pipelines.spec_file import write_spec
    from pipelines.tables import check_outcome, read_table
    from pipelines.train import TrainingOptions
    from pipelines.training_run import run_training

    folder = settings.home / "sample"
    table, spec = folder / "sample_leads.synthetic.csv", folder / "leads.toml"
    with display.stage("Writing synthetic sample leads"):
        write_sample(table)
        frame = read_table(table)
        write_spec(spec, infer_spec(frame, "Won", check_outcome(frame, "Won", None)))
    display.say(f"Nothing is live yet: training on synthetic sample leads, {table}.")
    run = run_training(
        table,
        LeadSpec.read(spec),
        # A text model settles these simple messages alone, and the LLM would never be seen at work.
        TrainingOptions(trials=10, llm_calls=120, llm_test_calls=60, text_model=False),
        settings=settings,
        display=display,
        promote=True,
    )
    for note in run.trained.notes:
        display.say(note)
    if not run.promoted:  # the sample is a demonstration: it goes live whatever the gates say
        announce = announcing(settings, MovedBecause.TRAINING)
        registry = Registry(settings.mlflow_uri)
        registry.promote(run.release.version, force=True, announce=announce)


def _fresh_key(settings: Settings) -> str:
    """A key for this run; those of earlier runs end, since nobody can know them any more."""
    with closing(open_store(settings)) as store:
        for key in list_keys(store):
            if key.name == KEY_NAME and key.revoked_at is None:
                revoke_key(store, key.id)
        return create_key(store, name=KEY_NAME, role=Role.ADMIN)[1]


def _decide_three(settings: Settings, token: str) -> Iterator[tuple[DemoLead, dict[str, Any]]]:
    """The three demonstration leads, one by one, if the live release knows their columns."""
    import bentoml

    url = _url(settings.host_to_ask, settings.port)
    with bentoml.SyncHTTPClient(url, token=token, server_ready_timeout=None) as client:
        for demo in demo_leads():
            answer = client.decide(lead=demo.fields)
            if answer["data"]["unknown_fields"]:
                return  # the live release was trained on another table
            yield demo, answer


def _where(settings: Settings, token: str) -> dict[str, str]:
    url = _url(settings.host, settings.port)
    own_mlflow = f"http://127.0.0.1:{settings.mlflow_port}/"
    return {
        "api": f"{url}/decide",
        "docs": f"{url}/",
        "mlflow": Registry(settings.mlflow_uri).address
        if _has_mlflow_server(settings)
        else own_mlflow,
        "api_key": token,
        "logs": str(Path(settings.home / "logs")),
    }


def _url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
