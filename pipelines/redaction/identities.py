"""Identities: people who do not exist, from 36 locales, with everything that identifies them.

Names, companies and streets come from two halves (`Part`) that share no word; numbers are valid
for their country. The same seed draws the same people.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from pipelines.redaction import identity_numbers as numbers
from pipelines.redaction.address_writings import Place, corner, street_line, town_of, whole_address
from pipelines.redaction.company_writings import company_core, company_name
from pipelines.redaction.countries import Country, countries, postcode
from pipelines.redaction.name_pools import Part, coined_name, first_names, folded, surnames

__all__ = ["LOCALES", "SLOT_TYPES", "TEST_LOCALES", "Identities", "Identity", "Part"]

LOCALES = tuple(countries())
TEST_LOCALES = ("en_US", "en_GB", "en_IN", "de_DE", "fr_FR", "es_ES", "pl_PL", "sv_SE")
FREQUENT = LOCALES + ("en_US",) * 8 + ("en_GB",) * 5 + ("en_IN",) * 3 + ("en_AU", "en_CA") * 2
TITLES = ("Mr", "Mrs", "Ms", "Miss", "Dr", "Mr.", "Mrs.", "Ms.", "Dr.", "Prof.")
MAILS = (
    "gmail.com",
    "outlook.com",
    "yahoo.com",
    "hotmail.com",
    "icloud.com",
    "proton.me",
    "gmx.net",
)
COINED = 0.2  # of the names to learn from
PATRONYMS = {"ru_RU": ("Ivanovich", "Sergeevna"), "da_DK": ("Holm", "Friis"), "no_NO": ("Berg",)}


@dataclass(frozen=True, slots=True)
class Identity:
    """One person who does not exist. Every field is text, as it would be typed.

    Attributes:
        full: first and last name, some with a middle name, an initial or two surnames.
        street: a whole address, on one line or many; street_line: street and house number.
        zip_line: town and postcode, as one line of an address.
        url: a page about this person.
        plate: of a car; order, account: numbers at somebody's; token: API key or password.
    """

    locale: str
    first: str
    last: str
    full: str
    title: str
    company: str
    email: str
    phone: str
    street: str
    street_line: str
    zip_line: str
    postcode: str
    city: str
    country: str
    iban: str
    card: str
    ip: str
    url: str
    handle: str
    ssn: str
    national_id: str
    passport: str
    plate: str
    birth_date: str
    account: str
    order: str
    token: str


# Entity type of each field where it stands in a text; None: it stays, and is no entity.
SLOT_TYPES: Mapping[str, str | None] = MappingProxyType(
    {
        "first": "PERSON",
        "last": "PERSON",
        "full": "PERSON",
        "title": None,
        "company": "ORGANIZATION",
        "email": "EMAIL_ADDRESS",
        "phone": "PHONE_NUMBER",
        "street": "STREET_ADDRESS",
        "street_line": "STREET_ADDRESS",
        "zip_line": "STREET_ADDRESS",
        "postcode": "STREET_ADDRESS",
        "city": "LOCATION",
        "country": "LOCATION",
        "iban": "IBAN_CODE",
        "card": "CREDIT_CARD",
        "ip": "IP_ADDRESS",
        "url": "URL",
        "handle": "SOCIAL_HANDLE",
        "ssn": "US_SSN",
        "national_id": "NATIONAL_ID",
        "passport": "IDENTITY_DOCUMENT",
        "plate": "IDENTITY_DOCUMENT",
        "birth_date": "DATE_OF_BIRTH",
        "account": "ACCOUNT_NUMBER",
        "order": "ACCOUNT_NUMBER",
        "token": "CREDENTIAL",
    }
)


class Identities:
    """Draws identities of one half of all words. The same seed gives the same ones."""

    def __init__(self, part: Part, seed: int) -> None:
        self._part = part
        self._rng = random.Random(f"{part}:{seed}")  # noqa: S311  # no secret is drawn

    def draw(self, locale: str | None = None) -> Identity:
        """The next identity, of `locale` or of one drawn (English ones oftener)."""
        rng, part = self._rng, self._part
        where = locale or rng.choice(FREQUENT)
        country = countries()[where]
        first = self._name(first_names(where, part))
        last = self._name(surnames(where, part))
        core = company_core(where, part, rng)
        place = self._place(where, country)
        line = street_line(where, part, rng)
        zip_line = rng.choice([f"{place.postcode} {place.town}", f"{place.town} {place.postcode}"])
        if country.region in {"US", "AU", "CA"}:
            zip_line = f"{place.town}, {rng.choice(country.states)} {place.postcode}"
        return Identity(
            locale=where,
            first=first,
            last=last,
            full=self._full(where, first, last),
            title=rng.choice(TITLES),
            company=company_name(core, country.legal_forms, rng),
            email=self._email(first, last, core, country),
            phone=numbers.phone(country.region, rng),
            street=corner(where, part, rng)
            if rng.random() < 0.03
            else whole_address(line, place, where, rng),
            street_line=line,
            zip_line=zip_line,
            postcode=place.postcode,
            city=place.town,
            country=place.country,
            iban=numbers.iban(where, rng),
            card=numbers.card(rng),
            ip=numbers.ip(rng),
            url=self._url(first, last),
            handle="@" + self._nick(first, last),
            ssn=numbers.ssn(rng),
            national_id=numbers.national_id(where, rng),
            passport=numbers.passport(where, rng),
            plate=numbers.plate(where, rng),
            birth_date=numbers.date_text(numbers.birth_date(rng), rng),
            account=numbers.account(rng),
            order=numbers.order(rng),
            token=numbers.token(rng),
        )

    def _name(self, names: tuple[str, ...]) -> str:
        """One of these; to learn from, also one like them, since most that come are on no list."""
        if self._part is Part.TRAIN and self._rng.random() < COINED:
            return coined_name(names, self._rng)
        return self._rng.choice(names)

    def _place(self, locale: str, country: Country) -> Place:
        rng = self._rng
        state = rng.choice(country.states or country.cities)
        town = town_of(locale, country.cities, rng)
        return Place(town, state, postcode(country, rng), rng.choice(country.names))

    def _full(self, locale: str, first: str, last: str) -> str:
        rng, part = self._rng, self._part
        other_last = rng.choice(surnames(locale, part))
        other_first = rng.choice(first_names(locale, part))
        draw = rng.random()
        if locale.startswith("es") and draw < 0.45:
            return f"{first} {last} {other_last}"
        if locale == "hu_HU" and draw < 0.3:
            return f"{last} {first}"
        shapes = (
            (0.06, f"{first} {other_first[0]}. {last}"),
            (0.09, f"{first} {other_first[0]} {last}"),
            (0.12, f"{first} {last}-{other_last}"),
            (0.15, f"{first} {other_first} {last}"),
            (0.17, f"{first[0]}. {last}"),
            (0.18, f"{first[0]}.{other_first[0]}. {last}"),
            (0.19, f"{last}, {first}"),
        )
        return next((name for below, name in shapes if draw < below), f"{first} {last}")

    def _nick(self, first: str, last: str) -> str:
        rng = self._rng
        a, b = _ascii(first), _ascii(last)
        year = str(rng.randint(60, 99))
        shapes = [f"{a}.{b}", f"{a[0]}{b}", f"{a}_{b}", f"{b}{a[0]}", f"{a}{b}{year}", f"{a}{year}"]
        return rng.choice([*shapes, f"{a[0]}.{b}", a + b])

    def _email(self, first: str, last: str, core: str, country: Country) -> str:
        rng = self._rng
        own = "".join(c for c in folded(core) if c.isascii() and c.isalnum()) or "office"
        domain = f"{own[:20]}.{rng.choice([country.domain, 'com', 'com', 'io', 'net'])}"
        return f"{self._nick(first, last)}@{domain if rng.random() < 0.6 else rng.choice(MAILS)}"

    def _url(self, first: str, last: str) -> str:
        rng = self._rng
        nick = self._nick(first, last).replace(".", "-")
        page = rng.choice(
            ["www.linkedin.com/in/{}", "linkedin.com/in/{}", "github.com/{}", "{}.com"]
        )
        return rng.choice(["https://", "https://", ""]) + page.format(nick)


def _ascii(name: str) -> str:
    plain = folded(name).replace("ß", "ss").replace("ø", "o").replace("ł", "l").replace("đ", "d")
    return "".join(c for c in plain if c.isascii() and c.isalpha()) or "x"
