"""Remembering: an embedding that reads each text once, since rungs share what they know."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from features.redaction import RedactedText
from models.prompt import require_redacted
from models.sentence_embedding import SentenceEmbedding
from pipelines.ladder.memory import grown_mib


class Remembering:
    """An embedding that reads each text once: rungs share what they know of a table.

    mib: by how much the process has grown while it read.
    """

    def __init__(self, embedding: SentenceEmbedding) -> None:
        self.fresh = embedding
        self.mib = 0.0
        self._known: dict[str, NDArray[np.float32]] = {}

    def embed(self, texts: Sequence[RedactedText]) -> NDArray[np.float32]:
        """As SentenceEmbedding does."""
        unknown = [text for text in texts if require_redacted(text).text not in self._known]
        with grown_mib() as grown:
            found = self.fresh.embed(unknown) if unknown else ()
        self.mib += grown[0]
        self._known |= {text.text: v for text, v in zip(unknown, found, strict=True)}
        return np.array([self._known[text.text] for text in texts], dtype=np.float32)
