from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.lead import Lead
from features.lead_spec import Column, Kind, LeadSpec
from pipelines.column_facts import ColumnFacts
from pipelines.column_kinds import infer_spec, kind_of, summary
from pipelines.dates import lead_dates
from pipelines.missing_words import missing_words
from pipelines.tables import check_outcome, read_table, rows

DATA = Path(__file__).parents[2].parent / "shared" / "data"
RANDOM = np.random.default_rng(7)
ROWS = 1_000
WON = RANDOM.random(ROWS) < 0.4

FIRST = ["Ada", "Grace", "Linus", "Émile", "Zoë", "Ольга", "Jürgen", "Mary-Ann", "Noor", "Iñigo"]
LAST = ["Lovelace", "Hopper", "O'Neill", "Çelik", "Núñez", "Smith", "Garcia", "Weiß", "Ito", "Kaya"]
PLEA = "we need a new tool soon please call about prices for our small team in spring"
WORDS = PLEA.split()
HANZI = "我们需要一个新的工具请尽快联系关于价格小团队春天"


def column(name: str, values: list[object]) -> ColumnFacts:
    return ColumnFacts.of(name, pd.Series(values, dtype=object))


def some(words: list[str], rows: int = 200) -> list[object]:
    return list(RANDOM.choice(words, rows))


def each(pattern: str, rows: int = 200) -> list[object]:
    """A value for each row: {i} counts, {r} is random, {first} {last} name people."""
    return [
        pattern.format(
            i=i,
            r=RANDOM.integers(10**8, 10**9),
            n=i % 28 + 1,
            first=FIRST[RANDOM.integers(len(FIRST))],
            last=LAST[RANDOM.integers(len(LAST))] + "abcdefghij"[i % 10],
        )
        for i in range(rows)
    ]


def prose(words: int) -> list[object]:
    return [" ".join(RANDOM.choice(WORDS, words)) for _ in range(200)]


KINDS: list[tuple[str, list[object], Kind]] = [
    ("visits", each("{n}"), Kind.NUMERIC),
    ("spent", [f"{x:.2f}" for x in RANDOM.random(200)], Kind.NUMERIC),
    ("Deal size", [f"{x:.2f}" for x in 9e4 * RANDOM.random(200)] + ["TBD"] * 3, Kind.CATEGORICAL),
    ("desk", each("555.{n:04}"), Kind.NUMERIC),
    ("desk or none", [*each("555.{n:04}", 60), *["none"] * 3], Kind.CONTACT),
    ("until", [*each("2026-01-{n:02}"), "9999-12-31", "0001-01-01"], Kind.DATE),
    ("until, from parquet", [*pd.date_range("2026-01-01", periods=60), datetime.max], Kind.DATE),
    ("income", [str(x) for x in RANDOM.integers(20_000, 9_000_000, 200)], Kind.NUMERIC),
    ("year", each("20{n:02}"), Kind.NUMERIC),
    ("opt in", some(["Yes", "no", ""]), Kind.BOOLEAN),
    ("Do Not Email", some(["0", "1"]), Kind.BOOLEAN),
    ("member", some(["yes", ""]), Kind.BOOLEAN),
    ("parquet flag", [True, False, None] * 50, Kind.BOOLEAN),
    ("source", some(["ad", "friend", "search"]), Kind.CATEGORICAL),
    ("referred", some(["by a friend", ""]), Kind.CATEGORICAL),
    ("Company size", some(["1-10", "11-50", "51+"]), Kind.CATEGORICAL),
    ("email provider", some(["gmail", "outlook", "own"]), Kind.CATEGORICAL),
    ("Campaign name", some(["Spring Sale", "Black Friday", "Launch Day"]), Kind.CATEGORICAL),
    ("Mobile", some(["iPhone", "Android", "none of them"]), Kind.CATEGORICAL),
    ("Product ID", some([str(i) for i in range(1070, 1090)]), Kind.CATEGORICAL),
    ("branch", some(["007", "012", "115"]), Kind.CATEGORICAL),
    ("empty", [""] * 50, Kind.CONSTANT),
    ("same", ["x"] * 50, Kind.CONSTANT),
    ("Lead Number", [str(x) for x in RANDOM.permutation(10**6)[:200]], Kind.ID),
    ("row", each("{i}"), Kind.ID),
    ("barcode", each("{r}9999"), Kind.ID),
    ("ref", each("T3-{r}"), Kind.ID),
    ("uuid", each("7927b2df-8bba-4d29-b9a2-b6{r}a"), Kind.ID),
    ("created", each("2026-01-{n:02}"), Kind.DATE),
    ("when", each("{n}.3.2026"), Kind.DATE),
    ("seen", each("3/{n}/2026 14:05"), Kind.DATE),
    ("seen on", each("{n} Mar 2026"), Kind.DATE),
    ("stamp", each("2026-01-{n:02}T10:00:00+02:00"), Kind.DATE),
    ("created_at", each("17{n:02}000000"), Kind.DATE),
    ("date", each("202601{n:02}"), Kind.DATE),
    ("from parquet", list(pd.date_range("2026-01-01", periods=60)), Kind.DATE),
    ("E-Mail", each("{first}{i}@example.org"), Kind.CONTACT),
    ("field 7", each("x{i}@example.co.uk"), Kind.CONTACT),
    ("Phone No.", each("{r}0"), Kind.CONTACT),
    ("field 8", each("+49 30 {r}"), Kind.CONTACT),
    ("Vorname", some(FIRST), Kind.CONTACT),
    ("field 9", each("{first} {last}"), Kind.CONTACT),
    ("field 10", each("{last}, {first}"), Kind.CONTACT),
    ("name", each("{first}"), Kind.CONTACT),
    ("氏名", some(["田中花子", "山田太郎", "佐藤一郎", "高橋"]), Kind.CONTACT),
    ("Фамилия", some(["Ито", "Кая", "Ли"]), Kind.CONTACT),
    ("Company", each("{last} Ltd"), Kind.CONTACT),
    ("employer", some(["Acme", "Initech", "Hooli"]), Kind.CONTACT),
    ("where", each("{i} Baker Street"), Kind.CONTACT),
    ("wo", each("Lange Straße {i}"), Kind.CONTACT),
    ("Zip Code", each("{n:05}"), Kind.CONTACT),
    ("PLZ", each("1{n:04}"), Kind.CONTACT),
    ("client", each("10.0.{n}.{i}"), Kind.CONTACT),
    ("date of birth", each("19{n:02}-03-04"), Kind.CONTACT),
    ("requester_username", each("user{i}"), Kind.CONTACT),
    ("Title", prose(3), Kind.TEXT),
    ("message", prose(30), Kind.TEXT),
    ("wish", some(["call me", ""], 10) + prose(5), Kind.TEXT),
    ("评论", ["".join(RANDOM.choice(list(HANZI), 12)) for _ in range(200)], Kind.TEXT),
    ("forums", [";".join(RANDOM.choice(WORDS, 6)) for _ in range(200)], Kind.TEXT),
]


@pytest.mark.parametrize(("name", "values", "kind"), KINDS, ids=[row[0] for row in KINDS])
def test_a_column_is_what_its_values_and_its_name_say(
    name: str, values: list[object], kind: Kind
) -> None:
    assert kind_of(column(name, values)).kind is kind


@pytest.mark.parametrize(
    "values",
    [
        [f"{i},{i % 10}" for i in range(60)],
        [f"{i % 9 + 1}.{i + 100},50" for i in range(60)],
        [f"{i % 9 + 1}\u202f{i + 100},50" for i in range(60)],
        [f"{i % 9 + 1},{i + 100}" for i in range(60)],
        [f"{i % 9 + 1},{i + 100}.50" for i in range(60)],
        [f"{i % 9 + 1}'{i + 100}.50" for i in range(60)],
        [f"${i}" for i in range(60)],
        [f"{i}.50 €" for i in range(60)],
        [f"{i} %" for i in range(60)],
        ["1,5", *(f"{i}.5" for i in range(60))],
        [*(f"{i},5" for i in range(60)), "to be agreed"],
    ],
    ids=lambda values: str(values[0]),
)
def test_numbers_that_are_not_read_as_such_are_said_with_how_to_write_them(
    values: list[object],
) -> None:
    found = kind_of(column("Budget", values))
    assert (found.kind, found.use) == (Kind.NUMERIC, False)
    assert "write them as 1234.56" in (found.look or "")


def test_how_many_rows_keep_numbers_from_being_read_is_said() -> None:
    odd = [*(f"{i},5" for i in range(60)), "ca. 7,5", "7,5 or 8"]
    assert "60 of its numbers are written" in (kind_of(column("Budget", odd)).look or "")
    assert "2 values cannot be read at all" in (kind_of(column("Budget", odd)).look or "")
    assert "at all" not in (kind_of(column("Budget", odd[:60])).look or "")


@pytest.mark.parametrize("kind", [Kind.ID, Kind.CONSTANT])
def test_nothing_is_learned_from_ids_and_constants(kind: Kind) -> None:
    assert [kind_of(column(n, v)).use for n, v, k in KINDS if k is kind].count(True) == 0


@pytest.mark.parametrize(
    ("columns", "found"),
    [
        ([["ad", "Select", "friend"]], ("Select",)),
        ([["ad", "- please choose one -", "?"]], ("- please choose one -", "?")),
        ([["Yes", "No", "Other", "Never", "Selected", "Nobody knows"]], ()),
        ([["none", "gold", "silver"]], ()),
        ([["1", "2", "none"]], ()),
        ([["0", "1", "2", "None"]], ("None",)),
        ([["1", "2", "NA"]], ("NA",)),
        ([["EU", "NA", "AP"]], ()),
        ([["EU", "NA", "UK"], ["1.5", "NA", "2"]], ("NA",)),
        ([["Germany", "NA"]], ("NA",)),
        ([["k. A.", "Herr", "Frau"], ["Нет данных", "да"]], ("k. A.", "Нет данных")),
    ],
)  # fmt: skip
def test_missing_value_words_are_found_and_legitimate_values_stay(
    columns: list[list[object]], found: tuple[str, ...]
) -> None:
    assert missing_words([column(f"c{i}", values) for i, values in enumerate(columns)]) == found


def table(**columns: object) -> pd.DataFrame:
    return pd.DataFrame({"Won": np.where(WON, "1", "0"), **columns}).astype(str)


def inferred(**columns: object) -> dict[str, Column]:
    return {c.name: c for c in infer_spec(table(**columns), "Won", "1").columns}


def knowing(share: float) -> np.ndarray:
    """The outcome in other words, right in `share` of the rows."""
    right = RANDOM.random(ROWS) < share
    return np.where(right == WON, "sunny", "rainy")


def amounts(shift: float) -> list[str]:
    return [f"{x:.3f}" for x in RANDOM.normal(WON * shift, 1)]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (knowing(1.0), "Copies the outcome: alone it tells 100 % of the rows right."),
        (knowing(0.999), "Copies the outcome"),
        (knowing(0.95), "Alone it reaches an AUC of 0.9"),
        (amounts(2.4), "Alone it reaches an AUC of 0.9"),
        (np.where(WON & (RANDOM.random(ROWS) < 0.3), "gift", ""), "% of them won (4"),
        (np.where(~WON & (RANDOM.random(ROWS) < 0.3), amounts(0), ""), "% of them lost (5"),
    ],
    ids=["copy", "nearly a copy", "strong words", "strong numbers", "only won", "only lost"],
)
def test_a_column_that_knows_the_outcome_is_a_leak_and_is_not_used(
    values: object, said: str
) -> None:
    suspect = inferred(weather=values)["weather"]
    assert said in (suspect.leak or "")
    assert not suspect.use


@pytest.mark.parametrize("name", ["Last Activity", "comments_at_retrieval", "post_was_edited",
    "Lead Quality", "DealStage", "closedDate", "call duration", "Ergebnis", "Won amount", "状态",
])  # fmt: skip
def test_a_name_that_speaks_of_what_came_after_is_a_question(name: str) -> None:
    suspect = inferred(**{name: amounts(0)})[name]
    assert suspect.look is not None
    assert suspect.look.endswith("?")
    assert suspect.use
    assert suspect.leak is None


@pytest.mark.parametrize("name", ["Total Time Spent on Website", "marital_status", "Last Name",
    "comments_at_request", "previous result", "Specialization", "TotalVisits", "Age",
])  # fmt: skip
def test_an_honest_name_raises_no_question(name: str) -> None:
    honest = inferred(**{name: amounts(0.9)})[name]
    assert (honest.leak, honest.look) == (None, None)


def test_nearly_pure_values_are_a_question_with_their_figures() -> None:
    values = np.where(WON & (RANDOM.random(ROWS) < 0.3), "hot", some(["a", "b"], ROWS))
    assert "`hot`" in (inferred(mood=values)["mood"].look or "")


@pytest.mark.parametrize(("rows", "base"), [(80, 0.5), (2_000, 0.03), (2_000, 0.9)])
def test_honest_columns_raise_no_leak_in_small_and_lopsided_tables(rows: int, base: float) -> None:
    random = np.random.default_rng(0)
    won = np.arange(rows) < rows * base
    honest = random.normal(won[:, None] * 1.0, 1, (rows, 20))  # each alone has an AUC of 0.76
    columns: dict[str, object] = {f"n{i}": honest[:, i].round(3) for i in range(20)}
    columns |= {f"w{i}": [f"w{x:.0f}" for x in 2 * honest[:, i]] for i in range(20)}
    spec = infer_spec(pd.DataFrame({"Won": won, **columns}).astype(str), "Won", "True")
    assert [c.name for c in spec.columns if c.leak] == []
    assert sum(c.look is not None for c in spec.columns) <= 4


@pytest.mark.parametrize("seed", range(5))
def test_noise_of_any_kind_raises_no_alarm(seed: int) -> None:
    random = np.random.default_rng(seed)
    columns = inferred(
        a=random.choice([str(i) for i in range(20)], ROWS),
        b=random.choice([f"w{i}" for i in range(400)], ROWS),
        c=[f"{x:.3f}" for x in random.normal(size=ROWS)],
        d=random.choice(["yes", "no"], ROWS, p=[0.01, 0.99]),
    )
    assert [c.name for c in columns.values() if c.leak or c.look] == []


def test_a_code_that_gaps_have_made_a_fraction_of_is_one_category_with_itself() -> None:
    column = pd.Series(["7", "7.0", "true", "True", "7.5"])
    assert ColumnFacts.of("code", column).words == ("7", "True", "7.5")


def test_of_two_dates_the_one_that_begins_orders_the_leads() -> None:
    days = [f"2026-01-{i % 28 + 1:02}" for i in range(ROWS)]
    spec = infer_spec(table(contacted=days, created=days, closed_on=days), "Won", "1")
    assert spec.date is not None
    assert spec.date.name == "created"
    dates = lead_dates(table(created=days), spec)
    assert dates is not None
    assert list(dates.dt.day[:3]) == [1, 2, 3]


@pytest.mark.parametrize("form", ["%Y-%m-%d", "%d.%m.%Y", "%Y-%m-%dT%H:%M:%S"])
def test_dates_with_a_few_odd_ones_are_a_question_and_no_phone_numbers(form: str) -> None:
    days = [day.strftime(form) for day in pd.date_range("2025-01-01", periods=ROWS)]
    for row in (odd := np.random.default_rng(0).choice(ROWS, ROWS // 20, replace=False)):
        days[row] = f"{row} days ago, it says"
    created = inferred(created=days, n=amounts(1))["created"]
    assert (created.kind, created.use) == (Kind.DATE, False)
    assert f"{len(odd)} rows hold no date" in (created.look or "")


@pytest.mark.parametrize("phone", ["01 23 45 {:02} {:02}", "555-{:02}{:02}", "+49 30 12{:02}{:02}"])
def test_phone_numbers_are_no_dates(phone: str) -> None:
    numbers = [phone.format(i // 100, i % 100) for i in range(ROWS)]
    assert inferred(reach=numbers, n=amounts(1))["reach"].kind is Kind.CONTACT


def test_unknown_dates_are_not_a_time() -> None:
    spec = LeadSpec("Won", "1", ("?",), (Column("when", Kind.DATE, True),))
    dates = lead_dates(pd.DataFrame({"when": ["31.12.2025", "?", "01.02.2026"]}), spec)
    assert dates is not None
    assert [str(day)[:10] for day in dates] == ["2025-12-31", "NaT", "2026-02-01"]


def test_of_two_texts_the_one_to_which_less_was_added_is_used() -> None:
    plain = [" ".join(RANDOM.choice(WORDS, 12)) for _ in range(ROWS)]
    edited = [f"{t} EDIT: thank you!" if i % 20 == 0 else t for i, t in enumerate(plain)]
    columns = inferred(edited_text=edited, text=plain)
    assert columns["text"].use
    assert not columns["edited_text"].use
    assert "longer in 50" in (columns["edited_text"].leak or "")


def test_reasons_and_suspicions_repeat_no_personal_value() -> None:
    people = each("{first} {last}", ROWS)
    columns = inferred(
        who=people, mail=each("{first}{i}@example.org", ROWS), wish=prose(9) * 5, tag=people
    )
    said = " ".join(f"{c.reason} {c.leak} {c.look}" for c in columns.values())
    assert "example.org" not in said
    assert not any(first in said for first in FIRST)


def test_the_same_table_gives_the_same_spec() -> None:
    one = table(a=amounts(1), b=knowing(0.8))
    assert infer_spec(one, "Won", "1") == infer_spec(one.copy(), "Won", "1")


VALUES = st.sampled_from(
    ["", "?", "Select", "1", "0", "-1.5", "yes", "No", "none", "NA", "nan", "inf", "1_0", "a",
     "007", "2026-01-31", "x@y.org", "Ada Lovelace", "call me soon please", "١٢"]
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(VALUES, min_size=1, max_size=4), min_size=1, max_size=5))
def test_every_row_of_the_table_can_be_read_with_its_own_spec(pools: list[list[str]]) -> None:
    choice = np.random.default_rng(len(pools)).choice
    mixed = table(**{f"c{i}": choice(pool, ROWS) for i, pool in enumerate(pools)})
    spec = infer_spec(mixed, "Won", "1")
    for fields in rows(mixed[:50]):
        Lead.parse(spec, fields)


# --- real tables ---------------------------------------------------------------------------------


def real(name: str, outcome: str) -> dict[str, Column]:
    path = DATA / name
    if not path.exists():
        pytest.skip(f"{name} is not here")
    read = read_table(path)
    spec = infer_spec(read, outcome, check_outcome(read, outcome, None))
    for fields in rows(read):
        Lead.parse(spec, fields)
    return {c.name: c for c in spec.columns}


def test_on_real_leads_what_was_filled_in_after_contact_is_found() -> None:
    columns = real("x_education_leads.csv", "Converted")
    assert [c.name for c in columns.values() if c.leak] == ["Tags"]
    assert "0.92" in (columns["Tags"].leak or "")
    assert {c.name for c in columns.values() if c.look} == {
        "Last Activity",
        "Last Notable Activity",
        "Lead Quality",
        "Lead Profile",
        "Asymmetrique Activity Index",
        "Asymmetrique Activity Score",
        "Asymmetrique Profile Index",
        "Asymmetrique Profile Score",
    }
    assert "nearly pure" in (columns["Lead Quality"].look or "")
    assert columns["Total Time Spent on Website"].use
    assert "`Select` in 5,043 rows" in columns["How did you hear about X Education"].reason
    ids = [c.name for c in columns.values() if c.kind is Kind.ID]
    assert ids == ["Prospect ID", "Lead Number"]


def test_on_real_requests_the_copy_of_the_outcome_is_found() -> None:
    columns = real("raop_requests.csv", "requester_received_pizza")
    assert "Copies the outcome" in (columns["requester_user_flair"].leak or "")
    assert "won" in (columns["giver_username_if_known"].leak or "")
    assert all(c.look for c in columns.values() if "retrieval" in c.name or "was_edited" in c.name)
    assert not any(c.look or c.leak for c in columns.values() if c.name.endswith("at_request"))
    texts = [c.name for c in columns.values() if c.kind is Kind.TEXT and c.use]
    assert texts == ["request_text_edit_aware", "request_title"]
    assert columns["request_text"].kind is Kind.TEXT
    assert columns["requester_username"].kind is Kind.CONTACT
    assert columns["request_id"].kind is Kind.ID
    assert columns["unix_timestamp_of_request"].kind is Kind.DATE


def test_on_real_reviews_the_rating_is_found_and_the_text_is_text() -> None:
    columns = real("womens_clothing_reviews.csv", "Recommended IND")
    assert [c.name for c in columns.values() if c.leak] == ["Rating"]
    texts = [c.name for c in columns.values() if c.kind is Kind.TEXT and c.use]
    assert texts == ["Title", "Review Text"]


def test_the_summary_has_a_row_for_each_column() -> None:
    leak = Column("Tags", Kind.CATEGORICAL, False, "r", leak="Known.")
    looks = [Column("Stage", Kind.CATEGORICAL, use, "r", look="When?") for use in (True, False)]
    assert summary(LeadSpec("Won", "1", (), (leak, *looks))) == [
        ("Tags", "categorical", "leak", "Known."),
        ("Stage", "categorical", "yes, look", "When?"),
        ("Stage", "categorical", "no, look", "When?"),
    ]
