"""What each column of a table of leads is, and why: the first version of `leads.toml`."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from features.lead import FALSE_WORDS, TRUE_WORDS
from features.lead_spec import Column, Kind, LeadSpec
from pipelines import column_names, dates
from pipelines.column_facts import ColumnFacts
from pipelines.missing_words import missing_words
from pipelines.suspicion import Outcomes, Suspicion, suspicion
from pipelines.tables import labelled

if TYPE_CHECKING:
    import pandas as pd

MOSTLY = 0.8  # of the rows look like a contact detail, so the column is one
NEARLY_UNIQUE = 0.95
NEARLY_NUMBERS = 0.9
LEAST_IDS = 20
LEAST_TEXTS = 0.3  # distinct values per row: answers to open questions repeat seldom
TEXT_WORDS = 4  # on average, and then it is prose whatever else it is
TWINS = 0.9  # rows in which two texts are the same
TOO_MANY_CATEGORIES = 1_000

MATCHED_CHARS = 200  # enough to know a list or an address by, and the time stays bounded

EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
DECIMAL = r"(?!\d{3}\.\d{4}$)-?\d+\.\d+$"  # an amount; 555.0123 is how one dials
PHONE = re.compile(rf"(?!{DECIMAL})(?=.*[+\s()/.-])[+(]?\d[\d\s()/.-]{{5,19}}")
MONEY = r"[$€£¥]"
AMOUNT = re.compile(  # 1,5 and 1.234,56; 1,234.50; 1'234.50; $ 20; 45 %
    rf"({MONEY}\s?)?[+-]?{MONEY}?(\d+([.,]\d+)?|[1-9]\d{{0,2}}(([.\s]\d{{3}})+,\d+"
    rf"|([,'\u2019]\d{{3}})+(\.\d+)?))(\s?({MONEY}|%))?"
)
IP = re.compile(r"(\d{1,3}\.){3}\d{1,3}|(?=.*:.*:)[0-9a-fA-F:]{3,39}")
URL = re.compile(r"(https?://|www\.)\S+")
CAPITAL = r"[^\W\d_a-z\u0430-\u044f\u0451]"  # any letter but a small Latin or Cyrillic one
PERSON = re.compile(  # Ada Lovelace; Lovelace, Ada M.; O\u2019Neill
    rf"{CAPITAL}[^\W\d_]+(\s[^\W\d_]\.)?([ ,'\u2019-]+{CAPITAL}[^\W\d_]*\.?){{1,3}}"
)
STREET = re.compile(
    r"\d+\w?,? .*\b(street|st|avenue|ave|road|rd|lane|ln|drive|dr|boulevard|blvd|rue|court)\b.*"
    r"|.*(stra(ß|ss)e|str\.|platz|weg|straat|gatan?) \d+.*"
    r"|(calle|via|avenida|rua|ul\.|улица) .*\d+.*",
    re.IGNORECASE,
)
SPACELESS = re.compile(r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff]")  # Thai, Japanese, Chinese
LISTED = re.compile(r"[^\s;,|]+([;,|]\s?[^\s;,|]+)+")


@dataclass(frozen=True, slots=True)
class Judgement:
    """A kind, and why."""

    kind: Kind
    reason: str
    use: bool = True
    look: str | None = None


def infer_spec(table: pd.DataFrame, outcome: str, won: str) -> LeadSpec:
    """The lead spec that the table itself suggests, a reason beside each choice.

    `won` is the value of the column `outcome` that means won, as `check_outcome` returns it.
    Rows without an outcome are left out. Takes about a second for 10,000 rows of 40 columns.

    Raises:
        UnusableTable: the outcome column is not there, or holds more than two values.
    """
    table, y = labelled(table, LeadSpec(outcome, won, (), ()))
    facts = [ColumnFacts.of(c, table[c]) for c in map(str, table.columns) if c != outcome]
    words = missing_words(facts)
    folded = frozenset(word.casefold() for word in words)
    facts = [column.without(folded) for column in facts]
    outcomes = Outcomes.of(y)
    columns = [_column(column, outcome, facts, outcomes) for column in facts]
    columns = _one_date(_no_twins(columns, {f.name: f for f in facts}))
    return LeadSpec(outcome, won, words, tuple(columns))


def _column(
    column: ColumnFacts, outcome: str, others: Sequence[ColumnFacts], outcomes: Outcomes
) -> Column:
    judgement = kind_of(column)
    found = suspicion(column, judgement.kind, outcomes)
    looks = [judgement.look, found.look]
    if judgement.kind is not Kind.CONSTANT and not found.leak:
        looks.append(_named_suspiciously(column, judgement.kind, outcome, others))
    return Column(
        name=column.name,
        kind=judgement.kind,
        use=judgement.use and found.leak is None,
        reason=_reason(judgement, column, found),
        leak=_sentence(found.leak),
        look=_sentence("; ".join(look for look in looks if look)),
    )


def _reason(judgement: Judgement, column: ColumnFacts, found: Suspicion) -> str:
    parts = [judgement.reason]
    if column.sentinels:
        words = ", ".join(f"`{word}` in {n:,} rows" for word, n in column.sentinels)
        parts.append(f"{words} read as missing")
    if column.missing_share and judgement.kind is not Kind.CONSTANT:
        parts.append(f"{100 * column.missing_share:.3g} % missing")
    if found.auc is not None:
        parts.append(f"alone its AUC is {found.auc:.2f}")
    return f"{'; '.join(parts)}."


def _sentence(words: str | None) -> str | None:
    if not words:
        return None
    return f"{words[0].upper()}{words[1:]}{'' if words.endswith('?') else '.'}"


def _named_suspiciously(
    column: ColumnFacts, kind: Kind, outcome: str, others: Sequence[ColumnFacts]
) -> str | None:
    if kind is Kind.ID or (kind is Kind.CONTACT and column_names.says_after(column.name) is None):
        return None
    after = column_names.says_after(column.name)
    if after:
        return f"its name speaks of {after}: was it known when the lead came in?"
    names = [other.name for other in others]
    word = column_names.shares_word(column.name, outcome, names)
    return f"its name shares `{word}` with the outcome: was it known before?" if word else None


# --- kinds ---------------------------------------------------------------------------------------


def kind_of(column: ColumnFacts) -> Judgement:
    """What a column holds, by its values first and its name second. The first sure answer wins."""
    return next(found for judge in JUDGES if (found := judge(column)) is not None)


def _constant(column: ColumnFacts) -> Judgement | None:
    if not column.words:
        return Judgement(Kind.CONSTANT, "Empty in every row", use=False)
    if len(column.words) == 1 and column.present == column.rows:
        return Judgement(Kind.CONSTANT, "The same value in every row", use=False)
    return None


def _boolean(column: ColumnFacts) -> Judgement | None:
    words = {word.casefold() for word in column.words}
    if not words <= TRUE_WORDS | FALSE_WORDS:
        return None
    yes = column.share(np.array([word.casefold() in TRUE_WORDS for word in column.words]))
    return Judgement(Kind.BOOLEAN, f"Only yes and no: yes in {100 * yes:.3g} %")


def _named_number(column: ColumnFacts) -> Judgement | None:
    """Contact details that look like dates or numbers: only the name can tell them apart."""
    detail = column_names.contact_detail(column.name)
    shape = PLAUSIBLE.get(detail or "")
    if shape is None or column.share(_flags(column, shape)) < MOSTLY:
        return None
    return Judgement(Kind.CONTACT, f"Its name says {detail}")


def _date(column: ColumnFacts) -> Judgement | None:
    stamps = dates.seconds(column.words, epoch=column_names.says_time(column.name))
    if stamps is None or len(column.words) < 3:
        return None
    days = np.array([np.nanmin(stamps), np.nanmax(stamps)]).astype("datetime64[s]")
    first, last = (str(day.astype("datetime64[D]")) for day in days)
    return Judgement(Kind.DATE, f"Dates from {first} to {last}")


def _nearly_date(column: ColumnFacts) -> Judgement | None:
    """Dates with some odd ones among them, which look like phone numbers too."""
    stamps = dates.seconds(column.words, least=MOSTLY)
    if stamps is None or len(column.words) < 3:
        return None
    odd = column.present - int(column.counts[np.isfinite(stamps)].sum())
    look = (
        f"{odd:,} rows hold no date that can be read: mend these, or add their words to [missing], "
        "then set `use = true`"
    )
    return Judgement(Kind.DATE, "Most values are dates", use=False, look=look)


def _number(column: ColumnFacts) -> Judgement | None:
    numbers = column.numbers
    if numbers is None:
        return None
    code = _numbered(column, numbers)
    if code is not None:
        return code
    low, high = f"{numbers.min():,.6g}", f"{numbers.max():,.6g}"
    reason = f"Numbers from {low} to {high}, {len(numbers):,} distinct"
    return Judgement(Kind.NUMERIC, reason)


def _numbered(column: ColumnFacts, numbers: NDArray[np.float64]) -> Judgement | None:
    """Numbers that count or name the leads instead of measuring them."""
    named = column_names.says_identifier(column.name)
    if not (numbers == np.floor(numbers)).all():
        return None
    unique = column.distinct_share >= NEARLY_UNIQUE and column.present >= LEAST_IDS
    if unique and (named or _counts_up(numbers) or _long_codes(column)):
        reason = f"Whole numbers, {len(numbers):,} distinct in {column.present:,} rows: they count "
        return Judgement(Kind.ID, f"{reason}the leads", use=False)
    padded = any(len(word) > 1 and word[0] == "0" and word.isdigit() for word in column.words)
    if padded or column_names.says_code(column.name):
        return _coded(column)
    return None


def _counts_up(numbers: NDArray[np.float64]) -> bool:
    steps = np.diff(numbers)  # words stand in order of appearance
    ordered = bool((steps > 0).all() or (steps < 0).all())
    return ordered or float(np.ptp(numbers)) <= 2 * len(numbers)


def _long_codes(column: ColumnFacts) -> bool:
    return len({len(word) for word in column.words}) == 1 and len(column.words[0]) >= 9


def _coded(column: ColumnFacts) -> Judgement:
    count = f"{len(column.words):,} distinct in {column.present:,} rows"
    if len(column.words) > TOO_MANY_CATEGORIES or column.distinct_share > 0.5:
        return Judgement(Kind.ID, f"Codes in digits, {count}: too many to learn from", use=False)
    return Judgement(Kind.CATEGORICAL, f"Codes in digits, not amounts: {count}")


def _written_otherwise(column: ColumnFacts) -> Judgement | None:
    """Numbers that nobody here reads as such, for their commas or signs."""
    plain = ~np.isnan(column.floats)
    otherwise = _matching(column, AMOUNT) & ~plain
    if not otherwise.any() or column.share(otherwise | plain) < NEARLY_NUMBERS:
        return None
    count = int(column.counts[otherwise].sum())
    odd = column.present - count - int(column.counts[plain].sum())
    look = (
        f"{count:,} of its numbers are written with commas or signs: write them as 1234.56 in the "
        "table (beside `;` 1234,56 will do)"
    )
    if odd:
        look += f"; {odd:,} {'value' if odd == 1 else 'values'} cannot be read at all: mend what "
        look += "is there, or add it to [missing]"
    look += ". Then set `use = true`"
    return Judgement(Kind.NUMERIC, "Most values are numbers", use=False, look=look)


def _digits(least: int, most: int = 99) -> Callable[[str], bool]:
    return lambda word: least <= sum(c.isdigit() for c in word) <= most


# What at least some values of a detail look like; other details may look like anything.
PLAUSIBLE: dict[str, Callable[[str], bool]] = {
    "an e-mail address": lambda word: "@" in word,
    "a phone number": _digits(7, 15),
    "a postcode": lambda word: len(word) <= 12 and any(c.isdigit() for c in word),
    "a date of birth": _digits(1),
    "an official number": _digits(1),
}


def _contact(column: ColumnFacts) -> Judgement | None:
    for what, shape in (
        ("e-mail addresses", EMAIL),
        ("phone numbers", PHONE),
        ("addresses", STREET),
    ):
        if column.share(_matching(column, shape)) >= 0.5 and column.distinct_share > 0.05:
            return Judgement(Kind.CONTACT, f"Most values look like {what}")
    for what, shape in (("IP addresses", IP), ("web addresses of one lead each", URL)):
        if column.share(_matching(column, shape)) >= MOSTLY and column.distinct_share >= 0.5:
            return Judgement(Kind.CONTACT, f"Most values look like {what}")
    detail = column_names.contact_detail(column.name)
    if detail is None or len(column.words) < 3 or _mean_words(column) > 8:
        return None
    if column.share(_flags(column, PLAUSIBLE.get(detail, bool))) < 0.3:
        return None
    return Judgement(Kind.CONTACT, f"Its name says {detail}")


def _person(column: ColumnFacts) -> Judgement | None:
    many = len(column.words) >= LEAST_IDS and column.distinct_share >= 0.5
    named = _matching(column, PERSON) | _flags(column, _short_and_spaceless)
    if not many or column.share(named) < MOSTLY:
        return None
    return Judgement(Kind.CONTACT, "Most values look like names of people")


def _short_and_spaceless(word: str) -> bool:
    return len(word) <= 4 and SPACELESS.match(word) is not None


def _amount(column: ColumnFacts) -> Judgement | None:
    """Numbers with decimals among a few words: nearly all may differ, and still be no codes."""
    decimals = ~np.isnan(column.floats) & (column.floats != np.floor(column.floats))
    return _category(column) if decimals.any() and _nearly_numbers(column) else None


def _code(column: ColumnFacts) -> Judgement | None:
    single = column.share(_flags(column, lambda word: len(_units(word)) == 1))
    unique = column.distinct_share >= NEARLY_UNIQUE and column.present >= LEAST_IDS
    if not unique or single < NEARLY_UNIQUE or _mean_length(column) > 64:
        return None
    count = f"{len(column.words):,} distinct in {column.present:,} rows"
    return Judgement(Kind.ID, f"Codes of one word, nearly all different ({count})", use=False)


def _list(column: ColumnFacts) -> Judgement | None:
    listed = column.share(_matching(column, LISTED))
    if listed < 0.5 or len(column.words) < LEAST_IDS or column.distinct_share < LEAST_TEXTS:
        return None
    reason = f"Lists of words ({100 * listed:.3g} % have two or more), neither category nor prose"
    fix = "set `use = true` to let its length count and the LLM read it"
    return Judgement(Kind.TEXT, f"{reason}: {fix}", use=False)


def _text(column: ColumnFacts) -> Judgement | None:
    words, length = _mean_words(column), _mean_length(column)
    spaced = column.share(_flags(column, lambda word: len(_units(word)) > 1))
    prose = words >= TEXT_WORDS or length >= 60 or (spaced >= 0.5 and words >= 2)
    many = len(column.words) >= LEAST_IDS and column.distinct_share >= LEAST_TEXTS
    if not (prose and many):
        return None
    reason = f"Free text: {length:,.0f} characters on average, {len(column.words):,} distinct"
    return Judgement(Kind.TEXT, reason)


def _category(column: ColumnFacts) -> Judgement:
    reason = f"{len(column.words):,} different words"
    if len(column.words) > TOO_MANY_CATEGORIES:
        reason += ": rare ones teach little"
    return Judgement(Kind.CATEGORICAL, reason, look=_nearly_numbers(column))


def _nearly_numbers(column: ColumnFacts) -> str | None:
    numeric = ~np.isnan(column.floats)
    share = column.share(numeric)
    if share < NEARLY_NUMBERS or len(column.words) < LEAST_IDS:
        return None
    others = column.present - int(column.counts[numeric].sum())
    return (
        f"{100 * share:.3g} % are numbers, {others:,} rows are not: mend these, or add their words "
        'to [missing], then set kind = "numeric"'
    )


JUDGES: tuple[Callable[[ColumnFacts], Judgement | None], ...] = (
    _constant,
    _boolean,
    _named_number,
    _date,
    _number,
    _written_otherwise,
    _nearly_date,
    _contact,
    _person,
    _list,
    _amount,
    _code,
    _text,
    _category,
)


def _flags(column: ColumnFacts, test: Callable[[str], bool]) -> NDArray[np.bool_]:
    return np.array([test(word) for word in column.words], dtype=bool)


def _matching(column: ColumnFacts, shape: re.Pattern[str]) -> NDArray[np.bool_]:
    return _flags(column, lambda w: shape.fullmatch(w[:MATCHED_CHARS]) is not None)


def _units(text: str) -> list[str]:
    """Words, or characters in scripts that put no space between words."""
    return SPACELESS.findall(text) if SPACELESS.search(text) else text.split()


def _mean_words(column: ColumnFacts) -> float:
    return float(np.average([len(_units(w)) for w in column.words], weights=column.counts))


def _mean_length(column: ColumnFacts) -> float:
    return float(np.average([len(w) for w in column.words], weights=column.counts))


# --- columns together ----------------------------------------------------------------------------


def _one_date(columns: list[Column]) -> list[Column]:
    """Only one date orders the leads: the first whose name speaks of a beginning, or the first."""
    usable = [c for c in columns if c.kind is Kind.DATE and c.use and not c.look]
    named = [c for c in usable if column_names.says_beginning(c.name)]
    chosen = next(iter(named or usable), None)
    return [_dated(c, chosen) if c.kind is Kind.DATE else c for c in columns]


def _dated(column: Column, chosen: Column | None) -> Column:
    if chosen is None or not column.use:
        return replace(column, use=False)
    if column is chosen:
        return replace(column, reason=f"{column.reason} It orders the leads in time.")
    return replace(column, use=False, reason=f"{column.reason} {chosen.name!r} orders the leads.")


def _no_twins(columns: list[Column], facts: dict[str, ColumnFacts]) -> list[Column]:
    """Of texts that are nearly the same only one is used: the one to which less was added."""
    found = {c.name: c for c in columns}
    texts = [c for c in columns if c.kind is Kind.TEXT and c.use]
    for i, left in enumerate(texts):
        for right in texts[i + 1 :]:
            twin = _twin(facts[left.name], facts[right.name])
            if twin and found[left.name].use and found[right.name].use:
                name, reason, leak = twin
                found[name] = replace(found[name], use=False, reason=reason, leak=leak)
    return list(found.values())


def _twin(left: ColumnFacts, right: ColumnFacts) -> tuple[str, str, str | None] | None:
    """Of two texts the one to leave out, its reason and its leak; None where they differ."""
    pairs = [pair for pair in zip(left.values, right.values, strict=True) if any(pair)]
    same = sum(a == b for a, b in pairs) / max(len(pairs), 1)
    if same < TWINS:
        return None
    longer_left = sum(len(a) > len(b) for a, b in pairs)
    longer_right = sum(len(a) < len(b) for a, b in pairs)
    drop, kept = (left, right) if longer_left > longer_right else (right, left)
    words = f"same as {kept.name!r} in {100 * same:.3g} % of the rows"
    more, fewer = max(longer_left, longer_right), min(longer_left, longer_right)
    if more < LEAST_IDS or fewer > 0.1 * more:
        return drop.name, f"Free text, the {words}: once is enough.", None
    leak = f"The {words}, longer in {more:,}: what was added may be later knowledge."
    return drop.name, "Free text.", leak


def summary(spec: LeadSpec) -> list[tuple[str, str, str, str]]:
    """One row a column for a table on the terminal: name, kind, whether it is used, and why."""
    return [(c.name, c.kind.value, _use(c), c.leak or c.look or c.reason) for c in spec.columns]


def _use(column: Column) -> str:
    """`leak`: no, until a person says otherwise; a `look` only asks, and is used meanwhile."""
    if column.leak:
        return "leak"
    used = "yes" if column.use else "no"
    return f"{used}, look" if column.look else used
