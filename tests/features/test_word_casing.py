from __future__ import annotations

from pathlib import Path

from features.ner_component import SHIPPED
from features.word_casing import WordCasing


def test_what_is_written_is_read(tmp_path: Path) -> None:
    casing = WordCasing({"grace": (3, 8), "price": (1, 10)})
    casing.write(tmp_path)
    assert WordCasing.read(tmp_path) == casing
    assert casing.of("grace") == (0.3, 4)
    assert casing.of("ottokar") is None


def test_names_are_written_with_a_capital_more_than_words_that_are_names_too() -> None:
    casing = WordCasing.read(SHIPPED)
    titled = {word: (casing.of(word) or (0, 0))[0] for word in ("priya", "jordan", "price", "case")}
    assert min(titled["priya"], titled["jordan"]) > 0.8
    assert max(titled["price"], titled["case"]) < 0.2
