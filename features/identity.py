"""LeadIdentity: the recognizer made of one lead's own contact values."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from presidio_analyzer import LocalRecognizer, RecognizerResult

from features.contact_value import (
    LEAST_LETTERS,
    PHONE_DIGITS,
    WORD,
    Digits,
    Person,
    Whole,
    Words,
    full_names,
    known,
    spelled,
)
from features.cpu_timer import check_cpu
from features.ordinary_words import ORDINARY
from features.plain_text import PlainText, folded

VERSION = "2026-11.12"
NAME = "name"  # the column that a name would be in, were it not in two
NEARBY = 8  # characters that tell how a word is used
WIDEST_GAP = 4  # characters between two words of a name: `Smith,  Jane`
LEAST_LOCAL = 6  # digits of a phone number without its area code
COUNTRY_DIGITS = 5  # 00 and a country's code
WORDS_A_CHECK = 32  # of the CPU timer, which costs as much as a word
MOST_GROUP = 6  # digits of one group that a number starts within

DIGIT_RUN = re.compile(r"\+?\(?\d(?:[^\w\n]{0,4}+\n?\d)*+")
AT = re.compile(
    r"\b(?:at|bei|chez)[ ]$", re.IGNORECASE
)  # `we at rose`: an ordinary word, a company
AFTER_PHONE = re.compile(r"[\s,;.(]{0,3}(?:x|ext(?:ension)?|durchwahl|dw|-|/|#)?[.:\s]{0,2}")
Span = tuple[str, int, int]  # entity type, start, end


class LeadIdentity(LocalRecognizer):  # type: ignore[misc]  # Presidio ships no types
    """Finds what is known of one lead in the text it wrote, with certainty (score 1).

    contacts: contact columns and their values, or values alone. Found in any case, accents
    folded, umlauts spelled out or not; names in any order, in part, by initials and as mailboxes
    join them; companies without their legal form; phones by their digits; e-mails by their local
    part and their domain's name.
    """

    def __init__(self, contacts: Mapping[str, str] | Sequence[str]) -> None:
        if isinstance(contacts, str):
            raise TypeError("contacts are many values: a mapping or a list")
        columns = contacts if isinstance(contacts, Mapping) else dict.fromkeys(contacts, "")
        pairs = list(
            columns.items() if columns is contacts else ((c, v) for v, c in columns.items())
        )
        pairs += [(NAME, name) for name in full_names(pairs)]
        self._whole: dict[Whole, None] = {}
        self._digits: dict[Digits, None] = {}
        self._people: dict[Person, None] = {}
        self._words: dict[tuple[str, ...], dict[Words, None]] = {}  # by their first two
        for column, value in pairs:
            for form in known(column, PlainText.read(value).text.strip()):
                self._learn(form)
        for key, forms in self._words.items():
            if len(forms) > 1:  # the longest first
                self._words[key] = dict.fromkeys(sorted(forms, key=lambda form: -len(form.words)))
        kinds = {whole.entity_type for whole in self._whole}
        kinds |= {number.entity_type for number in self._digits}
        kinds |= {form.entity_type for forms in self._words.values() for form in forms}
        super().__init__(supported_entities=sorted(kinds), version=VERSION)

    def load(self) -> None:
        """Nothing: the constructor takes what is needed."""

    def analyze(self, text: str, entities: list[str], nlp_artifacts: Any = None) -> list[Any]:  # noqa: ARG002  # Presidio's signature
        """Presidio's results."""
        plain = folded(text)
        found = (
            *_whole_values(plain.text, self._whole),
            *_digit_values(plain.text, tuple(self._digits)),
            *self._word_values(plain, text),
        )
        return [
            RecognizerResult(kind, *plain.source_span(start, end), 1.0)
            for kind, start, end in _merged(found)
        ]

    def _learn(self, form: Words | Whole | Digits | Person) -> None:
        if isinstance(form, Words):
            self._words.setdefault(form.words[:2], {})[form] = None
        elif isinstance(form, Whole):
            self._whole[form] = None
        elif isinstance(form, Digits):
            self._digits[form] = None
        else:
            self._people[form] = None

    def _word_values(self, plain: PlainText, text: str) -> Iterator[Span]:
        tokens = [(spelled(m[0]), *m.span()) for m in WORD.finditer(plain.text)]
        tokens += [("", len(plain.text) + WIDEST_GAP + 1, 0)] * 2  # after all, and never near
        firsts = {words[0] for words in self._words}
        named_until = 0  # where the last name in its own order ends
        reached: dict[str, int] = {}  # by entity type: what lies before is found already
        for i, (word, start, stop) in enumerate(tokens[:-2]):
            if not i % WORDS_A_CHECK:
                check_cpu()
            if len(word) > LEAST_LETTERS + 1 and self._is_mailbox(word):
                yield "PERSON", start, stop
            if word not in firsts:
                continue
            (following, at, _), (third, _, _) = tokens[i + 1 : i + 3]
            pairs = self._words.get((word, following), ()) if at - stop <= WIDEST_GAP else ()
            for entry in (*pairs, *self._words.get((word,), ())):
                if len(entry.words) > 2 and entry.words[2] != third:  # most differ here
                    continue
                end = stop if len(entry.words) == 1 else _matched_end(tokens, i + 1, entry.words)
                if end <= reached.get(entry.entity_type, 0):  # also 0: no match
                    continue
                if entry.turned and start < named_until:
                    continue
                if len(entry.words) > 1 and not entry.turned:
                    named_until = max(named_until, end)
                if _is_meant(entry, text, *plain.source_span(start, end)):
                    reached[entry.entity_type] = end
                    yield entry.entity_type, start, end

    def _is_mailbox(self, word: str) -> bool:
        return any(_joins(word, person) for person in self._people)


def _merged(spans: Iterable[Span]) -> list[Span]:
    """Spans in order; those of one type that overlap are one: `Jane Smith`, and `Smith` in it."""
    merged: list[Span] = []
    for kind, start, end in sorted(set(spans)):
        last = merged[-1] if merged else None
        if last and last[0] == kind and start < last[2]:
            merged[-1] = (kind, last[1], max(end, last[2]))
        else:
            merged.append((kind, start, end))
    return merged


def _joins(word: str, person: Person) -> bool:
    """True where a start of the first name joins the last name, or the other way round."""
    first, last = person.first, person.last
    if len(last) > LEAST_LETTERS and word.endswith(last) and word != last:
        return first.startswith(word[: -len(last)])
    if len(last) > LEAST_LETTERS and word.startswith(last) and word != last:
        return len(word) - len(last) < LEAST_LETTERS and first.startswith(word[len(last) :])
    telling = len(first) > LEAST_LETTERS and first not in ORDINARY  # `grants`, `willing`
    if telling and word.startswith(first) and word != first:
        return last.startswith(word[len(first) :])
    return False


def _matched_end(
    tokens: Sequence[tuple[str, int, int]], second: int, words: tuple[str, ...]
) -> int:
    """Where the words end, of which the first two are there; 0 where the others are not."""
    end = tokens[second][2]
    for i, word in enumerate(words[2:], second + 1):
        if i >= len(tokens) or tokens[i][0] != word or tokens[i][1] - end > WIDEST_GAP:
            return 0
        end = tokens[i][2]
    return end


def _is_meant(entry: Words, text: str, start: int, end: int) -> bool:
    written = text[start:end]
    if entry.shouted:
        return written.isupper()
    if entry.ordinary and len(written) < LEAST_LETTERS and written.isupper():
        return False  # `IT`, `AN OFFER`
    if entry.entity_type == "ORGANIZATION" and AT.search(text, max(0, start - NEARBY), start):
        return True
    return not entry.ordinary or _is_written_as_name(text, start, end)


def _is_written_as_name(text: str, start: int, end: int) -> bool:
    """True for a capital within a sentence, or where no sentence goes on: `Thanks, Will`."""
    if not text[start].isupper():
        return False
    before = text[max(0, start - NEARBY) : start].rstrip(" \t")
    after = text[end : end + NEARBY].lstrip(" \t")
    opens_sentence = not before or before[-1] in ".!?:\n\r>"
    ends_there = not after or not after[0].isalnum()
    return ends_there or not opens_sentence


def _whole_values(text: str, values: Mapping[Whole, None]) -> Iterator[Span]:
    for whole in values:
        start = text.find(whole.value)
        while start >= 0:
            check_cpu()
            end = start + len(whole.value)
            if len(whole.value) > LEAST_LETTERS + 2 or not _is_within_word(text, start, end):
                yield whole.entity_type, start, end
            start = text.find(whole.value, end)


def _is_within_word(text: str, start: int, end: int) -> bool:
    """True for short values in a longer word: `j.s.` in `www.obj.s.com`; not for Chinese names."""
    latin = text[start].isascii()
    before, after = text[start - 1 : start], text[end : end + 1]
    return latin and (before.isalnum() or before == "." or after.isalnum())


def _digit_values(text: str, values: Sequence[Digits]) -> Iterator[Span]:
    """Where the last digits of a number stand, in any grouping, with its own prefix before them."""
    for run in DIGIT_RUN.finditer(text) if values else ():
        check_cpu()
        at = [i for i, c in enumerate(run[0], run.start()) if c.isdigit()]
        digits = "".join(text[i] for i in at)
        for known_digits in values:
            value = known_digits.digits
            if LEAST_LOCAL <= len(digits) < PHONE_DIGITS and value.endswith(digits):
                yield known_digits.entity_type, at[0], at[-1] + 1
            last = digits.find(value[-PHONE_DIGITS:])
            while last >= 0:
                end = last + PHONE_DIGITS
                stop = _extension_end(text, at[end - 1] + 1, known_digits.extension)
                yield known_digits.entity_type, _prefix_start(at, digits, last, value, text), stop
                last = digits.find(value[-PHONE_DIGITS:], end)


def _prefix_start(at: Sequence[int], digits: str, first: int, value: str, text: str) -> int:
    """Where a number starts: its known digits further left, the country's, the rest of a group."""
    left, trunk = len(value) - PHONE_DIGITS, True
    while first:
        if left and digits[first - 1] == value[left - 1]:
            left -= 1
        elif trunk and digits[first - 1] == "0":
            trunk = False  # +49 (0)30, where the table has +49 30
        else:
            break
        first -= 1
    for _ in range(MOST_GROUP):
        if not first or at[first] - at[first - 1] > 1:
            break
        first -= 1
    abroad = "+" in text[max(0, at[0] - 2) : at[0]] or digits.startswith("00")
    return at[0] if abroad and first <= COUNTRY_DIGITS else at[first]


def _extension_end(text: str, end: int, extension: str) -> int:
    """Where a number's extension ends, if it follows."""
    gap = AFTER_PHONE.match(text, end)
    if extension and gap and text.startswith(extension, gap.end()):
        return gap.end() + len(extension)
    return end
