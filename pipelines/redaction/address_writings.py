"""Addresses as people write them: streets of many languages, units, towns, postcodes, countries."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from pipelines.redaction.identity_numbers import digits
from pipelines.redaction.name_pools import Part, of_part, read_words, street_words, surnames, towns


@dataclass(frozen=True, slots=True)
class StreetStyle:
    """How a language names a street.

    shapes: {0} is what it is named after. numbered: how a house number joins, {s} the street, {n}
    the number. units: parts of a house. named_after: words of this language, next to surnames.
    """

    shapes: tuple[str, ...]
    numbered: tuple[str, ...]
    units: tuple[str, ...]
    named_after: tuple[str, ...]


LANGUAGES = {"sv": "nordic", "da": "nordic", "no": "nordic"}
LANGUAGES |= dict.fromkeys(("cs", "sk", "sl", "hr"), "slavic")


@cache
def _styles() -> Mapping[str, StreetStyle]:
    tree = read_words("streets")
    return {
        language: StreetStyle(
            tuple(entry["shapes"]),
            tuple(entry["numbered"]),
            tuple(entry["units"]),
            tuple(entry["named_after"].split()),
        )
        for language, entry in tree.items()
    }


@dataclass(frozen=True, slots=True)
class Place:
    """Where an address is: the parts that are no street."""

    town: str
    region: str
    postcode: str
    country: str


def style_of(locale: str) -> StreetStyle:
    """How streets are written there."""
    styles, language = _styles(), "asian" if locale == "en_IN" else locale[:2]
    return styles.get(LANGUAGES.get(language, language), styles["asian"])


def street_name(locale: str, part: Part, rng: random.Random) -> str:
    """A street without number."""
    style = style_of(locale)
    whole = street_words(locale, part)
    if whole and rng.random() < 0.3:
        return rng.choice(whole)
    own = of_part(style.named_after, part)
    words: Sequence[str] = own if own and rng.random() < 0.55 else surnames(locale, part)
    word = rng.choice(words)
    shape = rng.choice(style.shapes)
    if locale.startswith("en") and rng.random() < 0.12:
        word += " " + rng.choice(own)
    return shape.replace("{0}", word)


def _fill(shape: str, rng: random.Random, street: str = "") -> str:
    number = digits(rng, rng.choice([1, 2, 2, 2, 3, 3, 4]), "123456789")
    return (
        shape.replace("{s}", street)
        .replace("{n}", number)
        .replace("{d}", str(rng.randint(1, 12)))
        .replace("{l}", rng.choice("ABCDEF"))
        .replace("{m}", rng.choice("abcd"))
    )


def street_line(locale: str, part: Part, rng: random.Random) -> str:
    """Street and house number."""
    return _fill(rng.choice(style_of(locale).numbered), rng, street_name(locale, part, rng))


def unit(locale: str, rng: random.Random) -> str:
    """The part of a house: `Apt. 12`, `2. OG`."""
    return _fill(rng.choice(style_of(locale if rng.random() < 0.6 else "en").units), rng)


def corner(locale: str, part: Part, rng: random.Random) -> str:
    """Where two streets meet."""
    first = street_line if rng.random() < 0.6 else street_name
    return f"the corner of {first(locale, part, rng)} and {street_name(locale, part, rng)}"


def box(rng: random.Random) -> str:
    """A box, or a post of the US forces."""
    n, m = digits(rng, 4, "123456789"), digits(rng, 4, "123456789")
    zip_code = digits(rng, 5, "369")
    forces = f"{rng.choice(['APO', 'FPO', 'DPO'])} {rng.choice(['AA', 'AE', 'AP'])} {zip_code}"
    shapes = [
        f"PSC {n}, Box {m}\n{forces}", f"Unit {n} Box {m}\n{forces}",
        f"CMR {n[:3]}, Box {m}, {forces}",
        f"USS {rng.choice(['Hopper', 'Lincoln', 'Nimitz'])}\n{forces}", f"USNV {n}\n{forces}",
        f"P.O. Box {n}", f"PO Box {m}", f"Postfach {n}", f"BP {n[:3]}", f"Apartado de correos {n}",
    ]  # fmt: skip
    return rng.choice(shapes)


def whole_address(line: str, place: Place, locale: str, rng: random.Random) -> str:
    """All of an address, on one line or many."""
    town, region, code, country = place.town, place.region, place.postcode, place.country
    flat = unit(locale, rng)
    lead = digits(rng, rng.randint(2, 5)) + " " if rng.random() < 0.15 else ""
    if rng.random() < 0.1:
        town = town.upper()
    shapes = [
        f"{line}, {code} {town}", f"{line}, {town} {code}", f"{line}, {town}, {region} {code}",
        f"{line}, {flat}, {code} {town}", f"{line} {flat}, {town}, {region} {code}",
        f"{line}\n{code} {town}", f"{line}\n{town}, {region} {code}", f"{line}, {town}, {country}",
        f"{line}, {code} {town}, {country}", f"{line}\n{flat}\n{town} {code}\n{country}",
        f"{line}\n{town}\n{code}", f"{line} {code} {town}", f"{flat}, {line}, {town} {code}",
        f"{flat}\n{line}\n{town}\n{code}", f"{line} {flat} {town} {country} {code}",
        f"{line}, {town}", f"{line} {town} {region}", f"{line}, {flat}, {town}, {country} {code}",
        f"{lead}{line} {flat}\n{town}\n, {region}\n {country} {code}",
        f"{lead}{line}\n {flat}\n {town}\n {country} {code}",
        f"{lead}{line}\n{town}, {region} {code}",
        f"{lead}{line} {flat}\n{town}, {region.lower()} {code}", f"{lead}{line} {town} {country}",
        f"{line} - {code} {town} - {country}", f"{line}; {code} {town}", f"{line}, {town} - {code}",
        f"{town}, {line}", f"{code} {town}, {line}", f"{box(rng)}, {town} {code}",
    ]  # fmt: skip
    return rng.choice([*shapes, box(rng)])


def town_of(locale: str, cities: Sequence[str], rng: random.Random) -> str:
    """A known city, one of Faker's list, or one that Faker makes up."""
    listed = towns(locale)
    if cities and (not listed or rng.random() < 0.5):
        return rng.choice(cities)
    return rng.choice(listed) if listed else rng.choice(cities)
