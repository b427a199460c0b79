from __future__ import annotations

import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.boosted_trees import BoostedTrees
from features.name_counts import NameCounts, plain_letters
from features.name_signs import SIGNS
from features.name_sound import LONGEST, ROWS, rows
from features.ner_component import SECOND_LOOK, SHIPPED
from features.redaction import Redactor
from features.redaction_trace import Fate


@pytest.fixture(scope="module")
def redactor() -> Redactor:
    return Redactor.load()


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Spoke with Priya about the quote.", "Priya"),
        ("Ask Nkechi in accounting, please.", "Nkechi"),
        ("Can Svetlana join the call on our Salesforce rollout?", "Svetlana"),
        ("Tell Vasquez that we accept.", "Vasquez"),
        ("we talked to priya last week", "priya"),
        ("thanks, wanda", "wanda"),
        ("my name is ottokar", "ottokar"),
        ("Hi, I need a quote.\nOttokar", "Ottokar"),
        ("Regards,\nGrzegorz", "Grzegorz"),
        ("Hi, this is Will from the finance team.", "Will"),
        ("My colleague Hope will join the call.", "Hope"),
        ("Best regards\nMay", "May"),
        ("Thanks,\nWill", "Will"),
        ("Cheers, April", "April"),
        ("Please ask Liberty about the budget.", "Liberty"),
    ],
)
def test_people_by_one_name_go(redactor: Redactor, text: str, name: str) -> None:
    assert name not in redactor.redact(text).text


@pytest.mark.parametrize(
    "text",
    [
        "We are moving off Avalara by March.",
        "We use Corlytics and Salesforce today.",
        "Does Quantivo sync with HubSpot?",
    ],
)
def test_products_that_nobody_has_heard_of_stay(redactor: Redactor, text: str) -> None:
    assert redactor.redact(text).text == text


COINED = tuple(
    """
    Avalara Corlytics Quantivo Brightloom Velora Zentrix Plenvo Taskora Fluxio Ledgerly Nimbara
    Corvio Shiftwell Paynest Kordix Brixo Voltera Mendra Opsly Tillo Grafiq Hubora Senvia Dockly
    """.split()  # noqa: SIM905  # to be read
)


SAID_OF_PRODUCTS = (
    "We are moving off {} by March.",
    "We use {} and Salesforce today.",
    "Does {} sync with HubSpot?",
    "Rolled out {} last year, now comparing it with Zendesk.",
    "Now comparing {} and Zendesk.",
    "Our tickets live in {}.",
)


def test_nine_of_ten_products_that_nobody_has_heard_of_stay(redactor: Redactor) -> None:
    messages = [said.format(product) for said in SAID_OF_PRODUCTS for product in COINED]
    assert sum(redactor.redact(m).text != m for m in messages) <= len(messages) / 10


def test_a_name_that_stands_in_full_elsewhere_is_somebodys_for_sure(redactor: Redactor) -> None:
    trace = redactor.trace("Ottokar Brandhuber wrote it. Ottokar is away.")
    *_, again = trace.proposals
    assert (again.recognizer, again.score, again.fate) == ("SecondLook", 1.0, Fate.TAKEN_OUT)


def test_a_name_that_stands_in_a_mailbox_is_somebodys_for_sure(redactor: Redactor) -> None:
    trace = redactor.trace("Brandhuber said yes, write to n.brandhuber@example.com")
    (name,) = [p for p in trace.proposals if p.entity_type == "PERSON"]
    assert (name.recognizer, name.score) == ("SecondLook", 1.0)


def test_what_was_doubted_says_who_doubted_it(redactor: Redactor) -> None:
    trace = redactor.trace("Rolled out Brightloom last year, now comparing Velora and Zendesk.")
    (word,) = trace.occurrences("Brightloom")
    assert not word.went
    (doubted,) = word.proposals
    assert (doubted.recognizer, doubted.fate) == ("SecondLook", Fate.BELOW)
    assert doubted.score < doubted.threshold


def test_what_ships_was_learned_of_these_very_signs() -> None:
    trees, names = BoostedTrees.read(SHIPPED / SECOND_LOOK)
    assert names == list(SIGNS)
    assert trees.columns.max() < len(SIGNS)


NAMESAKES = tuple(
    """
    Hope Grace Mark Bill Rose Joy Faith Dawn Rich Sue Frank Jack Drew Pat Art Ray Grant Chase
    Hunter Mason Summer Turner Carter Page Case Reed Wells Banks Price Cook Baker Parker Porter
    Marshall Sterling Archer
    """.split()  # noqa: SIM905  # to be read
)


SAID_OF_THINGS = (
    "We are on the {} plan and need the Case report.",
    "Is the {} tier cheaper than Pro?",
    "I ordered the {} jacket in blue.",
)


def test_most_things_called_like_somebody_stay(redactor: Redactor) -> None:
    messages = [said.format(name) for said in SAID_OF_THINGS for name in NAMESAKES]
    assert sum(redactor.redact(m).text != m for m in messages) <= 0.4 * len(messages)


@pytest.mark.parametrize("text", ["Please ask {} about it.", "I spoke to {} yesterday."])
def test_nearly_all_people_called_like_a_word_go(redactor: Redactor, text: str) -> None:
    assert sum(n in redactor.redact(text.format(n)).text for n in NAMESAKES) <= 2


def test_names_are_counted_in_plain_letters(tmp_path: Path) -> None:
    counts = NameCounts({"sorensen": (0, 9), "anna": (11, 6)})
    counts.write(tmp_path)
    assert NameCounts.read(tmp_path) == counts
    assert counts.of(plain_letters("Sørensen")) == (0, 4.5)
    assert counts.of(plain_letters("ANNA")) == (5.5, 3)
    assert counts.of("nobody") == (0, 0)


@given(st.text(max_size=100))
def test_any_word_has_a_sound_at_a_bounded_cost(word: str) -> None:
    found = rows(word)
    assert all(0 <= row < ROWS for row in found)
    assert len(found) <= 3 * 4 * (LONGEST + 2)  # a letter has four bytes at most


@given(st.text(string.ascii_letters, min_size=1))
def test_plain_words_are_only_made_small(word: str) -> None:
    assert plain_letters(word) == word.lower()
