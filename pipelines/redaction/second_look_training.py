"""Training of the second look at people's names (`features.second_look`), on generated messages.

Of templates that the network never read: `templates/second_look.txt` and those that validated it;
on others it is surer than it will ever be. Of people of the validation part, whom it knows as
little as those that it will meet; and with products half of which nobody has heard of.

Where what is kept and what goes part is set on templates left out of five: so that with it as many
people are found as without.
"""

from __future__ import annotations

import random
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from features.name_reader import NameReader
from features.name_sound import ROWS, NameSound, rows
from features.named_entities import readable
from features.ner_component import load_network, save_second_look
from features.ordinary_language import OrdinaryLanguage
from features.second_look import AT, SIGNS, SecondLook
from pipelines.display import Display
from pipelines.redaction.census_names import census_names, learned_names
from pipelines.redaction.english_words import BASE_MODEL, english_kinds_of_base
from pipelines.redaction.example import Example, Span
from pipelines.redaction.identities import Part
from pipelines.redaction.known_products import known_product_words
from pipelines.redaction.name_pools import folded
from pipelines.redaction.training_corpus import drawn, is_validation
from pipelines.redaction.training_messages import Filler, Template, second_look_templates, templates

FOLDS = 5
EXAMPLES = {"second look": 20_000, "validation": 7_000}
COINED_PRODUCTS = 0.5  # of products that exist: replaced by some that do not
SOUND_ENGLISH = 8_000  # English words that do not sound like names
SOUND_STRENGTH, STRENGTH = 0.02, 0.1  # inverse of the penalty on weights
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
    unweighed = SecondLook(lexicon, census_names(), NameSound(sound), dict.fromkeys(SIGNS, 0.0))
    names = lexicon.given | lexicon.family
    ordinary = OrdinaryLanguage(frozenset(lexicon.kinds).difference(names), lexicon.products)
    with display.stage("Looking twice at names"):
        looks = _looks(seed, NameReader(network, lexicon), unweighed, ordinary)
    with display.stage("Weighing what tells"):
        weights, summary = _weighed(looks)
    save_second_look(census_names(), sound, weights, folder)
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
    seed: int, reader: NameReader, second_look: SecondLook, ordinary: OrdinaryLanguage
) -> _Looks:
    found: list[tuple[NDArray[np.float32], bool, bool, int]] = []
    for fold, example in _examples(seed):
        text = readable(example.text)
        reading = reader.read(text, 0, len(text))
        for look, signs in second_look.looks(reading):
            start, end = reading.extent(look.first, look.after)
            if ordinary.holds(text, start, end, "PERSON"):
                continue
            types = {s.entity_type for s in example.spans if _touches(s, start, end)}
            somebody = bool(types - IDENTIFIES_NOBODY)
            if somebody or not types & NEITHER:
                found.append((signs, somebody, look.taken, fold))
    each = zip(*found, strict=True)
    return _Looks(*map(np.array, each))


def _touches(span: Span, start: int, end: int) -> bool:
    return span.start < end and start < span.end


def _examples(seed: int) -> Iterator[tuple[int, Example]]:
    """Each with its fold; what is put together is of templates of one fold."""
    held_out = [t for t in templates() if is_validation(t)]
    filler = Filler(seed, Part.VALIDATION, coined=COINED_PRODUCTS)
    rng = random.Random(f"second look:{seed}")  # noqa: S311  # no secret is drawn
    for source, choices in (("second look", second_look_templates()), ("validation", held_out)):
        for fold in range(FOLDS):
            of_fold = [t for t in choices if _fold(t) == fold]
            size = EXAMPLES[source] * len(of_fold) // len(choices)
            yield from ((fold, example) for example in drawn(of_fold, filler, size, rng))


def _fold(template: Template) -> int:
    return zlib.crc32(template.text.encode()) % FOLDS


def _weighed(looks: _Looks) -> tuple[dict[str, float], SecondLookSummary]:
    """The weight of each sign, and how well they do on folds left out.

    As many people are kept as the network takes: among them some that it did not.
    """
    left_out = np.zeros(len(looks.somebody))
    for fold in range(FOLDS):
        here = looks.fold == fold
        left_out[here] = looks.signs[here] @ _fitted(looks, ~here)
    somebody = looks.somebody
    kept = int((somebody & looks.taken).sum())
    least = np.sort(left_out[somebody])[::-1][kept - 1]
    weights = _fitted(looks, np.ones(len(somebody), dtype=bool))
    weights[AT["bias"]] -= least
    wrong = ~somebody
    summary = SecondLookSummary(
        looks=(int(somebody.sum()), int(wrong.sum())),
        kept=_share(left_out >= least, somebody),
        wrong=_share(left_out >= least, wrong),
        wrong_before=_share(looks.taken, wrong),
    )
    return dict(zip(SIGNS, weights.tolist(), strict=True)), summary


def _fitted(looks: _Looks, chosen: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The weight of each sign, learned from some of the looks."""
    from sklearn.linear_model import LogisticRegression

    signs = looks.signs[chosen].astype(np.float64)
    middle, spread = signs.mean(axis=0), signs.std(axis=0)
    spread[spread == 0] = 1  # of a sign that never changes
    model = LogisticRegression(C=STRENGTH, max_iter=1_000)
    model.fit((signs - middle) / spread, looks.somebody[chosen])
    weights: NDArray[np.float64] = model.coef_[0] / spread
    weights[AT["bias"]] = model.intercept_[0] - weights @ middle
    return weights


def _share(chosen: NDArray[np.bool_], among: NDArray[np.bool_]) -> float:
    return round(float(chosen[among].mean()), 4)
