"""Report: what commands print, for people (rich) and for programs (JSON)."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, is_dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table

from features.lead_spec import LeadSpec
from models.log_odds import log_odds, probability

if TYPE_CHECKING:
    from models.registry import ReleaseSummary
    from pipelines.metrics import Interval, Measure
    from pipelines.spec_file import SpecChanges
    from pipelines.training_run import TrainingRun
    from service.keys import ApiKey

GRADE_COLOURS = {"A": "green", "B": "cyan", "C": "yellow", "D": "red"}


def print_json(tree: Any) -> None:
    """One JSON object on standard output, and nothing else."""
    import orjson

    sys.stdout.write(orjson.dumps(tree, default=_plain, option=orjson.OPT_INDENT_2).decode() + "\n")


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, datetime | Path):
        return str(value)
    return list(value)


def show_spec(spec: LeadSpec, changes: SpecChanges, path: Path) -> None:
    """Each column with its kind and the reason, the suspicious ones first."""
    from pipelines.column_kinds import summary
    from pipelines.spec_file import looks_note
    from pipelines.tables import UNNAMED

    rank = {"leak": 0, "yes, look": 1, "no, look": 1}
    table = Table("column", "kind", "use", "why", title=escape(f"{path}: outcome {spec.outcome}"))
    styles = {"leak": "red", "yes, look": "yellow", "no, look": "yellow", "no": "dim"}
    for name, kind, use, why in sorted(summary(spec), key=lambda row: rank.get(row[2], 2)):
        table.add_row(escape(name), kind, use, escape(why), style=styles.get(use))
    out = Console()
    out.print(table)
    words = ", ".join(spec.missing_words) or "none"
    out.print(f"Words that mean missing: {escape(words)}.", highlight=False)
    if unnamed := [c.name for c in spec.columns if c.name.startswith(UNNAMED)]:
        out.print(
            f"Called by its place, for the table's header has no name for it: {_named(unnamed)}. "
            "Often it numbers the rows; if it says something of a lead, give it a name there.",
            highlight=False,
        )
    if note := looks_note(LeadSpec.read(path)):  # the file's word stands, not the table's
        out.print(f"[yellow]{escape(note)}[/yellow]", highlight=False)
    for line in _said_of(changes, path):
        out.print(line, highlight=False)


def _said_of(changes: SpecChanges, path: Path) -> list[str]:
    if changes.created:
        lines = [f"Wrote {path}. Read it, edit it, then: tiebreak train TABLE --promote"]
    else:
        columns = _counted(changes.added, "column")
        lines = [f"Kept {path} as you wrote it; added {columns}."]
    for what, names in (
        ("No longer in the table", changes.vanished),
        ("The table suggests otherwise, your word stands", changes.kept),
        ("[red]In use, though it looks like a leak[/red]", changes.suspected),
        ("Words that may mean missing, not in your list", changes.unlisted_words),
    ):
        lines += [f"{what}: {escape(', '.join(names))}."] if names else []
    if changes.other_won is not None:
        lines.append(
            f"[red]{path} says that {escape(repr(changes.won))} means won, not "
            f"{escape(repr(changes.other_won))}[/red], and your word there stands. If it is wrong, "
            "change `won` under [bold]\\[outcome][/bold] there."
        )
    return lines


def show_training(run: TrainingRun) -> None:
    """Test figures with intervals, baselines beside the hybrid, the gates, and what is live."""
    trained, out = run.trained, Console()
    figures = measures_line(trained.measures)
    tested = len(trained.fitted.split.test)
    out.print(f"Classifier alone on {tested:,} test leads: {figures}.", highlight=False)
    if trained.comparison:
        out.print(_comparison_table(trained.comparison))
        for where, changes in (
            ("everywhere", trained.comparison.changes),
            ("inside the band", trained.comparison.changes_in_band),
        ):
            shown = ", ".join(f"{m.value} {v}" for m, v in changes.items())
            out.print(f"Hybrid minus classifier, paired, {where}: {shown or 'too few leads'}.")
    for note in (*trained.notes, *_tuning_lines(trained)):
        out.print(note, highlight=False)
    for gate in trained.gates:
        mark = "[green]passed[/green]" if gate.passed else "[red]failed[/red]"
        out.print(f"Gate {mark}: {gate.name} ({gate.figure}).", highlight=False)
    said = not_live_note(run) or f"Release {run.release.version} {_standing(run)}."
    out.print(escape(said), highlight=False)


def measures_line(measures: Mapping[Measure, Interval]) -> str:
    """Each with its interval, but the ECE: resampling lifts that, often above the value itself.

    The gate says what ECE chance alone gives.
    """
    figures = {
        m.value: f"{v.value:.3f}" if m.value == "ece" else str(v) for m, v in measures.items()
    }
    return ", ".join(f"{name} {figure}" for name, figure in figures.items())


def not_live_note(run: TrainingRun) -> str:
    """Empty where nothing kept it from going live."""
    if not run.not_live:
        return ""
    version, why = run.release.version, run.not_live.rstrip(".")
    return (
        f"Release {version} is registered but not live: {why}. Once that is mended: "
        f"`tiebreak promote {version}`."
    )


def _standing(run: TrainingRun) -> str:
    if run.promoted:
        return "is live"
    if all(gate.passed for gate in run.trained.gates):
        return "is registered, not live (tiebreak promote makes it so)"
    return "is registered, not live: its gates refused it"


def _tuning_lines(trained: Any) -> list[str]:
    from pipelines.finetuning.tuning_log import tuning_lines

    return list(tuning_lines(trained.tuned)) if trained.tuned else []


def _comparison_table(comparison: Any) -> Table:
    leads = len(comparison.judged.won)
    title = f"{leads:,} test leads drawn by chance, 95 % intervals"
    table = Table("", "LLM asked", "AUC", "log loss", "Brier", title=title)
    for line in comparison.lines:
        shown = [str(interval) for interval in line.measures.values()]
        style = "bold" if line.name == "hybrid" else None
        table.add_row(line.name, f"{line.llm_share:.0%}", *shown, style=style)
    return table


def training_json(run: TrainingRun) -> dict[str, Any]:
    """What `tiebreak train --json` prints."""
    from pipelines.finetuning.tuning_log import tuning_tree
    from pipelines.spec_file import looks_note

    trained = run.trained
    looks = looks_note(trained.data.spec)
    return {
        "release": run.release.version,
        "run_id": run.run_id,
        "promoted": run.promoted,
        "not_live": run.not_live or None,
        "versions": dict(run.release.versions),
        "metrics": trained.metrics,
        "intervals": {m.value: v.to_json() for m, v in trained.measures.items()},
        "comparison": _comparison_json(trained.comparison),
        "band": trained.release.policy.band.to_json(),
        "notes": [*([looks] if looks else []), *trained.notes],
        "gates": trained.gates,
        "tuning": tuning_tree(trained.tuned) if trained.tuned else None,
    }


def _comparison_json(comparison: Any) -> dict[str, Any] | None:
    if comparison is None:
        return None
    return {
        "leads": len(comparison.judged.won),
        "contenders": {
            line.name: {"llm_share": line.llm_share}
            | {m.value: v.to_json() for m, v in line.measures.items()}
            for line in comparison.lines
        },
        "changes": {m.value: v.to_json() for m, v in comparison.changes.items()},
        "changes_in_band": {m.value: v.to_json() for m, v in comparison.changes_in_band.items()},
    }


def show_releases(releases: Sequence[ReleaseSummary], where: str) -> None:
    """Newest first, each with which test leads its figures are of: others do not compare.

    where: the address of MLflow.
    """
    if not releases:
        none = f"No release yet in {escape(where)}. `tiebreak train TABLE --promote` makes one."
        Console().print(none, highlight=False)
        return
    out = Console()
    for release in releases:  # lines, not a table: figures need the width of the window
        aliases = "".join(f", {alias}" for alias in release.aliases)
        out.print(f"[bold]release {release.version}{escape(aliases)}[/bold]", highlight=False)
        for line in (*_known_of(release), *_figures(release)):
            out.print(Padding(escape(line), (0, 0, 0, 3), expand=False), highlight=False)
    if len(releases) > 1 and not _all_compare(releases):
        out.print(
            "[yellow]Not all of these figures are of the same test leads.[/yellow] Compare only "
            "those that are: each line begins with its leads.",
            highlight=False,
        )


def other_outcome(live: str, known: Sequence[ReleaseSummary]) -> str:
    """A warning where release `live` decides something else than what was live; "" where not.

    known: all releases, with the aliases of before.
    """
    from models.registry import CHAMPION

    decides = {release.version: release.outcome for release in known}
    before = next((r for r in known if CHAMPION in r.aliases), None)
    if before is None or not before.outcome or decides.get(live) in {None, "", before.outcome}:
        return ""
    return (
        f"Release {live} decides {decides[live]}, release {before.version}, which was live, "
        f"{before.outcome}: they are of different tables. `tiebreak promote {before.version}` "
        "undoes it."
    )


def _all_compare(releases: Sequence[ReleaseSummary]) -> bool:
    """Whether all are known to be of the same leads, as far as they are of any."""
    tested = {release.test_leads for release in releases}
    asked = {release.llm_test_leads for release in releases} - {""}
    return len(tested) == 1 and "" not in tested and len(asked) <= 1


def _known_of(release: ReleaseSummary) -> Iterator[str]:
    promoted = f", made live last {release.promoted_at}" if release.promoted_at else ""
    yield f"created {release.created:%Y-%m-%d %H:%M}{promoted}"
    decides = release.outcome or "unknown outcome"
    yield f"decides {decides}, with classifier {release.classifier}"
    reads = f"text model {release.text}" if release.text else "no text model"
    yield f"{reads} reads texts, {_asked(release)}"
    if release.gates:
        yield f"gates: {release.gates}"


def _asked(release: ReleaseSummary) -> str:
    from models.registry import NEVER

    if release.asks == NEVER:
        return "no LLM is asked"
    about = f" about {release.asks}" if release.asks else ""
    return f"llm {release.llm} may be asked{about}"


def _figures(release: ReleaseSummary) -> Iterator[str]:
    """On all test leads, then on those that the LLM was asked about: these are fewer, or others."""
    shown = dict(sorted(release.metrics.items()))
    alone = {name: figure for name, figure in shown.items() if name.startswith("test_")}
    for leads, figures in (
        (release.test_leads, alone),
        (release.llm_test_leads, {name: f for name, f in shown.items() if name not in alone}),
    ):
        if figures:
            yield f"{leads or 'unknown leads'}: {', '.join(map(' '.join, figures.items()))}"


def show_decision(
    answer: Mapping[str, Any],
    *,
    title: str | None = None,
    shows: str | None = None,
    unknown: Sequence[str] = (),
    absent: Sequence[str] = (),
) -> None:
    """One answer, as a person reads it.

    unknown, absent: names in the person's own file that are no columns, and columns not in it.
    """
    colour = GRADE_COLOURS[answer["grade"]]
    lines = [f"[italic]{escape(shows)}[/]"] if shows else []
    lines += [
        f"[{colour} bold]{answer['grade']}[/]  score {answer['score']}  "
        f"win probability {answer['probability']:.3f}",
        f"decided by {answer['route']}: {answer['reason']}"
        + (" (degraded)" if answer["degraded"] else ""),
    ]
    lines += _read_beside_columns(answer)
    lines += reason_lines(answer["reasons"])
    release = answer["versions"]["release"]
    lines += _not_as_expected(unknown, absent, release)
    lines.append(f"[dim]release {release}, {answer['decision_id']}[/]")
    Console().print(Panel("\n".join(lines), title=title, title_align="left", highlight=False))


def _not_as_expected(unknown: Sequence[str], absent: Sequence[str], release: str) -> list[str]:
    """What of a file nobody reads, and what it lacks: most often one name, misspelt.

    By the spec that the release was trained with: leads.toml may have gone on since, or be of
    another table.
    """
    lines = []
    if unknown:
        fields = _counted(unknown, "field")
        spec = f"the spec of release {release}"
        lines.append(f"[yellow]{fields} not in {spec}, so not read[/]: {_named(unknown)}")
    if absent:
        lines.append(f"absent, so not known: {_named(absent)}")
    return lines


def absent_note(absent: Sequence[str], read: Sequence[str]) -> str:
    """What to know before a table is decided that lacks some of what a release reads."""
    columns, lacking = _counted(read, "column"), len(absent)
    other = " Most are absent: is it a table of such leads?" if 2 * lacking > len(read) else ""
    return (
        f"[yellow]The release reads {columns}, and the table lacks {lacking} of them[/yellow]: "
        f"{_named(absent)}. What is absent counts as not known for every lead: check how it is "
        f"spelled.{other}"
    )


def _counted(things: Sequence[object], what: str) -> str:
    return f"{len(things)} {what}{'' if len(things) == 1 else 's'}"


def _named(names: Sequence[str]) -> str:
    """In quotes, with what could steer a terminal spelled out."""
    return escape(", ".join(repr(name) for name in names))


def _read_beside_columns(answer: Mapping[str, Any]) -> list[str]:
    """Who else was heard, and how far that moved the answer; no line where nobody was."""
    is_read = answer["text_log_odds"] is not None
    is_heard = answer["llm"] is not None and answer["llm"]["win_probability"] is not None
    if not (is_read or is_heard):
        return []
    # How far each moved it is not told apart, nor recorded: what one counts for depends on what the
    # other says. What each said is.
    by_text = "what the lead wrote, read by the text model"
    who = f"{by_text} and the LLM," if is_read and is_heard else "the LLM"
    who = who if is_heard else f"{by_text},"
    prior, final = answer["classifier_probability"], answer["probability"]
    moved = log_odds(final) - log_odds(prior)
    line = f"classifier {prior:.3f}; {who} moved the log-odds by {moved:+.2f}"
    lines = [line]
    if is_read and is_heard:
        said = probability(answer["text_log_odds"]), answer["llm"]["win_probability"]
        lines.append("by itself the text model said {:.3f}, the LLM {:.3f}".format(*said))
    return [*lines, _redacted(answer["redacted"])] if is_heard else lines


def reason_lines(reasons: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[str]:
    """What speaks for and against a lead by its columns; no line where nothing does."""
    pushes = {
        what: "; ".join(_push(reason) for reason in reasons[what]) for what in ("for", "against")
    }
    return [f"{what}: {escape(said)}" for what, said in pushes.items() if said]


def _push(reason: Mapping[str, Any]) -> str:
    value = reason["value"]
    shown = "not given" if value is None else f"{value:g}" if _is_number(value) else str(value)
    return f"{reason['column']} = {shown} ({reason['log_odds']:+.2f})"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _redacted(counts: Mapping[str, int]) -> str:
    if not counts:
        return "redacted before the LLM saw it: nothing found"
    return "redacted before the LLM saw it: " + ", ".join(
        f"{n} {name}" for name, n in sorted(counts.items())
    )


def show_where(where: Mapping[str, str]) -> None:
    """Where everything is, once it is up."""
    table = Table.grid(padding=(0, 2))
    for name, value in where.items():
        table.add_row(name.replace("_", " "), escape(value))
    out = Console()
    out.print(Panel(table, title="Up. Ctrl-C stops everything.", title_align="left"))


def show_scores(summary: Mapping[str, Any]) -> None:
    """What became of a table."""
    routes = {"classifier": "the classifier", "text": "the text model", "llm": "the LLM"}
    counts = ", ".join(f"{summary[k]:,} by {who}" for k, who in routes.items() if k in summary)
    unreadable = summary.get("unreadable", 0)
    problem = f"; {unreadable:,} could not be read, see the column `error`" if unreadable else ""
    out = Console(stderr=summary["output"].startswith("/dev/"))
    out.print(f"Wrote {escape(summary['output'])}: decided {counts or 'nobody'}{problem}.")
    if degraded := summary.get("degraded"):
        why = "see the column `reason`, and check the LLM"
        out.print(f"{degraded:,} are degraded, the answer there was before the LLM: {why}.")


def show_keys(keys: Sequence[ApiKey]) -> None:
    """All keys, without their secrets."""
    table = Table("id", "name", "role", "created", "revoked")
    for key in keys:
        table.add_row(key.id, escape(key.name), key.role, key.created_at, key.revoked_at or "")
    Console().print(table)
