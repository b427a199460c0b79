"""LeadIdentity: the recognizer made of one lead's own contact values."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from presidio_analyzer import LocalRecognizer, RecognizerResult

from features.plain_text import PlainText, folded

VERSION = "2026-11.1"
LEAST_LETTERS = 3  # a shorter part of a name stands in too many words
LEAST_DIGITS = 4
PHONE_DIGITS = 7  # of the subscriber: the same in every notation of the number
NEARBY = 8  # characters that tell how a word is used
WIDEST_GAP = 4  # characters between two words of a name: `Smith,  Jane`

WORD = re.compile(r"[^\W\d_]++|\d++")
DIGIT_RUN = re.compile(r"\+?\(?\d(?:[\s().\-/+]{0,4}+\d)*+")
SPELLED_UMLAUT = re.compile(r"(?<=[aou])e")
TRUNK_ZERO = re.compile(r"\(0\)")  # +49 (0)30: dialled at home only
EXTENSION = re.compile(r"(?:ext\.?|x|durchwahl)\s*\d+\s*$", re.IGNORECASE)
NOT_A_PHONE = re.compile(r"[^\d\s().\-/+]")
LEGAL_FORMS = frozenset(
    """
    ab ag as bv co company corp corporation eg ek gbr gmbh group holding inc incorporated kg kgaa
    limited llc llp ltd mbh nv ohg oy oyj plc pty pvt sa sarl sas se sl spa srl ug und and
    """.split()  # noqa: SIM905  # to be read
)
COMPANY_COLUMN = re.compile(
    r"company|organi[sz]ation|employer|firm|business|account", re.IGNORECASE
)
PLACE_COLUMN = re.compile(r"address|street|zip|post|city|town|state|region|country|location", re.I)
FREE_MAIL = frozenset(
    """
    aol gmail gmx googlemail hotmail icloud live mail mailbox me msn outlook proton protonmail
    qq web yahoo yandex ymail zoho example
    """.split()  # noqa: SIM905  # to be read
)
# Words that are a name, a company or a mailbox in a contact column and a word anywhere else.
# Alone they count only where they are written as a name, within a sentence.
ORDINARY = frozenset(
    """
    about account admin advanced agency all american and angel any app april art association august
    autumn baker bank banks bell best big bill bishop black blue book brand brown business buy call
    capital care cash center central chance chase chip christian city clear client cloud club com
    company connect consulting contact cook cooper corp country creative crown customer data day
    dean design digital direct dot drew early earth east easy education energy engineering
    enterprise enterprises español europe european express faith fast field finance first fisher
    food for forest fox france frank free french friend fund future garden german global glory gold
    grace grand grant great green group grow guy hall hand happy health hello help high hill home
    hope house house hunter ideas info innovation institute international into invest iris ivy jack
    jean job john joy june just key king know labs land language law lead learning legal life light
    line little live logistics long love mail main make management mark market marketing mason max
    may media mercy message might miller miss mobile money more mountain much name need net network
    new news nice nick none north not now oak office old olive one online open order our page parker
    part partner partners pat people person phone pierce plan plus point porter power price prime
    pro product products project public quality ray red rest retail rich river rob robin rock rose
    ruby sales sandy say school science security see service services shop short silver sky smart
    snow social software solution solutions sound south space spring star start stone store street
    strong studio summer sun sunny support system systems team tech technologies technology test
    that the they this time top total trade training trust university unknown use van victor video
    violet von walker want ward was water way web well west what white wide will win winter wise
    with wood word work works world would yes you young your
    """.split()  # noqa: SIM905  # to be read
)


@dataclass(frozen=True, slots=True)
class Words:
    """Words to find next to each other.

    ordinary: one word, which also is an ordinary one. turned: last name first; not where the last
    name ends the name in its own order, as in `Jane Smith, jane@...`.
    """

    entity_type: str
    words: tuple[str, ...]
    ordinary: bool
    turned: bool


class LeadIdentity(LocalRecognizer):  # type: ignore[misc]  # Presidio ships no types
    """Finds what is known of one lead in the text it wrote, with certainty (score 1).

    contacts: contact columns and their values, or values alone. Found in any case, accents
    folded, umlauts spelled out or not; names in any order and in part; companies without their
    legal form; phones by their digits; e-mails by their local part and their domain's name.
    """

    def __init__(self, contacts: Mapping[str, str] | Sequence[str]) -> None:
        if isinstance(contacts, str):
            raise TypeError("contacts are many values: a mapping or a list")
        columns = contacts if isinstance(contacts, Mapping) else dict.fromkeys(contacts, "")
        pairs = columns.items() if columns is contacts else ((c, v) for v, c in columns.items())
        self._whole: list[tuple[str, str]] = []  # entity type, folded value: found inside anything
        self._digits: list[tuple[str, str]] = []
        self._words: dict[str, list[Words]] = {}
        for column, value in pairs:
            self._learn(column, PlainText.read(value).text.strip())
        kinds = {e for e, _ in self._whole + self._digits}
        kinds |= {w.entity_type for many in self._words.values() for w in many}
        super().__init__(supported_entities=sorted(kinds), version=VERSION)

    def load(self) -> None:
        """Nothing: the constructor takes what is needed."""

    def analyze(self, text: str, entities: list[str], nlp_artifacts: Any = None) -> list[Any]:  # noqa: ARG002  # Presidio's signature
        """Presidio's results."""
        plain = folded(text)
        found = (
            *_whole_values(plain.text, self._whole),
            *_digit_values(plain.text, self._digits),
            *self._word_values(plain, text),
        )
        spans = {(kind, *plain.source_span(start, end)): None for kind, start, end in found}
        return [RecognizerResult(*span, 1.0) for span in spans]

    def _learn(self, column: str, value: str) -> None:
        if "@" in value:
            self._learn_email(value)
        elif not NOT_A_PHONE.search(EXTENSION.sub("", value)):
            self._learn_number(column, EXTENSION.sub("", value))
        elif COMPANY_COLUMN.search(column) or _has_legal_form(value):
            self._learn_company(value)
        elif PLACE_COLUMN.search(column):
            self._learn_place(value)
        elif any(c.isdigit() for c in value) or "/" in value:
            self._learn_whole("CONTACT_VALUE", value)
        else:
            self._learn_name(value)

    def _learn_whole(self, entity_type: str, value: str) -> None:
        if len(value) > LEAST_LETTERS:
            self._whole.append((entity_type, folded(value).text))

    def _learn_email(self, value: str) -> None:
        self._learn_whole("EMAIL_ADDRESS", value)
        local, _, domain = value.rpartition("@")
        self._add("PERSON", _split(local))
        for word in _split(local):
            if not word.isdigit():  # a year
                self._add("PERSON", (word,))
        host = domain.split(".")[0]
        if folded(host).text not in FREE_MAIL:
            self._add("ORGANIZATION", _split(host))
            self._learn_whole("URL", domain)

    def _learn_number(self, column: str, value: str) -> None:
        digits = re.sub(r"\D", "", TRUNK_ZERO.sub("", value))
        if len(digits) >= PHONE_DIGITS:
            self._digits.append(("PHONE_NUMBER", digits))
        elif len(digits) >= LEAST_DIGITS:
            kind = "STREET_ADDRESS" if PLACE_COLUMN.search(column) else "CONTACT_VALUE"
            self._add(kind, (digits,))

    def _learn_company(self, value: str) -> None:
        words = _split(value)
        self._add("ORGANIZATION", words)
        core = tuple(w for w in words if w not in LEGAL_FORMS)
        self._add("ORGANIZATION", core)
        if core and core[0] not in ORDINARY:
            self._add("ORGANIZATION", core[:1])

    def _learn_place(self, value: str) -> None:
        self._add("STREET_ADDRESS", _split(value))
        for part in re.split(r"[,;\n]", value):
            self._add("STREET_ADDRESS", _split(part))

    def _learn_name(self, value: str) -> None:
        words = _split(value)
        if not words:
            self._learn_whole("CONTACT_VALUE", value)
            return
        self._add("PERSON", words)
        if len(words) > 1:
            first, last = words[0], words[-1]
            self._add("PERSON", words[::-1], turned=True)
            self._add("PERSON", (last, first), turned=True)
            for together in ((first, last), (first + last,), (first[0] + last,)):
                self._add("PERSON", together)
        for part in value.split():
            self._add("PERSON", _split(part))  # O'Neil, Anne-Marie
        for word in words:
            self._add("PERSON", (word,))

    def _add(self, entity_type: str, words: tuple[str, ...], *, turned: bool = False) -> None:
        """To find, also in the genitive; what is too short is not."""
        together = "".join(words)
        if _has_no_spaces(together) and len(together) > 1:
            self._whole.append((entity_type, together))
        if len(together) < LEAST_LETTERS:
            return
        ordinary = len(words) == 1 and words[0] in ORDINARY
        spelled = tuple(map(_spelled, words))
        for form in (spelled, (*spelled[:-1], spelled[-1] + "s")):
            self._words.setdefault(form[0], []).append(Words(entity_type, form, ordinary, turned))

    def _word_values(self, plain: PlainText, text: str) -> Iterator[tuple[str, int, int]]:
        tokens = [(_spelled(m[0]), *m.span()) for m in WORD.finditer(plain.text)]
        named_until = 0  # where the last name in its own order ends
        for i, (word, start, _) in enumerate(tokens):
            for entry in self._words.get(word, ()):
                end = _matched_end(tokens, i, entry.words)
                if end is None or (entry.turned and start < named_until):
                    continue
                if len(entry.words) > 1 and not entry.turned:
                    named_until = max(named_until, end)
                if not entry.ordinary or _is_written_as_name(text, *plain.source_span(start, end)):
                    yield entry.entity_type, start, end


def _split(value: str) -> tuple[str, ...]:
    return tuple(WORD.findall(folded(value).text))


def _has_legal_form(value: str) -> bool:
    words = _split(value)
    return len(words) > 1 and words[-1] in LEGAL_FORMS - {"and", "und", "se", "as", "sa", "co"}


def _has_no_spaces(word: str) -> bool:
    """True for scripts without spaces between words (Chinese, Thai), or with suffixes (Korean)."""
    return any("\u0e00" <= c <= "\u0eff" or "\u3040" <= c <= "\ud7af" for c in word)


def _spelled(word: str) -> str:
    """One spelling for `müller` (folded to `muller`) and `mueller`."""
    return SPELLED_UMLAUT.sub("", word)


def _matched_end(
    tokens: Sequence[tuple[str, int, int]], at: int, words: tuple[str, ...]
) -> int | None:
    if at + len(words) > len(tokens):
        return None
    end = tokens[at][2]
    for (token, start, stop), word in zip(tokens[at + 1 : at + len(words)], words[1:], strict=True):
        if token != word or start - end > WIDEST_GAP:
            return None
        end = stop
    return end


def _is_written_as_name(text: str, start: int, end: int) -> bool:
    """True for a capital within a sentence, or where no sentence goes on: `Thanks, Will`."""
    if not text[start].isupper():
        return False
    before = text[max(0, start - NEARBY) : start].rstrip(" \t")
    after = text[end : end + NEARBY].lstrip(" \t")
    opens_sentence = not before or before[-1] in ".!?:\n\r>"
    ends_there = not after or not after[0].isalnum()
    return ends_there or not opens_sentence


def _whole_values(text: str, values: Sequence[tuple[str, str]]) -> Iterator[tuple[str, int, int]]:
    for entity_type, value in values:
        start = text.find(value)
        while start >= 0:
            yield entity_type, start, start + len(value)
            start = text.find(value, start + len(value))


def _digit_values(text: str, values: Sequence[tuple[str, str]]) -> Iterator[tuple[str, int, int]]:
    """Where the last digits of a number stand, in any grouping, with its own prefix before them."""
    for run in DIGIT_RUN.finditer(text) if values else ():
        at = [i for i in range(*run.span()) if text[i].isdigit()]
        digits = "".join(text[i] for i in at)
        for entity_type, value in values:
            last = digits.find(value[-PHONE_DIGITS:])
            while last >= 0:
                end = last + PHONE_DIGITS
                yield entity_type, _prefix_start(at, digits, last, value), at[end - 1] + 1
                last = digits.find(value[-PHONE_DIGITS:], end)


def _prefix_start(at: Sequence[int], digits: str, first: int, value: str) -> int:
    """Where a number starts: its known digits further left, then the rest of their group."""
    known = len(value) - PHONE_DIGITS
    while first and known and digits[first - 1] == value[known - 1]:
        first, known = first - 1, known - 1
    while first and at[first] - at[first - 1] == 1:
        first -= 1
    return at[first]
