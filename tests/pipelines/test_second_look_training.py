from __future__ import annotations

import random

import pytest

pytest.importorskip("faker", reason="the extra `bench` is not installed")

from pipelines.redaction.census_names import census_names, learned_names
from pipelines.redaction.identities import LOCALES
from pipelines.redaction.known_products import coined_product, known_products
from pipelines.redaction.name_pools import Part, first_names, folded, part_of, surnames
from pipelines.redaction.training_messages import second_look_templates, templates


def test_how_names_sound_is_learned_from_none_of_the_tests() -> None:
    tested = {
        folded(name)
        for locale in LOCALES
        for pool in (first_names, surnames)
        for name in pool(locale, Part.TEST)
    }
    assert tested.isdisjoint(learned_names())


def test_the_list_of_names_that_is_counted_by_is_whole() -> None:
    """Of every part the share that the hash gives it: nobody edited it by part."""
    names = list(census_names().sizes)
    assert len(names) == 195_308
    tested = sum(part_of(name) is Part.TEST for name in names)
    assert tested / len(names) == pytest.approx(0.3, abs=0.01)


def test_the_network_reads_none_of_the_second_looks_templates() -> None:
    read = {template.text for template in templates()}
    assert read.isdisjoint(template.text for template in second_look_templates())


def test_products_that_are_coined_do_not_exist() -> None:
    rng = random.Random(1)
    coined = [coined_product("tool", rng) for _ in range(100)]
    assert len(set(coined).intersection(known_products("tool"))) < 30  # some are found again
    assert all(len(name) > 3 for name in coined)
