"""leads.toml: writing a lead spec for people to edit, and adding to one without undoing them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import tomlkit
from tomlkit.items import KeyType, SingleKey, Table

from features.errors import InvalidLeadSpec
from features.lead_spec import Column, Kind, LeadSpec
from pipelines.tables import canonical

HEADER = """\
What each column of your table of leads is. Written by `tiebreak init`; edit it, it is yours.

  kind   numeric, categorical, boolean: what the classifier learns from
         text: what the lead wrote; read by the LLM after redaction
         contact: who the lead is; never learned from, never sent anywhere
         date: orders the leads in time    id, constant: nothing to learn
  use    true or false. This is your decision; `reason` says why it was suggested.
         For a contact, true: it is found in texts and taken out of them, and who the lead is can be
         found again. It is not learned from either way.
  leak   the column seems to know the outcome. It stays out until you set `use = true`.
  look   a question for you, which holds nothing back. If the answer is no, set `use = false`;
         if it is yes, delete the `look`, and training no longer reminds you.

`tiebreak init` on an existing file adds new columns and changes nothing that is written here.
Delete a column's table to have that column judged anew."""
FOR_CONTACTS = "to take it out of texts: never learned from"


@dataclass(frozen=True, slots=True)
class SpecChanges:
    """What `write_spec` did, and where the file and the table differ: the file's word stands.

    Attributes:
        created: there was no file before; the other fields are empty then.
        added: columns that the file did not have.
        vanished: columns of the file that the table does not have; they stay in the file.
        kept: columns whose `kind` or `use` is not what the table suggests; where the table only
            asks (`look`), `use` is an answer and no contradiction.
        suspected: columns in use that the table calls a leak, and the file does not.
        unlisted_words: missing-value words in the table that the file does not list.
        other_won: the value of won that the table suggests, or `--won` names, where the file has
            another: `won`.
    """

    created: bool
    added: tuple[str, ...] = ()
    vanished: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    suspected: tuple[str, ...] = ()
    unlisted_words: tuple[str, ...] = ()
    other_won: str | None = None
    won: str | None = None


def looks_note(spec: LeadSpec) -> str:
    """Which columns are used though a `look` still asks about them; "" where none is."""
    names = ", ".join(repr(column.name) for column in spec.open_looks)
    if not names:
        return ""
    return (
        f"Used, though a `look` still asks: {names}. In {spec.source}, set `use = false` where "
        "that was known only after the lead came in; else delete the `look`."
    )


def write_spec(path: Path, spec: LeadSpec) -> SpecChanges:
    """Write a spec that a table suggests; of an existing file, keep every word and add to it.

    Raises:
        InvalidLeadSpec: the existing file is not a usable spec, or has another outcome column;
            or the file cannot be written.
    """
    if not path.exists():
        _replace(path, _document(spec).as_string())
        return SpecChanges(created=True)
    old = LeadSpec.read(path)
    if old.outcome != spec.outcome:
        message = (
            f"{path} is about the outcome {old.outcome!r}, not {spec.outcome!r}. "
            "Remove it, or write to another file with --spec."
        )
        raise InvalidLeadSpec(message)
    changes = _changes(old, spec)
    if changes.added:
        _append(path, [c for c in spec.columns if c.name in changes.added])
    return changes


def _append(path: Path, added: Sequence[Column]) -> None:
    """Tables may stand in any order, so what is there keeps every byte."""
    text = path.read_bytes().decode("utf-8-sig")  # as LeadSpec.read has read it
    fresh = tomlkit.document().add("columns", _columns(added)).as_string()
    longer = f"{text.rstrip()}\n\n{fresh}"
    try:
        LeadSpec.parse(longer, source=str(path))
    except InvalidLeadSpec as error:
        message = f"{path}: write each column as a table, [columns.NAME], so that more can follow."
        raise InvalidLeadSpec(message) from error
    _replace(path, longer)


def _document(spec: LeadSpec) -> tomlkit.TOMLDocument:
    document = tomlkit.document()
    for line in HEADER.splitlines():
        document.add(tomlkit.comment(line))
    document.add(tomlkit.nl())
    outcome = tomlkit.table()
    outcome.add("column", spec.outcome)
    outcome.add("won", spec.won)
    outcome["won"].comment("the value that means won")
    document.add("outcome", outcome)
    missing = tomlkit.table()
    missing.add("words", list(spec.missing_words))
    missing["words"].comment('mean "not known" wherever they stand, in any case')
    document.add("missing", missing)
    redaction = tomlkit.table()
    redaction.add("allow_list", list(spec.allow_list.phrases))
    redaction["allow_list"].comment("your products, plans, competitors: see `tiebreak names`")
    document.add("redaction", redaction)
    document.add("columns", _columns(spec.columns))
    return document


def _columns(columns: Sequence[Column]) -> Table:
    tables = tomlkit.table(is_super_table=True)
    for column in columns:
        tables.append(SingleKey(column.name, t=KeyType.Basic), _entry(column))
    return tables


def _entry(column: Column) -> Table:
    entry = tomlkit.table()
    entry.add("kind", column.kind.value)
    use = tomlkit.item(column.use)
    if column.use and column.kind is Kind.CONTACT:
        use.comment(FOR_CONTACTS)
    entry.add("use", use)
    entry.add("reason", column.reason)
    suspicion: Mapping[str, str | None] = {"leak": column.leak, "look": column.look}
    for degree, words in suspicion.items():
        if words is not None:
            entry.add(degree, words)
    return entry


def _changes(old: LeadSpec, new: LeadSpec) -> SpecChanges:
    before = {c.name: c for c in old.columns}
    now = {c.name: c for c in new.columns}
    is_other = canonical(old.won) != canonical(new.won)
    both = [(before[name], column) for name, column in now.items() if name in before]
    return SpecChanges(
        created=False,
        added=tuple(name for name in now if name not in before),
        vanished=tuple(name for name in before if name not in now),
        kept=tuple(c.name for b, c in both if _is_other(b, c)),
        suspected=tuple(c.name for b, c in both if c.leak and b.use and not b.leak),
        unlisted_words=tuple(
            word for word in new.missing_words if word.casefold() not in old.missing
        ),
        other_won=new.won if is_other else None,
        won=old.won if is_other else None,
    )


def _is_other(written: Column, suggested: Column) -> bool:
    """Whether a table suggests another kind or use. An answer to what `look` asks is none."""
    if written.kind is not suggested.kind:
        return True
    is_asked = suggested.look is not None and suggested.leak is None
    is_answer = is_asked and (written.look is not None or not written.use)
    return written.use is not suggested.use and not is_answer


def _replace(path: Path, text: str) -> None:
    """All or nothing: a crash half-way leaves the old file."""
    fresh = path.with_name(f"{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh.write_bytes(text.encode("utf-8"))
        fresh.replace(path)
    except OSError as error:
        message = f"{path} cannot be written. Choose a folder that you may write to."
        raise InvalidLeadSpec(message) from error
