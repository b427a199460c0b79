from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models.errors import TrainingRefused
from models.prompt import EvidenceKind, Prompt
from pipelines.finetuning.lessons import FEWEST, Lesson, Lessons, batches, draw_lessons
from pipelines.finetuning.recipe import Recipe
from pipelines.verdicts import Witness
from tests.fakes import email_redactor, redacted
from tests.small_release import sample_data, small_fit

PROMPT = Prompt.bare(EvidenceKind.TEXT, outcome="Won", won="yes")


def witness() -> Witness:
    return Witness(email_redactor(), small_fit().classifier.encoder, ())


def drawn(at_most: int | None = None, seed: int = 0) -> Lessons:
    return draw_lessons(sample_data(), small_fit(), witness(), PROMPT, at_most=at_most, seed=seed)


def lesson(text: str, *, won: bool = True) -> Lesson:
    return Lesson.of(redacted(text), PROMPT, won=won, row=0)


def test_a_raw_text_cannot_become_a_lesson() -> None:
    with pytest.raises(TypeError, match="redact it first"):
        Lesson.of("call me: a@b.example", PROMPT, won=True, row=0)  # type: ignore[arg-type]


def test_a_lesson_is_exactly_what_will_be_sent_when_it_serves() -> None:
    text = redacted("Write to a@b.example\nplease")
    made = Lesson.of(text, PROMPT, won=True, row=3)
    assert made.prompt == PROMPT.render_completion(text)
    assert "a@b.example" not in made.prompt


def test_lessons_come_from_the_training_part_alone_and_the_validating_ones_are_not_learned() -> (
    None
):
    lessons = drawn()
    learning, validating = (
        {one.row for one in part} for part in (lessons.learning, lessons.validation)
    )
    assert learning | validating <= set(small_fit().split.train.tolist())
    assert not learning & validating
    assert not {one.prompt for one in lessons.learning} & {o.prompt for o in lessons.validation}
    assert all(one.won == bool(sample_data().won[one.row]) for one in lessons.learning)


def test_a_bound_draws_fewer_lessons_and_fewer_to_look_at_of_the_same() -> None:
    few, all_of_them = drawn(at_most=80), drawn()
    assert len(few.learning) == 80 < len(all_of_them.learning)
    assert len(few.validation) == 20 < len(all_of_them.validation)
    assert set(few.learning) < set(all_of_them.learning)
    assert set(few.validation) < set(all_of_them.validation)
    assert drawn(at_most=80) == few


@pytest.mark.parametrize("seed", range(8))
def test_however_rare_an_outcome_is_some_of_it_are_learned_from_and_looked_at(seed: int) -> None:
    data, train = sample_data(), small_fit().split.train
    written = [row for row in train if data.leads[row].has_text]
    won = np.zeros(len(data.leads), dtype=np.int8)
    won[np.random.default_rng(seed).permutation(written)[:21]] = 1
    rare = replace(data, won=won)
    lessons = draw_lessons(rare, small_fit(), witness(), PROMPT, at_most=100, seed=seed)
    assert (len(lessons.learning), len(lessons.validation)) == (100, 25)
    for part in (lessons.learning, lessons.validation):
        assert sum(one.won for one in part) >= 3


def test_too_few_texts_are_refused() -> None:
    data, fitted = sample_data(), small_fit()
    rows = fitted.split.train[: FEWEST // 2]
    small = replace(fitted, split=replace(fitted.split, train=rows))
    with pytest.raises(TrainingRefused, match="tuning needs"):
        draw_lessons(data, small, witness(), PROMPT, at_most=None, seed=0)


@pytest.mark.parametrize(
    "other",
    [
        Lessons((lesson("one"), lesson("three", won=False)), (lesson("four"),)),
        Lessons((lesson("one"), lesson("two")), (lesson("four"),)),
        Lessons((lesson("one"), lesson("two", won=False)), (lesson("five"),)),
        Lessons((lesson("one"),), (lesson("two", won=False), lesson("four"))),
    ],
    ids=["a text", "an outcome", "a validating text", "who learns"],
)
def test_the_data_digest_changes_with(other: Lessons) -> None:
    lessons = Lessons((lesson("one"), lesson("two", won=False)), (lesson("four"),))
    assert Lessons(lessons.learning, lessons.validation).digest == lessons.digest
    assert other.digest != lessons.digest


def test_every_lesson_is_in_one_batch_whose_lessons_are_of_like_length() -> None:
    lengths = np.random.default_rng(0).integers(5, 200, 1_000).tolist()
    made = batches(lengths, size=16, bucket=500, seed=3)
    assert sorted(i for batch in made for i in batch) == list(range(1_000))
    spread = [max(lengths[i] for i in batch) - min(lengths[i] for i in batch) for batch in made]
    assert np.mean(spread) < 20
    firsts = [lengths[batch[0]] for batch in made[:10]]
    assert firsts != sorted(firsts)
    assert made == batches(lengths, size=16, bucket=500, seed=3)
    assert made != batches(lengths, size=16, bucket=500, seed=4)


def test_a_lesson_that_is_seen_again_meets_other_lessons() -> None:
    lengths = np.random.default_rng(0).integers(5, 200, 200).tolist()
    bucket = Recipe.for_lessons(200, depth=None, seed=0).bucket
    first, again = (
        {frozenset(batch) for batch in batches(lengths, size=16, bucket=bucket, seed=seed)}
        for seed in (3, 4)
    )
    assert not first & again
