from __future__ import annotations

import html
import io
import json
import unicodedata
from itertools import chain
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from features.lead import MAX_TEXT_CHARS
from pipelines.metrics import Interval
from pipelines.redaction.contender import Ours, tallies
from pipelines.redaction.disguise import LOOKALIKES, Disguise, disguised
from pipelines.redaction.example import Example, Span
from pipelines.redaction.held_out_corpus import (
    Half,
    Message,
    annotated_sentences,
    held_out_corpus,
)
from pipelines.redaction.held_out_messages import HeldOut, held_out_templates
from pipelines.redaction.hostile_texts import hostile_texts
from pipelines.redaction.identities import TEST_LOCALES
from pipelines.redaction.redaction_bench import BenchReport
from pipelines.redaction.redaction_figures import (
    Compared,
    Figure,
    decoy_figures,
    disguise_figures,
    disguise_gates,
    lead_figures,
    single,
    speed_figures,
    type_figures,
    watched_figures,
)
from pipelines.redaction.redaction_plot import save_redaction_plot
from pipelines.redaction.redaction_speed import HostileSpeed, MessageSpeed
from pipelines.redaction.redaction_table import bench_json, show_bench
from pipelines.redaction.span_scores import (
    ALL,
    ALL_BUT_KEPT,
    OWN,
    Tallies,
    f2,
    leak,
    merged,
    precision,
    recall,
    tally,
    typed_f2,
)

pytest.importorskip("faker", reason="the extra `bench` is not installed")

TEXT = "Ask Jane Doe, Paris, or jane@acme.com"
NAME, CITY, EMAIL = Span(4, 12, "PERSON"), Span(14, 19, "LOCATION"), Span(24, 37, "EMAIL_ADDRESS")
MESSAGE = Message(Example(TEXT, (NAME, CITY, EMAIL), "t"), frozenset({1, 2}))


# Corpora


def test_there_are_enough_messages_of_enough_templates_in_all_locales() -> None:
    leads, decoys, trade, notes, web = (held_out_corpus(kind, 1) for kind in HeldOut)
    assert len(leads) >= 400
    assert min(len(decoys), len(trade)) >= 150
    assert min(len(notes), len(web)) >= 300
    assert len({m.example.template for m in leads}) >= 120
    assert {m.example.locale for m in leads} == set(TEST_LOCALES)
    assert {t.language for t in held_out_templates(HeldOut.LEADS)} == {"en", "de", "fr", "es"}
    assert 0.4 < sum(bool(m.example.contacts) for m in leads) / len(leads) < 0.6
    names = [t.name for kind in HeldOut for t in held_out_templates(kind)]
    assert len(names) == len(set(names))


@given(st.integers(0, 10**6))
@settings(max_examples=5, deadline=None)
def test_every_span_of_a_corpus_is_where_it_says(seed: int) -> None:
    for message in chain.from_iterable(held_out_corpus(kind, seed, 1) for kind in HeldOut):
        end = 0
        for span in message.example.spans:
            assert end <= span.start < span.end <= len(message.example.text)
            assert message.example.text[span.start : span.end].strip()
            end = span.end
        assert all(0 <= i < len(message.example.spans) for i in message.own)
        assert "{" not in message.example.text
        assert bool(message.example.contacts) or not message.own


def test_the_same_seed_writes_the_same_messages_and_another_one_others() -> None:
    assert held_out_corpus(HeldOut.LEADS, 3, 1) == held_out_corpus(HeldOut.LEADS, 3, 1)
    assert held_out_corpus(HeldOut.LEADS, 3, 1) != held_out_corpus(HeldOut.LEADS, 4, 1)


def test_a_public_set_is_halved_by_template(tmp_path: Path) -> None:
    span = {"entity_type": "GPE", "start_position": 3, "end_position": 8}
    rows = [
        {"full_text": "In Paris", "spans": [span], "template_id": 4},
        {"full_text": "Hello", "spans": [], "template_id": 5},
    ]
    file = tmp_path / "set.json"
    file.write_text(json.dumps(rows), encoding="utf-8")
    (even,) = annotated_sentences(file, Half.DEVELOPMENT)
    (odd,) = annotated_sentences(file, Half.HELD_OUT)
    assert even.example.spans == (Span(3, 8, "LOCATION"),)
    assert (odd.example.text, odd.example.template) == ("Hello", "synth-5")


# Disguises


@pytest.mark.parametrize("disguise", Disguise)
def test_spans_of_a_disguised_message_hold_what_they_held(disguise: Disguise) -> None:
    letter_by_letter = disguise not in {Disguise.AT_DOT, Disguise.SPELLED_DIGITS}
    for message in held_out_corpus(HeldOut.LEADS, 2, 1):
        before, after = message.example, disguised(message, disguise).example
        assert len(before.spans) == len(after.spans)
        at_before = at_after = 0
        for old, new in zip(before.spans, after.spans, strict=True):
            assert before.text[at_before : old.start] == after.text[at_after : new.start]
            assert old.entity_type == new.entity_type
            at_before, at_after = old.end, new.end
            if letter_by_letter:
                written = after.text[new.start : new.end]
                meant = before.text[old.start : old.end]
                assert _plain(written) == _plain(meant)
        assert before.text[at_before:] == after.text[at_after:]


LATIN = {alike: letter for letter, alike in LOOKALIKES.items()}


def _plain(text: str) -> str:
    latin = html.unescape(text).translate(LATIN)
    shown = "".join(c for c in latin if unicodedata.category(c) != "Cf")
    return unicodedata.normalize("NFKC", shown).casefold()


@pytest.mark.parametrize("disguise", [d for d in Disguise if d is not Disguise.NONE])
def test_each_disguise_changes_something_and_always_the_same_way(disguise: Disguise) -> None:
    messages = held_out_corpus(HeldOut.LEADS, 2, 1)
    once = [disguised(m, disguise) for m in messages]
    assert once == [disguised(m, disguise) for m in messages]
    changed = sum(a.example.text != b.example.text for a, b in zip(once, messages, strict=True))
    assert changed >= 20


def test_no_disguise_is_the_message_itself() -> None:
    assert disguised(MESSAGE, Disguise.NONE) == MESSAGE


# Scores


@pytest.mark.parametrize(
    ("taken_out", "found", "missed", "false", "clear"),
    [
        pytest.param([NAME, EMAIL], 2, 0, 0, 0, id="all"),
        pytest.param([], 0, 2, 0, 7 + 11, id="nothing"),
        pytest.param([NAME], 1, 1, 0, 11, id="one of two"),
        pytest.param([CITY, NAME, EMAIL], 2, 0, 0, 0, id="a city is neither right nor wrong"),
        pytest.param([Span(4, 8, "PERSON"), EMAIL], 2, 0, 0, 3, id="4 of 7 letters are enough"),
        pytest.param([Span(9, 12, "PERSON"), EMAIL], 1, 1, 1, 4, id="3 of 7 are not"),
        pytest.param([Span(4, 8, "PERSON"), Span(9, 12, "PERSON")], 1, 1, 0, 11, id="in parts"),
        pytest.param([Span(0, 3, "PERSON"), EMAIL], 1, 1, 1, 7, id="a wrong one"),
        pytest.param([Span(0, 37, "REFUSED")], 0, 2, 1, 0, id="refused: not found, no leak"),
        pytest.param([Span(4, 12, "ORGANIZATION"), EMAIL], 2, 0, 0, 0, id="another type"),
    ],
)
def test_spans_are_counted(
    taken_out: list[Span], found: int, missed: int, false: int, clear: int
) -> None:
    counts = tally(MESSAGE, taken_out).of(ALL)
    assert counts["found"] == found
    assert counts["missed"] == missed
    assert counts["false"] == false
    assert counts["clear"] == clear
    assert counts["chars"] == 18


def test_what_is_the_leads_own_is_counted_apart() -> None:
    counts = tally(MESSAGE, [NAME])
    assert counts.of(OWN)["chars"] == counts.of(OWN)["clear"] == 11  # the city is no identifier


def test_a_town_inside_of_an_address_parts_it_or_not_as_asked() -> None:
    text = "20 High St, Leeds, LS1 4AP"
    spans = (Span(0, 10, "STREET_ADDRESS"), Span(12, 17, "LOCATION"))
    message = Message(Example(text, (*spans, Span(19, 26, "STREET_ADDRESS")), "t"))
    counts = tally(message, [Span(0, 26, "STREET_ADDRESS")])
    assert (counts.of(ALL)["found"], counts.of(ALL)["missed"]) == (0, 2)
    assert (counts.of(ALL_BUT_KEPT)["found"], counts.of(ALL_BUT_KEPT)["missed"]) == (1, 0)


spans = st.lists(
    st.builds(
        lambda start, size, kind: Span(start, min(start + size, len(TEXT)), kind),
        st.integers(0, len(TEXT) - 1),
        st.integers(1, 12),
        st.sampled_from(["PERSON", "EMAIL_ADDRESS", "LOCATION"]),
    ),
    max_size=8,
)


@given(spans)
def test_counts_add_up_whatever_is_taken_out(taken_out: list[Span]) -> None:
    counts = tally(MESSAGE, taken_out)
    assert counts.of(ALL)["found"] + counts.of(ALL)["missed"] == 2
    assert 0 <= counts.of(ALL)["clear"] <= counts.of(ALL)["chars"] == 18
    for name in ("found", "missed", "false", "clear", "chars"):
        by_type = [counts.of(kind)[name] for kind in ("PERSON", "EMAIL_ADDRESS", "LOCATION")]
        assert sum(by_type) == counts.of(ALL)[name]


@given(spans)
def test_merging_twice_changes_nothing_more(some: list[Span]) -> None:
    blank = {i for i, c in enumerate(TEXT) if not c.isalnum()}
    once = merged(some, blank)
    covered = {i for s in some for i in range(s.start, s.end)} - blank
    assert {i for s in once for i in range(s.start, s.end)} - blank == covered


def test_measures_are_those_of_the_books() -> None:
    counts = {"found": 6.0, "missed": 2.0, "mistyped": 1.0, "false": 4.0, "clear": 5.0}
    counts["chars"] = 50.0
    assert recall(counts) == 0.75
    assert precision(counts) == 0.6
    p, r = 0.6, 0.75
    assert f2(counts) == pytest.approx(5 * p * r / (4 * p + r))
    assert typed_f2(counts) < f2(counts)
    assert leak(counts) == 0.1


def test_an_interval_holds_the_value_and_draws_whole_templates() -> None:
    good, bad = tally(MESSAGE, [NAME, EMAIL]), tally(MESSAGE, [])
    each = Tallies(("a", "b") * 20, (good, bad) * 20)
    interval = each.interval(recall)
    assert interval.value == 0.5
    assert (interval.low, interval.high) == (0.0, 1.0)  # two templates are all there is to draw
    apart = Tallies(tuple(map(str, range(40))), (good, bad) * 20).interval(recall)
    assert 0.3 < apart.low < 0.5 < apart.high < 0.7
    assert each.change(each, recall) == Interval(0.0, 0.0, 0.0)


# Gates and report


def _compared(corpus: str, ours: list[Span], stock: list[Span]) -> Compared:
    counted = [Tallies(("t",), (tally(MESSAGE, spans),)) for spans in (ours, stock)]
    return Compared(corpus, *counted)


def test_every_target_fails_where_nothing_is_found() -> None:
    names = {f.name for f in lead_figures(_compared("leads", [], [])) if f.passed is False}
    expected = {"F2", "left in clear", "left in clear: EMAIL_ADDRESS", "recall of PERSON"}
    assert names >= expected | {"left in clear: own identity"}


def test_what_is_tuned_on_has_no_target() -> None:
    figures = watched_figures(_compared("development", [], []))
    assert all(figure.passed is None for figure in figures)


def test_a_figure_that_could_not_be_measured_has_not_passed() -> None:
    assert Figure("x", "y", single(float("nan")), at_least=0.5).passed is False
    assert Figure("x", "y", single(float("nan")), at_most=0.5).passed is False


SPEED = MessageSpeed(3.0, 9.0, 20.0, 45.0, 300.0, 50.0)
HOSTILE = HostileSpeed({"digits": 90.0, "blanks": 300.0}, ("blanks",), {"digits": None})


def test_speed_has_targets_and_the_worst_text_decides() -> None:
    failed = [f for f in speed_figures(SPEED, HOSTILE, 400.0) if f.passed is False]
    assert [f.corpus for f in failed] == ["hostile texts, worst: blanks"]
    assert SPEED.ratio == 6


def _report() -> BenchReport:
    leads = _compared("leads", [NAME, EMAIL], [EMAIL])
    decoys = _compared("decoys", [NAME], [NAME, Span(0, 3, "PERSON")])
    bent = disguise_figures("zero-width", leads, decoys.ours, decoys.stock)
    figures = [*lead_figures(leads), *decoy_figures(decoys), *disguise_gates(bent)]
    return BenchReport(
        policy="2026-11.4",
        messages={"leads": 1, "decoys": 1},
        refused=0,
        figures=(*figures, *speed_figures(SPEED, HOSTILE, 400.0)),
        types=tuple(type_figures(leads)),
        languages=(),
        disguises=(bent,),
        spreads=(),
        speed=SPEED,
        hostile=HOSTILE,
    )


def test_the_report_says_what_missed_its_target_and_shows_no_text() -> None:
    out = io.StringIO()
    show_bench(_report(), Console(file=out, width=140))
    shown = out.getvalue()
    assert "FAIL" in shown
    assert "change of F2 (leads, zero-width)" in " ".join(shown.split())
    assert "> 10 s" in shown
    tree = bench_json(_report())
    assert tree["passed"] is False
    for printed in (shown, json.dumps(tree, default=str)):
        assert "Jane" not in printed
        assert "acme" not in printed


def test_the_plot_is_drawn_with_and_without_stock(tmp_path: Path) -> None:
    save_redaction_plot(_report(), tmp_path / "plot.png")
    assert (tmp_path / "plot.png").stat().st_size > 10_000


# Contenders and hostile texts


def test_a_refused_message_is_counted_and_leaks_nothing() -> None:
    from features.errors import RedactionFailed

    class Refusing:
        def redact(self, *_: object, **__: object) -> None:
            raise RedactionFailed("Too long.")

    ours = Ours(Refusing())  # type: ignore[arg-type]
    counted = tallies([MESSAGE], ours, lambda: None)
    assert ours.refused == 1
    assert counted.interval(leak).value == 0
    assert counted.interval(recall).value == 0


def test_hostile_texts_are_as_long_as_a_text_may_be_and_the_same_each_time() -> None:
    texts = hostile_texts()
    assert {len(text) for text in texts.values()} == {MAX_TEXT_CHARS}
    assert len(texts) >= 50
    assert texts == hostile_texts()


def test_the_map_names_every_file() -> None:
    folder = Path(held_out_corpus.__code__.co_filename).parent
    named = (folder / "README.md").read_text(encoding="utf-8")
    files = {f.name for f in folder.glob("*.py")} - {"__init__.py"}
    assert [f for f in sorted(files) if f"`{f}`" not in named] == []
