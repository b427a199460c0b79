"""Retraining: how much redaction depends on the seed that its name recogniser was trained with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from features.named_entities import NamedEntities
from features.recognizers import pattern_recognizers
from features.redaction import Redactor
from features.redaction_policy import RedactionPolicy
from pipelines.display import Display


def retrained_redactors(count: int, minutes: float, display: Display) -> Iterator[Redactor]:
    """The redactor with a name recogniser trained anew, `count` times, seeds 1, 2, 3...

    minutes: at most, for each training.
    """
    from pipelines.redaction.ner_training import train

    policy = RedactionPolicy.shipped()
    for seed in range(1, count + 1):
        display.say(f"Training the name recogniser with seed {seed} of {count}")
        with TemporaryDirectory() as folder:
            summary = train(seed, minutes, Path(folder), display)
            names = NamedEntities(
                policy.ner_model, summary.digest, policy.max_ner_words, Path(folder)
            )
        yield Redactor(policy, [names, *pattern_recognizers()])
