"""The redacted texts of a table: all that a text model, or any rung, sees of what leads wrote.

And what they mean, in numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from features.redaction import RedactedText
from models.prompt import EvidenceKind
from models.sentence_embedding import Embedding
from pipelines.display import Display
from pipelines.text_fitting import Vectors
from pipelines.training_data import TrainingData
from pipelines.verdicts import Witness

THREADS = 2


def redacted_texts(
    data: TrainingData, witness: Witness, display: Display
) -> Mapping[int, RedactedText]:
    """By row; a lead without a text, or whose text cannot be redacted, has none."""
    rows = [row for row, lead in enumerate(data.leads) if lead.has_text]
    with (
        display.bar("Redacting", len(rows)) as advance,
        ThreadPoolExecutor(THREADS) as threads,
    ):

        def redact(row: int) -> tuple[int, RedactedText | None]:
            text = witness.evidence(data.leads[row], EvidenceKind.TEXT)
            advance()
            return row, text

        done = list(threads.map(redact, rows))
    return {row: text for row, text in done if text is not None}


def embedded_texts(
    texts: Mapping[int, RedactedText], embedding: Embedding, display: Display
) -> Vectors:
    """Their sentence embeddings, by row."""
    vectors: dict[int, NDArray[np.float32]] = {}
    with display.bar("Reading what texts mean", len(texts)) as advance:
        for row, text in texts.items():
            (vectors[row],) = embedding.embed([text])
            advance()
    return vectors
