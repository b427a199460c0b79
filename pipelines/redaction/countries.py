"""Countries: what the addresses, phones and companies of each locale need."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from pipelines.redaction.identity_numbers import digits
from pipelines.redaction.name_pools import read_words


@dataclass(frozen=True, slots=True)
class Country:
    """One country of our identities.

    region: ISO 3166, as phonenumbers names it.
    names: as an address may end.
    postcode: # a digit, @ a letter, anything else itself.
    """

    region: str
    names: tuple[str, ...]
    cities: tuple[str, ...]
    states: tuple[str, ...]
    postcode: str
    legal_forms: tuple[str, ...]
    domain: str


@cache
def countries() -> Mapping[str, Country]:
    """By locale."""
    return {locale: _country(entry) for locale, entry in read_words("countries").items()}


def _country(entry: Mapping[str, Any]) -> Country:
    values: dict[str, Any] = {k: v if isinstance(v, str) else tuple(v) for k, v in entry.items()}
    return Country(**values)


def postcode(country: Country, rng: random.Random) -> str:
    """One in the country's notation."""
    letters = "ABDEFGHJLNPQRSTUWXY"
    shape = country.postcode
    if country.region == "US" and rng.random() < 0.12:
        shape = "#####-####"
    if country.region == "GB":
        shape = rng.choice(["@@# #@@", "@@## #@@", "@# #@@", "@## #@@", "@@#@ #@@"])
    return "".join(
        digits(rng, 1, "123456789" if i == 0 else "0123456789")
        if c == "#"
        else rng.choice(letters)
        if c == "@"
        else c
        for i, c in enumerate(shape)
    )
