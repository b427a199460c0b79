"""ContactValue: what one cell of a lead's contact columns is, and how a text may write it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date
from functools import lru_cache
from itertools import product
from typing import NamedTuple

from features.given_names import diminutives
from features.ordinary_words import (
    FREE_MAIL,
    GRAMMAR,
    HOST_LABELS,
    LEGAL_FORMS,
    NETWORKS,
    ORDINARY,
    PARTICLES,
    TITLES,
)
from features.plain_text import folded_text

# At the end of a value, of any column: the others are words, or parts of names.
TELLING_FORMS = LEGAL_FORMS - {"and", "und", "se", "as", "sa", "co", "the"}
LEAST_LETTERS = 3  # a shorter part of a name stands in too many words
LEAST_JOINED = 8  # letters of a name written in one word, found inside any other
LEAST_DIGITS = 4
PHONE_DIGITS = 7  # of the subscriber: the same in every notation of the number
MOST_NAMES = 6  # of one person; a longer value is no name, and found as it is
MOST_WORDS = 12  # of one value; what is longer is found by its first words

WORD = re.compile(r"[^\W\d_]++|\d++")
ALTERNATIVES = re.compile(r"[;|\n]| / ")
# From the beginning of a word only: tried at each of its letters, a long one takes seconds.
EMAIL = re.compile(r"(?<![^\s<>,;\"()])[^\s<>,;\"()]+@[^\s<>,;\"()]+")
URL = re.compile(r"(?:https?://)?(?:[\w-]+\.)+[a-z]{2,}(?::\d+)?(?:[/?#]\S*)?", re.IGNORECASE)
HANDLE = re.compile(r"@[\w.]{2,}")
EXTENSION = re.compile(r"[\s,;]*(?:ext(?:ension)?\.?|x|durchwahl|#)\s*(\d+)\s*$", re.IGNORECASE)
TRUNK_ZERO = re.compile(r"\(0\)")  # +49 (0)30: dialled at home only
NOT_A_PHONE = re.compile(r"[^\d\s().\-/+]")
COMPANY_COLUMN = re.compile(
    r"company|organi[sz]ation|employer|firm|business|account|unternehmen|société|empresa", re.I
)
PERSON_COLUMN = re.compile(r"\bname\b|contact|person|\bfirst|\blast|surname", re.IGNORECASE)
# Of a company's people: `Company contact`, `Account owner`.
OWNER_COLUMN = re.compile(r"contact|owner|person|manager|\bfirst|\blast|surname", re.IGNORECASE)
FIRST_NAME_COLUMN = re.compile(
    r"first|given.?name|fore.?name|vorname|pr[eé]nom|nombre", re.IGNORECASE
)
LAST_NAME_COLUMN = re.compile(
    r"last|sur.?name|family.?name|(?:nach|familien)name|nom de famille|apellido", re.IGNORECASE
)
PLACE_COLUMN = re.compile(
    r"address|street|zip|post|city|town|state|region|country|location|adresse|straße|strasse|plz"
    r"|ort$",
    re.IGNORECASE,
)
BIRTH_COLUMN = re.compile(r"birth|\bdob\b|geburt|naissance|nacimiento", re.IGNORECASE)
DATE = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})|(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})")
MONTHS = (
    "january jan januar janvier enero", "february feb februar fevrier febrero",
    "march mar marz maerz mars marzo", "april apr avril abril", "may mai mayo",
    "june jun juni juin junio", "july jul juli juillet julio", "august aug aout agosto",
    "september sep sept septembre septiembre", "october oct oktober okt octobre octubre",
    "november nov novembre noviembre", "december dec dezember dez decembre diciembre",
)  # fmt: skip
SAME_WORD = {
    "street": "st", "str": "st", "strasse": "st", "avenue": "ave", "av": "ave", "road": "rd",
    "lane": "ln", "boulevard": "blvd", "bd": "blvd", "drive": "dr", "court": "ct", "square": "sq",
    "place": "pl", "platz": "pl", "calle": "c", "avenida": "ave", "avda": "ave",
    "parkway": "pkwy", "highway": "hwy",
}  # fmt: skip
SPELLED_E = re.compile(r"(?<=[aou])e")  # müller, mueller
SPELLED_A = re.compile(r"(?<!a)aa(?!a)")  # åberg, aaberg


# Tuples: a lead's cells come to a hundred of them, made anew for each text.
class Words(NamedTuple):
    """Words to find next to each other.

    ordinary: one word, which also is an ordinary one. turned: last name first; not where the last
    name ends the name in its own order, as in `Jane Smith, jane@...`. shouted: an abbreviation,
    only in capitals.
    """

    entity_type: str
    words: tuple[str, ...]
    ordinary: bool = False
    turned: bool = False
    shouted: bool = False


class Whole(NamedTuple):
    """Folded characters to find inside anything."""

    entity_type: str
    value: str


class Digits(NamedTuple):
    """Digits to find by their last ones, in any grouping; and those of an extension after them."""

    entity_type: str
    digits: str
    extension: str = ""


class Person(NamedTuple):
    """A name, of which a mailbox may join the parts: `jsmith`, `janes`, `smith.ja`."""

    first: str
    last: str


Known = Words | Whole | Digits | Person


@lru_cache(1_000)
def _is_called(kind: re.Pattern[str], column: str) -> bool:
    """Whether a column is of a kind, by its name. A table has few columns, and all of its leads."""
    return kind.search(column) is not None


def known(column: str, cell: str) -> Iterator[Known]:
    """How a text may write what `cell`, a plain text, says."""
    if _is_called(PLACE_COLUMN, column) and "@" not in cell:
        yield from _place(cell)
        return
    rest = cell
    for email in EMAIL.findall(cell) if "@" in cell.lstrip("@ ") else ():
        yield from _email(email)
        rest = rest.replace(email, " ; ")
    for part in ALTERNATIVES.split(rest) if rest != cell else (ALTERNATIVES.split(cell)):
        yield from _one(column, part.strip(' \t<>,"()' if rest != cell else " \t"))


def spelled(word: str) -> str:
    """One spelling for `müller` (folded to `muller`) and `mueller`, for `Street` and `St`."""
    if word.endswith("strasse") and len(word) > 7:
        word = word[:-4]
    if len(word) <= LEAST_LETTERS:
        return SAME_WORD.get(word, word)
    if word in SAME_WORD:
        return SAME_WORD[word]
    if "ae" in word or "oe" in word or "ue" in word:
        word = SPELLED_E.sub("", word)
    return SPELLED_A.sub("a", word) if "aa" in word else word


def _one(column: str, value: str) -> Iterator[Known]:
    if not value:
        return
    born = DATE.fullmatch(value)
    extension = EXTENSION.search(value) if value[-1].isdigit() else None
    bare = value[: extension.start()] if extension else value
    if born and (_is_called(BIRTH_COLUMN, column) or not NOT_A_PHONE.search(value)):
        yield from _date(value)
    elif HANDLE.fullmatch(value):
        yield from _handle(value[1:])
    elif not NOT_A_PHONE.search(bare):
        yield from _number(bare, extension[1] if extension else "")
    elif URL.fullmatch(value):
        yield from _url(value)
    elif _says_company(column, value):
        yield from _company(value)
    elif any(c.isdigit() for c in value) or "/" in value:
        yield from _whole("CONTACT_VALUE", value)
        yield from _words("CONTACT_VALUE", *_split(value))
    else:
        yield from _name(value)


def _says_company(column: str, value: str) -> bool:
    if _has_legal_form(value):
        return _is_called(COMPANY_COLUMN, column) or not _is_called(PERSON_COLUMN, column)
    return _is_called(COMPANY_COLUMN, column) and not _is_called(OWNER_COLUMN, column)


def full_names(contacts: Sequence[tuple[str, str]]) -> Iterator[str]:
    """Names of which the first and the last are in columns of their own."""
    lasts = [v for column, v in contacts if _is_called(LAST_NAME_COLUMN, column)]
    for column, first in contacts:
        if _is_called(FIRST_NAME_COLUMN, column) and not _is_called(LAST_NAME_COLUMN, column):
            yield from (f"{first} {last}" for last in lasts if first.strip() and last.strip())


def _email(value: str) -> Iterator[Known]:
    yield from _whole("EMAIL_ADDRESS", value)
    local, _, domain = value.rpartition("@")
    yield from _words("PERSON", *_split(local))
    words = [w for w in _split(local) if not w.isdigit()]  # a year
    for word in words:
        yield from _words("PERSON", word)
    if len(words) == 2:
        yield from _joined(words[0], words[1])
    yield from _host(domain)


def _host(host: str) -> Iterator[Known]:
    labels = [label for label in folded_text(host).split(".")[:-1] if label not in HOST_LABELS]
    if not labels or labels[-1] in FREE_MAIL or labels[-1] in NETWORKS:
        return
    for start in {host, host[host.lower().rfind(labels[-1]) :]}:
        yield from _whole("URL", start)
    yield from _company(labels[-1])


def _url(value: str) -> Iterator[Known]:
    yield from _whole("URL", value)
    host, _, path = re.sub(r"^https?://", "", value, flags=re.IGNORECASE).partition("/")
    yield from _host(host)
    for segment in path.rstrip("/").split("/")[-1:]:
        yield from _handle(segment)


def _handle(value: str) -> Iterator[Known]:
    words = _split(value)
    yield from _words("SOCIAL_HANDLE", *words)
    joined = "".join(words)
    if len(joined) >= LEAST_JOINED:
        yield Whole("SOCIAL_HANDLE", folded_text(value))
        yield Whole("SOCIAL_HANDLE", joined)


def _number(value: str, extension: str) -> Iterator[Known]:
    digits = re.sub(r"\D", "", TRUNK_ZERO.sub("", value))
    if len(digits) >= PHONE_DIGITS:
        yield Digits("PHONE_NUMBER", digits, extension)
    elif len(digits) >= LEAST_DIGITS:
        yield from _words("CONTACT_VALUE", digits)


def _date(value: str) -> Iterator[Known]:
    match = DATE.fullmatch(value)
    if match is None:
        return
    year, *rest = match.group(1, 2, 3) if match[1] else match.group(6, 5, 4)
    for month, day in (rest, rest[::-1]):
        try:
            date(int(year), int(month), int(day))
        except ValueError:
            continue
        days, months = {day, day.lstrip("0"), day.zfill(2)}, {month.lstrip("0"), month.zfill(2)}
        for d, m, y in product(days, months, (year, year[2:])):
            for order in ((d, m, y), (m, d, y), (y, m, d)):
                yield Words("DATE_OF_BIRTH", order)
        names = map(spelled, MONTHS[int(month) - 1].split())
        for d, name in product(days, names):
            for suffix in ((), ("st",), ("nd",), ("rd",), ("th",)):
                yield Words("DATE_OF_BIRTH", (d, *suffix, name, year))
                yield Words("DATE_OF_BIRTH", (name, d, *suffix, year))
        yield Words("DATE_OF_BIRTH", (f"{year}{month.zfill(2)}{day.zfill(2)}",))


def _company(value: str) -> Iterator[Known]:
    words = _split(value)
    core = tuple(w for w in words if w not in LEGAL_FORMS)
    yield from _words("ORGANIZATION", *words)
    if len(words) == len("".join(words)) == 2:  # 3M, H&M
        yield Whole("ORGANIZATION", folded_text(value))
    yield from _words("ORGANIZATION", *core)
    if len(core) > 1:
        yield from _words("ORGANIZATION", "".join(core))
        if len("".join(core)) >= LEAST_JOINED:
            yield Whole("ORGANIZATION", "".join(core))
        yield from _words("ORGANIZATION", *core[:2])
    distinct = next((w for w in core if w not in ORDINARY and len(w) > LEAST_LETTERS), "")
    first = core[:1] if core and core[0] not in ORDINARY else (distinct,)
    yield from _words("ORGANIZATION", *first)
    initials = "".join(w[0] for w in core)
    if len(initials) >= LEAST_LETTERS and initials not in ORDINARY:
        yield Words("ORGANIZATION", (spelled(initials),), shouted=True)


def _place(value: str) -> Iterator[Known]:
    yield from _words("STREET_ADDRESS", *_split(value))
    for part in re.split(r"[,;|\n]", value):
        words = _split(part)
        yield from _words("STREET_ADDRESS", *words)
        letters = tuple(w for w in words if not w.isdigit())
        numbers = tuple(w for w in words if w.isdigit())
        if numbers and letters:
            yield from _words("STREET_ADDRESS", *numbers, *letters)
            yield from _words("STREET_ADDRESS", *letters, *numbers)
            if len("".join(letters)) > LEAST_LETTERS and (
                len(letters) > 1 or words[0] not in ORDINARY
            ):
                yield from _words("STREET_ADDRESS", *letters)
        for number in numbers:
            if len(number) > LEAST_DIGITS:
                yield from _words("STREET_ADDRESS", number)


def _name(value: str) -> Iterator[Known]:
    """A person's own name goes in any case (`autumn`); only what holds sentences up may stay."""
    for known in _name_forms(value):
        if isinstance(known, Words) and known.ordinary and len(known.words[0]) >= LEAST_LETTERS:
            word = known.words[0]
            yield Words(known.entity_type, known.words, word in GRAMMAR, known.turned)
        else:
            yield known


def _name_forms(value: str) -> Iterator[Known]:
    if "," in value:  # Smith, Jane
        last, _, first = value.partition(",")
        value = f"{first} {last}"
    value = folded_text(value)  # once: its parts are folded at once then
    written = _split(value)
    words = tuple(w for w in written if w not in TITLES) or written
    if not words:
        yield from _whole("CONTACT_VALUE", value)
        return
    parts = [_split(part) for part in value.split()]
    undivided = tuple(filter(None, map("".join, parts)))  # oneil, annemarie
    for form in dict.fromkeys((written, words, undivided)):
        yield from _words("PERSON", *form)
        if 1 < len(form) <= MOST_NAMES:
            yield from _full_name(form)
    alone = [*parts, *(("".join(part),) for part in parts)]  # O'Neil, Anne-Marie
    alone += [(word,) for word in words[:MOST_NAMES] if word not in PARTICLES]
    for part in dict.fromkeys(alone):
        yield from _words("PERSON", *part)
    for short in diminutives(words[0]):
        yield from _words("PERSON", short)
        if len(words) > 1:
            yield from _words("PERSON", short, words[-1])


def _full_name(words: tuple[str, ...]) -> Iterator[Known]:
    first, last, family = words[0], words[-1], _family(words)
    initials = tuple(w[0] for w in words)
    turned = [(*words[at:], *words[:at]) for at in range(1, len(words))]
    turned += [words[::-1], (*family, first), (last, first), (last, first[0])]
    # Most people have two names, of which all these ways to part them make the same.
    for order in dict.fromkeys(turned):
        yield from _turned(order)
    yield from _words("PERSON", *family)
    # Ana Clara Casa Grande may be `A. Casa Grande`: where her last name begins nobody knows.
    family_names = dict.fromkeys((family, *(words[at:] for at in range(1, len(words)))))
    for family_name in family_names:
        yield from _words("PERSON", first, *family_name)
        yield from _words("PERSON", first[0], *family_name)
    joined = [(first, "".join(family_name)) for family_name in family_names]
    for pair in dict.fromkeys([*joined, ("".join(words[:-1]), last)]):
        yield from _joined(*pair)
    yield from _words("PERSON", *initials[:-1], last)
    yield from _words("PERSON", first, initials[-1])
    for separator in (".", ". "):
        yield Whole("PERSON", separator.join((initials[0], initials[-1])) + ".")


def _family(words: tuple[str, ...]) -> tuple[str, ...]:
    """The last name with its particles: `van der Berg`."""
    start = len(words) - 1
    while start > 1 and words[start - 1] in PARTICLES:
        start -= 1
    return words[start:]


def _joined(first: str, last: str) -> Iterator[Known]:
    yield from _words("PERSON", first[0] + last)
    for together in (first + last, last + first):
        yield from _words("PERSON", together)
        if len(together) >= LEAST_JOINED:
            yield Whole("PERSON", together)
    if len(last) > LEAST_LETTERS or len(first) > LEAST_LETTERS:
        yield Person(spelled(first), spelled(last))


def _turned(words: tuple[str, ...]) -> Iterator[Known]:
    yield from _words("PERSON", *words, turned=True)


def _whole(entity_type: str, value: str) -> Iterator[Known]:
    if len(value) > LEAST_LETTERS:
        yield Whole(entity_type, folded_text(value))


def _words(entity_type: str, *words: str, turned: bool = False) -> Iterator[Known]:
    """To find, also in the genitive; what is too short is not."""
    together = "".join(words)
    size, is_one = len(together), len(words) == 1
    if _has_no_spaces(together) and size > 1:
        yield Whole(entity_type, together)
    if size < LEAST_LETTERS and not (size == 2 and is_one):
        return
    if is_one and size < LEAST_DIGITS and together.isdigit():
        return
    ordinary = is_one and (size < LEAST_LETTERS or together in ORDINARY)
    plain = tuple([spelled(word) for word in words[:MOST_WORDS]])
    yield Words(entity_type, plain, ordinary, turned)
    if not plain[-1].isdigit():
        yield Words(entity_type, (*plain[:-1], plain[-1] + "s"), ordinary, turned)


def _split(value: str) -> tuple[str, ...]:
    return tuple(WORD.findall(folded_text(value)))


def _has_legal_form(value: str) -> bool:
    words = _split(value)
    return len(words) > 1 and words[-1] in TELLING_FORMS


def _has_no_spaces(word: str) -> bool:
    """True for scripts without spaces between words (Chinese, Thai), or with suffixes (Korean)."""
    if word.isascii():
        return False
    return any("\u0e00" <= c <= "\u0eff" or "\u3040" <= c <= "\ud7af" for c in word)
