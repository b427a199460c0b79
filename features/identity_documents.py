"""Identity documents: passports, id cards, driving licences, licence plates, vehicles."""

from __future__ import annotations

import re
from collections.abc import Iterator

from features.checksums import icao
from features.cpu_timer import check_cpu
from features.patterns import IS, Found, PatternSet, Shape
from features.recognizers import Patterns, Recognizer
from features.text_signs import ANY_DIGIT, Searched, Unbroken, outlines, words

DOCUMENT = r"""\b(?:passport|passeport|pasaporte|passaporto|passaporte|paspoort|paszport
    |(?:reise)?pass(?:nummer|-?nr)?
    |driv(?:er|ing)'?s?[ ](?:licen[cs]e|permit)|d\.?l\.?|licen[cs]e|führerschein(?:nummer|-?nr)?
    |permis[ ]de[ ]conduire
    |carn[eé][ ]de[ ]conducir|patente|rijbewijs|prawo[ ]jazdy|cnh|licen[cs]e[ ]plate|number[ ]plate
    |plate|kennzeichen|immatriculation|matr[ií]cula|targa|placa|kenteken|registration|reg|vin
    |id[ ]card|identity[ ]card|identity|(?:personal)?ausweis(?:nummer|-?nr)?|carte[ ]d'identité
    |cni|cédula|carta[ ]d'identità|voter[ ]id|epic|green[ ]card|residence[ ]permit
    |aufenthaltstitel|visa|badge|imei|serial)\b"""
NUMBER = r"(?:[ -]?(?:number|num|no|nr|n[°ºo]|nummer|numéro|número|numero|id|plate|card)\b\.?)?"
PLAIN_DOCUMENT = r"""\b(?:passport|reisepass|passeport|pasaporte|driv(?:er|ing)'?s?[ ]licen[cs]e
    |führerschein
    |licen[cs]e[ ]plate|number[ ]plate|kennzeichen|ausweis|voter[ ]id|vin)\b"""


def is_number(match: str) -> bool:
    """False for `visa 2024`, `licence for 25`."""
    if re.search(r"(?:^|[ -])[a-z]{2,}(?:[ -]|$)", match):
        return False
    return not re.fullmatch(r"(?:19|20)\d\d(?:[ -].{0,6})?", match)


DOCUMENTS = PatternSet(
    "IDENTITY_DOCUMENT",
    "KeywordedDocuments",
    0.75,
    (
        rf"""{NUMBER} {NUMBER} {IS} (?P<pii> (?=[A-Z -]{{0,6}}\d)
            [A-Z\d](?:[A-Z\d]|[ -](?=[A-Z]{{0,3}}\d)|[ -](?=[A-Z]{{1,3}}\b)){{4,17}} ) (?!\w)""",
    ),
    honest=is_number,
    needs=ANY_DIGIT,
    after=DOCUMENT,
)
PLAIN_DOCUMENTS = PatternSet(
    "IDENTITY_DOCUMENT",
    "NamedDocuments",
    0.7,
    (rf"{NUMBER} [ ]{{1,2}} (?P<pii> (?=[A-Z-]{{0,6}}\d) [A-Z\d][A-Z\d-]{{5,17}} ) (?!\w)",),
    honest=is_number,
    needs=ANY_DIGIT,
    after=PLAIN_DOCUMENT,
)

IN_STATE = r"""(?:A[NPRS]|BR|C[GH]|D[DLN]|G[AJ]|H[PR]|J[HK]|K[AL]|L[AD]|M[HLNPZ]|NL|O[DR]|P[BY]|RJ
    |SK|T[GNRS]
    |U[AKP]|WB)"""
LETTERS = "A-HJ-NPR-TV-Z"  # Italy and France use no I, O, U
PLATES = PatternSet(
    "IDENTITY_DOCUMENT",
    "LicencePlates",
    0.55,
    (
        Shape(  # UK
            r"(?<![\w-]) [A-HJ-PR-Y]{2}(?:0[1-9]|[1-7]\d)[ ]?[A-HJ-PR-Z]{3} (?![\w-])",
            outlines("aa00aaa", "aa00 aaa"),
        ),
        Shape(  # Germany
            r"(?<![\w-]) [A-ZÄÖÜ]{1,3}-[A-Z]{1,2}[ ]\d{1,4}[EH]? (?![\w-])",
            outlines("a-a 0", "a-aa 0"),
        ),
        Shape(  # Italy, France, Spain
            rf"""(?<![\w-]) [{LETTERS}]{{2}}(?:-\d{{3}}-|[ ]\d{{3}}[ ]|\d{{3}})[{LETTERS}]{{2}}
            (?![\w-])""",
            outlines("aa-000-aa", "aa 000 aa", "aa000aa"),
        ),
        Shape(  # India
            rf"(?<![\w-]) {IN_STATE}[ -]?\d{{1,2}}[ -]?[A-Z]{{1,3}}[ -]?\d{{4}} (?![\w-])",
            outlines("a0000", "a 0000", "a-0000"),
        ),
        Shape(  # Brazil since 2018
            r"(?<![\w-]) [A-Z]{3}\d[A-J]\d{2} (?![\w-])", outlines("aaa0a00")
        ),
        # Great Britain's driving licence; machine-readable lines of passports and id cards
        Shape(r"(?<!\w) [A-Z9]{5}\d{6}[A-Z9]{2}[A-Z\d]\w{2} (?!\w)", outlines("000000")),
        Shape(
            r"""(?<![A-Z\d<]) (?=[A-Z\d]{0,43}<) (?:[A-Z\d]{0,43}<{1,43}){2,15}+[A-Z\d]{0,43}
            (?![A-Z\d<])""",
            words("<"),
        ),
        Shape(
            r"(?<![A-Z\d<]) [A-Z\d<]{9}\d[A-Z<]{3}\d{7}[MFX<]\d{7}[A-Z\d<]{2,16} (?![A-Z\d<])",
            outlines("0000000"),
        ),
        Shape(
            r"(?<![A-Z\d<]) [A-Z<]{1,2}[A-Z]{3}[A-Z\d<]{9}\d[A-Z\d<]{15} (?![A-Z\d<])", Unbroken(29)
        ),
    ),
    ignore_case=False,
    honest=lambda match: "<" not in match or len(match) >= 20,
)

VIN_VALUES = {c: v for v, letters in enumerate(("", "AJ", "BKS", "CLT", "DMU", "ENV", "FW", "GPX",
                                                "HY", "RZ")) for c in letters}  # fmt: skip
VIN_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)


def _is_vin(candidate: str) -> bool:
    values = (int(c) if c.isdigit() else VIN_VALUES.get(c, 0) for c in candidate)
    rest = sum(v * w for v, w in zip(values, VIN_WEIGHTS, strict=True)) % 11
    return candidate[8] == "0123456789X"[rest]


class CheckedDocuments(Recognizer):
    """German id cards, and vehicles by their VIN: both carry a check digit."""

    CARD = re.compile(r"(?<!\w)[LMNPRTVWXY][CFGHJ-NPRTV-Z\d]{8}\d(?:D|(?!\w))")
    VIN = re.compile(r"(?<!\w)[A-HJ-NPR-Z\d]{17}(?!\w)")

    def __init__(self) -> None:
        super().__init__(
            "IDENTITY_DOCUMENT", "CheckedDocuments", Searched(re.compile(r"[A-Z\d]{10}"))
        )

    def find(self, text: str) -> Iterator[Found]:
        for match in self.CARD.finditer(text):
            check_cpu()
            if icao(match[0][:10]) and not match[0][1:].isalpha():
                yield *match.span(), 0.7
        for match in self.VIN.finditer(text):
            check_cpu()
            if _is_vin(match[0]) and not match[0].isdigit():
                yield *match.span(), 0.8


def recognizers() -> list[Recognizer]:
    """Recognizers of identity documents."""
    return [Patterns(DOCUMENTS), Patterns(PLAIN_DOCUMENTS), Patterns(PLATES), CheckedDocuments()]
