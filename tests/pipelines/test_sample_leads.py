from __future__ import annotations

import csv
import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from pipelines.sample_leads import FILE_NAME, OUTCOME, demo_leads, sample_leads, write_sample

STRUCTURED = (
    "Lead source",
    "Industry",
    "Employees",
    "Country",
    "Pages viewed",
    "Minutes on site",
    "Demo requested",
    "Budget band",
)


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return pd.DataFrame(sample_leads())


def won(table: pd.DataFrame) -> NDArray[np.int_]:
    return (table[OUTCOME] == "yes").to_numpy(dtype=int)


def structured(table: pd.DataFrame) -> NDArray[np.float32]:
    """One-hot words and numbers: enough for a tree."""
    columns = table[list(STRUCTURED)]
    return pd.get_dummies(columns, dummy_na=True).to_numpy(dtype=np.float32)


def structured_scores(table: pd.DataFrame, fit: int) -> NDArray[np.float32]:
    import xgboost

    rows, outcome = structured(table), won(table)
    params = {"objective": "binary:logistic", "max_depth": 3, "learning_rate": 0.06, "nthread": 1}
    params |= {"subsample": 0.8, "colsample_bytree": 0.6, "min_child_weight": 5}
    booster = xgboost.train(params, xgboost.DMatrix(rows[:fit], outcome[:fit]), 200)
    return np.asarray(booster.predict(xgboost.DMatrix(rows)))


def test_the_same_seed_writes_the_same_bytes_on_any_machine(tmp_path: Path) -> None:
    path = tmp_path / "new folder" / FILE_NAME
    write_sample(path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert digest[:16] == "96e3ddb163c9d913", "The sample changed: on purpose? Then set the digest."


@given(st.integers(1, 60), st.integers(0, 2**63))
@settings(max_examples=15, deadline=None)
def test_any_seed_and_size_gives_a_whole_table(rows: int, seed: int) -> None:
    leads = sample_leads(rows, seed)
    assert len(leads) == rows
    assert len({tuple(lead) for lead in leads}) == 1  # the same columns in each
    assert [lead["Created"] for lead in leads] == sorted(lead["Created"] for lead in leads)


def test_the_file_says_that_it_is_synthetic(tmp_path: Path) -> None:
    write_sample(tmp_path / FILE_NAME, rows=5)
    with (tmp_path / FILE_NAME).open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert "synthetic" in FILE_NAME
    assert all(row["Lead ID"].startswith("SYN-") for row in rows)


def test_three_in_ten_are_won_and_two_in_three_write(table: pd.DataFrame) -> None:
    assert 0.27 <= won(table).mean() <= 0.33
    assert 0.32 <= table["Message"].isna().mean() <= 0.38


def test_the_columns_alone_rank_leads_well_but_not_perfectly(table: pd.DataFrame) -> None:
    scores = structured_scores(table, fit=1_800)
    assert 0.80 <= roc_auc_score(won(table)[1_800:], scores[1_800:]) <= 0.86


def test_messages_know_what_the_columns_do_not(table: pd.DataFrame) -> None:
    table = table[table["Message"].notna()]
    fit = round(0.6 * len(table))
    texts, outcome = table["Message"].tolist(), won(table)
    words = TfidfVectorizer(min_df=2)
    reader = LogisticRegression(C=3).fit(words.fit_transform(texts[:fit]), outcome[:fit])
    text = reader.decision_function(words.transform(texts[fit:]))
    columns = structured_scores(table, fit)[fit:]
    both = text + np.log(columns / (1 - columns))
    assert 0.87 <= roc_auc_score(outcome[fit:], text) <= 0.97  # signal, and honest noise
    assert roc_auc_score(outcome[fit:], both) > roc_auc_score(outcome[fit:], columns) + 0.08
    lost = outcome[fit:] == 0
    assert abs(np.corrcoef(text[lost], columns[lost])[0, 1]) < 0.15  # independent, given the end


def test_the_length_of_a_message_gives_little_away(table: pd.DataFrame) -> None:
    written = table[table["Message"].notna()]
    assert abs(roc_auc_score(won(written), written["Message"].str.len()) - 0.5) < 0.1


def test_messages_hardly_repeat(table: pd.DataFrame) -> None:
    messages = table["Message"].dropna()
    assert messages.nunique() > 0.99 * len(messages)
    assert messages.str.len().between(10, 500).all()
    assert not messages.str.contains("[{}]").any()  # no slot was left open


def test_many_messages_hold_their_writers_own_identity(table: pd.DataFrame) -> None:
    written = table[table["Message"].notna()]
    for column, at_least in (("Full name", 0.3), ("Phone", 0.15), ("Email", 0.15)):
        held = [c in m for c, m in zip(written[column], written["Message"], strict=True)]
        assert np.mean(held) > at_least


def test_sales_stage_is_a_leak_that_no_honest_column_could_be(table: pd.DataFrame) -> None:
    rates = pd.Series(won(table)).groupby(table["Sales stage"]).transform("mean")
    assert roc_auc_score(won(table), rates) > 0.95


def test_missing_words_an_id_and_a_constant_are_there_to_be_found(table: pd.DataFrame) -> None:
    assert {"Select", "unknown"} <= set(table["Budget band"])
    assert table["Lead ID"].is_unique
    assert table["Product"].nunique() == 1
    assert table["Industry"].isna().any()
    assert table["Employees"].isna().any()


def test_nobody_can_be_reached(table: pd.DataFrame) -> None:
    assert table["Email"].str.endswith(".example.com").all()
    fictional = r"\+44 20 7946 0|\+353 20 91|\+49 30 23125 |\+33 1 99 00 |\+46 8 465 004 |\+1 202-555-01|\+61 2 5550 "  # noqa: E501
    assert table["Phone"].str.match(fictional).all()
    assert all(phonenumbers.is_possible_number(phonenumbers.parse(n)) for n in table["Phone"])


def test_demo_leads_are_sure_ambiguous_and_one_that_hangs_on_its_text(table: pd.DataFrame) -> None:
    sure, ambiguous, hanging = demo_leads()
    rows = [{c: lead.fields[c] for c in STRUCTURED} for lead in (sure, ambiguous, hanging)]
    scores = structured_scores(pd.concat([table, pd.DataFrame(rows)]), fit=1_800)[-3:]
    assert scores[0] < 0.03
    assert 0.35 < scores[1] < 0.7
    assert 0.1 < scores[2] < 0.3
    assert "Message" not in sure.fields
    assert "price list" in ambiguous.fields["Message"]
    assert "ready to buy" in hanging.fields["Message"]


def test_demo_leads_hold_nothing_that_is_known_only_later(table: pd.DataFrame) -> None:
    for lead in demo_leads():
        assert set(lead.fields) <= set(table.columns) - {"Sales stage", OUTCOME}
    assert demo_leads(1) == demo_leads(1) != demo_leads(2)
