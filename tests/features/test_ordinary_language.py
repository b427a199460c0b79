from __future__ import annotations

import pytest

from features.ordinary_language import OrdinaryLanguage

LANGUAGE = OrdinaryLanguage(
    {"machine", "learning", "white", "glove", "smart", "energy", "growth", "tom", "evaluate"},
    {"veloxa", "grafyx"},
    frozenset({"summer", "white", "cook"}),
)


@pytest.mark.parametrize(
    ("text", "value", "entity_type"),
    [
        ("We teach Machine Learning here.", "Machine Learning", "ORGANIZATION"),
        ("Evaluating Odoo in parallel", "Evaluating Odoo", "ORGANIZATION"),
        ("what about white gloves", "white gloves", "ORGANIZATION"),
        ("Toyota or Lexus?", "Lexus", "ORGANIZATION"),
        ("moving off Veloxa", "Veloxa", "PERSON"),
        ("moving off Veloxa", "Veloxa", "ORGANIZATION"),
        ("Grafyx Energy is slow", "Grafyx Energy", "PERSON"),
        ("Redis 7.0.12 and Django 4.2", "Django 4.2", "STREET_ADDRESS"),
        ("4 x Trail Runner", "4 x Trail Runner", "STREET_ADDRESS"),
        ("16 GB RAM, Windows 11", "16 GB RAM, Windows 11", "STREET_ADDRESS"),
        ("Machine Learning", "Machine Learning", "STREET_ADDRESS"),
        ("decided to look at Machine Learning", "Machine Learning", "ORGANIZATION"),
        ("hire Junior Learning too", "Junior", "PERSON"),
        ("what a dress for this summer", "summer", "PERSON"),
        ("too tired to cook", "cook", "PERSON"),
        ("at 8:00 A.M. today", "A.M", "PERSON"),
        ("by 8p.m. today", "p.m", "PERSON"),
        ("made in the U.S.A. only", "U.S.A.", "PERSON"),
        ("I bought it at Veloxa", "Veloxa", "ORGANIZATION"),
        ("you can order them directly from Lexus", "Lexus", "ORGANIZATION"),
        ("1. Odoo\n2. Basekit\nRank them", "2. Basekit", "STREET_ADDRESS"),  # a list
    ],
)
def test_ordinary_language_identifies_nobody(text: str, value: str, entity_type: str) -> None:
    start = text.index(value)
    assert LANGUAGE.holds(text, start, start + len(value), entity_type)


@pytest.mark.parametrize(
    ("text", "value", "entity_type"),
    [
        ("talk to Summer", "Summer", "PERSON"),
        ("the white summer said no", "white summer", "PERSON"),
        ("please call summer cook", "summer cook", "PERSON"),
        ("mr cook will sign", "cook", "PERSON"),
        ("talk to cook about it", "cook", "PERSON"),
        ("send something to summer", "summer", "PERSON"),
        ("give my love to summer", "summer", "PERSON"),
        ("it is going to summer", "summer", "PERSON"),
        ("can summer join", "summer", "PERSON"),
        ("so cook called", "cook", "PERSON"),
        ("at last summer called", "summer", "PERSON"),
        ("cook: yes", "cook", "PERSON"),
        ("ask A.M. in accounting", "A.M", "PERSON"),
        ("my colleague D.C. will sign", "D.C", "PERSON"),
        ("I want to buy a tool for our plant at Veloxa", "Veloxa", "ORGANIZATION"),
        ("I bought it for my boss at Veloxa", "Veloxa", "ORGANIZATION"),
        ("I purchase parts at Veloxa", "Veloxa", "ORGANIZATION"),
        ("in order at Veloxa", "Veloxa", "ORGANIZATION"),
        ("talk to J.K. today", "J.K.", "PERSON"),
        ("I bought it. I work at Veloxa", "Veloxa", "ORGANIZATION"),
        ("I bought it at Machine Learning", "Machine Learning", "ORGANIZATION"),
        ("Tom will call", "Tom", "PERSON"),  # one word, though the dictionary has it
        ("Jane Growth will call", "Jane Growth", "PERSON"),
        ("Junior will call", "Junior", "PERSON"),
        ("Junior Tomsen will call", "Junior", "PERSON"),
        ("I work at Machine Learning", "Machine Learning", "ORGANIZATION"),
        ("Jane Veloxa will call", "Jane Veloxa", "PERSON"),  # a product's namesake
        ("I work at Veloxa", "Veloxa", "ORGANIZATION"),
        ("Machine Learning will call", "Machine Learning", "PERSON"),  # Hope Young is a name too
        ("I work at Smart Energy", "Smart Energy", "ORGANIZATION"),
        ("Regards,\nJane\nSmart Energy\n", "Smart Energy", "ORGANIZATION"),
        ("I am with Lexus", "Lexus", "ORGANIZATION"),
        ("12 Learning Street", "12 Learning Street", "STREET_ADDRESS"),
        ("the corner of White Street", "White Street", "STREET_ADDRESS"),
        ("Ship to Veloxa Growth", "Veloxa Growth", "STREET_ADDRESS"),  # Marden Cottage
        ("5 W Machine Road", "5 W Machine Road", "STREET_ADDRESS"),
        ("in Koskikatu", "Koskikatu", "STREET_ADDRESS"),
        ("My address:\n3. Abbey Mews, Leeds", "3. Abbey Mews", "STREET_ADDRESS"),  # no list
        ("We are at\n12 Basekit", "12 Basekit", "STREET_ADDRESS"),
        ("1. Odoo\n3. Basekit Lane", "3. Basekit Lane", "STREET_ADDRESS"),
        ("1. Odoo\n12. Basekit 5", "12. Basekit 5", "STREET_ADDRESS"),
        ("Send it to 3. Basekit", "3. Basekit", "STREET_ADDRESS"),  # no line of its own
        ("Jane from Veloxa here", "Veloxa", "ORGANIZATION"),
        ("We moved house. I am Jane from Veloxa", "Veloxa", "ORGANIZATION"),
        ("I moved here from Veloxa", "Veloxa", "ORGANIZATION"),
        ("I run data imports at Veloxa", "Veloxa", "ORGANIZATION"),
        ("The leads from Veloxa", "Veloxa", "ORGANIZATION"),
        ("in Rome", "Rome", "LOCATION"),
    ],
)
def test_what_may_be_a_name_goes(text: str, value: str, entity_type: str) -> None:
    start = text.index(value)
    assert not LANGUAGE.holds(text, start, start + len(value), entity_type)
