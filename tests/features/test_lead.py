"""A lead is validated once: what is data, what is an error, and what an error may say."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.allow_list import AllowList
from features.encoding import MIN_CATEGORY_COUNT, Encoder, Feature
from features.errors import InvalidLead, InvalidLeadSpec
from features.lead import MAX_TEXT_CHARS, Lead
from features.lead_spec import Kind, LeadSpec

SPEC = LeadSpec.parse("""
[outcome]
column = "Won"
won = "yes"
[missing]
words = ["Select", "?"]
[columns]
Visits = {kind = "numeric"}
Source = {kind = "categorical"}
Newsletter = {kind = "boolean"}
Message = {kind = "text"}
Email = {kind = "contact"}
Stage = {kind = "categorical", use = false, leak = "copies the outcome"}
"Lead Id" = {kind = "id", use = false}
""")


def test_each_kind_is_read_into_its_own_place() -> None:
    lead = Lead.parse(
        SPEC,
        {"Visits": "3", "Source": " Web ", "Newsletter": "No", "Message": "Hi", "Email": "a@b.de"},
    )
    assert lead.values == {"Visits": 3.0, "Source": "Web", "Newsletter": 0.0}
    assert (lead.texts, lead.contacts) == ({"Message": "Hi"}, {"Email": "a@b.de"})


@pytest.mark.parametrize("value", [None, "", "  ", "select", "SELECT ", "?", float("nan")])
def test_missing_in_any_spelling_is_data(value: object) -> None:
    fields = dict.fromkeys(["Visits", "Source", "Newsletter", "Message", "Email"], value)
    assert Lead.parse(SPEC, fields) == Lead({}, {}, {})


CODED = LeadSpec.parse("""
    outcome = {column = "Won", won = "yes"}
    missing = {words = ["-1", "9", "99.5", "1"]}
    [columns]
    Visits = {kind = "numeric"}
    Source = {kind = "categorical"}
    Newsletter = {kind = "boolean"}
""")


@pytest.mark.parametrize("value", ["-1", "-1.0", -1, -1.0, "9", 9, 9.0, 99.5, "99.5"])
def test_a_number_that_means_missing_does_so_in_csv_json_and_parquet(value: object) -> None:
    fields = dict.fromkeys(["Visits", "Source", "Newsletter"], value)
    assert Lead.parse(CODED, fields) == Lead({}, {}, {})


def test_another_number_and_a_yes_are_not_missing() -> None:
    lead = Lead.parse(CODED, {"Visits": 90, "Source": -9, "Newsletter": True})
    assert lead.values == {"Visits": 90.0, "Source": "-9", "Newsletter": 1.0}


def test_excluded_columns_are_ignored_and_unknown_ones_counted() -> None:
    lead = Lead.parse(SPEC, {"Stage": "won", "Lead Id": 7, "Won": "yes", "Sorce": "typo"})
    assert lead == Lead({}, {}, {}, unknown_fields=1)


def test_texts_and_contacts_stand_in_the_specs_order_whatever_the_callers_is() -> None:
    spec = LeadSpec.parse("""
        outcome = {column = "Won", won = "yes"}
        [columns]
        Visits = {kind = "numeric"}
        Subject = {kind = "text"}
        Email = {kind = "contact"}
        Message = {kind = "text"}
        Name = {kind = "contact"}
    """)
    fields = {"Name": "n", "Message": "m", "Email": "e@x.org", "Subject": "s"}
    lead = Lead.parse(spec, fields)
    assert lead.text == "s\nm"
    assert list(lead.contacts) == ["Email", "Name"]


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"Visits": "many"}, "Visits"),
        ({"Visits": float("inf")}, "Visits"),
        ({"Visits": [1]}, "Visits"),
        ({"Newsletter": "perhaps"}, "Newsletter"),
        ({"Newsletter": ["yes"]}, "Newsletter"),
        ({"Source": {"a": 1}}, "Source"),
        ({"Message": "x" * (MAX_TEXT_CHARS + 1)}, "Message"),
        ({"Email": ["secret@example.com"]}, "Email"),
    ],
)
def test_wrong_types_name_the_field_and_the_fix_but_never_the_value(
    fields: dict[str, object], named: str
) -> None:
    with pytest.raises(InvalidLead) as caught:
        Lead.parse(SPEC, fields)
    assert caught.value.field == named
    assert caught.value.fix
    assert not any(str(value) in str(caught.value) for value in fields.values())


def test_a_list_in_a_list_in_a_list_and_so_on_is_one_clear_error() -> None:
    deep: list[object] = []
    for _ in range(10_000):
        deep = [deep]
    for name in SPEC.readable:
        with pytest.raises(InvalidLead) as caught:
            Lead.parse(SPEC, {name: deep})
        assert caught.value.field == name


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


def read(fields: dict[str, object]) -> tuple[Lead | None, InvalidLead | None]:
    try:
        return Lead.parse(SPEC, fields), None
    except InvalidLead as error:
        return None, error


@given(st.dictionaries(st.sampled_from([*SPEC.known, "other"]), json_values))
def test_any_json_is_either_a_lead_or_one_clear_error(fields: dict[str, object]) -> None:
    lead, refused = read(fields)
    if lead is not None:
        assert Encoder.fit(SPEC, [lead]).encode([lead]).shape == (1, 4)
    if refused is not None:
        assert refused.field in SPEC.readable


def leads(*sources: str) -> list[Lead]:
    return [Lead.parse(SPEC, {"Source": source, "Visits": 1}) for source in sources]


def test_categories_seen_often_get_codes_and_the_others_read_as_missing() -> None:
    seen = leads(*["Web"] * 9, *["Fair"] * MIN_CATEGORY_COUNT, *["Rare"] * (MIN_CATEGORY_COUNT - 1))
    encoder = Encoder.fit(SPEC, seen)
    source = encoder.encode(leads("Web", "Fair", "Rare", "New"))[:, 1]
    assert source.tolist()[:2] == [0.0, 1.0]
    assert source[2] != source[2]
    assert source[3] != source[3]


@pytest.mark.parametrize(
    ("spellings", "word"),
    [(["7", "7.0", " 7.0", 7, 7.0], "7"), (["true", "True", "TRUE", True], "True")],
)
def test_a_category_is_the_same_from_csv_parquet_and_json(
    spellings: list[object], word: str
) -> None:
    assert [Lead.parse(SPEC, {"Source": s}).values for s in spellings] == [{"Source": word}] * len(
        spellings
    )


@pytest.mark.parametrize("value", ["7.5", "1.2.0", "v7.0", "Truely"])
def test_what_only_looks_like_another_spelling_is_a_category_of_its_own(value: str) -> None:
    assert Lead.parse(SPEC, {"Source": value}).values == {"Source": value}


def test_a_release_from_before_knows_its_categories_in_any_spelling() -> None:
    older = Encoder((Feature("Source", "Source", Kind.CATEGORICAL, ("7.0", "true", "7", "Web")),))
    lead_of = [Lead.parse(SPEC, {"Source": s}) for s in ("7.0", 7, True, "true", "Web")]
    assert older.encode(lead_of)[:, 0].tolist() == [0.0, 0.0, 1.0, 1.0, 3.0]
    assert [older.unknown_categories(lead) for lead in lead_of] == [()] * 5


def test_an_unknown_category_is_named_by_column_and_its_value_is_never_shown() -> None:
    encoder = Encoder.fit(SPEC, leads(*["Web"] * 9))
    (strange,) = leads("jane@acme.com")
    assert encoder.unknown_categories(strange) == ("Source",)
    assert encoder.shown(encoder.features[1], strange) is None


def test_a_text_is_a_feature_only_by_its_length_and_a_contact_not_at_all() -> None:
    encoder = Encoder.fit(SPEC, leads("Web"))
    assert encoder.names == ["Visits", "Source", "Newsletter", "Message (length)"]
    row = encoder.encode([Lead.parse(SPEC, {"Message": "four", "Email": "a@b.de"})])[0]
    assert row[3] == 4


def test_what_training_never_lacked_is_read_as_typical_and_what_it_did_as_missing() -> None:
    full = [Lead.parse(SPEC, {"Visits": v, "Source": "Web"}) for v in (1, 2, 2, 9, 30)]
    (row,) = Encoder.fit(SPEC, full).encode([Lead({}, {}, {})])
    assert row[:2].tolist() == [2.0, 0.0]
    (row,) = Encoder.fit(SPEC, [*full, Lead({}, {}, {})]).encode([Lead({}, {}, {})])
    assert np.isnan(row[:2]).all()


def test_a_row_is_read_back_in_the_words_of_the_lead() -> None:
    seen = [*leads(*["Web"] * 9, *["Fair"] * MIN_CATEGORY_COUNT), Lead({}, {}, {})]
    encoder = Encoder.fit(SPEC, seen)
    lead = {"Visits": 2.5, "Source": "Fair", "Newsletter": "yes", "Message": "four"}
    rows = encoder.encode([Lead.parse(SPEC, lead), *leads("New")]).tolist()
    full, strange = (encoder.read(row) for row in rows)
    assert full == {"Visits": 2.5, "Source": "Fair", "Newsletter": True, "Message (length)": 4}
    assert strange["Source"] is None
    with pytest.raises(ValueError, match="shorter"):
        encoder.read(rows[0][:-1])


def test_an_encoder_survives_json() -> None:
    encoder = Encoder.fit(SPEC, leads(*["Web"] * 9))
    assert Encoder.from_json(encoder.to_json()) == encoder


OUTCOME = '[outcome]\ncolumn="a"\nwon="1"\n'


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[outcome", "not valid TOML"),
        ("[columns.a]\nuse = True", "Write `true` for yes and `false` for no"),
        ("[columns]", "[outcome] needs"),
        ('columns="x"\n[outcome]\ncolumn="a"\nwon="1"', "a table a column"),
        ('[outcome]\ncolumn="a"\nwon="1"\n[columns.b]\nkind="colour"', "needs `kind`"),
        ('[outcome]\ncolumn="a"\nwon="1"\n[columns.b]\nkind="numeric"\nuse=3', "true or false"),
        ('[outcome]\ncolumn="a"\nwon="1"\n[columns.b]\nkind="id"\nuse=false', "no column is left"),
        ('[outcome]\ncolumn="a"\nwon="1"\n[columns.a]\nkind="numeric"', "may not be a column"),
        (f'{OUTCOME}[redaction]\nallow_list="Velora"', "[redaction] holds `allow_list`, a list"),
        (f"{OUTCOME}[redaction]\nallow_list=[7]", "[redaction] holds `allow_list`, a list"),
        (f"{OUTCOME}[redaction]\nalow_list=[]", "and nothing else"),
        (f"redaction=3\n{OUTCOME}", "and nothing else"),
        (f"{OUTCOME}[redaction]\nallow_list=['jo@acme.com']", "allow_list: 'jo@acme.com' is not"),
    ],
)
def test_a_spec_that_cannot_be_used_says_what_to_mend(text: str, says: str) -> None:
    with pytest.raises(InvalidLeadSpec, match=says.replace("[", r"\[").replace("]", r"\]")):
        LeadSpec.parse(text)


def test_only_what_changes_decisions_changes_the_digest() -> None:
    commented = LeadSpec.from_mapping(SPEC.to_mapping())
    tree = SPEC.to_mapping()
    tree["columns"]["Stage"]["use"] = True
    assert commented.digest == SPEC.digest
    assert CODED.digest.startswith("d55f90e3b6e8")  # however else its words may be written
    assert LeadSpec.from_mapping(tree).digest != SPEC.digest


def test_an_allow_list_changes_the_digest_and_is_read_back() -> None:
    listing = replace(SPEC, allow_list=AllowList(("Velora", "Grant tier")))
    assert listing.digest != SPEC.digest
    assert LeadSpec.from_mapping(listing.to_mapping()) == listing
    assert "redaction" not in SPEC.to_mapping()  # older releases are the same as they were
