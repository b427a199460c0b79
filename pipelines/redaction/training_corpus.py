"""Training corpus: examples as people type them, with typos, lower case, quotes and no accents.

What a recognizer learns here it must find in texts of other templates and other people: so every
epoch's examples differ, and templates of the validation part are never trained on.
"""

from __future__ import annotations

import hashlib
import random
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from pipelines.redaction.example import Example, Span
from pipelines.redaction.identities import Part
from pipelines.redaction.training_messages import Filler, Template, templates

VALIDATION_SHARE = 0.1
# How many examples of a file's templates are drawn, next to the others.
WEIGHTS = {
    "train_leads": 1.0,
    "train_foreign": 0.5,
    "train_prose": 1.0,
    "train_decoys": 1.1,
    "train_companies": 0.8,
    "train_trade": 0.9,
    "train_products": 1.6,
    "train_words": 1.2,
    "train_people": 1.3,
    "train_people_notes": 0.6,
    "train_product_notes": 0.6,
    "train_plain": 5.0,
    "train_fields": 4.0,
    "train_web": 0.8,
}


@dataclass(frozen=True, slots=True)
class TrainingCorpus:
    """Examples to learn from, and examples of other templates and people to stop by."""

    train: tuple[Example, ...]
    validation: tuple[Example, ...]

    @property
    def digest(self) -> str:
        """SHA-256 of all texts and spans, hex."""
        hashed = hashlib.sha256()
        for example in (*self.train, *self.validation):
            hashed.update(repr((example.text, example.spans)).encode())
        return hashed.hexdigest()


def is_validation(template: Template) -> bool:
    """True for the templates that are never trained on, for good."""
    digest = hashlib.blake2b(template.text.encode(), digest_size=2).digest()
    return int.from_bytes(digest) < VALIDATION_SHARE * 65536


def training_corpus(seed: int, size: int) -> TrainingCorpus:
    """`size` training examples, and a thirtieth as many for validation."""
    rng = random.Random(f"corpus:{seed}")  # noqa: S311  # no secret is drawn
    learned = [t for t in templates() if not is_validation(t)]
    held_out = [t for t in templates() if is_validation(t)]
    train = tuple(drawn(learned, Filler(seed), size, rng))
    validation = tuple(drawn(held_out, Filler(seed, Part.VALIDATION), max(200, size // 30), rng))
    return TrainingCorpus(train, validation)


def drawn(
    choices: Sequence[Template], filler: Filler, size: int, rng: random.Random
) -> Iterator[Example]:
    """Filled templates as they are typed; to some a second one is joined."""
    weights = [WEIGHTS.get(t.name.partition(":")[0], 1.0) for t in choices]
    for template in rng.choices(choices, weights, k=size):
        example = filler.fill(template)
        if rng.random() < 0.25:
            (second,) = rng.choices(choices, weights)
            example = _joined(example, filler.fill(second), rng.choice([" ", "\n", "\n\n", " "]))
        yield as_typed(example, rng)


def _joined(first: Example, second: Example, gap: str) -> Example:
    at = len(first.text) + len(gap)
    moved = (replace(s, start=s.start + at, end=s.end + at) for s in second.spans)
    return replace(first, text=first.text + gap + second.text, spans=(*first.spans, *moved))


def as_typed(example: Example, rng: random.Random) -> Example:
    """The example as somebody in a hurry would have typed it; most stay as they are."""
    changes: list[Callable[[Example], Example]] = []
    draw = rng.random()
    if draw < 0.22:
        changes.append(lambda e: _all(e, str.lower))
    elif draw < 0.27:
        changes.append(lambda e: _all(e, str.upper))
    elif draw < 0.31:
        changes.append(lambda e: _only(e, {"PERSON"}, str.lower))
    elif draw < 0.35:
        changes.append(lambda e: _only(e, {"PERSON"}, str.upper))
    elif draw < 0.39:
        changes.append(lambda e: _only(e, {"ORGANIZATION", "STREET_ADDRESS"}, str.lower))
    elif draw < 0.41:
        changes.append(lambda e: _only(e, {"ORGANIZATION", "LOCATION"}, str.upper))
    if rng.random() < 0.12:
        changes.append(lambda e: _all(e, _plain_letters))
    if rng.random() < 0.06:
        changes.append(lambda e: _outside(e, lambda text: _typos(text, rng)))
    if rng.random() < 0.06:
        changes.append(lambda e: _outside(e, lambda text: re.sub(r"[,.!?](?=\s|$)", "", text)))
    if rng.random() < 0.07:
        mark = rng.choice([">", ">", "*", "|", "-", "\t", " "]) * rng.randint(1, 3) + " "
        changes.append(lambda e: _prefixed(e, mark))
    if rng.random() < 0.03:
        blank = rng.choice([" ", ", ", "\n\n", "\n ", "\r\n"])
        changes.append(lambda e: _rewritten(e, lambda text, _: text.replace("\n", blank)))
    for change in changes:
        example = change(example)
    return example


def _rewritten(example: Example, change: Callable[[str, str | None], str]) -> Example:
    """Each run of an example changed by itself, given the entity type it is."""
    parts: list[str] = []
    spans: list[Span] = []
    at = size = 0
    for span in (*example.spans, Span(len(example.text), len(example.text), "")):
        before = change(example.text[at : span.start], None)
        value = change(example.text[span.start : span.end], span.entity_type)
        parts += [before, value]
        size += len(before)
        if value:
            spans.append(replace(span, start=size, end=size + len(value)))
        size += len(value)
        at = span.end
    return replace(example, text="".join(parts), spans=tuple(spans))


def _all(example: Example, change: Callable[[str], str]) -> Example:
    return _rewritten(example, lambda text, _: change(text))


def _only(example: Example, types: set[str], change: Callable[[str], str]) -> Example:
    return _rewritten(example, lambda text, kind: change(text) if kind in types else text)


def _outside(example: Example, change: Callable[[str], str]) -> Example:
    return _rewritten(example, lambda text, kind: text if kind else change(text))


def _prefixed(example: Example, mark: str) -> Example:
    quoted = _rewritten(example, lambda text, _: text.replace("\n", f"\n{mark}"))
    spans = (replace(s, start=s.start + len(mark), end=s.end + len(mark)) for s in quoted.spans)
    return replace(quoted, text=mark + quoted.text, spans=tuple(spans))


def _plain_letters(text: str) -> str:
    base = unicodedata.normalize("NFKD", text)
    return "".join(c for c in base if not unicodedata.combining(c))


def _typos(text: str, rng: random.Random) -> str:
    words = text.split(" ")
    for _ in range(max(1, len(words) // 12)):
        i = rng.randrange(len(words))
        word = words[i]
        if len(word) > 3 and word.isalpha():
            j = rng.randrange(len(word) - 1)
            swapped = word[:j] + word[j + 1] + word[j] + word[j + 2 :]
            words[i] = rng.choice(
                [swapped, word[:j] + word[j + 1 :], word[:j] + word[j : j + 1] + word[j:]]
            )
    return " ".join(words)
