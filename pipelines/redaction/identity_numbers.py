"""Numbers that belong to one person, each valid for its country: ids, cards, phones, tokens."""

from __future__ import annotations

import random
import string
from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING

from pipelines.redaction.name_pools import faker

if TYPE_CHECKING:
    from phonenumbers import PhoneNumber

# The tables of Verhoeff's scheme: the product of two digits, and a digit at each place.
VERHOEFF = (
    "0123456789",
    "1234067895",
    "2340178956",
    "3401289567",
    "4012395678",
    "5987604321",
    "6598710432",
    "7659821043",
    "8765932104",
    "9876543210",
)
VERHOEFF_TURN = (
    "0123456789",
    "1576283094",
    "5803796142",
    "8916043527",
    "9453126870",
    "4286573901",
    "2793806415",
    "7046913258",
)


def digits(rng: random.Random, count: int, first: str = string.digits) -> str:
    """`count` digits, the first out of `first`."""
    return rng.choice(first) + "".join(rng.choice(string.digits) for _ in range(count - 1))


def luhn_digit(number: str) -> str:
    """The digit that makes a card of `number`."""
    doubled = (sum(divmod(2 * int(d), 10)) for d in number[::-2])
    return str(-(sum(doubled) + sum(map(int, number[-2::-2]))) % 10)


def _aadhaar(rng: random.Random) -> str:
    number = digits(rng, 11, "23456789")
    check = 0
    for i, digit in enumerate(reversed(number), start=1):
        check = int(VERHOEFF[check][int(VERHOEFF_TURN[i % 8][int(digit)])])
    number += next(str(d) for d in range(10) if VERHOEFF[check][d] == "0")
    return f"{number[:4]} {number[4:8]} {number[8:]}" if rng.random() < 0.7 else number


def _nino(rng: random.Random) -> str:
    prefix = rng.choice("ABCEHJLMPRSTWX") + rng.choice("ABCEHJKLMPRSTWXYZ")
    pairs = [digits(rng, 2) for _ in range(3)]
    parts = [prefix, *pairs, rng.choice("ABCD")]
    return (" " if rng.random() < 0.5 else "").join(parts)


def _steuer_id(rng: random.Random) -> str:
    nine = rng.sample(string.digits, 9)
    if nine[0] == "0":
        nine.reverse()
    ten = [*nine]
    ten.insert(rng.randrange(1, 10), nine[rng.randrange(9)])
    product = 10
    for digit in ten:
        product = ((int(digit) + product) % 10 or 10) * 2 % 11
    number = "".join(ten) + str((11 - product) % 10)
    return (
        f"{number[:2]} {number[2:5]} {number[5:8]} {number[8:]}" if rng.random() < 0.6 else number
    )


def _nir(rng: random.Random) -> str:
    parts = [rng.choice("12"), digits(rng, 2), f"{rng.randint(1, 12):02}"]
    parts += [f"{rng.randint(1, 95):02}", f"{rng.randint(1, 900):03}", f"{rng.randint(1, 999):03}"]
    parts.append(f"{97 - int(''.join(parts)) % 97:02}")
    return (" " if rng.random() < 0.6 else "").join(parts)


def _dni(rng: random.Random) -> str:
    number = digits(rng, 8)
    return number + rng.choice(["", "", "-"]) + "TRWAGMYFPDXBNJZSQVHLCKE"[int(number) % 23]


def _from_faker(locale: str, method: str) -> Callable[[random.Random], str]:
    def draw(rng: random.Random) -> str:
        source = faker(locale)
        source.seed_instance(rng.getrandbits(32))
        return str(getattr(source, method)())

    return draw


def _ssn(rng: random.Random) -> str:
    area = rng.choice([*range(1, 666), *range(667, 900)])
    return f"{area:03}-{rng.randint(1, 99):02}-{rng.randint(1, 9999):04}"


NATIONAL_IDS: dict[str, Callable[[random.Random], str]] = {
    "en_GB": _nino,
    "en_IN": _aadhaar,
    "de_DE": _steuer_id,
    "fr_FR": _nir,
    "es_ES": _dni,
    "it_IT": _from_faker("it_IT", "ssn"),
    "pt_BR": _from_faker("pt_BR", "cpf"),
    "nl_NL": _from_faker("nl_NL", "ssn"),
    "pl_PL": _from_faker("pl_PL", "pesel"),
    "sv_SE": _from_faker("sv_SE", "ssn"),
    "tr_TR": _from_faker("tr_TR", "ssn"),
    "fi_FI": _from_faker("fi_FI", "ssn"),
    "no_NO": _from_faker("no_NO", "ssn"),
    "hr_HR": _from_faker("hr_HR", "ssn"),
    "en_CA": _from_faker("en_CA", "ssn"),
}


def national_id(locale: str, rng: random.Random) -> str:
    """An id of the locale's country; of some other country where we make none for it."""
    known = NATIONAL_IDS.get(locale)
    return (known or NATIONAL_IDS[rng.choice(sorted(NATIONAL_IDS))])(rng)


def ssn(rng: random.Random) -> str:
    """A US social security number."""
    return _ssn(rng)


IBAN_SOURCES = ("de_DE", "fr_FR", "es_ES", "it_IT", "nl_NL", "pl_PL", "pt_PT", "en_GB", "de_AT")
IBAN_OWN = {*IBAN_SOURCES, "tr_TR", "fi_FI", "da_DK", "no_NO", "sk_SK", "cs_CZ", "en_IE", "de_CH"}


def iban(locale: str, rng: random.Random) -> str:
    """In groups of four, or in one."""
    number = _from_faker(locale if locale in IBAN_OWN else rng.choice(IBAN_SOURCES), "iban")(rng)
    if rng.random() < 0.5:
        return number
    return " ".join(number[i : i + 4] for i in range(0, len(number), 4))


def card(rng: random.Random) -> str:
    """Visa, Mastercard, Discover or American Express; blanks, dashes or neither."""
    amex = rng.random() < 0.12
    if amex:
        number = rng.choice(["34", "37"]) + digits(rng, 12)
    else:
        number = rng.choice(["4", "51", "53", "55", "2221", "6011"])
        number += digits(rng, 15 - len(number))
    number += luhn_digit(number)
    mark = rng.choice(["", "", " ", "-"])
    cuts = (4, 10, 15) if amex else (4, 8, 12, 16)
    return mark.join(number[a:b] for a, b in zip((0, *cuts), cuts, strict=False))


def phone(region: str, rng: random.Random) -> str:
    """A number that is valid in a region (ISO 3166), in one of many notations."""
    import phonenumbers

    kinds = phonenumbers.PhoneNumberType
    kind = rng.choice([kinds.MOBILE, kinds.FIXED_LINE])
    example = phonenumbers.example_number_for_type(region, kind)
    assert example is not None, region  # noqa: S101  # we ask for regions that exist
    national = str(example.national_number)
    number = example
    for _ in range(30):
        end = rng.choice([5, 6]) if len(national) > 8 else 4
        digits_ = national[:-end] + digits(rng, end)
        tried = phonenumbers.PhoneNumber(example.country_code, int(digits_))
        if phonenumbers.is_valid_number(tried):
            number = tried
            break
    return _notation(number, region, rng)


def _notation(number: PhoneNumber, region: str, rng: random.Random) -> str:
    import phonenumbers

    form = phonenumbers.PhoneNumberFormat
    international = str(phonenumbers.format_number(number, form.INTERNATIONAL))
    national = str(phonenumbers.format_number(number, form.NATIONAL))
    bare = "".join(c for c in national if c.isdigit())
    code, _, rest = international.partition(" ")
    choices = [
        international,
        international,
        national,
        national,
        national,
        bare,
        international.replace("-", " "),
        national.replace("-", " ").replace("(", "").replace(")", ""),
        national.replace(" ", ".").replace("-", ".").replace("(", "").replace(")", ""),
        national.replace(" ", "-").replace("(", "").replace(")", ""),
        f"00{code[1:]} {rest}",
        f"{code}{''.join(c for c in rest if c.isdigit())}",
    ]
    if region in {"GB", "DE", "AT", "SE", "NL", "CH", "FR"}:
        choices.append(f"{code} (0){rest}")
    if region in {"US", "CA"}:
        choices += [f"({bare[:3]}){bare[3:6]}-{bare[6:]}", f"{national} ext. {digits(rng, 3)}"]
        choices += [
            f"{bare[:3]}-{bare[3:6]}-{bare[6:]}x{digits(rng, 3)}",
            f"1-{bare[:3]}-{bare[3:6]}-{bare[6:]}",
        ]
    return rng.choice(choices).strip()


def passport(locale: str, rng: random.Random) -> str:
    """As the locale's country writes them, or a letter and eight digits."""
    if rng.random() < 0.5:
        return rng.choice("ABCDEGHKLMNPRTXZ") + digits(rng, 8)
    return _from_faker(locale, "passport_number")(rng)


def plate(locale: str, rng: random.Random) -> str:
    """A licence plate."""
    return _from_faker(
        "en_GB" if locale in {"ru_RU", "ja_JP", "zh_CN", "el_GR"} else locale, "license_plate"
    )(rng)


def ip(rng: random.Random) -> str:
    """IPv4 mostly, else IPv6."""
    if rng.random() < 0.85:
        return ".".join([str(rng.randint(11, 223)), *(str(rng.randint(0, 255)) for _ in range(3))])
    return ":".join(f"{rng.getrandbits(16):x}" for _ in range(8))


def account(rng: random.Random) -> str:
    """A customer or bank account number."""
    prefix = rng.choice(["", "", "", "AC-", "CUST-", "K-", "ACC"])
    return prefix + digits(rng, rng.randint(6, 12), "123456789")


def order(rng: random.Random) -> str:
    """An order or ticket number."""
    prefix = rng.choice(["", "#", "ORD-", "PO-", "SO", "INV-2026-", "A"])
    return prefix + digits(rng, rng.randint(5, 10), "123456789")


def token(rng: random.Random) -> str:
    """An API key or a password."""
    letters = string.ascii_letters + string.digits
    run = "".join(rng.choice(letters) for _ in range(rng.randint(24, 40)))
    shapes = [f"sk_live_{run[:24]}", f"ghp_{run[:36]}", f"AKIA{run.upper()[:16]}", f"xoxb-{run}"]
    words = rng.choice(["Sommer", "tiger", "Welcome", "Passw0rd", "blue", "Dragon", "qwert"])
    shapes.append(words + digits(rng, 3) + rng.choice("!?#$%"))
    return rng.choice(shapes)


def birth_date(rng: random.Random) -> date:
    """Of someone between 18 and 80."""
    return date(rng.randint(1946, 2007), rng.randint(1, 12), rng.randint(1, 28))


def date_text(day: date, rng: random.Random) -> str:
    """A date in one of the usual writings."""
    forms = ["%Y-%m-%d", "%d/%m/%Y", "%d.%m.%Y", "%d %B %Y", "%B %d, %Y", "%d %b %Y", "%m/%d/%Y"]
    return day.strftime(rng.choice(forms))
