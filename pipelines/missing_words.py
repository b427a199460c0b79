"""Words that stand for "not known" in tables of leads."""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np

from pipelines.column_facts import ColumnFacts

DASHES = r"\-\u2013\u2014"
ALWAYS = re.compile(  # what nobody writes as a value
    rf"[?]+|[{DASHES}]+|\.|\(?(n/a|n\.a\.|n/d|n\.d\.|#n/a|nan|<na>|null|undefined|missing|blank)\)?"
    r"|unknown|unspecified|no (data|answer)|not (answered|available|given|known|provided|specified"
    r"|stated)|prefer not to say"
    r"|unbekannt|keine angabe|k\. ?a\.|\(leer\)|bitte (aus)?wählen|inconnu|non (renseigné|spécifié)"
    r"|\(vide\)|desconocido|(no|sin) especifica(do|r)|desconhecido|não informado|sconosciuto"
    r"|non specificato|onbekend|okänd|ukjent|ukendt|tuntematon|nieznany|neznámý|ismeretlen"
    r"|necunoscut|bilinmiyor|неизвестно|не указано|нет данных|невідомо|άγνωστο|未知|不明|不详"
    # the first entry of a drop-down list
    rf"|[{DASHES}.\s]*(please\s+)?(select|choose|pick)(\s+(one|an option|an answer|option))?"
    rf"[{DASHES}.\u2026:\s]*"
)
# `none` may be a zero ("previous purchases: none") or an answer; `NA` may be North America.
PERHAPS = frozenset({"none", "nil", "na"})


def missing_words(columns: Iterable[ColumnFacts]) -> tuple[str, ...]:
    """The missing-value words that these columns hold, as first written there.

    `none`, `nil` and `NA` count only where they stand among numbers (`none` and `nil`: among
    numbers that have a zero of their own), and `NA` also among words that are not short codes.
    """
    found: dict[str, str] = {}
    for column in columns:
        for word in column.words:
            key = word.casefold()
            if key not in found and _means_missing(key, column):
                found[key] = word
    return tuple(found.values())


def _means_missing(key: str, column: ColumnFacts) -> bool:
    if key not in PERHAPS:
        return ALWAYS.fullmatch(key) is not None
    others = [w for w in column.words if not _listed(w.casefold())]
    numbers = column.floats[~np.isnan(column.floats)]
    if len(others) >= 2 and len(numbers) == len(others):
        return key == "na" or bool((numbers == 0).any())
    return key == "na" and any(len(w) > 3 for w in others)


def _listed(key: str) -> bool:
    return key in PERHAPS or ALWAYS.fullmatch(key) is not None
