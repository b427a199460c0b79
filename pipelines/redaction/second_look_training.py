"""Training of the second look at people's names (`features.second_look`), on generated messages.

Of templates that the network never read: `templates/second_look.txt` and those that validated it;
on others it is surer than it will ever be. Of people of the validation part, whom it knows as
little as those that it will meet; and with products half of which nobody has heard of.

Some of the products, plans and features are called by words that are names too. Where what goes and
what stays part is set on templates left out of five: KEPT of the people go.
"""

from __future__ import annotations

import json
import random
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.boosted_trees import DEPTH, BoostedTrees
from features.name_reader import NameReader
from features.name_signs import NameSigns, Signs
from features.name_sound import ROWS, NameSound, rows
from features.named_entities import readable
from features.ner_component import load_network, ordinary_language, save_second_look
from features.ordinary_language import OrdinaryLanguage
from pipelines.display import Display
from pipelines.redaction.census_names import census_names, learned_names
from pipelines.redaction.english_words import BASE_MODEL, english_kinds_of_base
from pipelines.redaction.example import Example, Span
from pipelines.redaction.identities import Part
from pipelines.redaction.known_products import known_product_words
from pipelines.redaction.name_pools import folded
from pipelines.redaction.place_list import places
from pipelines.redaction.training_corpus import drawn, is_validation
from pipelines.redaction.training_messages import Filler, Template, second_look_templates, templates
from pipelines.redaction.word_casing_list import word_casing

FOLDS = 5
EXAMPLES = {"second look": 45_000, "validation": 9_000}
NAMESAKES = 0.3  # of words that products are called by: how many are names too
COINED_PRODUCTS = 0.5  # of products that exist: replaced by some that do not
SOUND_ENGLISH = 8_000  # English words that do not sound like names
SOUND_STRENGTH = 0.02  # inverse of the penalty on weights
TREES, LEARNING_RATE = 400, 0.07
KEPT = 0.89  # of people by one word or two; the more, the more goes that is nobody
NEITHER = {"LOCATION", "NRP", "DATE_TIME"}  # goes or stays: nobody is hurt
IDENTIFIES_NOBODY = {*NEITHER, "MISC"}


@dataclass(frozen=True, slots=True)
class SecondLookSummary:
    """What a training gave, on templates left out.

    Attributes:
        looks: words looked at that are somebody's, and that are not.
        kept: share of the first that stay found; wrong: share of the second that go all the same.
        wrong_before: what the network alone takes of the second.
    """

    looks: tuple[int, int]
    kept: float
    wrong: float
    wrong_before: float


@dataclass(frozen=True, slots=True)
class _Looks:
    """Signs of each look, if it is somebody's, if the network took it, and its fold."""

    signs: NDArray[np.float32]
    somebody: NDArray[np.bool_]
    taken: NDArray[np.bool_]
    fold: NDArray[np.int64]


def train_second_look(seed: int, folder: Path, display: Display) -> SecondLookSummary:
    """Train it for the network in `folder`, and write it there."""
    network, lexicon = load_network(BASE_MODEL, folder)
    with display.stage("Learning how names sound"):
        sound = _sound(seed)
    signs = NameSigns(lexicon, census_names(), word_casing(), NameSound(sound))
    ordinary = ordinary_language(lexicon, census_names(), word_casing().common())
    with display.stage("Looking twice at names"):
        looks = _looks(seed, NameReader(network, lexicon), signs, ordinary)
    with display.stage("Weighing what tells"):
        trees, summary = _weighed(looks)
    save_second_look(census_names(), word_casing(), sound, trees, places(), folder)
    return summary


def _sound(seed: int) -> NDArray[np.float32]:
    """Of `NameSound`: census names against products and English words, each side as heavy."""
    from scipy.sparse import csr_matrix
    from sklearn.linear_model import LogisticRegression

    names = learned_names()
    products = sorted({folded(word) for word in known_product_words()})
    rng = random.Random(f"sound:{seed}")  # noqa: S311  # no secret is drawn
    english = rng.sample(sorted(w for w in english_kinds_of_base() if w.isalpha()), SOUND_ENGLISH)
    words = [*names, *products, *english]
    is_name = np.arange(len(words)) < len(names)
    weight = np.concatenate(
        [[size - 1 for size in names.values()], np.ones(len(products)), np.full(len(english), 0.5)]
    )
    for side in (is_name, ~is_name):
        weight[side] *= len(words) / 2 / weight[side].sum()
    found = [rows(word) for word in words]
    starts = np.cumsum([0, *map(len, found)])
    columns = np.concatenate(found)
    table = csr_matrix((np.ones(len(columns)), columns, starts), shape=(len(words), ROWS))
    table.sum_duplicates()
    model = LogisticRegression(C=SOUND_STRENGTH, max_iter=300)
    coefficients: NDArray[np.float64] = model.fit(table, is_name, sample_weight=weight).coef_[0]
    return coefficients.astype(np.float16).astype(np.float32)


def _looks(
    seed: int, reader: NameReader, name_signs: NameSigns, ordinary: OrdinaryLanguage
) -> _Looks:
    found: list[tuple[Signs, bool, bool, int]] = []
    for fold, example in _examples(seed):
        text = readable(example.text)
        reading = reader.read(text, 0, len(text))
        for look, signs in name_signs.looks(reading):
            start, end = reading.extent(look.first, look.after)
            if ordinary.holds(text, start, end, "PERSON"):
                continue
            types = {s.entity_type for s in example.spans if _touches(s, start, end)}
            somebody = bool(types - IDENTIFIES_NOBODY)
            if somebody or not types & NEITHER:
                found.append((signs, somebody, look.taken, fold))
    signs, *others = zip(*found, strict=True)
    return _Looks(np.array(signs, dtype=np.float32), *map(np.array, others))


def _touches(span: Span, start: int, end: int) -> bool:
    return span.start < end and start < span.end


def _examples(seed: int) -> Iterator[tuple[int, Example]]:
    """Each with its fold; what is put together is of templates of one fold."""
    held_out = [t for t in templates() if is_validation(t)]
    filler = Filler(seed, Part.VALIDATION, coined=COINED_PRODUCTS, namesakes=NAMESAKES)
    rng = random.Random(f"second look:{seed}")  # noqa: S311  # no secret is drawn
    for source, choices in (("second look", second_look_templates()), ("validation", held_out)):
        for fold in range(FOLDS):
            of_fold = [t for t in choices if _fold(t) == fold]
            size = EXAMPLES[source] * len(of_fold) // len(choices)
            yield from ((fold, example) for example in drawn(of_fold, filler, size, rng))


def _fold(template: Template) -> int:
    return zlib.crc32(template.text.encode()) % FOLDS


def _weighed(looks: _Looks) -> tuple[BoostedTrees, SecondLookSummary]:
    """Trees that weigh the signs, and how well they do on folds left out.

    KEPT of all people are, among them some that the network did not take.
    """
    left_out = np.zeros(len(looks.somebody))
    for fold in range(FOLDS):
        here = looks.fold == fold
        left_out[here] = _learned(looks, ~here).margins(looks.signs[here])
    somebody = looks.somebody
    least = float(np.quantile(left_out[somebody], 1 - KEPT))
    trees = _learned(looks, np.ones(len(somebody), dtype=bool))
    wrong = ~somebody
    summary = SecondLookSummary(
        looks=(int(somebody.sum()), int(wrong.sum())),
        kept=_share(left_out >= least, somebody),
        wrong=_share(left_out >= least, wrong),
        wrong_before=_share(looks.taken, wrong),
    )
    return replace(trees, base=trees.base - least), summary


def _learned(looks: _Looks, chosen: NDArray[np.bool_]) -> BoostedTrees:
    """What some of the looks teach."""
    model = boosted()
    model.fit(looks.signs[chosen], looks.somebody[chosen])
    dump = model.get_booster().get_dump(dump_format="json")
    splits, leaves = zip(*(_levelled(json.loads(tree)) for tree in dump), strict=True)
    table = np.array(splits)
    return BoostedTrees(
        table[..., 0].astype(np.intp),
        table[..., 1].astype(np.float32),
        np.array(leaves, dtype=np.float32),
        base=0.0,
    )


def boosted() -> Any:
    """What learns: XGBoost, the same each time."""
    from xgboost import XGBClassifier

    return XGBClassifier(
        max_depth=DEPTH,
        n_estimators=TREES,
        learning_rate=LEARNING_RATE,
        min_child_weight=5,
        subsample=0.7,
        colsample_bytree=0.3,
        base_score=0.5,  # log-odds of 0: BoostedTrees has a base of its own
        random_state=0,
        n_jobs=1,
    )


def _levelled(tree: dict[str, Any]) -> tuple[list[tuple[int, float]], list[float]]:
    """A tree's splits, column and threshold, level by level, and its leaves."""
    level, splits = [tree], []
    for _ in range(DEPTH):
        below: list[dict[str, Any]] = []
        for node in level:
            if "leaf" in node:
                splits.append((0, 0.0))
                below += [node, node]
            else:
                splits.append((int(node["split"][1:]), node["split_condition"]))
                children = {child["nodeid"]: child for child in node["children"]}
                below += [children[node["yes"]], children[node["no"]]]
        level = below
    return splits, [node["leaf"] for node in level]


def _share(chosen: NDArray[np.bool_], among: NDArray[np.bool_]) -> float:
    return round(float(chosen[among].mean()), 4)
