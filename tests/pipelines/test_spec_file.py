from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.allow_list import AllowList
from features.errors import InvalidLeadSpec
from features.lead_spec import Column, Kind, LeadSpec
from pipelines.column_kinds import infer_spec
from pipelines.report import show_spec
from pipelines.spec_file import SpecChanges, write_spec
from pipelines.tables import read_table

AGE = Column("Age", Kind.NUMERIC, True, "Numbers from 1 to 99.")
TAGS = Column("Tags", Kind.CATEGORICAL, False, "26 words.", leak="Alone it reaches 0.92.")
QUALITY = Column("Lead Quality", Kind.CATEGORICAL, True, "5 words.", look="Known before?")
SPEC = LeadSpec("Won?", "1", ("Select", "?"), (AGE, TAGS, QUALITY))

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
COLUMNS = st.builds(
    Column,
    name=TEXTS.filter(lambda name: name != "Won?"),
    kind=st.sampled_from(Kind),
    use=st.booleans(),
    reason=TEXTS,
    leak=st.none() | TEXTS,
    look=st.none() | TEXTS,
)
SPECS = st.builds(
    lambda won, words, columns, listed: LeadSpec(
        "Won?", won, tuple(words), (*columns, AGE), AllowList(tuple(listed))
    ),
    TEXTS,
    st.lists(TEXTS),
    st.lists(COLUMNS, unique_by=lambda c: c.name).map(
        lambda columns: [c for c in columns if c.name != "Age"]
    ),
    st.lists(st.sampled_from(['Velora "X"', "Grant tier", "C\\D suite", "Ünal"]), unique=True),
)


def edited(path: Path, *changes: tuple[str, str]) -> str:
    text = path.read_text(encoding="utf-8")
    for old, new in changes:
        assert text.count(old) == 1
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")
    return text


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "leads.toml"
    write_spec(path, SPEC)
    return path


def test_what_use_means_is_written_beside_contacts_which_are_never_learned_from(
    tmp_path: Path,
) -> None:
    mail, fax = Column("Mail", Kind.CONTACT, True), Column("Fax", Kind.CONTACT, False)
    path = tmp_path / "leads.toml"
    write_spec(path, replace(SPEC, columns=(AGE, mail, fax)))
    lines = path.read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line.startswith("use = ")] == [
        "use = true",
        "use = true # to take it out of texts: never learned from",
        "use = false",
    ]


@settings(deadline=None)
@given(SPECS)
def test_any_spec_is_read_back_equal(
    tmp_path_factory: pytest.TempPathFactory, spec: LeadSpec
) -> None:
    path = tmp_path_factory.mktemp("spec") / "leads.toml"
    assert write_spec(path, spec) == SpecChanges(created=True)
    assert LeadSpec.read(path) == spec


@settings(deadline=None)
@given(SPECS, SPECS)
def test_whatever_is_added_later_is_read_back_after_what_was_there(
    tmp_path_factory: pytest.TempPathFactory, first: LeadSpec, second: LeadSpec
) -> None:
    path = tmp_path_factory.mktemp("spec") / "leads.toml"
    write_spec(path, first)
    added = write_spec(path, second).added
    new = tuple(c for c in second.columns if c.name in added)
    assert LeadSpec.read(path) == replace(first, columns=(*first.columns, *new))
    assert {c.name for c in new} == {c.name for c in second.columns} - {
        c.name for c in first.columns
    }


def test_the_file_explains_itself(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# What each column of your table of leads is.")
    assert '[columns."Lead Quality"]' in text


def test_a_second_init_with_the_same_table_changes_no_byte(path: Path) -> None:
    before = path.read_bytes()
    assert write_spec(path, SPEC) == SpecChanges(created=False)
    assert path.read_bytes() == before


def test_what_a_person_wrote_survives_a_second_init(path: Path) -> None:
    text = edited(
        path,
        ('[columns."Tags"]\nkind = "categorical"\nuse = false', '# ours\n[columns."Tags"]  # !\n'
            'kind = "text"\nuse = true'),
        ('"Select", "?"', '"Select"'),
        ('won = "1"', 'won = "0"'),
    )  # fmt: skip
    extra = Column('New "one".x', Kind.BOOLEAN, True, "Only yes and no.")
    changes = write_spec(path, replace(SPEC, columns=(*SPEC.columns, extra)))
    assert changes == SpecChanges(
        created=False,
        added=(extra.name,),
        kept=("Tags",),
        unlisted_words=("?",),
        other_won="1",
        won="0",
    )
    assert path.read_text(encoding="utf-8").startswith(text.rstrip("\n"))
    spec = LeadSpec.read(path)
    assert (spec.won, spec.missing_words) == ("0", ("Select",))
    assert spec.columns == (AGE, replace(TAGS, kind=Kind.TEXT, use=True), QUALITY, extra)


def test_an_answer_to_a_question_is_no_contradiction(path: Path) -> None:
    reason = f'reason = "{QUALITY.reason}"'
    yes, no = f"use = true\n{reason}", f"use = false\n{reason}"
    edited(path, (yes, no))
    assert write_spec(path, SPEC) == SpecChanges(created=False)
    # But where the table does not ask, or it is about the kind, it is.
    for suggested in (replace(QUALITY, look=None), replace(QUALITY, kind=Kind.TEXT)):
        changes = write_spec(path, replace(SPEC, columns=(AGE, TAGS, suggested)))
        assert changes.kept == (QUALITY.name,)
    edited(path, (no, yes))
    leaking = replace(QUALITY, use=False, leak="Copies the outcome.")
    changes = write_spec(path, replace(SPEC, columns=(AGE, TAGS, leaking)))
    assert changes.kept == changes.suspected == (QUALITY.name,)


def test_a_question_may_be_answered_with_yes(path: Path) -> None:
    asked = replace(QUALITY, use=False)
    path.unlink()
    write_spec(path, replace(SPEC, columns=(asked,)))
    edited(path, ("use = false\n", "use = true\n"))
    assert write_spec(path, replace(SPEC, columns=(asked,))).kept == ()


def test_that_the_file_has_another_value_for_won_is_said_with_what_to_do(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = replace(SPEC, won="0")
    show_spec(other, write_spec(path, other), path)
    printed = "".join(capsys.readouterr().out.split())
    assert "saysthat'1'meanswon,not'0'" in printed
    assert "change`won`under[outcome]" in printed
    assert LeadSpec.read(path).won == "1"


@pytest.mark.parametrize("won", ["1", "1.0", "True"])
def test_the_same_value_for_won_in_another_spelling_is_no_other(path: Path, won: str) -> None:
    assert write_spec(path, replace(SPEC, won=won)) == SpecChanges(created=False)


def test_a_vanished_column_is_reported_and_stays(path: Path) -> None:
    changes = write_spec(path, replace(SPEC, columns=(AGE, QUALITY)))
    assert changes.vanished == ("Tags",)
    assert LeadSpec.read(path) == SPEC


def test_a_leak_that_the_file_does_not_know_is_reported(path: Path) -> None:
    leaking = replace(AGE, use=False, leak="Copies the outcome.")
    changes = write_spec(path, replace(SPEC, columns=(leaking, TAGS, QUALITY)))
    assert (changes.suspected, changes.kept) == (("Age",), ("Age",))
    assert LeadSpec.read(path) == SPEC


@pytest.mark.parametrize(
    "text",
    [
        '[columns.A]\nkind="numeric"\n[outcome]\ncolumn="Won?"\nwon="1"\n[columns.B]\nkind="id"\n',
        'columns.A.kind = "numeric"\ncolumns.B.kind = "id"\noutcome = {column="Won?", won="1"}',
        '\ufeff[outcome]\ncolumn="Won?"\nwon="1"\n[columns.A]\nkind="numeric"\n',
    ],
    ids=["out of order", "dotted", "with a byte order mark"],
)
def test_columns_are_added_to_files_written_by_hand(tmp_path: Path, text: str) -> None:
    path = tmp_path / "leads.toml"
    path.write_text(text, encoding="utf-8")
    before = LeadSpec.read(path)
    write_spec(path, SPEC)
    after = {c.name: c for c in LeadSpec.read(path).columns}
    assert after == {c.name: c for c in (*before.columns, *SPEC.columns)}


def test_inline_columns_cannot_be_added_to_and_stay_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "leads.toml"
    text = 'columns = {A = {kind = "numeric"}}\noutcome = {column = "Won?", won = "1"}\n'
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InvalidLeadSpec, match=r"\[columns\.NAME\]"):
        write_spec(path, SPEC)
    assert path.read_text(encoding="utf-8") == text


def test_a_file_about_another_outcome_is_not_touched(path: Path) -> None:
    before = path.read_bytes()
    with pytest.raises(InvalidLeadSpec, match=r"'Won\?', not 'Sold'.* --spec"):
        write_spec(path, replace(SPEC, outcome="Sold"))
    assert path.read_bytes() == before


def test_a_broken_file_is_not_touched(path: Path) -> None:
    path.write_text("[outcome", encoding="utf-8")
    with pytest.raises(InvalidLeadSpec, match="not valid TOML"):
        write_spec(path, SPEC)
    assert path.read_text(encoding="utf-8") == "[outcome"


def test_a_file_that_cannot_be_written_says_where_to_write(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidLeadSpec, match="Choose a folder"):
        write_spec(tmp_path / "file" / "leads.toml", SPEC)


def test_a_column_with_an_open_look_is_said_to_be_used_until_somebody_decides(
    path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def shown() -> str:
        show_spec(SPEC, write_spec(path, SPEC), path)
        return " ".join(capsys.readouterr().out.split())

    monkeypatch.setenv("COLUMNS", "300")
    said = shown()
    assert "yes, look" in said
    assert "Used, though a `look` still asks: 'Lead Quality'." in said
    asked = path.read_text(encoding="utf-8")
    edited(path, ('look = "Known before?"\n', ""))
    assert "still asks" not in shown()
    path.write_text(asked, encoding="utf-8")
    edited(path, ('use = true\nreason = "5 words."', 'use = false\nreason = "5 words."'))
    assert "still asks" not in shown()


def test_a_column_without_a_name_is_said_to_be_called_by_its_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    table, path = tmp_path / "leads.csv", tmp_path / "new.toml"
    rows = [f"{i},{i % 7},{'yes' if i % 2 else 'no'},\n" for i in range(100)]
    for header, is_said in ((",Age,Won,\n", True), ("row,Age,Won,\n", False)):
        table.write_text(header + "".join(rows), encoding="utf-8")
        found = infer_spec(read_table(table), "Won", "yes")
        show_spec(found, write_spec(path, found), path)
        said = capsys.readouterr().out
        assert ("the table's header has no name for it: 'Unnamed: 0'." in said) is is_said
