from __future__ import annotations

import random

import numpy as np
import pytest

pytest.importorskip("faker", reason="the extra `bench` is not installed")

from pipelines.redaction.census_names import census_names, learned_names
from pipelines.redaction.english_words import english_namesakes
from pipelines.redaction.identities import LOCALES
from pipelines.redaction.known_products import coined_product, known_products
from pipelines.redaction.name_pools import Part, first_names, folded, part_of, surnames
from pipelines.redaction.second_look_training import _learned, _Looks, boosted
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


def test_words_that_some_are_called_by_are_no_names_of_the_test() -> None:
    words = english_namesakes("noun")
    assert {"price", "melon"} & set(words)
    assert not any(part_of(word) is Part.TEST for word in words)
    assert all(any(census_names().of(word)) for word in words)


def test_the_trees_say_what_xgboost_says() -> None:
    rng = np.random.default_rng(3)
    signs = rng.normal(size=(600, 6)).astype(np.float32)
    somebody = signs[:, 0] * signs[:, 1] + rng.normal(size=600) > 0
    looks = _Looks(signs, somebody, somebody, np.zeros(600, dtype=np.int64))
    model = boosted()
    model.fit(signs, somebody)
    said = model.predict(signs, output_margin=True)
    assert _learned(looks, np.ones(600, dtype=bool)).margins(signs) == pytest.approx(said, abs=1e-4)


def test_products_that_are_coined_do_not_exist() -> None:
    rng = random.Random(1)
    coined = [coined_product("tool", rng) for _ in range(100)]
    assert len(set(coined).intersection(known_products("tool"))) < 30  # some are found again
    assert all(len(name) > 3 for name in coined)
