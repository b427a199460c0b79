"""`tiebreak bench`: what is measured, beside what people would use instead."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from pipelines.command_options import (
    DEFAULT_SPEC,
    AsJson,
    Depth,
    Embeddings,
    Examples,
    LlmCalls,
    LlmTestCalls,
    MaxError,
    MaxPull,
    Minutes,
    Seed,
    SpecPath,
    Table,
    Trials,
    options_type,
    settings_here,
)
from pipelines.finetuning.tuning_options import MINUTES
from service.llm.embedded_model import LAYERS, SHALLOW

bench = typer.Typer(no_args_is_help=True, help="Benchmarks, beside what people would use instead.")


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

    options = options_type()(
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
        settings=settings_here(),
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
    cache_dir = settings_here().home / "llm"
    figures = llm_bench.bench_llm(display, texts, cache_dir=cache_dir, calls=calls, depth=depth)
    if tell(figures, as_json=as_json):
        raise typer.Exit(1)
