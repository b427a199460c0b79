"""National ids: those that a checksum proves, and those that a keyword does.

Countries that Presidio knows are read by its own recognizers (`Checked`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from features.checksums import ean_13, luhn, mod_11_10, weighted
from features.cpu_timer import check_cpu
from features.patterns import IS, Found, PatternSet
from features.recognizers import Patterns, Recognizer
from features.text_signs import ANY_DIGIT, Digits, Need, Unbroken, outlines

SURE = 0.9  # two check digits, or one and a shape that nothing else has
LIKELY = 0.55  # one check digit: one number in ten has it by chance


AMOUNT = re.compile(r"[1-9]\d{0,2}(?:[ .]\d{3})+(?<=00)")  # round, in thousands: no id


@dataclass(frozen=True, slots=True)
class IdShape:
    """How one country's id is written, and what its letters and digits must satisfy.

    outlines: one is in each of them.
    """

    name: str
    outlines: tuple[str, ...]
    pattern: str
    check: Callable[[str], bool]
    score: float = SURE


def _date(digits: str) -> bool:
    """True where six digits end with a day after a month, or a month after a day."""
    a, b, c = int(digits[:2]), int(digits[2:4]), int(digits[4:6])
    return (1 <= b <= 12 or 21 <= b <= 32 or 51 <= b <= 72) and (1 <= a <= 31 or 1 <= c <= 31)


def _steuer_id(digits: str) -> bool:
    most = max(digits[:10].count(d) for d in set(digits[:10]))
    return 2 <= most <= 3 and mod_11_10(digits)


def _rentenversicherung(value: str) -> bool:
    digits = value[:8] + f"{ord(value[8]) - 64:02}" + value[9:]
    products = (
        int(d) * w for d, w in zip(digits, (2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1), strict=False)
    )
    return sum(p // 10 + p % 10 for p in products) % 10 == int(digits[-1])


def _nir(value: str) -> bool:
    corsica = value.replace("2A", "19").replace("2B", "18")
    return corsica.isdigit() and 97 - int(corsica[:13]) % 97 == int(corsica[13:])


def _two_mod_11(first: str, second: str) -> Callable[[str], bool]:
    """Two check digits, each 11 less the weighted sum's remainder (Brazil's CPF and CNPJ)."""

    def check(digits: str) -> bool:
        if len(set(digits)) == 1:
            return False
        for weights in (first, second):
            numbers = [int(w) for w in weights.split(",")]
            rest = weighted(digits, numbers) % 11
            if int(digits[len(numbers)]) != (0 if rest < 2 else 11 - rest):
                return False
        return True

    return check


def _bsn(digits: str) -> bool:
    return weighted(digits, (9, 8, 7, 6, 5, 4, 3, 2, -1)) % 11 == 0 and len(set(digits)) > 1


def _nif(digits: str) -> bool:
    rest = weighted(digits, (9, 8, 7, 6, 5, 4, 3, 2)) % 11
    return int(digits[-1]) == (0 if rest < 2 else 11 - rest)


def _tckn(digits: str) -> bool:
    d = [int(c) for c in digits]
    return (sum(d[0:9:2]) * 7 - sum(d[1:8:2])) % 10 == d[9] and sum(d[:10]) % 10 == d[10]


def _belgium(digits: str) -> bool:
    number, check = int(digits[:9]), int(digits[9:])
    return check in (97 - number % 97, 97 - (2_000_000_000 + number) % 97) and _date(digits)


def _norway(digits: str) -> bool:
    first = weighted(digits, (3, 7, 6, 1, 8, 9, 4, 5, 2, 1)) % 11
    return first == 0 and weighted(digits, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1)) % 11 == 0


def _china(value: str) -> bool:
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return value[-1].upper() == "10X98765432"[weighted(value[:17], weights) % 11]


def _rut(value: str) -> bool:
    rest = 11 - weighted(value[-2::-1], (2, 3, 4, 5, 6, 7) * 2) % 11
    return value[-1].upper() == "0123456789K0"[0 if rest == 11 else rest]


def _rodne_cislo(digits: str) -> bool:
    return _date(digits) and (len(digits) == 9 or int(digits) % 11 == 0)


def _cnp(digits: str) -> bool:
    rest = weighted(digits, (2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9)) % 11
    return int(digits[-1]) == (1 if rest == 10 else rest) and _date(digits[1:7])


def _pps(value: str) -> bool:
    extra = (ord(value[8].upper()) - 64) * 9 if len(value) > 8 and value[8].upper() != "W" else 0
    rest = (weighted(value[:7], (8, 7, 6, 5, 4, 3, 2)) + extra) % 23
    return value[7].upper() == "WABCDEFGHIJKLMNOPQRSTUV"[rest]


def _nip(digits: str) -> bool:
    return weighted(digits, (6, 5, 7, 2, 3, 4, 5, 6, 7)) % 11 == int(digits[9])


def _partita_iva(value: str) -> bool:
    return luhn(value)


def _always(_: str) -> bool:
    return True


CPF = _two_mod_11("10,9,8,7,6,5,4,3,2", "11,10,9,8,7,6,5,4,3,2")
CNPJ = _two_mod_11("5,4,3,2,9,8,7,6,5,4,3,2", "6,5,4,3,2,9,8,7,6,5,4,3,2")
IDS = (
    IdShape("DeSteuerId", ("000000", "000 000"),
            r"[1-9]\d[ ]?\d{3}[ ]?\d{3}[ ]?\d{3}", _steuer_id, 0.65),
    IdShape(
        "DeRentenversicherung", ("000000a", "000000 a"),
        r"\d\d[ ]?(?:0[1-9]|[12]\d|3[01])(?:0[1-9]|1[0-2])\d\d[ ]?[A-Z][ ]?\d{3}",
        _rentenversicherung,
    ),
    IdShape(
        "FrNir", ("00000000", "000000 00", "000 00000", "000 000 00"),
        r"""[12][ ]?\d\d[ ]?(?:[02-9]\d|1[0-2])[ ]?(?:\d\d|2[AB])[ ]?\d{3}[ ]?\d{3}[ ]?\d\d""",
        _nir,
    ),
    IdShape("BrCpf", ("000000", "000 000", "000.000"), r"\d{3}[. ]?\d{3}[. ]?\d{3}[-. ]?\d\d", CPF),
    IdShape("BrCnpj", ("0000000", "000/0000", "000 0000"),
            r"\d\d[. ]?\d{3}[. ]?\d{3}[/ ]?\d{4}[-. ]?\d\d", CNPJ),
    IdShape(  # shapes that nothing else has, whatever their check digits
        "PunctuatedIds", ("000.000.000-00", "00.000.000/0000", "000.0000.0000.00", "0 00 00 0"),
        r"""\d{3}\.\d{3}\.\d{3}-\d\d | \d\d\.\d{3}\.\d{3}/\d{4}-\d\d | 756\.\d{4}\.\d{4}\.\d\d
        | [12][ ]\d\d[ ](?:0[1-9]|1[0-2])[ ]\d[\dAB][ ]\d{3}[ ]\d{3}[ ]\d\d""",
        _always,
        0.6,
    ),
    IdShape("NlBsn", ("000000000", "0000.00.000", "000.000.000"),
            r"\d{9}|\d{4}\.\d{2}\.\d{3}|\d{3}\.\d{3}\.\d{3}", _bsn, LIKELY),
    IdShape("PtNif", ("000000", "000 000"), r"[1235689]\d\d[ ]?\d{3}[ ]?\d{3}", _nif, LIKELY),
    IdShape("CaSin", ("000-000-000", "000 000 000"),
            r"[1-79]\d\d(?:-\d{3}-|[ ]\d{3}[ ])\d{3}", luhn, LIKELY),
    IdShape("TrTckn", ("0" * 11,), r"[1-9]\d{10}", _tckn),
    IdShape("BeNationalNumber", ("00000", "00-000", "00 000"),
            r"\d\d[. ]?\d\d[. ]?\d\d[- ]?\d{3}[. ]?\d\d", _belgium),
    IdShape("ChAhv", ("00000000", "0000.0000", "0000 0000"),
            r"756[. ]?\d{4}[. ]?\d{4}[. ]?\d\d", ean_13),
    IdShape("SePersonnummer", ("0" * 12, "000000-0000", "000000+0000", "000000 0000"),
            r"(?:19|20)\d{6}[-+ ]?\d{4}|\d{6}[-+ ]\d{4}",
            lambda d: luhn(d[-10:]) and _date(d[-10:-4]), 0.7),
    IdShape("NoFodselsnummer", ("0" * 11, "000000 00000"),
            r"\d{6}[ ]?\d{5}", lambda d: _norway(d) and _date(d)),
    IdShape("DkCpr", ("000000-0000",),
            r"(?:0[1-9]|[12]\d|3[01])(?:0[1-9]|1[0-2])\d\d-\d{4}", _always, 0.6),
    IdShape("CnResidentId", ("0" * 17,), r"[1-9]\d{5}(?:19|20)\d{9}[\dX]", _china),
    IdShape("ClRut", ("000000-", "000.000-"), r"\d{1,2}\.?\d{3}\.?\d{3}-[\dK]", _rut, 0.7),
    IdShape("CzRodneCislo", ("000000/000",), r"\d{6}/\d{3,4}", _rodne_cislo, 0.7),
    IdShape("RoCnp", ("0" * 13,), r"[1-8]\d{12}", _cnp),
    IdShape("HrOib", ("0" * 11,), r"\d{11}", mod_11_10, LIKELY),
    IdShape("GrAmka", ("0" * 11,), r"\d{11}", lambda d: luhn(d) and _date(d), 0.6),
    IdShape("ZaId", ("0" * 10, "000000 0000"),
            r"\d{6}[ ]?\d{4}[ ]?[01][89]\d", lambda d: luhn(d) and _date(d), 0.7),
    IdShape("IePps", ("0000000a",), r"\d{7}[A-W][A-IW]?", _pps, 0.7),
    IdShape("AeEmiratesId", ("0000000",), r"784-?(?:19|20)\d\d-?\d{7}-?\d", _always),
    IdShape("MxCurp", ("aaaa000000a",), r"[A-Z][AEIOUX][A-Z]{2}\d{6}[HMX][A-Z]{5}[A-Z\d]\d",
            lambda v: _date(v[4:])),
    IdShape("MxRfc", ("aaaa000000",), r"[A-ZÑ]{4}\d{6}[A-Z\d]{3}", lambda v: _date(v[4:]), 0.7),
    IdShape("MyNric", ("000000-00-0000",), r"\d{6}-\d\d-\d{4}", _date, 0.7),
    IdShape("PlNip", ("000-000-00-00", "000-00-00-000"),
            r"\d{3}-\d{3}-\d\d-\d\d|\d{3}-\d\d-\d\d-\d{3}", _nip, 0.7),
    IdShape("UsSsnShape", ("000-00-0000",), r"\d{3}-\d\d-\d{4}", _always, 0.6),
    IdShape(
        "EuVat", ("a000000", "a000.000", "a-000"),
        r"""(?: ATU\d{8} | BE[01]\d{9} | DE\d{9} | DK\d{8} | ES[A-Z]\d{7}[A-Z\d] | FR[A-Z\d]{2}\d{9}
        | GB\d{9} | IE\d{7}[A-W][A-I]? | IT\d{11} | LU\d{8} | NL\d{9}B\d\d | PL\d{10} | PT\d{9}
        | SE\d{10}01 | FI\d{8} | CZ\d{8,10} | CHE-?\d{3}[.]?\d{3}[.]?\d{3} | RO\d{6,10} | HU\d{8}
        | SK\d{10} | EL\d{9} | HR\d{11} | BG\d{9,10} )""",
        _always,
        0.65,
    ),
)  # fmt: skip


# Of what is needed by those of Presidio's own whose results are taken.
SEVEN_AND_LETTER = outlines("0000000a", "0000000-a")
NEEDS: dict[str, Need] = {
    "EsNieRecognizer": SEVEN_AND_LETTER,
    "EsNifRecognizer": SEVEN_AND_LETTER,
    # Its century sign is any from + to A: `[+-A...]` is a range.
    "FiPersonalIdentityCodeRecognizer": outlines(
        *(f"000000{sign}000" for sign in "+,-./0:;<=>?@a")
    ),
    "InAadhaarRecognizer": outlines("0" * 12, *(f"0000{gap}0000" for gap in "- :")),
    "InPanRecognizer": outlines("aaaaa0000a"),
    "InGstinRecognizer": Unbroken(15),
    "ItFiscalCodeRecognizer": Unbroken(16),
    "SgFinRecognizer": outlines("a0000000a"),
    "UkNinoRecognizer": outlines("a0000", "a00 0", "a 0000", "a 00 0"),
    "UsItinRecognizer": outlines(
        "0" * 9, "000-000000", "000 000000", "00000-0000", "00000 0000",
        *(f"000{gap}00{other}0000" for gap in "- " for other in "- "),
    ),
    "AuAbnRecognizer": outlines("0" * 11, "00 000 000 000"),
    "KrRrnRecognizer": outlines("0" * 13, "000000-0000000"),
    "ThTninRecognizer": outlines("0" * 13),
    "NhsRecognizer": outlines("0000000", "000-0000", "000 0000"),
    "AuTfnRecognizer": outlines("0" * 9, "000 000 000"),
    "AuMedicareRecognizer": outlines("0" * 10, "0000 00000 0"),
    "UsSsnRecognizer": outlines("0" * 9, "000-000000", *(f"00{gap}0000" for gap in "-. ")),
    "PlPeselRecognizer": outlines("0" * 11),
}  # fmt: skip


class CheckedIds(Recognizer):
    """Ids of one country, in its own grouping, whose check digits are right."""

    def __init__(self, shape: IdShape) -> None:
        kind = "US_SSN" if shape.name.startswith("UsSsn") else "NATIONAL_ID"
        super().__init__(kind, shape.name, outlines(*shape.outlines))
        self._pattern = re.compile(
            rf"(?<![\w.,/-])(?:{shape.pattern})(?![\w/]|[.,-]\d)", re.VERBOSE | re.IGNORECASE
        )
        self._shape = shape

    def find(self, text: str) -> Iterator[Found]:
        for match in self._pattern.finditer(text):
            check_cpu()
            if AMOUNT.fullmatch(match[0]):
                continue
            if self._shape.check("".join(filter(str.isalnum, match[0].upper()))):
                yield *match.span(), self._shape.score


class Checked(Recognizer):
    """One of Presidio's own pattern recognizers, its checksum included, in linear time.

    Presidio compares each pair of a recognizer's results. Its weak patterns (any nine digits)
    wait for context words that ours hold themselves, and are left out unless a checksum helps.
    """

    LEAST_SCORE = 0.5

    def __init__(self, entity_type: str, stock: Any, score_if_valid: float = 1.0) -> None:
        from presidio_analyzer import PatternRecognizer

        super().__init__(entity_type, stock.name, NEEDS[stock.name])
        self._stock = stock
        self._score_if_valid = score_if_valid
        checked = type(stock).validate_result is not PatternRecognizer.validate_result
        self._patterns = [
            (re.compile(p.regex, re.IGNORECASE), p.score)
            for p in stock.patterns
            if checked or p.score >= self.LEAST_SCORE
        ]

    def find(self, text: str) -> Iterator[Found]:
        for pattern, score in self._patterns:
            for match in pattern.finditer(text):
                check_cpu()
                valid = self._stock.validate_result(match[0])
                if (
                    valid is False
                    or self._stock.invalidate_result(match[0])
                    or AMOUNT.fullmatch(match[0])
                ):
                    continue
                if valid or score >= self.LEAST_SCORE:
                    start = match.end() - len(match[0].lstrip())
                    yield start, match.end(), self._score_if_valid if valid else score


KEYWORDS = r"""\b(?:tax(?:payer)?[ ]?(?:id|number|no)|steuer(?:-?id|nummer|-?nr)|tin|ein|fein|nin
    |nino|itin|aadhaar|aadhar
    |cpf|cnpj|pan|nif|nie|dni|cif|nit|rut|rfc|curp|bsn|burgerservicenummer|sin|sozialversicherung
    |(?:sozial|renten|kranken)versicherungs(?:nummer|-?nr)|svnr|rvnr|national[ ](?:id|insurance)|ni
    |nhs|personnummer|personal[ ]?nummer|cpr|fødselsnummer|hetu|henkilötunnus|pesel|nip|regon
    |codice[ ]fiscale|partita[ ]iva|p\.?[ ]?iva|numéro[ ]de[ ]sécurité[ ]sociale|sécu|nir|siren
    |siret
    |seguridad[ ]social|avs|ahv|tfn|abn|acn|medicare|sss|nric|fin|ic|my[ ]?number|rrn|npi|mbi
    |tckn|t\.?c\.?[ ]kimlik|amka|afm|cnp|egn|rodné[ ]číslo|pps|vat|ust-?id(?:nr)?|umsatzsteuer-?id
    |uid|tva|btw|iva|gst(?:in)?|moms|voter[ ]id|emirates[ ]id|company[ ]number|handelsregister
    |hrb|krs|kvk|orgnr|org\.?[ ]?nr|national[ ]identity)\b"""
KEYWORDED_IDS = PatternSet(
    "NATIONAL_ID",
    "KeywordedIds",
    0.8,
    (
        rf"""(?:[ ./-]?(?:id|number|num|no|nr|nummer|numéro|número|n[°º]|code|card)\b\.?){{0,2}}
            {IS}
            (?P<pii> [A-Z]{{0,5}}[ ]?\d(?:[ ./-]?[A-Z\d](?![a-z]{{2}})){{4,17}} )(?!\w)""",
    ),
    needs=Digits(5),  # letters may stand between them
    honest=lambda match: sum(map(str.isdigit, match)) >= 5,
    after=KEYWORDS,
)
SSNS = PatternSet(
    "US_SSN",
    "KeywordedSsns",
    0.85,
    (
        rf"""(?:[ ]?(?:number|no|nr|\#)\b\.?)? (?:{IS}|[ ]) (?P<pii>
            \d{{3}}[ .-]?\d{{2}}[ .-]?\d{{4}} )
            (?!\d)""",
        r"[ ](?:number[ ])?(?:is|are|ends[ ](?:in|with))[ :]{1,2}(?P<pii>\d{4})\b",
    ),
    needs=ANY_DIGIT,
    after=r"\b(?:ssn|social[ ]security|social|itin|last[ ](?:four|4)(?:[ ]digits)?)\b",
)


def recognizers() -> list[Recognizer]:
    """Recognizers of national ids, each country's by its own name."""
    from presidio_analyzer import predefined_recognizers as stock

    checked = (
        stock.EsNieRecognizer,
        stock.EsNifRecognizer,
        stock.FiPersonalIdentityCodeRecognizer,
        stock.InAadhaarRecognizer,
        stock.InPanRecognizer,
        stock.InGstinRecognizer,
        stock.ItFiscalCodeRecognizer,
        stock.SgFinRecognizer,
        stock.UkNinoRecognizer,
        stock.UsItinRecognizer,
        stock.AuAbnRecognizer,
        stock.KrRrnRecognizer,
        stock.ThTninRecognizer,
    )
    alike_phones = (stock.NhsRecognizer, stock.AuTfnRecognizer, stock.AuMedicareRecognizer)
    return [
        *(CheckedIds(shape) for shape in IDS),
        Checked("US_SSN", stock.UsSsnRecognizer()),
        *(Checked("NATIONAL_ID", kind(), SURE) for kind in checked),
        *(Checked("NATIONAL_ID", kind(), LIKELY) for kind in alike_phones),
        Checked("NATIONAL_ID", stock.PlPeselRecognizer(), 0.65),
        Patterns(KEYWORDED_IDS),
        Patterns(SSNS),
    ]
