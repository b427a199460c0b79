"""What personal data looks like: the patterns that our recognizers search for.

Each pattern must take time linear in the text, whatever the text: it starts where a run starts
(look-behind), gives nothing back (possessive `++`, `{1,30}+`), and bounds what may repeat. They
are verbose: blanks do not count, `[ ]` is a space. The group `pii`, where there is one, is what
goes. Texts are plain (`plain_text`): one kind of dash, quote, apostrophe and digit.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PatternSet:
    """Patterns of one entity type. Not `honest`: a match that is something else, and stays."""

    entity_type: str
    name: str
    score: float
    patterns: tuple[str, ...]
    ignore_case: bool = True
    honest: Callable[[str], bool] | None = None

    @property
    def compiled(self) -> tuple[re.Pattern[str], ...]:
        case = re.IGNORECASE if self.ignore_case else re.NOFLAG
        return tuple(re.compile(pattern, re.VERBOSE | case) for pattern in self.patterns)


# --- people and companies ------------------------------------------------------------------

NAME = r"[^\W\d_][^\W\d_'-]{0,30}+ (?:['-][^\W\d_]{1,30}+){0,2}+"
CAPITALISED = rf"(?=[A-ZÀ-ÖØ-Þ]) {NAME}"
PARTICLES = r"(?:(?:van|von|de|der|la|di|da|el|bin)[ ]){0,2}"
FULL_NAME = rf"{CAPITALISED} (?:[ ]{{1,2}} {PARTICLES} {CAPITALISED}){{0,3}}+"

NAMES = PatternSet(
    "PERSON",
    "IntroducedNames",
    0.8,
    (
        rf"""(?i: \bmy[ ](?:full[ ])?name(?:'s|[ ]is) | \bi[ ]am[ ]called | \bich[ ]hei(?:ß|ss)e
            | \bmein[ ]name[ ]ist | \bje[ ]m'appelle | \bme[ ]llamo | \bmi[ ]nombre[ ]es )
            [ ]{{1,2}} (?P<pii> {FULL_NAME} | {NAME} (?:[ ]{NAME})? )""",
        rf"""(?i: ^[ \t>]*+ (?:(?:full|first|last|contact)[ ])? name [ \t]*+ [:=] ) [ \t]*+
            (?P<pii> {NAME} (?:[ ]{NAME}){{0,3}} )""",
        rf"""\b(?:Mr|Mrs|Ms|Mx|Dr|Prof|Herr|Herrn|Frau|Monsieur|Madame|Mme|Señora?|Sra?)\b \.?
            [ ]{{1,2}} (?P<pii> {FULL_NAME} )""",
        rf"""(?i: \b(?:regards|sincerely|cheers|thanks|thank[ ]you|yours|best|grüße|gruß|gruss
            |mfg|cordialement|saludos)) [,.!]? [ \t]{{0,3}} (?:\r?\n[ \t]{{0,3}}){{1,3}}
            (?P<pii> {FULL_NAME} ) [ \t]{{0,3}} (?=[\r\n,]|\Z)""",
    ),
    ignore_case=False,
)

LEGAL_FORM = r"""(?:GmbH|AG|Inc|Incorporated|LLC|LLP|Ltd|Limited|PLC|Corp|Corporation|KG|UG|SARL
    |SAS|SpA|B\.?V|N\.?V|Pty|Oy|S\.?L)"""
COMPANIES = PatternSet(
    "ORGANIZATION",
    "CompaniesByLegalForm",
    0.75,
    (
        rf"""(?<!\w) (?: [A-ZÀ-ÖØ-Þ][\w&'-]{{0,30}}+ ,?[ ] (?:(?:&|and|und|of|et|y)[ ])? ){{1,4}}
            {LEGAL_FORM} \b\.?""",
    ),
    ignore_case=False,
)

# --- addresses -----------------------------------------------------------------------------

WORD = r"[^\W\d_][\w'.-]{0,30}+"
CAPITALISED_WORD = r"(?=[A-ZÀ-ÖØ-Þ])" + WORD
UNIT = r"""(?:apt|apartment|suite|ste|unit|flat|floor|room) (?:\.[ ]?|[ ]) \#?[ ]?
    (?:\w?\d\w{0,4}|[a-z])\b"""
STREET = r"(?:street|avenue|ave|road|rd|lane|ln|boulevard|blvd|parkway|pkwy|highway|hwy)"
STREET_IF_CAPITALISED = r"""(?:St|Drive|Dr|Court|Ct|Place|Pl|Square|Sq|Terrace|Close|Crescent
    |Gardens|Mews|Alley|Trail|Circle|Row|Walk|Way)"""
COMPASS = r"(?:north|south|east|west|n|s|e|w|ne|nw|se|sw)"
POSTCODE = r"(?:[A-Z]{2}[ ])? (?: \d{4,6}(?:-\d{3,4})? | [A-Z]{1,2}\d[A-Z\d]?[ ]?\d[A-Z]{2} ) \b"
# Up to four more parts of an address, where a postal code ends them.
TAIL = rf"(?: (?: [,\s]{{1,3}} [^\W\d_][^\d\n,]{{0,30}}+ ){{0,4}} [,\s]{{1,3}} {POSTCODE} )"

STREETS = PatternSet(
    "STREET_ADDRESS",
    "StreetAddresses",
    0.7,
    (
        rf"""\b\d{{1,5}}[a-z]?(?:-\d{{1,4}})? ,?[ ] (?: (?:{WORD}[ ]){{1,4}}? {STREET}
            | (?-i: (?:{CAPITALISED_WORD}[ ]){{1,4}}? {STREET_IF_CAPITALISED} ) )\b\.?
            (?:[ ]{COMPASS}\b\.?)? (?:[,\s]{{1,3}}{UNIT})? {TAIL}?""",
        rf"""\b\d{{1,5}}[a-z]? [ ] {WORD} (?:[ ]{WORD}){{0,3}} (?:[ ]\d{{1,4}})? [,\s]{{1,3}}
            {UNIT} {TAIL}?""",
        rf"""\b[^\W\d_]{{2,30}}(?:straße|strasse|str\.|weg|platz|gasse|allee|damm|ufer)
            [ ]\d{{1,4}}[ ]?[a-z]?\b {TAIL}?""",
        rf"""\b\d{{1,4}} (?:[ ]?bis|[ ]?ter)? ,?[ ]
            (?:rue|avenue|boulevard|place|chemin|allée|quai|impasse) [ ] (?:{WORD}[ ]?){{1,5}}
            {TAIL}?""",
        rf"""\b(?:calle|avenida|avda\.?|plaza|paseo|rua|via|viale|piazza) [ ]
            (?:{WORD}[ ]){{0,4}} {WORD},?[ ] (?:n[ºo°.]{{0,2}}[ ]?)? \d{{1,4}}\b {TAIL}?""",
        r"\b(?:p\.?[ ]?o\.?[ ]?box|postfach|apartado)[ ]\#?\d{1,8}\b",
        r"""\b(?:zip|postal|post)[ ]?code [ ]?(?:is|:|=)?[ ]?
            (?P<pii> (?=[A-Z -]{0,4}\d) [A-Z\d][A-Z\d-]{2,9}(?:[ ]\d[A-Z\d]{2})? )\b""",
    ),
)

US_STATE = r"""(?:A[KLRZ]|C[AOT]|D[CE]|FL|GA|HI|I[ADLN]|K[SY]|LA|M[ADEINOST]|N[CDEHJMVY]|O[HKR]|PA
    |RI|S[CD]|T[NX]|UT|V[AT]|W[AIVY])"""
POSTAL_CODES = PatternSet(
    "STREET_ADDRESS",
    "PostalCodes",
    0.6,
    (
        rf"\b{US_STATE} [ ] (?P<pii> \d{{5}}(?:-\d{{4}})? )\b",
        r"\b[A-PR-UWYZ][A-HK-Y]?\d[A-Z\d]?[ ]\d[ABD-HJLNP-UW-Z]{2}\b",
    ),
    ignore_case=False,
)

# --- phones, dates of birth ----------------------------------------------------------------

DATE = re.compile(
    r"(?:[0-3]?\d[-/.][0-3]?\d[-/.](?:19|20)?\d\d|(?:19|20)\d\d[-/.][01]?\d[-/.][0-3]?\d)(?![-/.]?\d)"
)
YEARS = re.compile(r"(?:19|20)\d\d ?[-/ ] ?(?:19|20)\d\d$")


def is_no_date(digits: str) -> bool:
    """False for a date, or a span of years."""
    return not DATE.match(digits) and not YEARS.match(digits)


GAP = r"[ ().\-/]{0,3}+"
EXTENSION = r"(?:[ ]?(?:x|ext\.?|durchwahl)[ ]?\d{1,6})?"
PHONES = PatternSet(
    "PHONE_NUMBER",
    "PhoneShapes",
    0.75,
    (
        rf"""(?: (?<![\w+])\+ | (?<!\w)\(\+ | (?<![\d.,])00 ) [ (]{{0,2}}
            [1-9](?:{GAP}\d){{6,16}}+ {EXTENSION}""",
        rf"""\b(?:phone|telephone|telefon|téléphone|teléfono|tel|mobile|mobil|móvil|portable|handy
            |cell|cellphone|fax|whatsapp|call|text|ring|reach|landline)\b
            (?: [ .:\#-]{{1,3}} (?:me|us|no|nr|number|is|at|on|back|it's|my)\b ){{0,4}}
            [ .:\#-]{{0,4}} (?P<pii> \(?\d(?:{GAP}\d){{5,14}}+ )""",
        rf"""(?<![\d.]) (?:1[ .-])? \(?\d{{3}}\)? [ .\-/]{{1,2}} \d{{3}} [ .-] \d{{4}} (?!\d)
            {EXTENSION}""",
        r"(?<![\d.,:/-]) \d{3}-\d{4} (?![\d-])",
        r"(?<![\d.,:/-]) \(?0\d{1,5}\)? (?:[ /-]{1,3}\d{2,8}){1,5} (?!\d|[.:]\d)",
    ),
    honest=is_no_date,
)

MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|mär|mai|okt|dez)[^\W\d_]{0,7}+\.?"
BIRTH_DATES = PatternSet(
    "DATE_OF_BIRTH",
    "BirthDates",
    0.9,
    (
        rf"""\b(?:d\.?o\.?b\b\.? | date[ ]of[ ]birth | birth[ ]?da(?:te|y) | born(?:[ ]on)?
            | geboren(?:[ ]am)? | geb\.(?:[ ]am)? | geburtsdatum | née?[ ]le | nacid[oa][ ]el)
            [ :=-]{{1,4}} (?:is[ ]|was[ ])?
            (?P<pii> \d{{1,4}}[-/. ]{{1,2}}\d{{1,2}}[-/. ]{{1,2}}\d{{2,4}}
            | \d{{1,2}}(?:st|nd|rd|th|\.)?[ ](?:of[ ])?{MONTH},?[ ]\d{{2,4}}
            | {MONTH}[ ]\d{{1,2}}(?:st|nd|rd|th)?,?[ ]\d{{2,4}} )""",
    ),
)

# --- numbers that someone keeps a file under -----------------------------------------------

NUMBER_SIGN = r"""(?: [ -]?(?:number|num|no|nr|nummer|id|code|numéro|número)\b\.? | [ ]?[\#:=] )
    (?:[ ](?:is|was|ist)\b)? [ :=\#]{0,3}"""
ACCOUNT = r"""(?:account|acct|a/c|customer|client|order|invoice|purchase[ ]order|policy
    |member(?:ship)?|ticket|case|booking|reservation|contract|reference|ref|tracking|patient
    |employee|student|konto|kunden|bestell|auftrags|rechnungs|vertrags|compte|commande|cuenta
    |pedido)"""
ACCOUNT_NUMBERS = PatternSet(
    "ACCOUNT_NUMBER",
    "KeywordedNumbers",
    0.7,
    (
        rf"""\b{ACCOUNT} {NUMBER_SIGN}
            (?P<pii> (?=[A-Z/-]{{0,8}}\d) [A-Z\d] (?:[A-Z\d/-]|[ ](?=\d)){{2,24}} )""",
        rf"\b{ACCOUNT} [ ]\#? (?P<pii> [A-Z]{{1,4}}-?\d[A-Z\d-]{{2,20}} | \d{{6,20}} )\b",
    ),
)
LONG_NUMBERS = PatternSet("ACCOUNT_NUMBER", "LongNumbers", 0.45, (r"(?<!\d)\d{9,}+",))

IS = r"(?:[ ]?(?:is|was|ist)\b)? [ :=\#]{1,3}"
DOCUMENTS = PatternSet(
    "IDENTITY_DOCUMENT",
    "KeywordedDocuments",
    0.75,
    (
        rf"""\b(?:passport|reisepass|passeport|pasaporte|driv(?:er|ing)'?s?[ ]licen[cs]e
            |licen[cs]e|führerschein|licen[cs]e[ ]plate|number[ ]plate|kennzeichen|registration
            |id[ ]card|ausweis|visa) (?:[ -]?(?:number|num|no|nr|nummer|id|plate)\b\.?)? {IS}
            (?P<pii> (?=[A-Z -]{{0,6}}\d) [A-Z\d](?:[A-Z\d]|[ -](?=[A-Z]{{0,3}}\d)){{3,16}} )\b""",
    ),
)
US_SSNS = PatternSet(
    "US_SSN",
    "KeywordedSsns",
    0.85,
    (
        rf"""\b(?:ssn|social[ ]security)\b (?:[ ]?(?:number|no|nr)\b\.?)? {IS}
            (?P<pii> \d{{3}}[ .-]?\d{{2}}[ .-]?\d{{4}} )(?!\d)""",
    ),
)
NATIONAL_IDS = PatternSet(
    "NATIONAL_ID",
    "NationalIds",
    0.8,
    (
        r"(?<!\d)\d{3}\.\d{3}\.\d{3}-\d{2}(?!\d)",  # Brazil, CPF
        r"""(?<!\d)[12][ ]?\d\d[ ]?(?:0[1-9]|1[0-2])[ ]?\d[\dAB][ ]?\d{3}[ ]?\d{3}[ ]?\d\d
            (?!\d)""",  # France, NIR
        rf"""\b(?:tax[ ]id|steuer-?id|tin|nin|aadhaar|cpf|pan|nif|dni)\b
            (?:[ ]?(?:number|no|nr)\b\.?)? {IS}
            (?P<pii> [A-Z]{{0,5}}\d(?:[ .-]?[A-Z\d]){{5,15}} )""",
    ),
)

# --- secrets -------------------------------------------------------------------------------

KEYWORD = r"""(?:password|passwd|passwort|passcode|pwd|kennwort|mot[ ]de[ ]passe|contraseña|secret
    |api[ _-]?key|access[ _-]?(?:key|token)|auth[ _-]?token|pin(?:[ ]code)?)"""
CREDENTIALS = PatternSet(
    "CREDENTIAL",
    "Credentials",
    0.85,
    (
        r"(?<![\w-])(?:sk|pk|rk)[-_][\w-]{16,}+",
        r"""(?<!\w)(?:gh[pousr]_|github_pat_|glpat-|xox[abprs]-|AKIA|ASIA|AIza|ya29\.|hf_)
            [\w.-]{12,}+""",
        r"(?<![\w.-])eyJ[\w-]{8,}+ \.[\w-]++ (?:\.[\w-]*+)?",
        r"\bbearer[ ]{1,3}[\w.~+/=-]{8,}+",
        r"-----BEGIN[ ][A-Z ]{3,30}----- [^-]*+ (?:-----END[ ][A-Z ]{3,30}-----)?",
        rf"""\b{KEYWORD}\b ["']? [ ]{{0,2}} (?:is[ ]?[:=]?|ist|[:=]) [ ]{{0,2}}
            (?P<pii> \S{{3,}}+ )""",
        # No known prefix: letters and digits mixed, longer than any word or product code.
        r"""(?<![\w+/=-]) (?=[A-Za-z+/=_-]{0,40}\d) (?=[\d+/=_-]{0,40}[A-Za-z])
            [A-Za-z0-9+/_]{24,}+ ={0,2}""",
        r"(?<![\w+/=-]) [A-Za-z0-9+/=_-]{64,}+",
    ),
)

LONGEST_READABLE = 200  # characters without a blank
UNREADABLE = PatternSet("UNREADABLE", "LongRuns", 0.1, (rf"\S{{{LONGEST_READABLE},}}+",))

# --- the net -------------------------------------------------------------------------------

LOCAL = r"[\w.!\#$&'*+/=?^`{|}~-]"
DOT = r"(?: \. | [ ]\.[ ] | [ ]?[(\[{][ ]?dot[ ]?[)\]}][ ]? | [ ]dot[ ] )"
EMAILS = PatternSet(
    "EMAIL_ADDRESS",
    "EmailAddresses",
    0.95,
    (
        rf"(?<!{LOCAL}) {LOCAL}++ (?:@|%40) [\w-]++ (?:\.[\w-]++)*+",
        rf"(?<![\w.+-]) [\w.+-]++ [ ]?[(\[{{][ ]?at[ ]?[)\]}}][ ]? [\w-]++ (?:{DOT}[\w-]++)*+",
        r"(?<![\w.+-]) [\w.+-]++ [ ]at[ ] [\w-]++ (?:[ ]dot[ ][\w-]++)++",
        r"(?<![\w.+-]) [\w.+-]++ [ ]?@[ ]? [\w-]++ (?:(?:\.|[ ]\.[ ])[\w-]++)++",
    ),
    honest=lambda match: any(c.isalpha() for c in re.split("@|%40", match)[-1]),
)
HANDLES = PatternSet(
    "SOCIAL_HANDLE",
    "SocialHandles",
    0.8,
    (
        r"(?<![\w@./+-]) @[^\W\d][\w.]{1,30}(?<!\.)",
        r"""\b(?:skype|telegram|insta(?:gram)?|twitter|discord|wechat|snapchat|tiktok|linkedin
            |github|facebook|ig|handle|username) (?:[ ](?:handle|id|name|username|user))?
            [ ]?(?:[:=]|is\b)[ ]? (?P<pii> @?[\w.:\#-]{3,40} )""",
    ),
)

ALL = (
    NAMES,
    COMPANIES,
    STREETS,
    POSTAL_CODES,
    PHONES,
    BIRTH_DATES,
    ACCOUNT_NUMBERS,
    LONG_NUMBERS,
    DOCUMENTS,
    US_SSNS,
    NATIONAL_IDS,
    CREDENTIALS,
    UNREADABLE,
    EMAILS,
    HANDLES,
)
