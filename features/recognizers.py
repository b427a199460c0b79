"""Our own Presidio recognizers: the base of all, and the list of those that are shipped.

All of them read plain text (`plain_text`) in time linear in its length: stock Presidio needs 35 s
for 20 kB of `a.a.a...`. Not Presidio's PatternRecognizer: it skips a pattern that takes too long,
and so lets its values through.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from presidio_analyzer import LocalRecognizer, RecognizerResult

from features.cpu_timer import check_cpu
from features.cues import Cue
from features.patterns import Found, PatternSet
from features.redaction_policy import RedactionPolicy
from features.text_signs import Need, TextSigns

VERSION = "2026-12.4"


class Recognizer(LocalRecognizer):  # type: ignore[misc]  # Presidio ships no types
    """Base of ours: one entity type, found by `find`.

    needs: what every text holds that `find` finds anything in; the redactor skips the others.
    """

    cue: Cue | None = None  # words that come before all that it finds

    def __init__(
        self, entity_type: str, name: str | None = None, needs: Need | None = None
    ) -> None:
        self.needs = needs
        super().__init__(supported_entities=[entity_type], name=name, version=VERSION)
        self._metadata = {
            RecognizerResult.RECOGNIZER_NAME_KEY: self.name,
            RecognizerResult.RECOGNIZER_IDENTIFIER_KEY: self.id,
        }

    def load(self) -> None:
        """Nothing: constructors take what is needed."""

    def find(self, text: str) -> Iterable[Found]:
        """Start, end and score of each span in `text`."""
        raise NotImplementedError

    def analyze(self, text: str, entities: list[str], nlp_artifacts: Any = None) -> list[Any]:  # noqa: ARG002  # Presidio's signature
        """Presidio's results, without explanations: these would hold parts of the text."""
        return self._results(self.find(text))

    def _results(self, spans: Iterable[Found]) -> list[Any]:
        (entity_type,) = self.supported_entities
        return [
            RecognizerResult(entity_type, *found, recognition_metadata=self._metadata)
            for found in spans
        ]


class Patterns(Recognizer):
    """Spans that match a pattern of ours."""

    def __init__(self, patterns: PatternSet) -> None:
        super().__init__(patterns.entity_type, patterns.name, patterns.needed)
        self._set = patterns
        self._compiled = patterns.compiled
        self.cue = Cue(patterns.after) if patterns.after else None

    def find(self, text: str) -> Iterable[Found]:
        return self.find_in(TextSigns(text))

    def find_in(self, signs: TextSigns) -> Iterable[Found]:
        """As `find`. signs: of the text."""
        if self.cue is None:
            matches = self._matches(signs)
        else:
            ends = self.cue.ends(signs.text) if signs.ends is None else signs.ends.get(self.cue, ())
            matches = self._matches_after(ends, signs.text)
        return self._honest(matches) if matches else []

    def analyze(self, text: str, entities: list[str], nlp_artifacts: Any = None) -> list[Any]:  # noqa: ARG002  # Presidio's signature
        """Presidio's results. nlp_artifacts: `TextSigns` where these are known already; what else
        Presidio may hand over is not needed.
        """
        signs = nlp_artifacts if isinstance(nlp_artifacts, TextSigns) else TextSigns(text)
        return self._results(self.find_in(signs))

    def _matches(self, signs: TextSigns) -> list[re.Match[str]]:
        matches: list[re.Match[str]] = []
        for shape in self._compiled:
            if shape.needs is None or shape.needs.is_in(signs):
                matches += shape.pattern.finditer(signs.text)
        return matches

    def _matches_after(self, ends: Iterable[int], text: str) -> list[re.Match[str]]:
        matches: list[re.Match[str]] = []
        for end in ends:
            check_cpu()
            tried = [shape.pattern.match(text, end) for shape in self._compiled]
            matches += filter(None, tried)
        return matches

    def _honest(self, matches: Iterable[re.Match[str]]) -> list[Found]:
        honest, score = self._set.honest, self._set.score
        found: list[Found] = []
        for match in matches:
            group = "pii" if "pii" in match.re.groupindex else 0
            if honest is None or honest(match[group]):
                found.append((*match.span(group), score))
        return found


def shipped_recognizers(policy: RedactionPolicy) -> list[Any]:
    """All recognizers that a text meets, but for the one made of its lead's own contact values.

    Raises:
        RedactionFailed: the name recognizer's weights are not those that the policy names.
    """
    from features.named_entities import NamedEntities

    names = NamedEntities(policy.ner_model, policy.ner_weights, policy.max_ner_words)
    return [names, *pattern_recognizers()]


def pattern_recognizers() -> list[Recognizer]:
    """Those that need no model: patterns, checksums, and the words around a value."""
    from features import (
        account_numbers,
        birth_dates,
        cards,
        company_names,
        credentials,
        identity_documents,
        introduced_names,
        national_ids,
        net_addresses,
        phones,
        postal_addresses,
    )

    return [
        *introduced_names.recognizers(),
        *company_names.recognizers(),
        *postal_addresses.recognizers(),
        *phones.recognizers(),
        *birth_dates.recognizers(),
        *account_numbers.recognizers(),
        *cards.recognizers(),
        *identity_documents.recognizers(),
        *national_ids.recognizers(),
        *credentials.recognizers(),
        *net_addresses.recognizers(),
    ]
