"""The command line, `tiebreak`. Commands import what they need when they run: help is instant.

Results go to standard output (with --json: one JSON object, nothing else), progress and errors to
standard error. Exit codes: 0 done, 1 refused (the message says what to do), 2 wrong usage,
3 trained but not promoted, 130 interrupted.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from features.errors import ScoringError
from pipelines.audit_cli import audit, contact_pair
from pipelines.finetuning.tuning_options import MINUTES
from service.errors import InvalidSettings
from service.llm.embedded_model import LAYERS, SHALLOW
from service.settings import Settings, forbid_usage_tracking, read_settings

HELP = "Scores sales leads; an LLM breaks the tie, after redaction, on the record."
if TYPE_CHECKING:
    from models.registry import Registry, ReleaseSummary
    from pipelines.train import TrainingOptions

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, help=HELP)
keys = typer.Typer(no_args_is_help=True, help="API keys and their roles.")
app.add_typer(keys, name="keys")
bench = typer.Typer(no_args_is_help=True, help="Benchmarks, beside what people would use instead.")
app.add_typer(bench, name="bench")
app.add_typer(audit, name="audit")

NOT_PROMOTED = 3
NOT_ON_RECORD = (
    "There is no ledger here, so that it moved is on no record. That of a service says when it "
    "answers with it."
)
Table = Annotated[Path, typer.Argument(help="CSV or Parquet file of past leads.")]
SpecPath = Annotated[Path, typer.Option("--spec", help="The lead spec.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
Force = Annotated[bool, typer.Option("--force", help="Also over a file that is there.")]
DEFAULT_SPEC = Path("leads.toml")


@app.command()
def init(
    table: Table,
    outcome: Annotated[str, typer.Option(help="The column that says whether a lead was won.")],
    won: Annotated[str | None, typer.Option(help="The value that means won.")] = None,
    spec: SpecPath = DEFAULT_SPEC,
    as_json: AsJson = False,
) -> None:
    """Write leads.toml for a table: what each column is, and why. Yours to edit."""
    from features.lead_spec import LeadSpec
    from pipelines.column_kinds import infer_spec
    from pipelines.display import Display
    from pipelines.report import print_json, show_spec
    from pipelines.spec_file import write_spec
    from pipelines.tables import check_outcome, read_table

    with Display().stage(f"Reading {table.name}"):
        frame = read_table(table)
        value = check_outcome(frame, outcome, won)
        found = infer_spec(frame, outcome, value)
        changes = write_spec(spec, found)
    if as_json:
        looks = [column.name for column in LeadSpec.read(spec).open_looks]
        tree = {"spec": str(spec), "changes": changes, "open_looks": looks}
        print_json({**tree, **found.to_mapping()})
    else:
        show_spec(found, changes, spec)


Promote = Annotated[bool, typer.Option(help="Make it live if the gates pass.")]
LlmCalls = Annotated[
    int, typer.Option(min=0, help="Most calibration leads to ask the LLM about; 0: none.")
]
LlmTestCalls = Annotated[
    int,
    typer.Option(min=0, help="Most test leads to ask the LLM about; none where --llm-calls is 0."),
]
Trials = Annotated[int, typer.Option(min=1, help="Settings tried for the classifier.")]
A_WEEK = 7 * 24 * 60.0
Minutes = Annotated[
    float, typer.Option(min=0.5, max=A_WEEK, help="Most that tuning the LLM takes.")
]
Examples = Annotated[
    int | None, typer.Option(min=100, help="Most leads the LLM is tuned on, drawn by chance.")
]
Depth = Annotated[
    int | None,
    typer.Option(
        min=4,
        max=LAYERS,
        help="Layers of the LLM that are kept, the lowest: 8 answer in half the time of all 18. "
        "By default 8 where it learns from 2,000 leads or more (of a table of 3,900), else 18.",
    ),
]
MaxError = Annotated[
    float, typer.Option(min=0.01, max=0.5, help="Most errors outside the band, each side.")
]
MaxPull = Annotated[
    float,
    typer.Option(min=0, max=6, help="Most a text may move the log-odds; it gets what it earns."),
]
Embeddings = Annotated[
    bool,
    typer.Option(
        "--embeddings", help="Let the text model read what texts mean, too: extra `ladder`."
    ),
]
Seed = Annotated[
    int, typer.Option(min=0, max=2**32 - 2, help="The same seed gives the same classifier.")
]


@app.command()
def train(
    table: Table,
    spec: SpecPath = DEFAULT_SPEC,
    promote: Promote = False,
    llm_calls: LlmCalls = 200,
    llm_test_calls: LlmTestCalls = 200,
    trials: Trials = 20,
    max_error: MaxError = 0.10,
    confidence: Annotated[
        float, typer.Option(min=0.5, max=0.999, help="How sure that must be.")
    ] = 0.95,
    max_pull: MaxPull = 6.0,
    always_ask: Annotated[
        bool, typer.Option(help="Ask the LLM also where it proved to add nothing.")
    ] = False,
    text_model: Annotated[
        bool, typer.Option(help="Read texts with a small model first, where it proves to help.")
    ] = True,
    embeddings: Embeddings = False,
    is_tuned: Annotated[
        bool, typer.Option("--tune", help="Tune the embedded LLM on the table's own outcomes.")
    ] = False,
    minutes: Minutes = MINUTES,
    examples: Examples = None,
    depth: Depth = None,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Train a release on a table of past leads, and log everything to MLflow."""
    from pipelines.finetuning.tuning_options import TuningOptions

    if not is_tuned and (minutes, examples, depth) != (MINUTES, None, None):
        raise typer.BadParameter("--minutes, --examples and --depth are for --tune. Add it.")
    if embeddings and not text_model:
        raise typer.BadParameter("--embeddings is for the text model. Leave --no-text-model out.")
    options = _options_type()(
        trials=trials,
        llm_calls=llm_calls,
        llm_test_calls=llm_test_calls,
        max_error=max_error,
        confidence=confidence,
        max_pull=max_pull,
        always_ask=always_ask,
        seed=seed,
        tuning=TuningOptions(minutes, examples, depth) if is_tuned else None,
        text_model=text_model,
        embeddings=embeddings,
    )
    _train(table, spec, options, promote=promote, as_json=as_json)


@app.command()
def tune(
    table: Table,
    spec: SpecPath = DEFAULT_SPEC,
    minutes: Minutes = MINUTES,
    examples: Examples = None,
    depth: Depth = None,
    promote: Promote = False,
    llm_calls: LlmCalls = 300,
    llm_test_calls: LlmTestCalls = 400,
    trials: Trials = 20,
    embeddings: Embeddings = False,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Train with an LLM that was tuned on the table's own outcomes. Needs the extra `tune`.

    The same as `tiebreak train TABLE --tune`, asking about more leads. After a crash the same
    command goes on where it was.
    """
    from pipelines.finetuning.tuning_options import TuningOptions

    options = _options_type()(
        trials=trials,
        llm_calls=llm_calls,
        llm_test_calls=llm_test_calls,
        seed=seed,
        tuning=TuningOptions(minutes, examples, depth),
        embeddings=embeddings,
    )
    _train(table, spec, options, promote=promote, as_json=as_json)


@app.command()
def ladder(
    table: Table,
    spec: SpecPath = DEFAULT_SPEC,
    calls: Annotated[
        int, typer.Option(min=0, help="Leads of each part that each LLM rung is asked about.")
    ] = 200,
    tuned: Annotated[
        str | None, typer.Option(help="A release of `tiebreak tune`: its adapter is a rung.")
    ] = None,
    fine_tunes: Annotated[
        bool,
        typer.Option("--fine-tune", help="Have the configured provider make a model: costs money."),
    ] = False,
    trials: Trials = 20,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Compare every way of reading texts on a table, and say which one is worth it."""
    from features.lead_spec import LeadSpec
    from pipelines.display import Display
    from pipelines.ladder.ladder import LadderOptions
    from pipelines.ladder.ladder_run import run_ladder
    from pipelines.ladder.ladder_table import ladder_json, show_ladder
    from pipelines.report import print_json

    options = LadderOptions(calls=calls, trials=trials, seed=seed)
    found, bill = run_ladder(
        table,
        LeadSpec.read(spec),
        options,
        settings=_settings(),
        display=Display(),
        tuned=tuned,
        fine_tunes=fine_tunes,
    )
    if as_json:
        print_json(ladder_json(found, bill))
    else:
        show_ladder(found, bill)


@app.command()
def releases(as_json: AsJson = False) -> None:
    """List the releases, newest first, and which one is live."""
    from pipelines.report import print_json, show_releases

    with _registry() as registry:
        found = registry.releases()
    if as_json:
        print_json({"releases": found})
    else:
        show_releases(found, _settings().mlflow_uri)


@app.command()
def promote(
    version: Annotated[str | None, typer.Argument(help="The newest unless named.")] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Also one that its gates refused.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make a release live that passed its gates. Running services follow within seconds."""
    from service.bootstrap import announcing
    from service.recording.entry import MovedBecause

    with _registry() as registry:
        known = registry.releases()
        announce = announcing(_settings(), MovedBecause.PROMOTE)
        live = registry.promote(version, force=force, announce=announce)
    _said_live(live, known, as_json)


@app.command()
def rollback(as_json: AsJson = False) -> None:
    """Make the release live again that was live before; once more: the one before that."""
    from service.bootstrap import announcing
    from service.recording.entry import MovedBecause

    with _registry() as registry:
        known = registry.releases()
        live = registry.rollback(announce=announcing(_settings(), MovedBecause.ROLLBACK))
    _said_live(live, known, as_json)


@app.command()
def sample(
    path: Annotated[Path, typer.Argument(help="Where to write the CSV file.")],
    rows: Annotated[int, typer.Option(min=100)] = 3_000,
    seed: int = 7,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Write a table of synthetic sample leads, to try everything on."""
    from pipelines.errors import already_there
    from pipelines.report import print_json
    from pipelines.sample_leads import write_sample

    if path.exists() and not force:  # it may be a table of real leads
        raise already_there(path)
    write_sample(path, rows=rows, seed=seed)
    if as_json:
        print_json({"table": str(path), "rows": rows, "synthetic": True})
    else:
        typer.echo(f"Wrote {rows:,} synthetic leads to {path}.")


@app.command()
def up(
    keep_running: Annotated[
        bool, typer.Option("--stay/--no-stay", help="Stay up after the three decisions.")
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Start everything: MLflow, the local LLM and the service. Trains on samples if need be."""
    from pipelines.display import Display
    from pipelines.up import bring_up

    bring_up(_settings(), Display(), keep_running=keep_running, as_json=as_json)


@app.command()
def serve() -> None:
    """Start the service alone (and the embedded LLM, unless another is configured)."""
    from pipelines.up import serve_alone

    serve_alone(_settings())


@app.command()
def decide(
    file: Annotated[Path, typer.Argument(help="A JSON file with one lead; - for standard input.")],
    as_json: AsJson = False,
) -> None:
    """Decide one lead with the live release, without a server."""
    from pipelines.display import Display
    from pipelines.report import print_json, show_decision

    with Display().stage("Loading the live release"):
        from pipelines.offline import decide_file

        decided = decide_file(file, _settings())
    if as_json:
        print_json(decided.answer)
    else:
        show_decision(decided.answer, unknown=decided.unknown, absent=decided.absent)


@app.command()
def score(
    table: Table,
    output: Annotated[Path, typer.Option("--output", "-o", help="The CSV file to write.")],
    keep: Annotated[
        list[str] | None,
        typer.Option(help="A column of the table to write beside the answers; may be repeated."),
    ] = None,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Decide every lead of a table with the live release, without a server."""
    from pipelines.display import Display
    from pipelines.offline import score_table
    from pipelines.report import print_json, show_scores

    summary = score_table(table, output, _settings(), Display(), keep=keep or (), force=force)
    if as_json:
        print_json(summary)
    else:
        show_scores(summary)


@app.command()
def redact(
    file: Annotated[Path, typer.Argument(help="A text file; - for standard input.")],
    contact: Annotated[
        list[str] | None,
        typer.Option(help="What is known of the writer, as column=value; may be repeated."),
    ] = None,
    why_not: Annotated[
        list[str] | None, typer.Option(help="Say what let this value stay; may be repeated.")
    ] = None,
    spec: Annotated[
        Path | None, typer.Option(help="leads.toml, for its allow list; none unless given.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show a text as an LLM would see it, and why each part went or stayed."""
    from features.allow_list import AllowList
    from features.lead_spec import LeadSpec
    from features.redaction import Redactor
    from pipelines.display import Display
    from pipelines.redaction_report import redaction_json, show_redaction, why_it_stayed
    from pipelines.report import print_json

    text = sys.stdin.read() if str(file) == "-" else _read_text(file)
    contacts = dict(contact_pair(pair) for pair in contact or ())
    allow_list = LeadSpec.read(spec).allow_list if spec else AllowList()
    with Display().stage("Redacting"):
        redactor = Redactor.load().allowing(allow_list)
        redacted = redactor.redact(text, contacts)
        trace = redactor.trace(text, contacts)
    asked = {value: why_it_stayed(trace, value) for value in why_not or ()}
    if as_json:
        print_json(redaction_json(redacted, list(asked.values())))
    else:
        show_redaction(text, redacted, asked)


@app.command()
def names(
    table: Table,
    spec: SpecPath = DEFAULT_SPEC,
    at_least: Annotated[int, typer.Option(min=1, help="Leads that hold such a word.")] = 3,
    as_json: AsJson = False,
) -> None:
    """Show which words redaction takes for names in many leads: some may be your products.

    It shows words of what leads wrote, and keeps none.
    """
    from features.lead_spec import LeadSpec
    from features.redaction import Redactor
    from pipelines.display import Display
    from pipelines.guessed_names import guessed_names, show_guessed_names
    from pipelines.report import print_json
    from pipelines.training_data import read_leads

    display, read = Display(), LeadSpec.read(spec)
    with display.stage(f"Reading {table.name}"):
        leads = read_leads(table, read)
        redactor = Redactor.load().allowing(read.allow_list)
    found = guessed_names(leads, redactor, at_least, display)
    if as_json:
        print_json({"policy": redactor.policy_version, "names": found})
    else:
        show_guessed_names(found, at_least)


@app.command("train-names")
def train_names(
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder to write.")],
    seed: Annotated[int, typer.Option(help="The same seed gives the same weights.")] = 1,
    minutes: Annotated[float, typer.Option(min=0.1, help="At most.")] = 30.0,
    second_look: Annotated[
        bool, typer.Option("--second-look", help="Only that, for the network that ships.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Train redaction's name recognizer anew, on generated messages. Needs the extra `bench`."""
    from pipelines.display import Display
    from pipelines.redaction.ner_training import look_anew
    from pipelines.redaction.ner_training import train as train_recognizer
    from pipelines.report import print_json

    if second_look:
        summary = look_anew(seed, output, Display())
    else:
        summary = train_recognizer(seed, minutes, output, Display())
    if as_json:
        print_json(summary)
    else:
        sys.stdout.write(
            f"{output}: put its files into features/ner/, and this into redaction_policy.toml:\n"
            f'ner_weights = "{summary.digest}"\n'
        )


@bench.command("redaction")
def bench_redaction(
    annotated: Annotated[
        Path | None, typer.Option(help="pii_synth_dev.json, to be reported on too.")
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Corpora of our own to draw.")] = 3,
    retrain: Annotated[
        int, typer.Option(min=0, help="Train the name recognizer so often, each with a seed.")
    ] = 0,
    quick: Annotated[bool, typer.Option(help="One small corpus: a minute.")] = False,
    plot: Annotated[Path | None, typer.Option(help="A PNG file to write.")] = None,
    as_json: AsJson = False,
) -> None:
    """Measure redaction beside stock Presidio: what is found, left, wrong, and what it costs.

    Exit code 1 where a target is missed. Needs the extra `bench`.
    """
    from pipelines.display import Display
    from pipelines.redaction.redaction_bench import BenchOptions
    from pipelines.redaction.redaction_bench import bench_redaction as measure
    from pipelines.redaction.redaction_table import bench_json, show_bench
    from pipelines.report import print_json

    if annotated is not None and not annotated.exists():
        raise typer.BadParameter(f"{annotated} is not there.")
    options = BenchOptions(seeds=seeds, quick=quick, annotated=annotated, retrain=retrain)
    report = measure(options, Display())
    if plot:
        from pipelines.redaction.redaction_plot import save_redaction_plot

        save_redaction_plot(report, plot)
    if as_json:
        print_json(bench_json(report))
    else:
        show_bench(report)
    if report.failed:
        raise typer.Exit(1)


@bench.command("tune")
def bench_tune(
    table: Table,
    spec: SpecPath = DEFAULT_SPEC,
    seeds: Annotated[int, typer.Option(min=1, help="Splits, trainings and tunings.")] = 3,
    permuted: Annotated[
        bool, typer.Option(help="Deal the texts out anew: then every gate must refuse.")
    ] = False,
    keep: Annotated[
        bool, typer.Option(help="Keep adapters and answers: the same command repeats at once.")
    ] = False,
    minutes: Minutes = MINUTES,
    examples: Examples = None,
    depth: Depth = None,
    llm_calls: LlmCalls = 300,
    llm_test_calls: LlmTestCalls = 400,
    trials: Trials = 20,
    max_error: MaxError = 0.10,
    max_pull: MaxPull = 6.0,
    embeddings: Embeddings = False,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Tune on a table again and again: the hybrid beside classifier, text model and LLM alone.

    Nothing is registered. Needs the extra `tune`.
    """
    from pipelines.finetuning.tuning_options import TuningOptions

    options = _options_type()(
        trials=trials,
        llm_calls=llm_calls,
        llm_test_calls=llm_test_calls,
        max_error=max_error,
        max_pull=max_pull,
        seed=seed,
        tuning=TuningOptions(minutes, examples, depth),
        embeddings=embeddings,
    )
    from features.lead_spec import LeadSpec
    from pipelines.display import Display
    from pipelines.finetuning.tuning_bench import bench_tuning, show_proof
    from pipelines.report import print_json

    done = bench_tuning(
        table,
        LeadSpec.read(spec),
        options,
        seeds=seeds,
        permuted=permuted,
        keep=keep,
        settings=_settings(),
        display=Display(),
    )
    if as_json:
        print_json(done)
    else:
        show_proof(done)


@bench.command("ledger")
def bench_ledger(
    kills: Annotated[
        int, typer.Option(min=0, help="Kill whoever appends so often, and measure nothing else.")
    ] = 0,
    guesses: Annotated[
        int, typer.Option(min=0, help="Guess at a fingerprint so often in each way, nothing else.")
    ] = 0,
    postgres: Annotated[bool, typer.Option(help="On PostgreSQL, started from a package.")] = False,
    folder: Annotated[Path, typer.Option(help="On the disk to measure.")] = Path(),
    as_json: AsJson = False,
) -> None:
    """Measure the ledger beside single-row commits and a hash-chained file; or kill its writers.

    Exit code 1 where a target is missed, or something acknowledged is lost.
    """
    from pipelines.display import Display
    from pipelines.figure import tell
    from pipelines.ledger import guessing, ledger_bench
    from pipelines.report import print_json

    if kills:
        reports = ledger_bench.kill(Display(), kills, folder=folder, postgres=postgres)
        for report in reports:
            if not as_json:
                typer.echo(
                    f"{report.kills} kills: all {report.acknowledged:,} acknowledged entries are "
                    f"there, and the log of {report.entries:,} verifies."
                )
        if as_json:
            print_json({"crashes": [asdict(report) for report in reports]})
        return
    if guesses:
        figures = guessing.guess(Display(), guesses)
    else:
        figures = ledger_bench.bench_ledger(Display(), folder=folder, postgres=postgres)
    if tell(figures, as_json=as_json):
        raise typer.Exit(1)


@bench.command("audit")
def bench_audit(
    entries: Annotated[int, typer.Option(min=1_000, help="In the ledger.")] = 1_000_000,
    postgres: Annotated[bool, typer.Option(help="On PostgreSQL, started from a package.")] = False,
    folder: Annotated[Path, typer.Option(help="On the disk to measure.")] = Path(),
    as_json: AsJson = False,
) -> None:
    """Ask a big ledger an audit's twenty questions, then verify exports of it.

    Exit code 1 where one takes over a second, or fewer than 100,000 entries a second are verified.
    """
    from pipelines.display import Display
    from pipelines.figure import tell
    from pipelines.ledger import audit_bench

    figures = audit_bench.bench_audit(Display(), entries, folder=folder, postgres=postgres)
    if tell(figures, as_json=as_json):
        raise typer.Exit(1)


@bench.command("llm")
def bench_llm(
    table: Annotated[
        Path | None, typer.Argument(help="Ask about its texts, not the sample's.")
    ] = None,
    text: Annotated[str, typer.Option(help="TABLE's column of texts.")] = "Message",
    outcome: Annotated[str, typer.Option(help="TABLE's column of outcomes.")] = "Won",
    calls: Annotated[int, typer.Option(min=4, help="Questions a round, of each contender.")] = 24,
    depth: Annotated[
        int, typer.Option(min=4, max=LAYERS, help="Layers of the LLM that the tuned one keeps.")
    ] = SHALLOW,
    as_json: AsJson = False,
) -> None:
    """Measure the embedded LLM: tuned beside few-shot, memory, hot swap, recovery from kill -9.

    Exit code 1 where a target is missed. Needs the extras `local-llm` and `bench`.
    """
    from pipelines.display import Display
    from pipelines.figure import tell
    from pipelines.serving import llm_bench
    from pipelines.serving.asking import EXAMPLE_POOL, sample_texts, table_texts

    display, count = Display(), EXAMPLE_POOL + llm_bench.ROUNDS * calls
    with display.stage("Redacting texts"):
        texts = table_texts(table, text, outcome, count) if table else sample_texts(count)
    cache_dir = _settings().home / "llm"
    figures = llm_bench.bench_llm(display, texts, cache_dir=cache_dir, calls=calls, depth=depth)
    if tell(figures, as_json=as_json):
        raise typer.Exit(1)


@keys.command("create")
def create_key(
    name: Annotated[str, typer.Argument(help="Who will use it.")],
    role: Annotated[str, typer.Option(help="score, read, audit or admin.")] = "score",
    as_json: AsJson = False,
) -> None:
    """Create an API key. It is shown once."""
    from pipelines.report import print_json
    from service.keys import Role
    from service.keys import create_key as create
    from service.keys import list_keys as listed

    if role not in set(Role):
        raise typer.BadParameter(f"{role!r} is not one of: {', '.join(Role)}.")
    with _store() as store:
        others = [k for k in listed(store) if k.name == name and k.revoked_at is None]
        key, token = create(store, name=name, role=Role(role))
    if as_json:
        print_json({"id": key.id, "name": key.name, "role": key.role, "key": token})
    else:
        typer.echo(f"{token}\nKeep it now: only its digest is stored. Role: {key.role}.")
    for other in others:
        fix = f"`tiebreak keys revoke {other.id}` ends it."
        message = f"Another key of this name, {other.id}, role {other.role}, is still valid. {fix}"
        typer.echo(message, err=True)


@keys.command("list")
def list_keys(as_json: AsJson = False) -> None:
    """List API keys, revoked ones too. Their secrets are not known to anyone."""
    from pipelines.report import print_json, show_keys
    from service.keys import list_keys as listed

    with _store() as store:
        found = listed(store)
    if as_json:
        print_json({"keys": found})
    else:
        show_keys(found)


@keys.command("revoke")
def revoke_key(key_id: str, as_json: AsJson = False) -> None:
    """Revoke an API key: it stops working within a second."""
    from pipelines.report import print_json
    from service.keys import revoke_key as revoke

    with _store() as store:
        revoke(store, key_id)
    if as_json:
        print_json({"revoked": key_id})
    else:
        typer.echo(f"Revoked {key_id}.")


def main() -> None:
    """Run a command; our own errors become one sentence on standard error and exit code 1."""
    forbid_usage_tracking()
    try:
        app(prog_name="tiebreak")
    except ScoringError as error:
        typer.secho(str(error), err=True, fg="red")
        raise SystemExit(1) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None


def _options_type() -> type[TrainingOptions]:
    """Importing it imports spaCy, and so torch where that is installed: its threads sleep first."""
    from pipelines.finetuning.machine_share import wait_asleep

    wait_asleep()
    from pipelines.train import TrainingOptions

    return TrainingOptions


def _train(
    table: Path, spec: Path, options: TrainingOptions, *, promote: bool, as_json: bool
) -> None:
    from rich.markup import escape

    from features.lead_spec import LeadSpec
    from pipelines.display import Display
    from pipelines.report import print_json, show_training, training_json
    from pipelines.spec_file import looks_note
    from pipelines.training_run import run_training

    settings, display, read = _settings(), Display(), LeadSpec.read(spec)
    if note := looks_note(read):
        display.say(f"[yellow]{escape(note)}[/yellow]")
    done = run_training(table, read, options, settings=settings, display=display, promote=promote)
    if as_json:
        for note in done.trained.notes:
            display.say(note)
        print_json(training_json(done))
    else:
        show_training(done)
    if promote and not done.promoted:
        raise typer.Exit(NOT_PROMOTED)


def _settings() -> Settings:
    settings = read_settings()
    try:
        settings.home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"TIEBREAK_HOME cannot be used: {error.strerror}. Set it to a folder of yours."
        raise InvalidSettings(message) from error
    return settings


@contextmanager
def _registry() -> Iterator[Registry]:
    from pipelines.display import Display

    with Display().stage("Asking MLflow"):
        from models.registry import Registry

        yield Registry(_settings().mlflow_uri).require()


def _store() -> Any:
    from contextlib import closing

    from service.bootstrap import open_store

    return closing(open_store(_settings()))


def _read_text(path: Path) -> str:
    from pipelines.errors import UnusableFile

    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        message = "There is no such file. Name a text file, or - to read from standard input."
        raise UnusableFile(message) from None  # the name may be the text itself
    except UnicodeDecodeError as error:
        raise UnusableFile(f"{path} is not UTF-8 text. Save it as UTF-8.") from error


def _said_live(version: str, known: Sequence[ReleaseSummary], as_json: bool) -> None:
    """known: all releases, and their aliases until now."""
    from models.registry import CHAMPION
    from pipelines.report import other_outcome, print_json
    from service.bootstrap import keeps_ledger

    has_moved = not any(r.version == version and CHAMPION in r.aliases for r in known)
    if has_moved and not keeps_ledger(_settings()):
        typer.echo(NOT_ON_RECORD, err=True)
    if warning := other_outcome(version, known):
        typer.echo(warning, err=True)
    if as_json:
        print_json({"live": version})
    else:
        typer.echo(f"Release {version} is live. Running services follow within seconds.")


if __name__ == "__main__":
    main()
