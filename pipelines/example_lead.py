"""A typical lead of the table, for the docs page: what a caller could send."""

from __future__ import annotations

import statistics

from features.encoding import Encoder
from features.lead_spec import Kind
from pipelines.training_data import TrainingData

INVENTED_TEXT = "Hello, we would like to know more. Could you call us next week?"
INVENTED_CONTACT = "(who the lead is)"


def example_lead(data: TrainingData, encoder: Encoder) -> dict[str, object]:
    """One value per column that a caller may send: medians and most frequent categories.

    Texts and contact details are invented, never taken from a lead.
    """
    categories = {f.column: f.categories for f in encoder.features}
    example: dict[str, object] = {}
    for name, column in data.spec.readable.items():
        if column.kind is Kind.TEXT:
            example[name] = INVENTED_TEXT
        elif column.kind is Kind.CONTACT:
            example[name] = INVENTED_CONTACT
        elif column.kind is Kind.CATEGORICAL:
            example[name] = next(iter(categories[name]), None)
        else:
            known = [lead.values[name] for lead in data.leads if name in lead.values]
            middle = statistics.median_low([float(v) for v in known]) if known else None
            example[name] = bool(middle) if column.kind is Kind.BOOLEAN else middle
    return example
