"""Postal addresses and parts of them: streets, units, post boxes, postal codes, coordinates."""

from __future__ import annotations

import re

from features.patterns import UPPER, PatternSet, Shape
from features.recognizers import Patterns, Recognizer
from features.text_signs import ANY_DIGIT, AnyOf, Searched, outlines, words

WORD = r"(?:[^\W\d_]|\d{1,3}(?:st|nd|rd|th)\b)[\w'.-]{0,30}+"
CAPITALISED = rf"(?-i:[{UPPER}])[\w'.-]{{0,30}}+"
UNIT = r"""(?:apt|apartment|apto|appartement|appartamento|suite|ste|unit|flat|floor|fl|room|rm|piso
    |planta
    |puerta|étage|etage|bât|bâtiment|bldg|building|block|interno|int|scala|piano|lgh|top|stiege
    |depto|dpto
    |sala|andar|bloco|m|lok|no|edif|esc|office|bus|boîte|bte)\b (?:\.[ ]?|[ ])? \#?[ ]?
    (?:\w{0,2}\d\w{0,5}(?:[/-]\d{1,4})?|[a-z])\b"""
LOOSE_UNIT = rf"""(?: {UNIT} | \#[ ]?\d{{1,5}}\w?\b | \d{{1,2}}[ºª°o](?:[ ]?[a-z]\b|[ ](?:dcha
    |izq)\w{{0,5}})? )"""
STREET = r"""(?:streets?|avenue|ave|road|rd|lane|ln|boulevard|blvd|parkway|pkwy|highway|hwy
    |expressway
    |turnpike|salai|marg|nagar|chowk)"""
STREET_IF_CAPITALISED = r"""(?:St|Drive|Dr|Court|Ct|Place|Pl|Squares?|Sq|Terrace|Ter|Close|Crescent
    |Cres
    |Gardens?|Mews|Alley|Trail|Trl|Circle|Cir|Row|Walk|Way|Broadway|Loop|Path|Plaza|Rise|Hill|Park
    |Grove|Green|View|Vista|Bend|Cove|Crossing|Estates?|Heights|Junction|Manor|Meadows?|Point|Ridge
    |Run|Springs?|Valleys?|Wharf|Quay|Yard|Parade|Esplanade|Lea|Cross|Main|Circuit|Nagar|Colony)"""
COMPASS = r"(?:north|south|east|west|n|s|e|w|ne|nw|se|sw)"
UK_POSTCODE = r"[A-Z]{1,2}\d[A-Z\d]?[ ]?\d[ABD-HJLNP-UW-Z]{2}"
POSTCODE = rf"""(?: (?:[A-Z]{{2}}[ -])? (?: \d{{4,6}}(?:-\d{{3,4}})? | \d{{2,3}}[ -]\d{{2,3}} )
    | {UK_POSTCODE} | [A-Z]\d[A-Z][ ]?\d[A-Z]\d | \d{{4}}[ ]?[A-Z]{{2}} ) \b"""
CITY = rf"(?-i:[{UPPER}])[\w'-]{{0,30}}+"
AFTER_CODE = rf"(?: ,?[ ] {CITY} (?:[ -]{CITY}){{0,2}}+ )?"
# More parts of an address, where a postal code ends them.
PART = r"[^\W\d_][^\d\n,|\s]{0,30}+(?!\d)"
TAIL = rf"""(?: (?: [ ]?[,|\n][\s>?*|]{{0,5}} {PART}(?:[ ]{PART}){{0,4}}
    | [ ](?:-[ ])? (?-i:[{UPPER}])[^\d\n,|\s]{{0,30}}+(?!\d) ){{0,8}}
    [,\s|-]{{1,4}} {POSTCODE} (?![.,]\d|[ ]?(?:[%€$]|(?-i:[a-z]{{2,20}}s\b))) )"""
NUMBER = r"(?:\d{1,5}[ ](?=\d))?(?:\#[ ]?)?\d{1,5}(?:[ ]?1/2|[a-z]\b)?(?:[-/]\d{1,4}[a-z]?)?"
HOUSE = r"""(?:(?:n[ºo°r.]{1,2}[ .]{0,2}
    |no[.:]?[ ]?)?\d{1,5}[ ]?(?:[a-z]\b)?(?:[-/.]\d{1,4}[a-z]?){0,3})\b"""
NO_STREET = re.compile(
    r"\b(?:on|in|at|to|for|from|by|with|and|or|per|a|an|is|are|was|more|new|miles|km|hours|days"
    r"|weeks|months|years|people|cars|our|your|my|this|that|off|down|way|year|month|day|users)\b"
)
NO_STREET_WITHOUT_CAPITALS = re.compile(r"\b(?:of|the)\b")


def is_street(match: str) -> bool:
    """False for `500 miles on the road`: words that no street is named after."""
    street = re.split(r"[,\n]", match)[0]
    named = any(map(str.isupper, street)) or not NO_STREET_WITHOUT_CAPITALS.search(street)
    return named and not NO_STREET.search(street)


STREETS = PatternSet(
    "STREET_ADDRESS",
    "NumberedStreets",
    0.7,
    (
        rf"""(?<![\w.,$€£]) (?:{UNIT}[,\s]{{1,3}})? {NUMBER} ,?[ ] (?:{COMPASS}\.?[ ])?
            (?: (?:{WORD}[ ]){{1,4}}? {STREET}(?![ ]?-?maps?\b)
            | (?-i: (?:{CAPITALISED}[ ]){{1,4}}? {STREET_IF_CAPITALISED} ) )\b\.?
            (?:[ ]{COMPASS}\b\.?)? (?:[,\s>?*]{{1,6}}{LOOSE_UNIT}){{0,2}} {TAIL}?""",
        rf"""\b\d{{1,5}}[a-z]? [ ] {CAPITALISED} (?:[ ]{WORD}){{0,3}} (?:[ ]\d{{1,4}}\.?)?
            [,\s>?*]{{1,6}} {UNIT} {TAIL}?""",
        # France, Belgium, Switzerland
        Shape(
            rf"""(?<!\w)\d{{1,4}} (?:[ ]?(?:bis|ter|quater)\b)? ,?[ ]
            (?: (?:rue|avenue|av\.?|boulevard|bd\.?|chemin|allée|quai|impasse|route|cours|sentier
            |passage)
            | (?:place|square)(?=[ ](?:de|du|des|d'|(?-i:[{UPPER}]))) )
            [ ] (?:{WORD}[ ]?){{1,5}} {TAIL}? {AFTER_CODE}""",
            words(
                "rue",
                "av",
                "boul",
                "bd",
                "chemin",
                "all",
                "quai",
                "impasse",
                "route",
                "cours",
                "sentier",
                "passage",
                "place",
                "square",
            ),
        ),
    ),
    honest=is_street,
    needs=Searched(
        re.compile(
            r"\d(?:[a-z]|bis|ter|quater)?,?[ ](?:[^\W\d_]|\d{1,3}(?:st|nd|rd|th))", re.IGNORECASE
        )
    ),
)

# Streets whose number comes last. A word that ends so is a street, in one language at least.
COMPOUND = re.compile(
    r"""(?: (?:straße|strasse|str\.|weg|platz|gasse|allee|damm|ufer|steig|graben|promenade|chaussee
        |straat
    |gracht|laan|plein|kade|dijk|singel|steeg|boulevard|gatan|vägen|gränd|torget|stigen|backen|gade
    |gaten|gata|vej|veien|vegen|stræde|katu|kuja|polku|bulevardi|stieg|markt|allé|väg|hof)
    | -(?:ring|hof|markt|park|wall|gate|straße) | (?-i:[A-ZÄÖ])[^\W\d_]{3,30}(?:tie|hof) )$""",
    re.VERBOSE | re.IGNORECASE,
)

# What each of these ends with.
ENDINGS = """
    straße strasse str. weg platz gasse allee damm ufer steig graben promenade chaussee straat
    gracht laan plein kade dijk singel steeg boulevard gatan vägen gränd torget stigen backen gade
    gaten gata vej veien vegen stræde katu kuja polku bulevardi stieg markt allé väg hof -ring
    -park -wall -gate tie
    """.split()  # noqa: SIM905  # to be read


def is_compound_street(match: str) -> bool:
    """True where the first word ends as streets do: `Lindenstraße 12`, `Storgatan 5`."""
    street = match.lstrip("0123456789 ").split(" ", maxsplit=1)[0]
    return COMPOUND.search(street) is not None


COMPOUND_STREETS = PatternSet(
    "STREET_ADDRESS",
    "CompoundStreets",
    0.7,
    (
        Shape(
            rf"""(?<![\w.-]) (?:\d{{1,5}}[ ])? [^\W\d_][\w'.-]{{3,50}}+ [ ]{HOUSE}
            (?:[,\s>?*]{{1,6}}{LOOSE_UNIT})? {TAIL}?
            {AFTER_CODE}""",
            words(*ENDINGS),
        ),
    ),
    honest=is_compound_street,
    needs=ANY_DIGIT,
)

DE_WORDS = r"(?:Straße|Strasse|Str\.|Platz|Allee|Weg|Ring|Ufer|Damm|Gasse|Allé|väg|gata|Chaussee)"
LEADING = r"""(?:calle|c/|avenida|avda\.?|av\.?|plaza|pza\.?|paseo|p[ºo]\.|carrer|camino|carretera
    |ctra\.?
    |ronda|glorieta|travesía|cañada|urbanización|urb\.|pasaje|rambla|callejón|cuesta|vial|alameda
    |calzada|prolongación|viaducto|rua|r\.|travessa|praça|largo|estrada|rodovia|via(?![ ](?:e-?mail
    |phone|tele|mail|whats|sms|zoom|teams|post|api|the|a|your|our|web|chat|fax|slack))|viale|piazza
    |piazzale
    |corso|vicolo|strada|stretto|contrada|borgo|lungomare|ul\.|ulica|al\.|aleja|os\.|pl\.|plac
    |bulevardul|str\.|soseaua|calea|ulice|nám\.|náměstí|ул\.|улица|пр\.)"""
# What each of them begins with.
LED_BY = (
    "av ",
    *"""
    calle c/ aven avda av. plaza pza paseo pº po. carre camin ctra ronda glorieta traves cañada urb
    pasaje rambla cuesta via alameda calzada prolonga rua r. praça largo estrada rodovia piazza
    corso vicolo strada stretto contrada borgo lungomare ul. ulic al. aleja os. pl. plac bulevardul
    str. soseaua calea nám ул. улица пр.
    """.split(),  # noqa: SIM905  # to be read
)
NO_DATE = r"""(?!(?:jan|feb|mär|apr|mai|jun|jul|aug|sep|okt|nov|dez|montag|dienstag|mittwoch
    |donnerstag
    |freitag|samstag|sonntag|jahr|quartal|monat|schnitt|durchschnitt|q\d))"""
PREMISES = "flat house plot h h. door d d. shop office villa block".split()  # noqa: SIM905
CITY_CODE = rf"""(?:[A-Z]{{1,2}}-)?(?:\d{{4,5}}|\d{{3}}[ ]\d\d|\d\d-\d{{3}})(?=[ ](?-i:[{UPPER}]))
    {AFTER_CODE}"""
NAME = rf"(?-i: (?<!\w) {CAPITALISED} (?:[ ]{CAPITALISED}){{0,2}}+ )"
STREETS_THEN_NUMBER = PatternSet(
    "STREET_ADDRESS",
    "StreetsThenNumber",
    0.7,
    (
        Shape(
            rf"""(?-i: (?<!\w) (?:{CAPITALISED}[ -]){{1,3}}? {DE_WORDS} ) [ ]{HOUSE} {TAIL}?
            {AFTER_CODE}""",
            words(
                "stra",
                "str.",
                "platz",
                "weg",
                "ring",
                "ufer",
                "damm",
                "gass",
                "all",
                "väg",
                "gata",
                "chauss",
            ),
        ),
        Shape(
            rf"""(?-i: (?<!\w) (?:Am|Im|An[ ]de[rn]|Auf[ ]de[rmn]|In[ ]de[rn]|Unter[ ]den|Zu[mr]
            |Beim|Straße[ ]des|Alte[rn]?|Neue[rn]?|Große|Kleine|Obere|Untere) [ ] (?i:{NO_DATE})
            (?:{CAPITALISED}[ ]|\d{{1,2}}\.[ ]){{1,3}} ) {HOUSE} {TAIL} {AFTER_CODE}""",
            words(
                "am ",
                "im ",
                "an de",
                "auf de",
                "in de",
                "unter den",
                "zum ",
                "zur ",
                "beim ",
                "straße des",
                "alte",
                "neue",
                "große ",
                "kleine ",
                "obere ",
                "untere ",
            ),
        ),
        Shape(
            rf"""(?<![\w/]) {LEADING} (?:(?<=[./])[ ]?|[ ]) (?:{WORD}[ ]){{0,4}} {WORD},?[ ] {HOUSE}
            (?:[,\s]{{1,3}}{LOOSE_UNIT}){{0,3}} {TAIL}? {AFTER_CODE}""",
            words(*LED_BY),
        ),
        # A name, a number, then a postal code and a city
        Shape(
            rf"{NAME} [ ] \d{{1,4}}[a-z]? (?: ,[ ] | [ ]?\n ) {CITY_CODE}",
            outlines("0000 a", "000 00 a", "00-000 a"),
        ),
        Shape(
            rf"(?:(?<!\w)\d{{1,5}}[ ])? {NAME} [ ](?:utca|u\.|út|tér)[ ]\d{{1,4}}\.? {TAIL}?",
            words("utca", " u. ", " út ", " tér "),
        ),
        Shape(
            rf"""(?<!\w) (?-i:[{UPPER}])[\w'.-]{{1,30}}+ (?:[ ]{CAPITALISED})? [ ]
            (?:cad(?:desi)?|sok(?:ak)?|mah(?:allesi)?|bulv(?:ar\u0131)?)\b\.? [ ]?
             (?:no[.:]{{0,2}}[ ]?)?
            \d{{1,4}}(?:/\d{{1,4}})? {TAIL}?""",
            words("cad", "sok", "mah", "bulv"),
        ),
        # India: flat, plot or house number, then parts up to the PIN code
        Shape(
            rf"""(?<!\w) (?:{"|".join(map(re.escape, PREMISES))}) [ ]?
            no[.:]{{0,2}}[ ]?
            (?=[\w/-]{{0,10}}\d) [\w/-]{{1,11}} {TAIL}?""",
            words(*(f"{kind}{gap}no" for kind in PREMISES for gap in ("", " "))),
        ),
    ),
    needs=ANY_DIGIT,
)

PARTS = PatternSet(
    "STREET_ADDRESS",
    "AddressParts",
    0.7,
    (
        Shape(
            r"""\b(?:p\.?[ ]?o\.?[ ]?box|post[ ]?office[ ]box|postfach|apartado(?:[ ]de[ ]correos)?
            |b\.?p\.|boîte[ ]postale|caixa[ ]postal|casella[ ]postale|postbus|skr\.[ ]poczt\.
                |box)[ ]
            \#?\d{2,8}\b""",
            words(
                "box",
                "postfach",
                "apartado",
                "b.p.",
                "bp",
                "boîte",
                "caixa",
                "casella",
                "postbus",
                "skr",
            ),
        ),
        Shape(
            r"""\b (?: (?:psc|cmr|unit)[ ]\d{2,5},?[ ](?:box|apt)[ ]\d{1,5} | (?:rr
                |hc)[ ]\d{1,3},?[ ]box[ ]\d+
            | (?-i:USS|USNS|USNV|USCGC)[ ][^\W\d_]{2,30} (?=[ ,\n]{1,3}(?:[AFD]PO)) )
            (?: [ ,\n]{1,3} (?:apo|fpo|dpo)[ ,]{1,2}a[aep][ ]\d{5}(?:-\d{4})? )?""",
            words("psc", "cmr", "unit", "rr ", "hc ", "uss ", "usns", "usnv", "uscgc"),
        ),
        Shape(r"\b(?:apo|fpo|dpo)[ ,]{1,2}a[aep][ ]\d{5}(?:-\d{4})?\b", words("apo", "fpo", "dpo")),
        Shape(
            r"""\b(?:apt|apartment|suite|ste|apto|piso|depto
                |studio)\b\.?[ ]?\#?[ ]?(?:\d{1,5}[a-z]?|[a-z]\d{1,4})\b(?![.,]?\d|%)""",
            words("apt", "apartment", "suite", "ste", "apto", "piso", "depto", "studio"),
        ),
        Shape(
            r"""\b(?:zip|postal|post|pin|plz|cap|cep|postleitzahl|code[ ]postal|c[óo]digo[ ]postal
                |postcode
            |postnummer|kod[ ]pocztowy)(?:[ -]?code)?\b [ ]?(?:is|:|=|ist|est|es)?[ ]{0,2}
            (?P<pii> (?=[A-Z -]{0,4}\d)
                [A-Z\d][A-Z\d-]{2,9}(?:[ ]\d[A-Z\d]{1,2})?(?:[ ][A-Z]{2}\b)? )\b""",
            words("zip", "post", "pin", "plz", "cap", "cep", "code", "digo", "kod"),
        ),
        # Where on earth, to the street
        Shape(
            r"""(?<![\d.]) -?\d{1,2}\.\d{4,15}°?[ ]?[NS]?[ ,;/]{1,3}
            -?\d{1,3}\.\d{4,15}°?(?:[ ]?[EW])? (?![\d.])""",
            outlines("0.0000"),
        ),
        Shape(
            r"""\d{1,2}°[ ]?\d{1,2}['\u2032][ ]?\d{1,2}(?:\.\d{1,4})?["\u2033][ ]?[NS][ ,]{1,3}
            \d{1,3}°[ ]?\d{1,2}['\u2032][ ]?\d{1,2}(?:\.\d{1,4})?["\u2033][ ]?[EWO]""",
            words("°"),
        ),
    ),
    needs=AnyOf(("apo", "fpo", "dpo"), ("0",)),  # a ship's mail needs no number
)

US_STATE = r"""(?:A[KLRZ]|C[AOT]|D[CE]|FL|GA|GU|HI|I[ADLN]|K[SY]|LA|M[ADEHINOPST]|N[CDEHJMVY]
    |O[HKR]|P[ARW]
    |RI|S[CD]|T[NX]|UT|V[AIT]|W[AIVY]|AS|FM)"""
US_STATE_NAME = r"""(?:Alabama|Alaska|Arizona|Arkansas|California|Colorado|Connecticut|Delaware
    |Florida
    |Georgia|Hawaii|Idaho|Illinois|Indiana|Iowa|Kansas|Kentucky|Louisiana|Maine|Maryland
    |Massachusetts
    |Michigan|Minnesota|Mississippi|Missouri|Montana|Nebraska|Nevada|Hampshire|Jersey|Mexico|York
    |Carolina|Dakota|Ohio|Oklahoma|Oregon|Pennsylvania|Island|Tennessee|Texas|Utah|Vermont|Virginia
    |Washington|Wisconsin|Wyoming|Columbia)"""
UK_AREA = r"""(?:AB|AL|B[ABDHLNRST]?|C[ABFHMORTVW]|D[ADEGHLNTY]|E[CHNX]?|F[KY]|G[LUYU]?|H[ADGPRSUX]
    |I[GMPV]
    |JE|K[ATWY]|L[ADELNSU]?|M[EKL]?|N[EGNPRW]?|O[LX]|P[AEHLOR]|R[GHM]|S[AEGKLMNOPRSTWY]?|T[ADFNQRSW]
    |UB|W[ACDFNRSV]?|YO|ZE)"""
NO_POSTCODE = re.compile(r"\d(?:gb|tb|st|nd|rd|th)$", re.IGNORECASE)


def is_postal_code(match: str) -> bool:
    """False for `A10 4GB`, `q3 1st`, and for small letters and digits in one word."""
    if not match[0].isalpha():
        return True
    return not NO_POSTCODE.search(match) and (" " in match or match.isupper())


POSTAL_CODES = PatternSet(
    "STREET_ADDRESS",
    "PostalCodes",
    0.6,
    (
        Shape(
            rf"""\b(?=[A-Z]) (?:{US_STATE}|{US_STATE_NAME}),? [ ] (?P<pii> \d{{5}}(?:-\d{{4}})?
            )\b(?![.,]\d|[ ]?%)""",
            outlines("a 00000", "a, 00000"),
        ),
        Shape(r"(?<![\w.,-]) \d{5}-\d{4} (?![\w-])", outlines("00000-0000")),
        Shape(
            rf"(?i: \b(?=[A-Z]{{1,2}}\d) {UK_AREA}\d[A-Z\d]?[ ]?\d[ABD-HJLNP-UW-Z]{{2}}\b )",
            outlines(*(f"a0{more}{gap}0aa" for more in ("", "a", "0") for gap in ("", " "))),
        ),
        Shape(
            r"\b[ABCEGHJ-NPRSTVXY]\d[A-Z][ ]?\d[A-Z]\d\b", outlines("a0a0a0", "a0a 0a0")
        ),  # Canada
        Shape(r"(?<![\w.,-]) \d{5}-\d{3} (?![\w-])", outlines("00000-000")),  # Brazil
        Shape(r"〒[ ]?\d{3}-\d{4}(?!\d)", words("〒")),  # Japan
        # Five digits, or three and two, before a city: no round number, at the start of a part
        Shape(
            rf"""(?=\d) (?:(?<=[,\n|])|(?<=[,\n|][ ])|\A|(?<=\bin[ ])|(?<=\bà[ ])|(?<=\ben[ ])
            |(?<=\b[A-Z]-)|(?<=[-(][ ])) (?P<pii>
            (?!\d{{3}}00)\d{{5}} | \d{{3}}[ ]\d\d | \d\d-\d{{3}} | \d{{4}}-\d{{3}}
            | [1-9]\d{{3}}[ ]?[A-Z]{{2}} ) (?=,?[ |\n]{{1,3}}[{UPPER}][^\W\d_]{{2}})""",
            outlines("00000", "000 00", "00-000", "0000aa", "0000 aa"),
        ),
        Shape(
            rf"""(?<=[,\n])[ ]? (?P<pii> (?!19|20|\d\d00)[1-9]\d{{3}} )
            (?=[ ][{UPPER}][^\W\d_]{{2,30}}[ ]*(?:[,.\n]|\Z))""",
            outlines("0000 aaa"),
        ),
        # Six digits after a city or a dash: India
        Shape(
            r"""(?<=[a-z])(?:[ ]-[ ]?|-[ ]?|,[ ]) (?P<pii> [1-8]\d\d[ ]?\d{3} )
            (?![\w,.%-]|[ ](?:\w+s\b|\d))""",
            outlines("000000", "000 000"),
        ),
        Shape(
            r"""\b(?=[A-Z]) (?:NSW|VIC|QLD|TAS|ACT|SA|WA|NT),?[ ] (?P<pii> \d{4} )\b""",
            outlines("a 0000", "a, 0000"),
        ),
    ),
    ignore_case=False,
    honest=is_postal_code,
)


def recognizers() -> list[Recognizer]:
    """Recognizers of postal addresses."""
    return list(
        map(Patterns, (STREETS, COMPOUND_STREETS, STREETS_THEN_NUMBER, PARTS, POSTAL_CODES))
    )
