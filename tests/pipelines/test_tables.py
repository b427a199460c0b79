import csv
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.lead import Lead
from features.lead_spec import Column, Kind, LeadSpec
from pipelines.errors import UnusableTable
from pipelines.tables import check_outcome, labelled, read_table, rows
from pipelines.validation import check_table

NOTE = 'He said "yes, if; it\nfits"'


def written(folder: Path, content: bytes) -> Path:
    path = folder / "leads.csv"
    path.write_bytes(content)
    return path


def outcome_table(*words: object, times: int = 40) -> pd.DataFrame:
    return pd.DataFrame({"Won?": list(words) * times})


@pytest.mark.parametrize(
    "separator", [",", ";", "\t", "|"], ids=["comma", "semicolon", "tab", "bar"]
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_csv_is_read_whatever_its_separator_and_encoding(
    tmp_path: Path, separator: str, encoding: str
) -> None:
    quoted = '"' + NOTE.replace('"', '""') + '"'
    lines = [["Größe in m²", "Note"], ["1", quoted], ["", "Åse"]]
    text = "\r\n".join(separator.join(line) for line in lines)
    table = read_table(written(tmp_path, text.encode(encoding)))
    assert table.to_dict("list") == {"Größe in m²": ["1", ""], "Note": [NOTE, "Åse"]}


def test_csv_values_stay_what_they_are(tmp_path: Path) -> None:
    table = read_table(written(tmp_path, b"a,b,c\n007,NA,1e5\nTrue,, x \n"))
    assert table.to_dict("list") == {"a": ["007", "True"], "b": ["NA", ""], "c": ["1e5", " x "]}


def test_a_cell_of_any_length_is_read_and_the_limit_of_others_stays(tmp_path: Path) -> None:
    before, long = csv.field_size_limit(), "long, " * 100_000
    table = read_table(written(tmp_path, f'a,b\n1,"{long}"\n2,short\n'.encode()))
    assert table.to_dict("list") == {"a": ["1", "2"], "b": [long, "short"]}
    assert csv.field_size_limit() == before


def test_columns_of_any_script_keep_their_names(tmp_path: Path) -> None:
    names = ["電話 番号", "Имя", "شركة", "🍕"]
    table = read_table(written(tmp_path, (",".join(names) + "\n1,2,3,4\n").encode()))
    assert list(table.columns) == names


def test_a_nameless_empty_column_goes_and_a_nameless_full_one_stays(tmp_path: Path) -> None:
    table = read_table(written(tmp_path, b",a,\n0,x,\n1,y,\n"))
    assert table.to_dict("list") == {"Unnamed: 0": ["0", "1"], "a": ["x", "y"]}


@pytest.mark.parametrize(
    ("values", "read"),
    [
        (["1,5", "-20", "0,25"], ["1.5", "-20", "0.25"]),
        (["1,5", "k. A."], ["1.5", "k. A."]),
        (["1,500", "2,000"], ["1,500", "2,000"]),  # thousands?
        (["Rue 1,5", "1,5"], ["Rue 1,5", "1,5"]),
        (["999,50", "1.5"], ["999,50", "1.5"]),
    ],
    ids=[
        "decimals",
        "with a missing word",
        "perhaps thousands",
        "not only numbers",
        "a point too",
    ],
)
def test_decimal_commas_become_points_beside_semicolons(
    tmp_path: Path, values: list[str], read: list[str]
) -> None:
    text = "a;b\n" + "".join(f"{value};x\n" for value in values)
    assert list(read_table(written(tmp_path, text.encode()))["a"]) == read


@pytest.mark.parametrize(
    ("values", "read"),
    [
        (["1.234", "-12.500", "7"], ["1234", "-12500", "7"]),
        (["1.234.567", "k. A."], ["1234567", "k. A."]),
        (["1.234", "1.5"], ["1.234", "1.5"]),
        (["1.234", "0.125"], ["1.234", "0.125"]),
        (["1.234,50", "2.000"], ["1.234,50", "2.000"]),
        (["12.10.2026", "1.234"], ["12.10.2026", "1.234"]),
        (["2,5", "0,125"], ["2.5", "0.125"]),
    ],
    ids=[
        "thousands",
        "with a missing word",
        "decimals",
        "below one",
        "both",
        "dates",
        "decimal commas",
    ],
)
def test_points_between_thousands_go_where_another_column_has_decimal_commas(
    tmp_path: Path, values: list[str], read: list[str]
) -> None:
    text = "a;b\n" + "".join(f"{value};1,25\n" for value in values)
    assert list(read_table(written(tmp_path, text.encode()))["a"]) == read
    alone = text.replace("1,25", "x")
    kept = read if "," in values[0] else values  # nothing says what a point is there
    assert list(read_table(written(tmp_path, alone.encode()))["a"]) == kept


def test_parquet_keeps_its_types_and_a_named_index_becomes_a_column(tmp_path: Path) -> None:
    table = pd.DataFrame({" age ": [31.0, None], "won": [True, False]}, index=["x", "y"])
    table.rename_axis("key").to_parquet(tmp_path / "leads.parquet")
    read = read_table(tmp_path / "leads.parquet")
    assert list(read.columns) == ["key", "age", "won"]
    assert read["won"].dtype == bool


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b" \r\n\r\n", "is empty"),
        (b"\xef\xbb\xbf\n\na,b\n", "no leads below it"),
        (b"a,b\n\n", "no leads below it"),
        (b"a,b,a\n1,2,3\n", "more than one column named 'a'"),
        (b"a,b , b\n1,2,3\n", "more than one column named 'b'"),
        (b'a,b\n"x\ny",2\n1\n', "line 4 has 1 fields, but the header has 2"),
        (b"a,b\n1,2\n\n1,2,3\n", "line 4 has 3 fields, but the header has 2"),
        (b'a,b\n1,2\n"' + b"x" * 200_000, "line 3 has 1 fields, but the header has 2"),
        (b"PK\x03\x04...", "Excel workbook or a zip archive"),
        (b"\x1f\x8b....", "Unpack it first"),
        (b"PAR1 but no more", "cannot be read as one"),
        (b"a,b\n\x00\x01,\x02\n", "Save it as CSV in UTF-8"),
        ("имя,город\nЮлия,Дубны\n".encode("cp1251"), "Save it as CSV in UTF-8"),
        ("名前,都市\n花子,東京\n".encode("shift-jis"), "Save it as CSV in UTF-8"),
    ],
)
def test_a_bad_file_gets_one_sentence_that_says_what_to_do(
    tmp_path: Path, content: bytes, said: str
) -> None:
    with pytest.raises(UnusableTable) as error:
        read_table(written(tmp_path, content))
    assert said in str(error.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnusableTable, match=r"There is no file .*nowhere\.csv"):
        read_table(tmp_path / "nowhere.csv")


def test_errors_do_not_repeat_what_leads_wrote(tmp_path: Path) -> None:
    with pytest.raises(UnusableTable) as error:
        read_table(written(tmp_path, b"a,b\nAda Lovelace,ada@example.org,1\n"))
    assert "Ada" not in str(error.value)
    assert "ada@" not in str(error.value)


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_give_a_table_or_an_unusable_table(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    try:
        table = read_table(written(tmp_path_factory.mktemp("any"), content))
    except UnusableTable:
        return
    assert len(table) > 0


CELLS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8)


@settings(deadline=None)
@given(st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=8))
def test_what_pandas_writes_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, cells: list[tuple[str, str]]
) -> None:
    path = tmp_path_factory.mktemp("csv") / "leads.csv"
    pd.DataFrame(cells, columns=["a", "b"]).to_csv(path, index=False)
    read = read_table(path)
    assert list(zip(read["a"], read["b"], strict=True)) == cells


@pytest.mark.parametrize(
    ("words", "asked", "won"),
    [
        (("0", "1"), None, "1"),
        (("False", "True"), None, "True"),
        ((False, True), None, "True"),
        ((0.0, 1.0, None), None, "1.0"),
        (("Yes", "no", "", "yes"), None, "Yes"),
        (("Closed Won", "Closed Lost"), None, "Closed Won"),
        (("red", "blue"), "Blue ", "blue"),
        ((False, True), "1", "True"),
        (("0", "1"), "0", "0"),
    ],
)
def test_the_value_that_means_won_is_found(
    words: tuple[object, ...], asked: str | None, won: str
) -> None:
    assert check_outcome(outcome_table(*words), "Won?", asked) == won


@pytest.mark.parametrize(
    ("table", "column", "won", "said"),
    [
        (outcome_table("0", "1"), "won", None, "Did you mean 'Won?'"),
        (outcome_table("0", "1"), "Umsatz", None, "The table has: 'Won?'"),
        (outcome_table("0", "1", "2"), "Won?", None, "has 3 distinct values"),
        (outcome_table("0", "1", "2"), "Won?", "1", "has 3 distinct values"),
        (outcome_table("1", ""), "Won?", None, "the same outcome"),
        (outcome_table("", None), "Won?", None, "is empty in every row"),
        (outcome_table("red", "blue"), "Won?", None, "'blue' and 'red'. Say which one means won"),
        (outcome_table("red", "blue"), "Won?", "green", "never has the value 'green'"),
        (outcome_table("0", "0", "1", times=39), "Won?", None, "Only 39 leads are won"),
        (outcome_table("0", "0", "1", times=1), "Won?", None, "Only 1 lead is won"),
        (outcome_table("0", "1", "1", times=39), "Won?", None, "Only 39 leads are lost"),
    ],
)
def test_an_outcome_that_cannot_be_learned_gets_one_clear_error(
    table: pd.DataFrame, column: str, won: str | None, said: str
) -> None:
    with pytest.raises(UnusableTable) as error:
        check_outcome(table, column, won)
    assert said in str(error.value)


def test_forty_of_each_are_enough() -> None:
    assert check_outcome(outcome_table("0", "1"), "Won?", None) == "1"


@pytest.mark.parametrize("words", [("1", "0", ""), (True, False, None), (1.0, 0.0, float("nan"))])
def test_leads_without_an_outcome_are_dropped(words: tuple[object, ...]) -> None:
    table = pd.DataFrame({"Won?": [words[2], *words], "n": [1, 2, 3, 4]})
    kept, y = labelled(table, LeadSpec("Won?", "1", (), ()))
    assert list(kept["n"]) == [2, 3]
    assert list(kept.index) == [0, 1]
    assert (y == np.array([1, 0])).all()
    assert y.dtype == np.int8


def test_a_third_outcome_is_not_counted_as_lost() -> None:
    with pytest.raises(UnusableTable, match="3 distinct values"):
        labelled(outcome_table("won", "lost", "open"), LeadSpec("Won?", "won", (), ()))


@pytest.mark.parametrize("column", [["yes", "9", "-1"], [1, 9, 0], [1.0, 9.0, None]])
def test_a_number_that_means_missing_is_no_wrong_yes_or_no(column: list[object]) -> None:
    spec = LeadSpec("Won", "1", ("9", "-1"), (Column("Opened", Kind.BOOLEAN, True),))
    check_table(pd.DataFrame({"Opened": column}), spec)
    for row in rows(pd.DataFrame({"Opened": column})):
        assert Lead.parse(spec, row).values.get("Opened") in (None, 0.0, 1.0)


def test_rows_are_plain_python_values_and_none() -> None:
    table = pd.DataFrame(
        {
            "n": pd.array([1, None], dtype="Int64"),
            "f": [0.5, float("nan")],
            "b": [True, False],
            "s": ["x", ""],
            "d": [pd.Timestamp("2026-01-31"), pd.NaT],
            "m": [Decimal("1.5"), None],
        }
    )
    first, second = rows(table)
    assert first == {"n": 1, "f": 0.5, "b": True, "s": "x", "d": "2026-01-31T00:00:00", "m": 1.5}
    assert second == {"n": None, "f": None, "b": False, "s": None, "d": None, "m": None}
    assert [type(value) for value in first.values()] == [int, float, bool, str, str, float]
