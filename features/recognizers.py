"""Our own Presidio recognizers.

All of them read plain text (`plain_text`) in time linear in its length: stock Presidio needs 35 s
for 20 kB of `a.a.a...`. Not Presidio's PatternRecognizer: it skips a pattern that takes too long,
and so lets its values through. What the patterns are is in `patterns`.
"""

from __future__ import annotations

import ipaddress
import re
import threading
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import Any

import phonenumbers
from presidio_analyzer import LocalRecognizer, PatternRecognizer, RecognizerResult
from presidio_analyzer.predefined_recognizers import (
    EsNieRecognizer,
    EsNifRecognizer,
    FiPersonalIdentityCodeRecognizer,
    InAadhaarRecognizer,
    InPanRecognizer,
    ItFiscalCodeRecognizer,
    NhsRecognizer,
    PlPeselRecognizer,
    SgFinRecognizer,
    UkNinoRecognizer,
    UsItinRecognizer,
    UsSsnRecognizer,
)

from features.errors import RedactionFailed
from features.patterns import ALL, PatternSet, is_no_date
from features.redaction_policy import RedactionPolicy

VERSION = "2026-11.1"
Found = tuple[int, int, float]  # start, end, score


class Recognizer(LocalRecognizer):  # type: ignore[misc]  # Presidio ships no types
    """Base of ours: one entity type, found by `find`."""

    def __init__(self, entity_type: str, name: str | None = None) -> None:
        super().__init__(supported_entities=[entity_type], name=name, version=VERSION)

    def load(self) -> None:
        """Nothing: constructors take what is needed."""

    def find(self, text: str) -> Iterable[Found]:
        """Start, end and score of each span in `text`."""
        raise NotImplementedError

    def analyze(self, text: str, entities: list[str], nlp_artifacts: Any = None) -> list[Any]:  # noqa: ARG002  # Presidio's signature
        """Presidio's results, without explanations: these would hold parts of the text."""
        (entity_type,) = self.supported_entities
        return [RecognizerResult(entity_type, *found) for found in self.find(text)]


class Patterns(Recognizer):
    """Spans that match a pattern of ours."""

    def __init__(self, patterns: PatternSet) -> None:
        super().__init__(patterns.entity_type, patterns.name)
        self._set = patterns
        self._compiled = patterns.compiled

    def find(self, text: str) -> Iterator[Found]:
        honest = self._set.honest
        for pattern in self._compiled:
            group = "pii" if "pii" in pattern.groupindex else 0
            for match in pattern.finditer(text):
                if honest is None or honest(match[group]):
                    yield *match.span(group), self._set.score


class Checked(Recognizer):
    """One of Presidio's own pattern recognizers, its checksum included, in linear time.

    Presidio compares each pair of a recognizer's results. Its weak patterns (any nine digits)
    wait for context words that ours hold themselves, and are left out unless a checksum helps.
    """

    LEAST_SCORE = 0.5

    def __init__(self, entity_type: str, stock: Any) -> None:
        super().__init__(entity_type, stock.name)
        self._stock = stock
        checked = type(stock).validate_result is not PatternRecognizer.validate_result
        self._patterns = [
            (re.compile(p.regex, re.IGNORECASE), p.score)
            for p in stock.patterns
            if checked or p.score >= self.LEAST_SCORE
        ]

    def find(self, text: str) -> Iterator[Found]:
        for pattern, score in self._patterns:
            for match in pattern.finditer(text):
                valid = self._stock.validate_result(match[0])
                if valid is False or self._stock.invalidate_result(match[0]):
                    continue
                if valid or score >= self.LEAST_SCORE:
                    start = match.end() - len(match[0].lstrip())
                    yield start, match.end(), 1.0 if valid else score


CARD_LENGTHS = {2: (16,), 3: (14, 15, 16), 4: (13, 16, 19), 5: (16,), 6: (16, 17, 18, 19)}


class Cards(Recognizer):
    """Card numbers: the issuer's first digit and length, Luhn's checksum, in any grouping."""

    RUN = re.compile(r"\d(?:[\s\-.·_/]{0,3}+\d){12,}+")

    def __init__(self) -> None:
        super().__init__("CREDIT_CARD")

    def find(self, text: str) -> Iterator[Found]:
        for run in self.RUN.finditer(text):
            at = [i for i in range(*run.span()) if text[i].isdigit()]
            digits = [int(text[i]) for i in at]
            sums = [_luhn_sums(digits, parity) for parity in (0, 1)]
            for first, digit in enumerate(digits):
                for length in CARD_LENGTHS.get(digit, ()):
                    end = first + length
                    if end > len(digits) or not _on_edge(at, first, end):
                        continue
                    total = sums[(end - 1) % 2]
                    if (total[end] - total[first]) % 10 == 0:
                        yield at[first], at[end - 1] + 1, 1.0


def _luhn_sums(digits: Sequence[int], parity: int) -> list[int]:
    """Running Luhn sums in which digits at an index of this parity are not doubled."""
    twice = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
    parts = (d if i % 2 == parity else twice[d] for i, d in enumerate(digits))
    return [0, *accumulate(parts)]


def _on_edge(at: Sequence[int], first: int, end: int) -> bool:
    """True where a window of digits starts or ends a group of them."""
    starts = first == 0 or at[first] - at[first - 1] > 1
    return starts or end == len(at) or at[end] - at[end - 1] > 1


IBAN_LENGTHS = {  # characters, by country (ISO 13616 registry)
    country: length
    for length, countries in {
        15: "NO", 16: "BE", 18: "DK FI FK FO GL NL SD", 19: "MK SI", 20: "AT BA EE KZ LT LU MN XK",
        21: "CH HR LI LV", 22: "BG BH CR DE GB GE IE ME RS VA", 23: "AE GI IL IQ OM SO TL",
        24: "AD CZ ES MD PK RO SA SE SK TN VG", 25: "LY PT ST", 26: "IS TR",
        27: "BI DJ FR GR IT MC MR SM", 28: "AL AZ BY CY DO GT HN HU LB NI PL", 29: "BR EG PS QA UA",
        30: "JO KW MU YE", 31: "MT SC", 32: "LC", 33: "RU",
    }.items()
    for country in countries.split()
}  # fmt: skip


class Ibans(Recognizer):
    """IBANs: the country's length and the checksum (ISO 13616), with or without groups of four."""

    START = re.compile(r"[A-Z]{2}\d{2}", re.IGNORECASE)

    def __init__(self) -> None:
        super().__init__("IBAN_CODE")

    def find(self, text: str) -> Iterator[Found]:
        at = 0
        while start := self.START.search(text, at):
            at = start.start() + 1
            length = IBAN_LENGTHS.get(start[0][:2].upper())
            end = _alphanumerics_end(text, start.start(), length) if length else None
            if end and _is_iban(text[start.start() : end]):
                yield start.start(), end, 1.0
                at = end


def _alphanumerics_end(text: str, start: int, count: int) -> int | None:
    """Where `count` ASCII letters and digits from `start` on end; None where they do not."""
    for at in range(start, min(len(text), start + 2 * count)):
        if text[at].isascii() and text[at].isalnum():
            count -= 1
            if not count:
                return at + 1
        elif text[at] not in " -\t\n.":
            return None
    return None


def _is_iban(candidate: str) -> bool:
    compact = "".join(c for c in candidate if c.isalnum())
    return int("".join(str(int(c, 36)) for c in compact[4:] + compact[:4])) % 97 == 1


class IpAddresses(Recognizer):
    """IPv4 and IPv6 addresses."""

    V4 = re.compile(r"(?<![\d])\d{1,3}(?:\.\d{1,3}){3}(?!\d)")
    V6 = re.compile(
        r"(?<![0-9a-f:])[0-9a-f]{0,4}+(?::[0-9a-f]{0,4}+){2,8}+(?:\.\d{1,3}){0,3}", re.I
    )

    def __init__(self) -> None:
        super().__init__("IP_ADDRESS")

    def find(self, text: str) -> Iterator[Found]:
        for match in self.V4.finditer(text):
            if all(int(part) < 256 for part in match[0].split(".")):
                yield *match.span(), 0.9
        for match in self.V6.finditer(text):
            address = match[0] if match[0].endswith("::") else match[0].rstrip(":")
            if len(address) > 3 and _is_ip(address):
                yield match.start(), match.start() + len(address), 0.9


def _is_ip(address: str) -> bool:
    try:
        ipaddress.ip_address(address)
    except ValueError:
        return False
    return True


TRAILING = ".,;:!?)'\""  # ends the sentence, not the address


class Urls(Recognizer):
    """Web addresses, with a scheme or without; a bare host only under a real top-level domain."""

    SCHEME = re.compile(
        r"(?:(?<![a-z])[a-z][a-z0-9+]{1,10}://|(?<![\w.])www\d?\.)[^\s<>\"]++", re.I
    )
    HOST = re.compile(
        r"(?<![\w.@/-])(?P<host>[^\W_][\w-]*+(?:\.[\w-]++)++)(?P<path>(?::\d{2,5})?[/?#][^\s<>\"]*+)?"
    )
    # Ends of file names and of sentences without a space, far more often than of hosts.
    NOT_ALONE = frozenset({"cc", "css", "js", "md", "mov", "ps", "py", "rs", "sh", "so", "zip"})

    def __init__(self, top_level_domains: frozenset[str]) -> None:
        super().__init__("URL")
        self._top = top_level_domains

    def find(self, text: str) -> Iterator[Found]:
        for match in self.SCHEME.finditer(text):
            yield match.start(), match.start() + len(match[0].rstrip(TRAILING)), 0.9
        for match in self.HOST.finditer(text):
            if self._is_host(match["host"], alone=match["path"] is None):
                yield match.start(), match.start() + len(match[0].rstrip(TRAILING)), 0.7

    def _is_host(self, host: str, *, alone: bool) -> bool:
        last = host.rpartition(".")[2]
        if last.lower() not in self._top:
            return False
        if not alone:
            return True
        shouted = host.isupper() and last != "NET"  # ASP.NET is a product
        return (last.islower() or shouted) and last.lower() not in self.NOT_ALONE


class Phones(Recognizer):
    """Phone numbers that no international prefix, keyword or known shape gives away.

    Valid in one of REGIONS by Google's metadata; past MOST_CHECKS candidates, all count as valid.
    """

    CANDIDATE = re.compile(r"(?<![\w.,:+])\(?\d(?:[ ().\-/]{0,3}+\d){7,13}+(?![\d,:])")
    THOUSANDS = re.compile(r"\d{1,3}(?:[. ]\d{3})+$")
    MONEY_BEFORE = re.compile(r"(?:[$€£¥₹]|\b(?:usd|eur|gbp|inr|chf|rs\.?))\s?$", re.IGNORECASE)
    REGIONS = ("US", "GB", "DE", "FR", "ES", "IT", "IN", "BR", "AU", "NL")
    MOST_CHECKS = 40

    def __init__(self) -> None:
        super().__init__("PHONE_NUMBER")

    def find(self, text: str) -> Iterator[Found]:
        checks = 0
        for match in self.CANDIDATE.finditer(text):
            if self._is_other(match[0]) or self.MONEY_BEFORE.search(
                text, max(0, match.start() - 5), match.start()
            ):
                continue
            checks += 1
            if checks > self.MOST_CHECKS or _is_phone(match[0], self.REGIONS):
                yield *match.span(), 0.6

    def _is_other(self, digits: str) -> bool:
        return not is_no_date(digits) or self.THOUSANDS.match(digits) is not None


def _is_phone(candidate: str, regions: Iterable[str]) -> bool:
    for region in regions:
        try:
            if phonenumbers.is_valid_number(phonenumbers.parse(candidate, region)):
                return True
        except phonenumbers.NumberParseException:
            continue
    return False


class People(Recognizer):
    """Persons named in the text, by a spaCy model's named entities.

    Only the NER part of the model is loaded. Its cost is per word, and its tokenizer's quadratic
    in a run without spaces: too many words are refused, and long runs are not read here (they go
    as UNREADABLE). One thread at a time, since spaCy's memory zone, which frees the text's words
    from its vocabulary afterwards, allows no second; the model holds the interpreter anyway.

    Raises:
        RedactionFailed: more than `max_words` words.
    """

    UNREAD = re.compile(r"\S{61,}+|[^\w\s.,;:!?'\"()@&/-]")
    WORD = re.compile(r"\w++|[^\w\s]")

    def __init__(self, model: str, max_words: int) -> None:
        import spacy

        super().__init__("PERSON")
        self._nlp = spacy.load(model, exclude=UNUSED_PIPES)
        self._max_words = max_words
        self._turn = threading.Lock()

    def find(self, text: str) -> list[Found]:
        readable = self.UNREAD.sub(lambda run: " " * len(run[0]), text)
        words = sum(1 for _ in self.WORD.finditer(readable))
        if words > self._max_words:
            raise RedactionFailed(
                f"The text has {words:,} words to read. Send at most {self._max_words:,}."
            )
        if not readable.strip():
            return []
        with self._turn, self._nlp.memory_zone():
            people = [e for e in self._nlp(readable).ents if e.label_ == "PERSON"]
            return [(e.start_char, e.end_char, 0.85) for e in people if _is_name(e.text)]


UNUSED_PIPES = ("tok2vec", "tagger", "parser", "senter", "attribute_ruler", "lemmatizer")


def _is_name(span: str) -> bool:
    """False for what the model takes for a name in chat style: sizes, fabrics, `xmas`."""
    return not span.islower() and any(map(str.isalpha, span)) and not any(map(str.isdigit, span))


def shipped_recognizers(policy: RedactionPolicy) -> list[Recognizer]:
    """All recognizers that a text meets, but for the one made of its lead's own contact values."""
    stock = (
        ("US_SSN", UsSsnRecognizer),
        *(("NATIONAL_ID", kind) for kind in STOCK_NATIONAL_IDS),
    )
    return [
        People(policy.ner_model, policy.max_ner_words),
        *(Patterns(patterns) for patterns in ALL),
        Cards(),
        Ibans(),
        IpAddresses(),
        Urls(_top_level_domains()),
        Phones(),
        *(Checked(entity_type, kind()) for entity_type, kind in stock),
    ]


STOCK_NATIONAL_IDS = (
    EsNieRecognizer,
    EsNifRecognizer,
    FiPersonalIdentityCodeRecognizer,
    InAadhaarRecognizer,
    InPanRecognizer,
    ItFiscalCodeRecognizer,
    NhsRecognizer,
    PlPeselRecognizer,
    SgFinRecognizer,
    UkNinoRecognizer,
    UsItinRecognizer,
)


def _top_level_domains() -> frozenset[str]:
    """The last labels of the public suffix list that tldextract ships: nothing is fetched."""
    from tldextract import TLDExtract

    bundled = TLDExtract(suffix_list_urls=(), cache_dir=None, fallback_to_snapshot=True)
    return frozenset(suffix.rpartition(".")[2] for suffix in bundled.tlds)
