from __future__ import annotations

import pytest

from pipelines.finetuning.recipe import ENOUGH_FOR_SHALLOW, Recipe
from service.llm.embedded_model import LAYERS, SHALLOW

MANY = 90_000


@pytest.mark.parametrize(
    ("lessons", "depth", "epochs"),
    [
        (1, LAYERS, 8),
        (200, LAYERS, 8),
        (600, LAYERS, 3),
        (601, LAYERS, 3),
        (2_000, LAYERS, 1),
        (MANY, LAYERS, 1),
        (600, SHALLOW, 7),
        (2_000, SHALLOW, 2),
        (MANY, SHALLOW, 1),
    ],
)
def test_few_lessons_are_seen_again_and_most_often_by_few_layers(
    lessons: int, depth: int, epochs: int
) -> None:
    recipe = Recipe.for_lessons(lessons, depth=depth, seed=3)
    assert (recipe.epochs, recipe.seed) == (epochs, 3)


def test_where_there_are_lessons_enough_the_lowest_layers_are_kept_and_all_of_them_tuned() -> None:
    for lessons, depth in ((ENOUGH_FOR_SHALLOW, SHALLOW), (ENOUGH_FOR_SHALLOW - 1, None)):
        recipe = Recipe.for_lessons(lessons, depth=None, seed=0)
        assert recipe.depth == depth
        assert recipe == Recipe.for_lessons(lessons, depth=depth or LAYERS, seed=0)
    kept = Recipe.for_lessons(MANY, depth=9, seed=0)
    assert kept.depth == kept.layers == 9
