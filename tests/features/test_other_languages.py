"""Whole messages in German, French and Spanish lose all that has a pattern or a checksum."""

from __future__ import annotations

import pytest

from tests.features.recognized import marked, unmarked

MESSAGES = {
    "German": """Sehr geehrter Herr [PERSON Schneider],

wir sind die [ORGANIZATION Kornblume Mühlen AG] aus Ulm und suchen ein CRM für 45 Mitarbeiter.
Bitte rufen Sie mich unter [PHONE_NUMBER 0731 / 96 24 15] oder [PHONE_NUMBER +49 171 2345678] an
oder schreiben Sie an [EMAIL_ADDRESS j.vogel@kornblume-ag.de].
Unsere Anschrift: [STREET_ADDRESS Am Alten Hof 7, 89073 Ulm]. USt-IdNr.: [NATIONAL_ID DE136695976],
IBAN [IBAN_CODE DE89 3704 0044 0532 0130 00].

Mit freundlichen Grüßen
[PERSON Jürgen Vogel]
Leiter Einkauf""",
    "German chat": """hallo, mein name ist [PERSON uwe schmidt], meine nummer ist
[PHONE_NUMBER 0171-2345678], kundennummer [ACCOUNT_NUMBER 4711-0815]. geboren am
[DATE_OF_BIRTH 3. März 1980], steuer-id [NATIONAL_ID 86 095 742 719].
unser budget: 25.000 € im jahr, start im märz 2025. danke und gruß, [PERSON uwe]""",
    "French": """Bonjour Madame [PERSON Dupont],

Nous sommes la société [ORGANIZATION Moulins Bleus SARL] et nous cherchons un CRM pour 350 salariés
à partir de mars 2025. Vous pouvez m'appeler au [PHONE_NUMBER 06 12 34 56 78] ou m'écrire à
[EMAIL_ADDRESS claire.martin@moulins-bleus.fr].
Adresse : [STREET_ADDRESS 14 bis, rue de Rivoli, 75011 Paris]. Née le [DATE_OF_BIRTH 5 mai 1990],
NIR [NATIONAL_ID 1 84 12 76 451 089 46]. IBAN [IBAN_CODE FR14 2004 1010 0505 0001 3M02 606].

Cordialement,
[PERSON Claire Martin]""",
    "Spanish": """Hola [PERSON Marta],

me llamo [PERSON José García] y represento a [ORGANIZATION Molinos Azules S.L.] Buscamos un CRM para
1.500 empleados; presupuesto 12.000 € al año. Mi móvil es [PHONE_NUMBER 612 34 56 78], mi correo
[EMAIL_ADDRESS jose.garcia@molinos.es], DNI [NATIONAL_ID 12345678Z].
Dirección: [STREET_ADDRESS Calle Mayor 3, 2ºB, 28013 Madrid].
Nacido el [DATE_OF_BIRTH 3 de mayo de 1985].
La contraseña es [CREDENTIAL Perro2024]

Un saludo,
[PERSON José]""",
}


@pytest.mark.parametrize("language", MESSAGES)
def test_a_message_loses_all_that_has_a_pattern(language: str) -> None:
    assert marked(unmarked(MESSAGES[language])) == MESSAGES[language]
