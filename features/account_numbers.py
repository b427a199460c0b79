"""Account numbers, under which someone keeps a file: orders, customers, parcels, wallets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from features.patterns import Found, PatternSet, Shape
from features.recognizers import Patterns, Recognizer
from features.text_signs import ANY_DIGIT, Searched, Unbroken, outlines, words

NUMBER_SIGN = r"""(?: [ -]?(?:number|num|no|nr|nummer|id|code|numéro|número|numero|n[°º])\b\.?
    | [ ]?[\#:=] ) (?:[ ](?:is|was|ist|est|es)\b)? [\s:=\#]{0,3}"""
ACCOUNT = r"""\b(?:account|acct|a/c|customer|client|order|invoice|purchase[ ]order|po\b|policy|claim
    |member(?:ship)?|ticket|incident|case|pnr\b|booking|reservation|contract|reference|ref\b
    |tracking|shipment|parcel
    |patient|employee|student|loyalty|subscription|transaction|quote|offer|confirmation|user|serial
    |konto|kunden|bestell|auftrags|rechnungs|vertrags|versicherungs|sendungs|mitglieds|angebots
    |vorgangs|aktenzeichen|compte|commande|facture|contrat|client|dossier|suivi|colis|cuenta|pedido
    |factura|cliente|contrato|póliza|env[ií]o|ordine|fattura|conta|fatura|encomenda)"""
ACCOUNT_NUMBERS = PatternSet(
    "ACCOUNT_NUMBER",
    "KeywordedNumbers",
    0.85,
    (
        rf"""{NUMBER_SIGN} (?P<pii> (?=[A-Z/-]{{0,8}}\d|(?-i:[A-Z]{{1,4}})[ ]\d)
            [A-Z\d] (?:[A-Z\d/-]|[ ](?=\d)){{2,24}} )""",
        r"""[ ]\#? (?P<pii> [A-Z]{1,4}-?\d[A-Z\d-]{2,20} | \d{1,6}(?:-\d{2,8}){1,4} | \d{5,20} )
            (?![\w-]|[ ]?(?:%|users?|seats?|units?|eur\b|usd\b|€))""",
    ),
    honest=lambda match: not re.fullmatch(r"(?:19|20)\d\d[ /-].{1,5}", match),
    needs=ANY_DIGIT,
    after=ACCOUNT,
)
BANKS = PatternSet(
    "ACCOUNT_NUMBER",
    "BankCodes",
    0.75,
    (
        rf"""(?: [ /-]?(?:bic|swift|code)\b ){{0,2}} {NUMBER_SIGN}?
            [ ]{{0,2}} (?P<pii> [A-Z]{{4}}[A-Z]{{2}}[A-Z\d]{{2}}(?:[A-Z\d]{{3}})? )(?!\w)""",
    ),
    honest=lambda match: match.isupper() or any(map(str.isdigit, match)),
    after=r"\b(?:bic|swift)\b",
)
BANKING = PatternSet(
    "ACCOUNT_NUMBER",
    "BankDetails",
    0.75,
    (
        r"""(?:[ ]?(?:number|no|nr|code)\b\.?)? [ :=\#]{1,3} (?:is[ ])?
            (?P<pii> [A-Z]{0,4}\d(?:[ -]?\d){4,23} )(?!\w)""",
        r"(?<=ending)[ ](?:in|with)[ ](?P<pii> \d{3,5} )(?!\w)",
        r"(?:[ ]date)? [ :]{1,2} (?P<pii> [01]\d[ ]?/[ ]?\d{2,4} )(?!\d)",
    ),
    needs=ANY_DIGIT,
    after=r"""\b(?:sort[ ]?code|routing|aba|blz|bankleitzahl|bsb|ifsc|transit|rib|clabe|agência
        |bank[ ]code
        |account|ending|exp(?:iry|ires|iration)?\.?|valid[ ](?:thru|until))\b""",
)
SHAPED_NUMBERS = PatternSet(
    "ACCOUNT_NUMBER",
    "ShapedNumbers",
    0.65,
    (
        Shape(
            r"(?<![\w-]) [0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12} (?![\w-])",
            Searched(re.compile(r"-[0-9a-fA-F]{4}-")),
        ),
        Shape(  # sort code and account, UK
            r"(?<![\d.-]) \d\d-\d\d-\d\d[ ,]{1,3}\d{8} (?!\d)", outlines("00-00-00")
        ),
        Shape(r"(?<!\w) 1Z[ ]?(?:[A-Z\d][ ]?){15}[A-Z\d] (?!\w)", words("1z")),  # UPS
        Shape(r"(?<!\w) (?:[A-Z]{2}\d{9}[A-Z]{2} | JJD\d{12,18}) (?!\w)", outlines("aa000000000")),
        Shape(
            r"(?<![\w&\#/]) \#(?P<pii> (?=[A-Z-]{0,5}\d) [A-Z\d-]{0,6}\d{5,} )(?!\w)", words("#")
        ),
        Shape(  # as on a card
            r"(?<![\d.,-]) \d{4}(?:[ -]\d{4}){2,4} (?![\d,]|[.-]\d)",
            outlines("0000 0000", "0000-0000"),
        ),
        Shape(
            r"""(?<![\w-]) (?:INV|ORD|PO|SO|REF|ACC|CUST|CASE|TKT|RMA|RE|AB|KD
            |BST)[-/ ]?(?:\d{2,4}[-/])?\d{4,12} (?![\w-])""",
            outlines(*(f"aa{gap}00{more}" for gap in ("", "-", "/", " ") for more in "0-/")),
        ),
    ),
    honest=lambda match: not re.fullmatch(r"[A-Za-z]{2,4}[-/ ](?:19|20)\d\d", match),
)
LONG_NUMBERS = PatternSet(
    "ACCOUNT_NUMBER",
    "LongNumbers",
    0.45,
    (r"(?<!\d)\d{9,}+",),
    needs=outlines("000000000"),
)


class Wallets(Recognizer):
    """Addresses of crypto currencies whose checksum is right (Bitcoin), or whose shape is."""

    CANDIDATE = re.compile(
        r"""(?<!\w)(?:0x[0-9a-fA-F]{40}|(?:bc1|tb1|ltc1)[a-z0-9]{25,71}+
            |[13LDr][1-9A-HJ-NP-Za-km-z]{25,34}+)(?!\w)""",
        re.VERBOSE,
    )

    def __init__(self, stock: Any) -> None:
        super().__init__("ACCOUNT_NUMBER", "Wallets", Unbroken(26))
        self._stock = stock

    def find(self, text: str) -> Iterator[Found]:
        for match in self.CANDIDATE.finditer(text):
            mixed = any(map(str.isdigit, match[0])) and match[0] != match[0].upper()
            if mixed:
                sure = match[0].startswith("0x") or self._stock.validate_result(match[0])
                yield *match.span(), 0.95 if sure else 0.55


def recognizers() -> list[Recognizer]:
    """Recognizers of account numbers."""
    from presidio_analyzer.predefined_recognizers import CryptoRecognizer

    return [
        *map(Patterns, (ACCOUNT_NUMBERS, BANKS, BANKING, SHAPED_NUMBERS, LONG_NUMBERS)),
        Wallets(CryptoRecognizer()),
    ]
