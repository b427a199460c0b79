"""What the name of a column says: whose contact details it holds, and whether it came too late."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import cache


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


# Contact details, by language: en, de, fr, es, pt, it, nl, sv, pl, tr, ru, zh, ja.
CONTACTS: dict[str, tuple[str, ...]] = {
    "an e-mail address": (
        *("email", "e mail", "mail", "emailaddress", "correo", "courriel", "posta elettronica"),
        *("eposta", "e posta", "почта", "邮箱", "邮件", "メール"),
    ),
    "a phone number": (
        *("phone", "telephone", "mobile", "cell", "fax", "whatsapp", "phonenumber", "telefon"),
        *("handy", "mobil", "rufnummer", "telefono", "movil", "celular", "telefone", "telemovel"),
        *("cellulare", "telefoon", "telefonnummer", "tel", "мобильный", "телефон", "电话"),
        *("手机", "電話", "携帯"),
    ),
    "a person's name": (
        *("first name", "last name", "firstname", "lastname", "full name", "fullname", "surname"),
        *("given name", "family name", "forename", "middle name", "contact name", "contact person"),
        *("customer name", "client name", "lead name", "person name", "user name", "username"),
        *("nickname", "login", "screen name", "vorname", "nachname", "familienname"),
        *(
            "ansprechpartner",
            "prenom",
            "nom de famille",
            "nombre completo",
            "apellido",
            "apellidos",
        ),
        *("sobrenome", "nome completo", "cognome", "voornaam", "achternaam", "fornamn"),
        *("efternamn", "imie", "nazwisko", "soyad", "имя", "фамилия", "отчество", "фио"),
        *("姓名", "名字", "氏名", "お名前"),
    ),
    "a company": (
        *("company", "company name", "employer", "organisation", "organization", "business name"),
        *("account name", "firma", "firmenname", "unternehmen", "arbeitgeber", "entreprise"),
        *("societe", "empresa", "azienda", "ditta", "bedrijf", "bedrijfsnaam", "foretag"),
        *("sirket", "компания", "организация", "公司", "企业", "会社", "企業名"),
    ),
    "an address": (
        *("address", "street", "adresse", "anschrift", "strasse", "straße", "rue", "direccion"),
        *("calle", "endereco", "indirizzo", "adres", "straat", "adress", "gata", "ulica"),
        *("адрес", "улица", "地址", "住所"),
    ),
    "a postcode": (
        *("postcode", "post code", "postal code", "zip", "zipcode", "zip code", "plz"),
        *("postleitzahl", "code postal", "codigo postal", "cep", "kod pocztowy", "postnummer"),
        *("индекс почтовый", "почтовый индекс", "邮编", "郵便番号"),
    ),
    "an IP address": ("ip", "ip address", "ipaddress", "ip adresse"),
    "a date of birth": (
        *("birth", "birthday", "birthdate", "dob", "geburtsdatum", "geburtstag", "naissance"),
        *(
            "nacimiento",
            "nascimento",
            "nascita",
            "geboortedatum",
            "дата рождения",
            "出生",
            "生年月日",
        ),
    ),
    "an official number": (
        *("ssn", "social security", "passport", "iban", "tax id", "national id", "personalausweis"),
        *("steuernummer", "dni", "cpf", "codice fiscale", "паспорт", "身份证"),
    ),
    "a profile page": ("linkedin", "facebook", "twitter", "xing", "profile url", "linkedin url"),
}
WHOLE_NAME = frozenset(
    {"name", "names", "nom", "nombre", "nome", "naam", "namn", "isim", "nimi", "contact"}
)
# Words that make it a fact about the detail instead of the detail: `company size`, `email opened`.
ABOUT = _set(
    """size type kind count counts status opened opens clicked clicks sent bounced verified valid
    source domain provider industry sector revenue age employees consent opt optin optout has is
    change changes changed length score brand model device os version groesse branche typ
    tipo taille tamano tamanho setor dimensione"""
)
IDENTIFIERS = _set(
    "id ids uuid guid key code nr no number num ref reference token hash nummer numero"
)
TIMES = _set(
    """timestamp unix epoch ts time date datetime created received submitted at datum zeit fecha
    data дата 日期 日時"""
)
CODES = _set("id ids uuid guid key code codes sku nr")
BEGINNINGS = _set(
    """created creation create received request requested submitted submission inquiry enquiry
    signup registered registration joined arrival entry first erstellt eingang anfrage
    creado creacion cree creation criado"""
)

AFTER: dict[str, tuple[str, ...]] = {
    "an outcome or a step towards it": (
        *("won", "lost", "closed", "closing", "close date", "converted", "conversion", "outcome"),
        *("result", "status", "stage", "disposition", "invoice", "invoiced", "paid", "refund"),
        *("refunded", "cancelled", "canceled", "churned", "approved", "rejected", "signed", "deal"),
        *("winner", "giver", "ergebnis", "abschluss", "abgeschlossen", "resultat", "statut"),
        *("resultado", "cerrado", "fechado", "esito", "risultato", "chiuso", "resultaat"),
        *("результат", "статус", "итог", "结果", "状态", "結果", "状態"),
    ),
    "what happened later": (
        *("after", "afterwards", "retrieval", "retrieved", "edited", "modified", "updated"),
        *("last activity", "last contact", "last contacted", "last touch", "last call"),
        *("last email", "last response", "last event", "last action", "last seen", "last notable"),
        *("notable activity", "activity", "follow up", "followup", "next step", "replied"),
        *("responded", "response", "call duration", "duration", "feedback", "letzte aktivitat"),
        *("derniere activite", "ultima actividad", "последняя активность", "последний контакт"),
    ),
    "somebody's judgement of the lead": (
        *("quality", "score", "scoring", "grade", "rating", "tag", "tags", "priority", "profile"),
        *("qualitat", "bewertung", "qualite", "calidad", "qualidade", "качество", "оценка"),
    ),
}
# `last year's status`, `at request`, `marital status`: known when the lead came.
BEFORE = (
    *("previous", "prior", "past", "before", "at request", "at signup", "at creation", "at entry"),
    *("marital status", "employment status", "family status", "civil status", "job status"),
    *("housing status", "residence status", "residential status", "student status"),
    *("company stage", "credit score", "credit rating"),
)


def contact_detail(name: str) -> str | None:
    """What contact detail a column of this name holds ("an e-mail address"), if any."""
    words = _words(name)
    if ABOUT & set(words):
        return None
    if " ".join(words) in WHOLE_NAME:
        return "a person's name"
    return next((what for what, said in CONTACTS.items() if _says(words, said)), None)


def says_after(name: str) -> str | None:
    """Why this name speaks of something that came after the decision, if it does."""
    words = _words(name)
    if _says(words, BEFORE):
        return None
    return next((what for what, said in AFTER.items() if _says(words, said)), None)


def shares_word(name: str, outcome: str, others: Iterable[str]) -> str | None:
    """A word of this name that the outcome's name has too, and hardly any other column."""
    columns = [set(_words(other)) for other in others]
    for word in _words(name):
        shared = len(word) >= 4 and word in _words(outcome)
        if shared and sum(word in words for words in columns) <= 2:
            return word
    return None


def says_identifier(name: str) -> bool:
    """A column of this name may number the leads (`Lead Number`), or count something."""
    return bool(IDENTIFIERS & set(_words(name)))


def says_code(name: str) -> bool:
    """Its numbers name something: they are no amounts."""
    return bool(CODES & set(_words(name)))


def says_time(name: str) -> bool:
    """Its numbers may be seconds since 1970, or a day written 20260131."""
    return _says(_words(name), tuple(TIMES))


def says_beginning(name: str) -> bool:
    """The name is that of the moment when the lead came in."""
    return bool(BEGINNINGS & set(_words(name)))


@cache
def _words(name: str) -> tuple[str, ...]:
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name)
    return tuple(re.findall(r"[^\W_]+", _plain(parted)))


@cache
def _plain(text: str) -> str:
    bare = (c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return "".join(bare).casefold()


def _says(words: tuple[str, ...], phrases: tuple[str, ...]) -> bool:
    joined = f" {' '.join(words)} "
    return any(_in(_plain(phrase), joined) for phrase in phrases)


def _in(phrase: str, joined: str) -> bool:
    if re.search(r"[぀-ヿ㐀-鿿]", phrase):  # these scripts put no space between words
        return phrase in joined
    return f" {phrase} " in joined
