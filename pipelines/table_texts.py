"""The redacted texts of a table: all that a text model, or any rung, sees of what leads wrote."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from features.redaction import RedactedText
from models.prompt import EvidenceKind
from pipelines.display import Display
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
