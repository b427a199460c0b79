"""Dates of birth: dates that a word, or the sign `*`, says someone was born on."""

from __future__ import annotations

from features.patterns import PatternSet, Shape
from features.recognizers import Patterns, Recognizer
from features.text_signs import ANY_DIGIT, words

MONTH = r"""(?:jan|feb|fév|fev|mar|mär|maer|apr|avr|abr|may|mai|mayo|maj|mag|jun|juin|giu|jul|juil
    |lug|aug
    |août|aout|ago|sep|set|oct|okt|out|ott|nov|dec|déc|dez|dic|ene|gen)[^\W\d_]{0,7}+\.?"""
NUMERIC = r"\d{1,4}[-/. ]{1,2}\d{1,2}[-/. ]{1,2}\d{2,4}"
WRITTEN = rf"""(?: \d{{1,2}}(?:st|nd|rd|th|er|º|°|\.)?[ -](?:of[ ]|de[ ])?{MONTH}
        (?:,?[ -](?:de[ ]|del[ ])?'?\d{{2,4}})?
    | {MONTH}[ ]\d{{1,2}}(?:st|nd|rd|th)?(?!\d)(?:,?[ ]'?\d{{2,4}})?
    | {MONTH}[ ](?:of[ ])?(?:19|20)\d\d )"""
DATE = rf"(?: {NUMERIC} | {WRITTEN} )"
PLACE = r"(?:[ ](?:in|à|a|en|em|te|w)[ ][^\W\d_][^\d\n,;]{1,30}?)?"
BORN = r"""(?: \b(?:d\.?o\.?b\b\.? | dates?[ ]of[ ]birth | birth[ ]?da(?:te|y) | b[ -]?day |
    birthday
        | geboren | geb\. | geb(?=[ ]\d) | geburtsdatum | geburtstag | date[ ]de[ ]naissance | née?
        | fecha[ ]de[ ]nacimiento | f\.?[ ]?nac\. | nacid[oa] | data[ ]di[ ]nascita | nat[oa]
        | data[ ]de[ ]nascimento | nascid[oa] | geboortedatum | geboren | data[ ]urodzenia
        | urodzon[ya] | ur\. | född | født | fødselsdato | födelsedatum | born )
    )"""
HINT = r"(?:[ ]?\([djmty./ -]{2,14}\))?"  # how it is written: (dd/mm/yyyy)
ON = rf"""(?:'s\b)? {PLACE} {HINT}
    (?:[ ](?:on|the|am|den|le|el|il|em|op|is|was|ist|est|es|dnia|war)\b){{0,3}}
    [\s:=|-]{{1,4}} (?:is[ ]|was[ ]|the[ ])?"""
BIRTH_DATES = PatternSet(
    "DATE_OF_BIRTH",
    "BirthDates",
    0.9,
    (rf"{ON} (?P<pii> {DATE} ) (?!\d)",),
    needs=ANY_DIGIT,
    after=BORN,
)
MARKED_BIRTH_DATES = PatternSet(
    "DATE_OF_BIRTH",
    "MarkedBirthDates",
    0.85,
    (
        Shape(r"(?<![\w*]) \*[ ]? (?P<pii> \d{1,2}\.[ ]?\d{1,2}\.[ ]?\d{2,4} ) (?!\d)", words("*")),
        Shape(
            rf"(?<!\w)(?P<pii> {DATE} ) [ ]?\(?(?:dob|date[ ]of[ ]birth|birthday|born|geboren)\b",
            words("dob", "birth", "born", "geboren"),
        ),
    ),
    needs=ANY_DIGIT,
)


def recognizers() -> list[Recognizer]:
    """Recognizers of dates of birth."""
    return [Patterns(BIRTH_DATES), Patterns(MARKED_BIRTH_DATES)]
