from __future__ import annotations

import dataclasses
import random

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.checksums import luhn, mod_97
from pipelines.redaction.countries import countries
from pipelines.redaction.english_words import all_names, english_kinds_of_base
from pipelines.redaction.held_out_messages import HeldOut, held_out_words
from pipelines.redaction.identities import (
    LOCALES,
    SLOT_TYPES,
    TEST_LOCALES,
    Identities,
    Identity,
    Part,
)
from pipelines.redaction.known_products import known_products, product_words
from pipelines.redaction.name_pools import first_names, folded, invented_words, surnames
from pipelines.redaction.training_corpus import as_typed, is_validation, training_corpus
from pipelines.redaction.training_messages import Filler, phrases, templates

pytest.importorskip("faker", reason="the extra `bench` is not installed")


@pytest.mark.parametrize("locale", LOCALES)
def test_training_and_test_share_no_name_of_any_locale(locale: str) -> None:
    for pool in (first_names, surnames):
        train, test = pool(locale, Part.TRAIN), pool(locale, Part.TEST)
        assert train
        assert test
        everywhere = {folded(w) for other in LOCALES for w in pool(other, Part.TRAIN)}
        assert not everywhere & {folded(w) for w in test}


def test_training_and_test_share_no_invented_company() -> None:
    assert not set(invented_words(Part.TRAIN)) & set(invented_words(Part.TEST))
    assert len(invented_words(Part.TEST)) > 500


@given(st.integers(0, 10**6), st.sampled_from(Part))
@settings(max_examples=20, deadline=None)
def test_the_same_seed_draws_the_same_people(seed: int, part: Part) -> None:
    first, second = Identities(part, seed), Identities(part, seed)
    assert [first.draw() for _ in range(3)] == [second.draw() for _ in range(3)]


@given(st.integers(0, 10**6), st.sampled_from(LOCALES))
@settings(max_examples=60, deadline=None)
def test_every_number_is_valid_and_no_field_is_empty(seed: int, locale: str) -> None:
    person = Identities(Part.TEST, seed).draw(locale)
    assert all(getattr(person, field.name).strip() for field in dataclasses.fields(Identity))
    assert luhn("".join(filter(str.isdigit, person.card)))
    iban = person.iban.replace(" ", "")
    assert mod_97(iban[4:] + iban[:4]) == 1
    region = countries()[locale].region
    dialled = "+" + person.phone[2:] if person.phone.startswith("00") else person.phone
    number = phonenumbers.parse(dialled, region)
    assert phonenumbers.is_possible_number(number)


def test_every_field_that_can_stand_in_a_text_says_what_it_is() -> None:
    fields = {field.name for field in dataclasses.fields(Identity)}
    assert fields == SLOT_TYPES.keys() | {"locale"}
    assert len(set(TEST_LOCALES)) == 8 <= len(LOCALES)
    assert set(TEST_LOCALES) <= set(LOCALES)


def test_every_template_is_filled_and_its_spans_hold_values() -> None:
    filler = Filler(7)
    for template in templates():
        example = filler.fill(template)
        assert "{" not in example.text, template.name
        for span in example.spans:
            assert example.text[span.start : span.end].strip()


def test_there_are_hundreds_of_templates_of_which_some_are_never_trained_on() -> None:
    held_out = sum(map(is_validation, templates()))
    assert len(templates()) > 2_500
    assert 0.05 < held_out / len(templates()) < 0.15
    assert len({t.name for t in templates()}) == len(templates())


def test_validation_shares_no_template_with_training() -> None:
    corpus = training_corpus(1, 300)
    learned = {e.template for e in corpus.train}
    assert not learned & {e.template for e in corpus.validation}


def test_the_same_seed_writes_the_same_corpus() -> None:
    assert training_corpus(5, 60).digest == training_corpus(5, 60).digest
    assert training_corpus(5, 60).digest != training_corpus(6, 60).digest


@given(st.integers(0, 10**6))
@settings(max_examples=100, deadline=None)
def test_however_it_is_typed_a_span_stays_on_its_value(seed: int) -> None:
    rng = random.Random(seed)
    example = Filler(seed).fill(rng.choice(templates()))
    typed = as_typed(example, rng)
    before = [example.text[s.start : s.end] for s in example.spans]
    after = [typed.text[s.start : s.end] for s in typed.spans]
    assert [bare(v) for v in after] == [bare(v) for v in before]
    assert [s.entity_type for s in typed.spans] == [s.entity_type for s in example.spans]


def bare(value: str) -> str:
    return "".join(c for c in folded(value.upper().lower()) if c.isalnum())


def test_no_product_that_must_stay_is_one_that_was_trained_on() -> None:
    """Of the newer held-out sets, but for months, prices, towns and titles."""
    kinds = ("tool", "product", "brand", "plan", "feature")
    products = [phrases()[kind].choices for kind in kinds]
    trained = {choice for choices in products for choice in choices}
    for kind in ("suite", "device", "house", "feature", "tier", "campaign"):
        assert not trained & set(held_out_words(HeldOut.TRADE_TALK)[kind])
    for words in held_out_words(HeldOut.NOTES).values():
        assert not trained & set(words)


@pytest.mark.parametrize("kind", ["tool", "brand"])
def test_no_known_product_that_is_learned_from_is_measured_on(kind: str) -> None:
    measured = {
        word.lower()
        for words in map(held_out_words, HeldOut)
        for choices in words.values()
        for word in choices
    }
    learned = {product.lower() for product in known_products(kind)}
    ordinary = english_kinds_of_base()
    assert len(learned) > 4_000
    assert {p for p in learned & measured if not set(p.split()) <= ordinary.keys()} == set()


def test_no_word_of_a_product_is_a_name_or_english() -> None:
    words = product_words()
    assert "mongodb" in words
    assert not words & english_kinds_of_base().keys()
    assert not {folded(word) for word in words} & all_names()
