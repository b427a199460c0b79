"""`tiebreak audit`: the ledger's answers, for whoever is at the machine.

Each question is an entry of the ledger before it is answered. Exit code 1 where something does not
hold. Over HTTP, with an API key of the role audit: `docs/audit.md`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipelines.command_options import AsJson

if TYPE_CHECKING:
    from features.encoding import Encoder
    from pipelines.audit_report import EncoderOf
    from pipelines.display import Advance
    from service.audit.auditor import Auditor
    from service.storage.store import Store
    from service.storage.subject_keys import StoredKeys

audit = typer.Typer(no_args_is_help=True, help="What the ledger says, and whether it holds.")

Decision = Annotated[str, typer.Argument(metavar="DECISION", help="The decision_id of an answer.")]
Since = Annotated[str | None, typer.Option(help="From this day or time on, in UTC.")]
Until = Annotated[str | None, typer.Option(help="Before this day or time, in UTC.")]
Name = Annotated[str | None, typer.Option()]


@audit.command()
def entries(
    since: Since = None,
    until: Until = None,
    kind: Annotated[str | None, typer.Option(help="decision, redaction, llm_call, read...")] = None,
    decision_id: Name = None,
    subject: Annotated[str | None, typer.Option(help="32 hex digits, as entries name it.")] = None,
    key: Annotated[str | None, typer.Option(help="Id of the API key that asked.")] = None,
    route: Name = None,
    reason: Name = None,
    release: Name = None,
    policy: Annotated[str | None, typer.Option(help="Version of the redaction policy.")] = None,
    entity_type: Annotated[str | None, typer.Option(help="What was redacted.")] = None,
    recognizer: Annotated[str | None, typer.Option(help="Which found it.")] = None,
    provider: Annotated[str | None, typer.Option(help="Of the LLM.")] = None,
    cause: Annotated[str | None, typer.Option(help="Why an LLM gave no answer.")] = None,
    failed: Annotated[bool, typer.Option(help="Texts that could not be redacted.")] = False,
    latest: Annotated[bool, typer.Option(help="Only the newest of each decision.")] = False,
    after: Annotated[int | None, typer.Option(help="`after` of the page before.")] = None,
    most: Annotated[int, typer.Option(min=1, max=1_000)] = 100,
    newest_first: Annotated[bool, typer.Option(help="Else oldest first.")] = False,
    as_json: AsJson = False,
) -> None:
    """Find entries: all that is given must match, in the entry or the decision it belongs to."""
    from pipelines.audit_report import show_page
    from pipelines.report import print_json
    from service.audit.auditor import page_tree
    from service.audit.filters import Filters

    filters = Filters.parse(
        {
            "since": since,
            "until": until,
            "kind": kind,
            "decision_id": decision_id,
            "subject": subject,
            "key": key,
            "route": route,
            "reason": reason,
            "release": release,
            "policy": policy,
            "entity_type": entity_type,
            "recognizer": recognizer,
            "provider": provider,
            "cause": cause,
            "failed": "true" if failed else None,
            "latest": "true" if latest else None,
        }
    )
    with auditor() as asking:
        page = asking.entries(filters, after=after, most=most, newest_first=newest_first)
    if as_json:
        print_json(page_tree(page))
    else:
        show_page(page)


@audit.command()
def counts(
    of: Annotated[str, typer.Option(help="decisions, costs, redactions, spans, calls, ...")] = (
        "decisions"
    ),
    by: Annotated[str, typer.Option(help="Names with commas between: route,reason.")] = "",
    per: Annotated[str | None, typer.Option(help="hour, day or month.")] = None,
    since: Since = None,
    until: Until = None,
    as_json: AsJson = False,
) -> None:
    """Count: decisions, tokens and costs, what was redacted, calls, outcomes, overrides, reads."""
    from pipelines.audit_report import show_counts
    from pipelines.report import print_json
    from service.audit.counting import Counting
    from service.audit.filters import Filters

    asked = Counting.parse(of, by, per, Filters.parse({"since": since, "until": until}))
    with auditor() as asking:
        rows = asking.counts(asked)
    if as_json:
        print_json({"counts": rows})
    else:
        show_counts(rows)


@audit.command()
def decision(decision_id: Decision, as_json: AsJson = False) -> None:
    """Show all entries about one decision, as they are in the log."""
    from pipelines.audit_report import show_entries
    from pipelines.report import print_json

    with auditor() as asking:
        found = asking.decision(decision_id)
    if as_json:
        print_json({"entries": found})
    else:
        show_entries(found)


@audit.command()
def sent(decision_id: Decision, as_json: AsJson = False) -> None:
    """Open what exactly an LLM was shown for a decision, and what was read of the lead."""
    from pipelines.audit_report import show_sent
    from pipelines.report import print_json

    with auditor() as asking:
        opened = asking.sent(decision_id)
    if as_json:
        print_json(opened)
        return
    with _encoders() as encoder_of:
        show_sent(opened, encoder_of)


@audit.command()
def about(
    decision_id: Annotated[str | None, typer.Argument(help="A decision about the person.")] = None,
    contact: Annotated[
        list[str] | None,
        typer.Option(help="What they are known by, as column=value; may be repeated."),
    ] = None,
    opens: Annotated[
        bool, typer.Option("--open", help="With what is sealed in clear, where it can be.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Collect all about one person (GDPR Art. 15): by a decision, or by contact values.

    Contact values are not written down; the subjects that they resolve to are.
    """
    from pipelines.audit_report import show_person
    from pipelines.report import print_json

    contacts = dict(contact_pair(pair) for pair in contact or ())
    if bool(contacts) == bool(decision_id):
        raise typer.BadParameter("Name a decision, or --contact column=value, and not both.")
    with auditor() as asking:
        if decision_id:
            found = asking.about_decision(decision_id, opens=opens)
        else:
            found = asking.about_contacts(contacts, opens=opens)
    if as_json:
        print_json(found)
        return
    with _encoders() as encoder_of:
        show_person(found, encoder_of)


@audit.command()
def reconcile(
    provider_log: Annotated[
        Path | None,
        typer.Option(help="The LLM provider's log of requests: CSV or JSON Lines with ids."),
    ] = None,
    since: Annotated[str | None, typer.Option(help="From when the provider's log is.")] = None,
    until: Annotated[str | None, typer.Option(help="Until when the provider's log is.")] = None,
    as_json: AsJson = False,
) -> None:
    """Check that decisions, redactions and LLM calls pair up. Exit code 1 where they do not."""
    from pipelines.report import print_json
    from service.audit.filters import Filters

    if provider_log is None and (since or until):
        raise typer.BadParameter("--since and --until say when --provider-log is from. Name it.")
    asked = Filters.parse({"since": since, "until": until})
    with auditor() as asking, _over_all("Reconciling", asking) as advance:
        report = asking.reconcile(provider_log, asked, advance)
    if as_json:
        print_json(report.tree())
    else:
        for note in report.notes:
            typer.echo(f"note   {note}")
        for finding in report.findings:
            typer.echo(f"WRONG  {finding}")
        wrong = report.findings_in_all
        things = "1 thing does not pair." if wrong == 1 else f"{wrong} things do not pair."
        typer.echo(f"{report.entries:,} entries. {'All pair.' if report.pairs else things}")
    if not report.pairs:
        raise typer.Exit(1)


@audit.command()
def replay(
    decision_ids: Annotated[list[str] | None, typer.Argument(metavar="DECISION...")] = None,
    sample: Annotated[int | None, typer.Option(min=1, help="So many, drawn by chance.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every decision.")] = False,
    as_json: AsJson = False,
) -> None:
    """Derive decisions again from the log and MLflow's registry. Exit code 1 where they differ."""
    from collections import Counter

    from models.registry import Registry
    from pipelines.display import Display
    from pipelines.report import print_json
    from service.audit.replaying import Became
    from service.settings import read_settings

    if sum((bool(decision_ids), sample is not None, everything)) != 1:
        raise typer.BadParameter("Name decisions, or --sample N, or --all.")
    with auditor() as asking, Display().stage("Deciding again"):
        source = Registry(read_settings().mlflow_uri)
        done = asking.replay(source, decision_ids=decision_ids or (), sample=sample)
    counts = Counter(one.became for one in done)
    differing = [one for one in done if one.became is Became.DIFFERENT]
    if as_json:
        print_json({"counts": {became: counts[became] for became in Became}, "differ": differing})
    else:
        for one in differing:
            typer.echo(f"WRONG  {one.decision_id}: {' '.join(one.differences)}")
        typer.echo(", ".join(f"{counts[became]:,} {became}" for became in Became) + ".")
    if differing:
        raise typer.Exit(1)


@audit.command()
def export(
    folder: Annotated[Path, typer.Argument(help="A new folder.")],
    form: Annotated[str, typer.Option("--format", help="jsonl or csv.")] = "jsonl",
    since: Since = None,
    until: Until = None,
    kind: Name = None,
    decision_id: Name = None,
    subject: Name = None,
    route: Name = None,
    release: Name = None,
    policy: Name = None,
    as_json: AsJson = False,
) -> None:
    """Write entries with their proofs, and the program that checks them, into a folder."""
    from pipelines.display import Display
    from pipelines.report import print_json
    from service.audit.exporting import Format
    from service.audit.filters import Filters

    if form not in set(Format):
        raise typer.BadParameter("Write --format jsonl, or --format csv.")
    given = {"since": since, "until": until, "kind": kind, "decision_id": decision_id}
    more = {"subject": subject, "route": route, "release": release, "policy": policy}
    with auditor() as asking, Display().stage("Exporting"):
        done = asking.export(folder, Filters.parse(given | more), Format(form))
    if as_json:
        print_json(done)
    else:
        signed = "cosigned by the witness" if done.is_cosigned else "signed by the log alone"
        typer.echo(f"{done.entries:,} entries of a checkpoint of {done.size:,}, {signed}.")
        if done.left_out:
            typer.echo(done.left_out)
        typer.echo(f"Check it: {done.command}")


@audit.command()
def verify(
    quick: Annotated[bool, typer.Option(help="Only heads and kept hashes: no entry.")] = False,
    as_json: AsJson = False,
) -> None:
    """Check the live ledger: every entry, hash and signature. Exit code 1 where one is wrong."""
    from pipelines.report import print_json
    from service.bootstrap import asked_witness, kept_ledger_key
    from service.settings import read_settings

    settings = read_settings()
    with auditor() as asking, _over_all("Verifying", asking) as advance:
        key, witness = kept_ledger_key(settings).verifier, asked_witness(settings)
        try:
            report = asking.verify(key, witness, quickly=quick, step=advance)
        finally:
            if witness is not None:
                witness.close()
    if as_json:
        print_json(report.tree())
    else:
        typer.echo(report.text(), nl=False)
    if not report.holds:
        raise typer.Exit(1)


@audit.command()
def questions(as_json: AsJson = False) -> None:
    """Print the twenty questions that an audit asks, with the command that answers each."""
    from pipelines.audit_questions import QUESTIONS
    from pipelines.report import print_json

    if as_json:
        print_json({"questions": QUESTIONS})
        return
    for number, question in enumerate(QUESTIONS, start=1):
        typer.echo(f"{number:2} {question.asks} ({question.source})")
        typer.echo(f"   tiebreak audit {question.command}")


@audit.command()
def key() -> None:
    """Print the log's public key: hand it to auditors by another way than the export."""
    from service.bootstrap import kept_ledger_key
    from service.settings import read_settings

    typer.echo(kept_ledger_key(read_settings()).verifier.text)


@audit.command()
def proof(decision_id: Decision) -> None:
    """Print a proof that a decision is in the log; `verify.py ENTRY --proof FILE` checks it."""
    import asyncio

    from service.ledger_desk import LedgerDesk
    from service.recording.erasing import Erasing

    with opened() as (store, subjects):
        desk = LedgerDesk(store, Erasing(store, subjects))
        typer.echo(asyncio.run(desk.proof(decision_id)), nl=False)


@audit.command()
def erase(
    decision_id: Annotated[str | None, typer.Argument(help="A decision about the person.")] = None,
    contact: Annotated[
        list[str] | None,
        typer.Option(help="What they are known by, as column=value; may be repeated."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask at a terminal.")] = False,
    as_json: AsJson = False,
) -> None:
    """Forget somebody: destroy the key under which all that is theirs is sealed. For good."""
    import sys

    from pipelines.audit_report import NOBODY_KNOWN
    from pipelines.report import print_json
    from service.recording.entry import COMMAND_LINE, ErasedBecause
    from service.recording.erasing import Erasing

    contacts = dict(contact_pair(pair) for pair in contact or ())
    if bool(contacts) == bool(decision_id):
        raise typer.BadParameter("Name a decision, or --contact column=value, and not both.")
    with opened() as (store, subjects):
        erasing = Erasing(store, subjects)
        found = erasing.of_decision(decision_id) if decision_id else erasing.about(contacts)
        if found and not yes and sys.stdin.isatty():  # a program has made up its mind
            typer.confirm("What is theirs can never be read again. Forget them?", abort=True)
        erasing.erase(found, because=ErasedBecause.REQUEST, key_id=COMMAND_LINE)
    if as_json:
        print_json({"erased": len(found)})
    else:
        typer.echo(f"Forgot {len(found)} subject(s)." if found else NOBODY_KNOWN)


@audit.command()
def expire(
    days: Annotated[int, typer.Option(min=1, help="Since the last decision about them.")],
    as_json: AsJson = False,
) -> None:
    """Forget whom nothing was decided about for so long, as TIEBREAK_RETENTION_DAYS does."""
    from datetime import timedelta

    from pipelines.display import Display
    from pipelines.report import print_json
    from service.recording.erasing import Erasing

    with opened() as (store, subjects), Display().stage("Forgetting"):
        gone = Erasing(store, subjects).expire(timedelta(days=days))
    if as_json:
        print_json({"erased": gone})
    else:
        typer.echo(f"Forgot {gone:,} subjects.")


def _over_all(text: str, asking: Auditor) -> AbstractContextManager[Advance]:
    """Progress through all entries; the one that says that this was asked is the last of them."""
    from pipelines.display import Display

    return Display().bar(text, asking.size() + 1)


def contact_pair(pair: str) -> tuple[str, str]:
    """column=value. Raises BadParameter, without repeating the value."""
    column, equals, value = pair.partition("=")
    if not (column and equals and value):
        raise typer.BadParameter("Write it as column=value, such as email=jane@acme.com.")
    return column, value


@contextmanager
def auditor() -> Iterator[Auditor]:
    """Whoever is at the machine, with the configured ledger."""
    from service.audit.auditor import Auditor, Reader

    with opened() as (store, subjects):
        yield Auditor(store, subjects, Reader.at_the_machine())


@contextmanager
def _encoders() -> Iterator[EncoderOf]:
    """Of releases, for rows in words. MLflow is asked once a row is to be read, and may be down."""
    from models.errors import RegistryUnavailable
    from models.registry import Registry
    from pipelines.display import Display
    from service.audit.replaying import Releases
    from service.settings import read_settings

    registry = Registry(read_settings().mlflow_uri)
    with Releases(registry) as releases:

        def encoder_of(entry: Mapping[str, Any]) -> Encoder | None:
            if registry.is_missing:
                return None
            try:
                with Display().stage("Asking MLflow for the columns"):
                    registry.require()
                    release = releases.get(entry["release"])
            except (RegistryUnavailable, ValueError, LookupError):  # down, or of another time
                return None
            is_same = release and release.versions.items() <= entry["versions"].items()
            return release.classifier.encoder if release and is_same else None

        yield encoder_of


@contextmanager
def opened() -> Iterator[tuple[Store, StoredKeys]]:
    """The configured ledger, and the keys of subjects. Makes nothing where there is none."""
    from contextlib import closing

    from service.bootstrap import open_kept_store, open_subjects
    from service.settings import read_settings

    settings = read_settings()
    with closing(open_kept_store(settings)) as store, closing(open_subjects(settings)) as subjects:
        yield store, subjects
