"""Company names that a legal form, or the way of speaking, gives away."""

from __future__ import annotations

import re
from collections.abc import Iterator

from features.patterns import UPPER, Found, PatternSet, Shape
from features.recognizers import Patterns, Recognizer
from features.text_signs import Searched, TextSigns, words

LEGAL_FORM = r"""(?:GmbH(?:[ ]&[ ]Co\.?[ ]?KG(?:aA)?)?|gGmbH|mbH|AG(?:[ ]&[ ]Co\.?[ ]KG)?|Inc
    |Incorporated|LLC
    |L\.L\.C|LLP|Ltd|Limited|PLC|plc|Corp|Corporation|OHG|KG|KGaA|UG|e\.?[ ]?K|e\.?V|eG|SE|SARL
    |S\.?[ ]?[àa][ ]?r\.?l|SASU?
    |EURL|SNC|SpA|S\.p\.A|S\.?r\.?l|S\.?L\.?U?|S\.?A\.?[ ]de[ ]C\.?V|S\.A\.?S?|SA|B\.?V|N\.?V
    |Pty(?:\.?[ ]Ltd)?|Pvt\.?(?:[ ]Ltd)?
    |Private[ ]Limited|Oyj?|AB|ASA?|A/S|ApS|Sp\.?[ ]?z[ ]?o\.?[ ]?o|S\.?[ ]?R\.?[ ]?L|Ltda|LTDA
    |EIRELI|S/A|Pte(?:\.?[ ]Ltd)?
    |K\.K|KK|Bhd|Sdn\.?[ ]Bhd|d\.o\.o|s\.r\.o|a\.s|Kft|Zrt|A\.?Ş|Lda|Co|Company|Holdings?|Group)"""
WEAK_FORMS = re.compile(r"(?:SA|AB|SE|AS|AG|Co|Company|Holdings?|Group|KK|UG|e\.?[ ]?K|Corp)\.?$")
FIRST_WORDS = frozenset(
    """
    The Our A An This That Your My We I Any Every Each Some No Which What Is Are And Or For
    Unsere Die Der Das Eine Ihre Notre La Le Nuestra El Une Un Una Are Both Parent Holding User
    Target
    """.split()  # noqa: SIM905  # to be read
)
# A full stop ends a sentence, but behind few letters or a usual abbreviation: `Gebr. Weiss`.
SENTENCE_END = re.compile(
    rf"""(?: \d | [^\W\d_]{{4}}
        (?<!\bGebr)(?<!\bBros)(?<!\bCorp)(?<!\bIntl)(?<!\bInst)(?<!\bMfrs)(?<!\bServ)(?<!\bHnos)
        (?<!\bAssoc)(?<!\bPharm)(?<!\bTechn)(?<!\bMasch)(?<!\bProds)(?<!\bElektr)(?<!\bConstr)
        ) \.[ ] (?!{LEGAL_FORM}(?!\w))""",
    re.VERBOSE,
)
# Two words and a comma: who they are, or a department, and then the company.
SOMEBODY = re.compile(rf"(?:[\w&'.-]+[ ])+[\w&'.-]+,[ ](?!{LEGAL_FORM}(?!\w))", re.VERBOSE)
WORD = re.compile(r"(\S+)[ ]")
CONNECTORS = frozenset({"&", "+", "and", "und", "of", "et", "y", "e", "de", "del", "di", "für"})
# Behind these a company begins, or none is there: `WE ARE BRAUN AG`, `SIZES ARE THE SAME AS`.
SPOKEN = frozenset("THE IS ARE WAS WERE BE THIS THAT SAME SUCH NOT WE YOU THEY".split())  # noqa: SIM905
LOWER_FORM = r"""(?:gmbh(?:[ ]&[ ]co\.?[ ]kg)?|inc|llc|llp|ltd|limited|plc|corp|pty[ ]ltd|pvt[ ]ltd
    |sarl|s\.?r\.?l|s\.l|b\.v
    |bv|ltda|sp\.?[ ]z[ ]?o\.?o|ohg|kg|oy|aps)"""
NO_NAMES = r"""(?!(?:an?|the|our|your|my|any|no|every|new|old|and|or|of|as|single|member|is|are
    |public|eine?
    |der|die|das|une?|una|from|in|to|for|german|us|uk|local|other|unsere)\b)
    (?!(?:very|so|too|quite|rather|really|more|less|been|be|was|were|extremely)[ ]limited\b)"""


def is_company(match: str) -> bool:
    """False for `The Company`, `Our Group`: forms that are words, or codes, too."""
    weak = WEAK_FORMS.search(match)
    if not weak:
        return True
    words = match[: weak.start()].split()
    return (
        words[0] not in FIRST_WORDS
        and words[-1] not in CONNECTORS
        and not any(map(str.isdigit, match))
    )


COMPANIES = PatternSet(
    "ORGANIZATION",
    "CompaniesByLegalForm",
    0.75,
    (
        rf"""(?<![\w&]) (?: [{UPPER}\d][\w&'.-]{{0,30}}+ ,?[ ] (?:(?:&|\+|and|und|of|et|y|e|de|del
            |di|für)[ ]){{0,2}} ){{1,5}}
            {LEGAL_FORM} (?!\w)\.?""",
        rf"""(?i: (?<![\w&]) {NO_NAMES} [^\W\d_][\w&'-]{{1,30}}+ [ ] {LOWER_FORM} (?!\w)\.? )""",
    ),
    ignore_case=False,
    needs=Searched(re.compile(rf"[ ](?:{LEGAL_FORM}|(?i:{LOWER_FORM}))(?!\w)", re.VERBOSE)),
)
NAMED_COMPANIES = PatternSet(
    "ORGANIZATION",
    "IntroducedCompanies",
    0.6,
    (
        Shape(
            r"""(?m: ^[ \t>]*+ (?i:company|organi[sz]ation|employer|firma|unternehmen|entreprise
                |société|empresa
            |azienda|bedrijf|företag) (?i:[ ]?name)? [ \t]*+ [:=] [ \t]*+ (?P<pii>
                [^\s,;|][^\n,;|]{1,50} ) )""",
            words(":", "="),
        ),
        Shape(
            rf"""\b(?i:company(?:'s)?[ ](?:name[ ])?is[ ]called | company[ ]name[ ]is |
            on[ ]behalf[ ]of | (?:we|here|team|us)[ ]at
            | firma[ ]hei(?:ß|ss)t | entreprise[ ]s'appelle | empresa[ ]se[ ]llama |
                wir[ ]von[ ]der | wir[ ]bei
            | i[ ]work[ ](?:for|at) | i'm[ ]with | ich[ ]arbeite[ ]bei )
            [ ] (?P<pii> [{UPPER}][\w&'.-]{{1,30}}+
                (?:[ ](?:&[ ])?[{UPPER}][\w&'.-]{{0,30}}+){{0,3}} (?<!\.) )""",
            words("called", "company name", "behalf of", " at ", "firma", "entreprise", "empresa",
                  "wir ", "i work", "i'm with", "arbeite"),
        ),
    ),
    ignore_case=False,
    honest=lambda match: match.split()[0] not in FIRST_WORDS,
)  # fmt: skip


class Companies(Patterns):
    """Companies by their legal form, each by itself.

    Who stands before the name, `Jana Weiss, Roth AG`, goes too, as a span of its own, for somebody
    else to say what it is; `Weiss, Braun & Roth AG` is one name. A sentence before it stays.
    """

    def find_in(self, signs: TextSigns) -> Iterator[Found]:
        for start, end, score in super().find_in(signs):
            for part in company_parts(signs.text[start:end]):
                yield start + part.start, start + part.stop, score


def company_parts(match: str) -> Iterator[slice]:
    """The company, the last one, and what stands before it in its sentence."""
    ends = [end.end() for end in SENTENCE_END.finditer(match)]
    at = ends[-1] if ends else 0
    while somebody := SOMEBODY.match(match, at):
        yield slice(at, somebody.end() - len(", "))
        at = somebody.end()
    at = _behind_spoken(match, at)
    if " " in match[at:] and is_company(match[at:]):
        yield slice(at, len(match))


def _behind_spoken(match: str, at: int) -> int:
    """Where what is called begins in a shouted sentence."""
    if not match[at:].isupper():
        return at
    spoken = [word.end() for word in WORD.finditer(match, at) if word[1] in SPOKEN]
    return spoken[-1] if spoken else at


def recognizers() -> list[Recognizer]:
    """Recognizers of company names."""
    return [Companies(COMPANIES), Patterns(NAMED_COMPANIES)]
