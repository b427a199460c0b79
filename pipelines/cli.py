"""The command line, `tiebreak`. Commands import what they need when they run: help is instant.

Results go to standard output (with --json: one JSON object, nothing else), progress and errors to
standard error. Exit codes: 0 done, 1 refused (the message says what to do), 2 wrong usage,
3 trained but not promoted, 130 interrupted.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from features.errors import ScoringError
from pipelines.audit_cli import audit, contact_pair
from pipelines.bench_cli import bench
from pipelines.command_options import (
    DEFAULT_SPEC,
    AsJson,
    Depth,
    Embeddings,
    Examples,
    Force,
    LlmCalls,
    LlmTestCalls,
    MaxError,
    MaxPull,
    Minutes,
    Promote,
    Seed,
    SpecPath,
    Table,
    Trials,
    options_type,
    settings_here,
)
from pipelines.finetuning.tuning_options import MINUTES
from pipelines.keys_cli import keys
from service.settings import forbid_usage_tracking, read_settings

HELP = "Scores sales leads; an LLM breaks the tie, after redaction, on the record."
if TYPE_CHECKING:
    from models.registry import Registry, ReleaseSummary
    from pipelines.train import TrainingOptions

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, help=HELP)
app.add_typer(keys, name="keys")
app.add_typer(bench, name="bench")
app.add_typer(audit, name="audit")

NOT_PROMOTED = 3
NOT_ON_RECORD = (
    "There is no ledger here, so that it moved is on no record. That of a service says when it "
    "answers with it."
)


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
    options = options_type()(
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

    options = options_type()(
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
        settings=settings_here(),
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
        show_releases(found, registry.address)


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
        announce = announcing(read_settings(), MovedBecause.PROMOTE)
        live = registry.promote(version, force=force, announce=announce)
    _said_live(live, known, as_json)


@app.command()
def rollback(as_json: AsJson = False) -> None:
    """Make the release live again that was live before; once more: the one before that."""
    from service.bootstrap import announcing
    from service.recording.entry import MovedBecause

    with _registry() as registry:
        known = registry.releases()
        live = registry.rollback(announce=announcing(read_settings(), MovedBecause.ROLLBACK))
    for release in known:
        if release.version == live and release.was_refused:
            said = f"Release {live}, which is live again, did not pass its gates ({release.gates})."
            typer.echo(said, err=True)
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

    bring_up(settings_here(), Display(), keep_running=keep_running, as_json=as_json)


@app.command()
def serve() -> None:
    """Start the service alone (and the embedded LLM, unless another is configured)."""
    from pipelines.up import serve_alone

    serve_alone(settings_here())


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

        decided = decide_file(file, read_settings())
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

    summary = score_table(table, output, read_settings(), Display(), keep=keep or (), force=force)
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


def _train(
    table: Path, spec: Path, options: TrainingOptions, *, promote: bool, as_json: bool
) -> None:
    from rich.markup import escape

    from features.lead_spec import LeadSpec
    from pipelines.display import Display
    from pipelines.report import not_live_note, print_json, show_training, training_json
    from pipelines.spec_file import looks_note
    from pipelines.training_run import run_training

    settings, display, read = settings_here(), Display(), LeadSpec.read(spec)
    if note := looks_note(read):
        display.say(f"[yellow]{escape(note)}[/yellow]")
    done = run_training(table, read, options, settings=settings, display=display, promote=promote)
    if as_json:
        for note in done.trained.notes:
            display.say(note)
        if said := not_live_note(done):
            display.say(escape(said))
        print_json(training_json(done))
    else:
        show_training(done)
    if promote and not done.promoted:
        raise typer.Exit(NOT_PROMOTED)


@contextmanager
def _registry() -> Iterator[Registry]:
    from pipelines.display import Display

    with Display().stage("Asking MLflow"):
        from models.registry import Registry

        settings = read_settings()
        registry = Registry(settings.mlflow_uri, elsewhere=settings.elsewhere)
        yield registry if registry.is_missing else registry.require()


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
    from service.bootstrap import has_ledger

    has_moved = not any(r.version == version and CHAMPION in r.aliases for r in known)
    if has_moved and not has_ledger(read_settings()):
        typer.echo(NOT_ON_RECORD, err=True)
    if warning := other_outcome(version, known):
        typer.echo(warning, err=True)
    if as_json:
        print_json({"live": version})
    else:
        typer.echo(f"Release {version} is live. Running services follow within seconds.")


if __name__ == "__main__":
    main()
