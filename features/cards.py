"""Cards and bank accounts that carry a checksum: card numbers, IBANs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise

from features.checksums import DOUBLED, mod_97
from features.cpu_timer import check_cpu
from features.patterns import Found
from features.recognizers import Recognizer
from features.text_signs import Digits, outlines

CARD_LENGTHS = {
    "1": (15,), "2": (15, 16), "3": (14, 15, 16), "4": (13, 16, 19), "5": (12, 13, 16, 19),
    "6": (12, 13, 14, 15, 16, 17, 18, 19), "8": (16,), "9": (16,),
}  # fmt: skip
SHORTEST_WITHIN = 14  # digits: shorter ones are too many within other numbers
ISSUERS = re.compile(
    r"""1800 | 2131 | 2(?:2[2-9]|[3-6]\d|7[01]|720)\d | 3(?:0[0-59]|[4-9]) | 4 | 5[0-8] | 6 | 81
    | 9[78]""",
    re.VERBOSE,
)


class Cards(Recognizer):
    """Card numbers: an issuer's first digits and lengths, Luhn's checksum, in any grouping."""

    RUN = re.compile(r"\d(?:[\s\-.·_/|*]{0,3}+\d){11,}+")

    def __init__(self) -> None:
        super().__init__("CREDIT_CARD", "Cards", Digits(min(map(min, CARD_LENGTHS.values()))))

    def find(self, text: str) -> Iterator[Found]:
        for run in self.RUN.finditer(text):
            check_cpu()
            at = [i for i, c in enumerate(run[0], run.start()) if c.isdigit()]
            digits = "".join(text[i] for i in at)
            sums = _luhn_sums(digits, 0), _luhn_sums(digits, 1)
            size = len(digits)
            starts = [True, *(b - a > 1 for a, b in pairwise(at)), True]
            for first, digit in enumerate(digits):
                for length in CARD_LENGTHS.get(digit, ()):
                    end = first + length
                    if end > size:
                        break
                    total = sums[(end - 1) % 2]
                    if (total[end] - total[first]) % 10:
                        continue
                    if self._is_grouped(starts, first, end) and ISSUERS.match(digits, first):
                        yield at[first], at[end - 1] + 1, 1.0

    def _is_grouped(self, starts: Sequence[bool], first: int, end: int) -> bool:
        """True where groups of digits start, or end, with the card."""
        if starts[first] and _is_odd_group(starts, first):
            return False
        if end - first < SHORTEST_WITHIN:
            return starts[first] and starts[end]
        return starts[first] or starts[end]


def _is_odd_group(starts: Sequence[bool], first: int) -> bool:
    """True where a group of one to three digits starts, and another size follows: `25 - 4846`."""
    sizes = [i - first for i in range(first + 1, min(first + 9, len(starts))) if starts[i]]
    return len(sizes) > 1 and sizes[0] < 4 and sizes[1] != 2 * sizes[0]


def _luhn_sums(digits: Sequence[str], parity: int) -> list[int]:
    """Running Luhn sums in which digits at an index of this parity are not doubled."""
    values = [int(d) for d in digits]
    values[1 - parity :: 2] = [DOUBLED[d] for d in values[1 - parity :: 2]]
    return [0, *accumulate(values)]


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
    """IBANs: the country's length and the checksum (ISO 13616), with or without groups of four.

    With the word "IBAN" before it, what has a country's shape goes whatever its checksum.
    """

    START = re.compile(r"[A-Z]{2}\d{2}", re.IGNORECASE)
    KEYWORD = re.compile(r"\biban\W{0,12}$", re.IGNORECASE)

    def __init__(self) -> None:
        super().__init__("IBAN_CODE", "Ibans", outlines("aa00"))

    def find(self, text: str) -> Iterator[Found]:
        at = 0
        while start := self.START.search(text, at):
            at = start.start() + 1
            length = IBAN_LENGTHS.get(start[0][:2].upper())
            end = _alphanumerics_end(text, start.start(), length) if length else None
            if not end:
                continue
            check_cpu()
            if _is_iban(text[start.start() : end]):
                yield start.start(), end, 1.0
                at = end
            elif self.KEYWORD.search(text, max(0, start.start() - 16), start.start()):
                yield start.start(), end, 0.7


def _alphanumerics_end(text: str, start: int, count: int) -> int | None:
    """Where `count` ASCII letters and digits from `start` on end; None where they do not."""
    together = text[start : start + count]
    if len(together) == count and together.isascii() and together.isalnum():
        return start + count
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
    return mod_97(compact[4:] + compact[:4]) == 1


def recognizers() -> list[Recognizer]:
    """Recognizers of cards and IBANs."""
    return [Cards(), Ibans()]
