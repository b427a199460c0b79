"""GuessedName: a word that redaction takes for a person or a company, in many leads of a table.

What many leads write is seldom a person: it is a product, a plan or a competitor, which the house
can put on its allow list (`leads.toml`). Shown to whoever has the table; kept nowhere.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from features.allow_list import AllowList, is_guess
from features.errors import RedactionFailed
from features.lead import Lead
from features.name_counts import NameCounts, plain_letters
from features.ordinary_words import TITLES
from features.redaction import Redactor
from features.redaction_policy import SHIPPED_NER
from features.redaction_trace import Fate
from pipelines.display import Display
from pipelines.redaction_report import printable

THREADS = 2
SHOWN = 40
WORDS = re.compile(r"[^\W\d_]+")
OFTEN = 4.0  # decimal logarithm of people in the US Census of 2020


@dataclass(frozen=True, slots=True)
class GuessedName:
    """A word or two, as most leads write it.

    leads: with different texts that hold it, taken for a name. taken_for: for what, mostly.
    people: 10,000 people or more bear it as given or family name.
    """

    name: str
    leads: int
    taken_for: str
    people: bool


def guessed_names(
    leads: Sequence[Lead], redactor: Redactor, at_least: int, display: Display
) -> list[GuessedName]:
    """Those that at least so many leads hold, the most frequent first. Equal texts count once.

    Texts that cannot be redacted are left out, and said so; so is that there are none.
    """
    different = list({lead.text: lead for lead in leads if lead.has_text}.values())
    if not different:
        display.say(
            "No lead has a text: no column of leads.toml is of kind `text`, or all are empty."
        )
    written: defaultdict[str, Counter[str]] = defaultdict(Counter)
    taken: defaultdict[str, Counter[str]] = defaultdict(Counter)
    refused = 0
    with (
        display.bar("Redacting", len(different)) as advance,
        ThreadPoolExecutor(THREADS) as threads,
    ):

        def guessed(lead: Lead) -> dict[str, tuple[str, str]] | None:
            advance()
            try:
                found = list(_guessed(lead, redactor))
            except RedactionFailed:
                return None
            return {name.casefold(): (name, kind) for name, kind in found}

        for found in threads.map(guessed, different):
            refused += found is None
            for key, (name, kind) in (found or {}).items():
                written[key][name] += 1
                taken[key][kind] += 1
    if refused:
        display.say(f"{refused:,} texts cannot be redacted, and are left out.")
    counts = NameCounts.read(SHIPPED_NER)
    names = [
        GuessedName(_most(written[key]), kinds.total(), _most(kinds), _is_borne(key, counts))
        for key, kinds in taken.items()
        if kinds.total() >= at_least
    ]
    return sorted(names, key=lambda name: (-name.leads, name.name))


def namesakes_note(allow_list: AllowList) -> str | None:
    """What to say of words on the list that many people are called by; None where none are."""
    counts = NameCounts.read(SHIPPED_NER)
    names = [phrase for phrase in allow_list.phrases if _may_be_somebody(phrase, counts)]
    if not names:
        return None
    return (
        f"On the allow list of leads.toml, and what many people are called: {', '.join(names)}. "
        "Some of these people will stay in texts: list more of each name, as in `Grant tier`."
    )


def _guessed(lead: Lead, redactor: Redactor) -> Iterable[tuple[str, str]]:
    """What of its text goes on guesses alone, and as what. Raises RedactionFailed."""
    text = lead.text
    proposals = redactor.trace(text, lead.contacts).proposals
    gone = [p for p in proposals if p.fate in {Fate.TAKEN_OUT, Fate.LOST}]
    firm = [p for p in gone if not is_guess(p)]
    for p in gone:
        if is_guess(p) and not any(f.start < p.end and p.start < f.end for f in firm):
            yield " ".join(text[p.start : p.end].split()), p.entity_type


def _may_be_somebody(phrase: str, counts: NameCounts) -> bool:
    """True where all its words are names, but for single letters and titles: `Grant's`."""
    words = [word for word in WORDS.findall(phrase) if len(word) > 1 and word.lower() not in TITLES]
    return bool(words) and all(_is_borne(word, counts) for word in words)


def _is_borne(name: str, counts: NameCounts) -> bool:
    return any(max(counts.of(plain_letters(word))) >= OFTEN for word in name.split())


def _most(counter: Counter[str]) -> str:
    ((most, _),) = counter.most_common(1)
    return most


def show_guessed_names(names: Sequence[GuessedName], at_least: int) -> None:
    """As a table, and what to do about it."""
    out = Console()
    if not names:
        out.print(f"No word is taken for a name in {at_least} leads or more.")
        return
    table = Table("word", "leads", "taken for", "people are called so")
    for name in names[:SHOWN]:
        called = "many" if name.people else "hardly any"
        table.add_row(escape(printable(name.name)), f"{name.leads:,}", name.taken_for, called)
    out.print(table)
    if len(names) > SHOWN:
        out.print(f"{len(names) - SHOWN:,} more: --json has them all.")
    out.print(_advice(names), highlight=False)


def _advice(names: Sequence[GuessedName]) -> str:
    """What to do: little, where all may be people."""
    if all(name.people for name in names):
        return (
            "Many people are called each of these, so they are likely people: then there is "
            "nothing to do.\nOnly where one is a product, a plan or a competitor: put more of its "
            "name on the allow list\nin leads.toml (`Grant tier`), and the LLM is shown that."
        )
    listing = (
        "What of these is a product, a plan or a competitor: put it on the allow list in "
        "leads.toml,\nand the LLM is shown it."
    )
    if not any(name.people for name in names):
        return listing
    return f"{listing} With more of its name where people are called so (`Grant tier`)."
