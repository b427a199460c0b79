"""Companies as they name themselves: surnames, invented words, trades, legal forms."""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import cache
from typing import Any

from pipelines.redaction.name_pools import (
    Part,
    frequent_words,
    invented_words,
    of_part,
    read_words,
    surnames,
)


@cache
def _words() -> dict[str, Any]:
    return read_words("companies")


def company_core(locale: str, part: Part, rng: random.Random) -> str:
    """The name without its legal form."""
    names = surnames(locale, part)
    invented = invented_words(part)
    own = of_part(_words()["qualities"].split(), part)
    plain = of_part((w.capitalize() for w in frequent_words() if len(w) > 3), part)
    trades = _words()["trades"].split()
    a, b, c = (rng.choice(names) for _ in range(3))
    trade = rng.choice(trades)
    area = rng.choice(["International", "Europe", "Global", "of America"])
    native = _words()["native_trades"].get(locale[:2], "").split()
    if native and rng.random() < 0.6:
        trade = rng.choice(native)
    word, quality = rng.choice(invented), rng.choice(own)
    shapes = [
        word, word, word, word, f"{word} {trade}", f"{word} {trade}", f"{quality} {trade}",
        f"{quality} {trade}", f"{rng.choice(own)} {quality} {trade}", f"{a} {trade}",
        f"{rng.choice(plain)} {trade}",
        f"{rng.choice(plain)} {rng.choice(plain)} {trade}",
        f"{rng.choice(plain)}{rng.choice(plain).lower()}",
        f"{rng.choice(plain)}{rng.choice(plain)}",
        f"{rng.choice(plain)}{word.lower()}",
        f"{a} & {b}", f"{a} and {b}", f"{a}-{b}", f"{a}, {b} and {c}", f"{a} and Sons", a,
        f"{a} Brothers", f"{quality}{word.lower()}", f"{quality} {trade} {rng.choice(trades)}",
        quality + rng.choice(own).lower(), word + rng.choice([".io", ".com", ".ai", " AI", "24"]),
        f"{word} {rng.choice(trades)} {area}",
    ]  # fmt: skip
    return rng.choice(shapes)


def company_name(core: str, legal_forms: Sequence[str], rng: random.Random) -> str:
    """The name, with a legal form or without."""
    if rng.random() < 0.5 or core.endswith(("Sons", "Brothers")):
        return core
    form = rng.choice(legal_forms)
    if form in {"UD", "(Persero)"}:
        return f"PT {core}"
    return f"{core}, {form}" if rng.random() < 0.08 else f"{core} {form}"
