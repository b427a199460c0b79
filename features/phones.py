"""Phones: numbers in the notation of any country, without the prices and dates that look alike."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from features.cpu_timer import check_cpu
from features.cues import Cue
from features.patterns import Found
from features.recognizers import Recognizer
from features.text_signs import Digits

GAP = r"[ ().\-/\u00b7]{0,3}+"
EXTENSION = r"""(?: [ ,;]{0,2} (?:x|ext|extn|extension|durchwahl|dw|poste|int|anexo|ramal|wew
    |toestel)
    [ .:]{0,2} \d{1,6} (?!\d) | [ ]?\#[ ]?\d{1,6}(?!\d) )?"""

DATE = r"""(?:[0-3]?\d[-/.][0-3]?\d[-/.](?:19|20)\d\d | (?:19|20)\d\d[-/.][01]?\d[-/.][0-3]?\d
    | [0-3]?\d[/.][0-3]?\d[/.]\d\d) (?![-/.]?\d|[ ]\d\d[ ]\d\d)"""
CURRENCY = r"""(?:[$€£¥₹₺₽]|(?:usd|eur|euros?|gbp|inr|chf|sek|nok|dkk|pln|brl|cad|aud|jpy|cny|rs
    |r\$|z[łl]
    |kr|kč|dollars?|pounds?)(?![^\W\d_])\.?)"""
UNIT = r"""(?:%|‰|°|[kmct]?m[²³]?\b|[kmgt]i?b\b|k?wh?\b|kg\b|km/h|mph|ppm|rpm|hz|mhz|ghz|px|pcs|
    (?:million|billion|mio|mrd|tsd|thousand|units?|users?|seats?|licen[cs]es?|employees|people
    |persons
    |customers|clients|pieces|st[üu]ck|items|rows|records|hits|visits|visitors|requests|orders|leads
    |contacts|messages|emails|downloads|views|clicks|impressions|sessions|transactions|tickets|calls
    |mitarbeiter|nutzer|benutzer|kunden|datens[äa]tze|utilisateurs|clients|salari[ée]s|usuarios
    |clientes|empleados|utenti|clienti|usu[áa]rios|miles|hours?|days?|weeks?|months?|years?)\b)"""
AMOUNT = (
    r"""\d{1,3}(?:[ .,']\d{3})++ (?:[.,]\d{1,2}(?!\d))? (?!\d) | \d++(?:[.,]\d{1,2})?(?![\d.,])"""
)
NOISE = re.compile(
    rf"""(?<![\w.+]) (?: {DATE}
    | (?:[01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d)?
    | (?:19|20)\d\d[ ]?[-/][ ]?(?:19|20)?\d\d(?![\d/-]|[. ]\d)
    | (?<!\() (?=[1-9]) (?:{AMOUNT}) (?=[ ]?(?=[^\s\d.,;:!?])(?:{CURRENCY}|{UNIT}))
    | \d{{1,3}},\d{{3}}(?:,\d{{3}})*+ (?:\.\d{{1,2}})?(?![\d,])
    ) | (?<![^\W\d_])(?=[^\s\d]){CURRENCY}[ ]?(?:{AMOUNT})""",
    re.VERBOSE | re.IGNORECASE,
)
RUN = re.compile(
    rf"(?<![\w.,:+#$€£])(?:\+|\(\+?|\(\(?)?\d(?:{GAP}\d){{5,24}}+ {EXTENSION} (?![\w:])",
    re.VERBOSE | re.IGNORECASE,
)
KEYWORDS = Cue(
    r"""\b(?:phone|telephone|telefone?|téléphone|teléfono|telefono|telefoon|puh(?:elin)?|tlf|tel
    |mobile|mobil|móvil|movil|celular|cellulare|cell|cellphone|portable|handy|mob|m|t|f|p|fax
    |whats[ ]?app|wa|viber|signal|sms|call|text|ring|reach|dial|landline|number|hotline
    |answer(?:ing|s|ed)?|registered|anrufen|rufnummer|nummer|appelez|llame|ll[áa]mame|chiamami|contact|komórka|komorka)\b"""
)
AFTER_KEYWORD = re.compile(
    rf"""(?: [\s.:\#/-]{{1,3}} (?:me|us|no|nr|nº|number|num|is|was|ist|est|es|at|on|back|it's|my
        |our|under|unter
        |au|al|to|the|app|phone|work|home|office|cell|mobile)\b ){{0,4}}
        [\s.:\#-]{{0,4}} (?P<pii> \+?\(?\+?\d(?:{GAP}\d){{5,14}}+ {EXTENSION} ) (?!\d)""",
    re.VERBOSE | re.IGNORECASE,
)
# A number worth calling: most texts have none, and nothing more to search.
LONG_NUMBER = re.compile(r"\d(?:[ ().,/-]{0,3}\d){5}")
VANITY = re.compile(
    r"(?<![\w-])(?:\+?1[ .-])?\(?8(?:00|[2-8]\d)\)?[ .-](?=[A-Z\d-]{7,10}(?!\w))"
    r"[A-Z\d]*[A-Z]{3}[A-Z\d-]*"
)
FIRST_GROUP = re.compile(r"\d{1,4}[ ](?:-[ ])?")
LONGEST = 36  # characters of one number with its extension
YEARS = re.compile(r"(?:19|20)\d\d ?[-/ ] ?(?:19|20)\d\d$")
ONE_DATE = re.compile(rf"{DATE}", re.VERBOSE)
COMPACT_DATE = re.compile(r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])$")
GROUP = re.compile(r"\d+")
SPLIT = re.compile(r"[ ]*/[ ]+|[ ]+/[ ]*|[ ]{2,}|[ ]-[ ]|[ ](?=\+|\(?0\d\d)")

# Sizes of the groups of digits in numbers without trunk zero or prefix, which nothing else has.
GROUPINGS = frozenset(
    """
    334 1334 254 244 344 3222 2322 13322 433 3322 444 3422 234 3232 2332 1233 12333 13334 1344 523
    """.split()  # noqa: SIM905  # to be read
)
# Those that amounts, years and sizes have too: not where they end in zeros.
AMBIGUOUS = frozenset(
    ["44", "323", "333", "2222", "55", "46", "37", "36", "27", "28", "8", "9", "332"]
)


class Phones(Recognizer):
    """Phone numbers in international or national notation, with or without a keyword.

    A prefix, a trunk zero, brackets, or the sizes of the groups of digits tell. Not the metadata
    of phone companies: people write down numbers that these never gave out.
    """

    def __init__(self) -> None:
        super().__init__("PHONE_NUMBER", "Phones", Digits(3))

    def find(self, text: str) -> Iterator[Found]:
        yield from ((*m.span(), 0.75) for m in VANITY.finditer(text))
        if not LONG_NUMBER.search(text):
            return
        readable = NOISE.sub(lambda m: "#" * len(m[0]), text)
        for end in KEYWORDS.ends(readable):
            match = AFTER_KEYWORD.match(readable, end)
            if match and not ONE_DATE.match(match["pii"]) and not COMPACT_DATE.match(match["pii"]):
                yield *match.span("pii"), 0.8
        for run in RUN.finditer(readable):
            check_cpu()
            for start, end in _parts(run):
                if score := _score(readable[start:end]):
                    yield start, end, score
                    if (start, end) == run.span():
                        break


def recognizers() -> list[Recognizer]:
    """Recognizers of phone numbers."""
    return [Phones()]


def _parts(run: re.Match[str]) -> Iterator[tuple[int, int]]:
    """The run, then what stands beside each other in it, then it without its first group."""
    if len(run[0]) <= LONGEST:
        yield run.span()
    at = run.start()
    for gap in SPLIT.finditer(run[0]):
        yield at, run.start() + gap.start()
        at = run.start() + gap.end()
    if at > run.start():
        yield at, run.end()
    first = FIRST_GROUP.match(run[0])
    if first:
        yield run.start() + first.end(), run.end()


def _score(candidate: str) -> float:
    """How sure; 0 where it is no phone number."""
    number = re.split(r"[ ,;]*[A-Za-z#]", candidate)[0]
    groups = GROUP.findall(number)
    digits = "".join(groups)
    size = len(digits)
    if not 7 <= size <= 17:
        return 0.0
    if number.lstrip("(").startswith("+") or (digits.startswith("00") and size > 9):
        return 0.9 if len(digits.lstrip("0")) > 7 else 0.75
    if size > 14 or ONE_DATE.match(number) or YEARS.match(number) or COMPACT_DATE.match(number):
        return 0.0
    if len(number) < len(candidate):
        return 0.75  # an extension
    return _national_score(number, groups, digits)


def _national_score(number: str, groups: list[str], digits: str) -> float:
    size = len(digits)
    if re.fullmatch(r"\d{5}-\d{3}", number):  # a postal code in Brazil
        return 0.0
    if len(groups[0]) > 1 and digits[0] == "0":
        return 0.75 if 8 <= size <= 13 else 0.0
    if "(" in number and ")" in number:
        return 0.75 if size >= 8 else 0.0
    return 0.0 if _is_list(groups) else _grouped_score(number, groups, digits)


def _grouped_score(number: str, groups: list[str], digits: str) -> float:
    shape = "".join(map(str, map(len, groups)))
    doubtful = digits.endswith("00")
    if shape in AMBIGUOUS:
        doubtful |= shape in ("333", "332") and "." in number  # thousands
        doubtful |= len(groups) > 1 and re.match(r"(?:19|20)\d\d$", groups[0]) is not None
        return 0.0 if doubtful else 0.55
    if shape == "34" and "-" in number:
        return 0.0 if doubtful else 0.6
    if shape in ("10", "11"):
        return 0.6 if shape == "10" or digits[0] in "1346789" else 0.0
    return 0.7 if shape in GROUPINGS else 0.0


def _is_list(groups: list[str]) -> bool:
    """True for sizes and quantities side by side: `32 34 36 38`."""
    numbers = [int(g) for g in groups]
    same = len({len(g) for g in groups}) == 1
    steps = {b - a for a, b in pairwise(numbers)}
    return len(groups) > 2 and same and len(steps) == 1
