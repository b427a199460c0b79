"""Check digits of cards, accounts and national ids, over strings of ASCII digits and letters."""

from __future__ import annotations

from collections.abc import Sequence

DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)  # twice a digit, its digits added
LETTER_VALUES = {ord(c): str(i) for i, c in enumerate("ABCDEFGHIJKLMNOPQRSTUVWXYZ", 10)}


def luhn(digits: str) -> bool:
    """True where Luhn's sum is right: cards, Canada's SIN, Sweden's personnummer."""
    odd, even = digits[::-2], digits[-2::-2]
    return (sum(map(int, odd)) + sum(DOUBLED[int(d)] for d in even)) % 10 == 0


def weighted(digits: str, weights: Sequence[int]) -> int:
    """Sum of the digits, each by its weight."""
    return sum(int(d) * w for d, w in zip(digits, weights, strict=False))


def mod_11_10(digits: str) -> bool:
    """ISO 7064, modulus 11, 10: Germany's Steuer-ID and VAT number, Croatia's OIB."""
    product = 10
    for digit in digits[:-1]:
        product = ((int(digit) + product) % 10 or 10) * 2 % 11
    return (11 - product) % 10 == int(digits[-1])


def mod_97(alphanumerics: str) -> int:
    """Remainder by 97, letters as two digits each (ISO 7064): 1 for an IBAN that is right."""
    return int(alphanumerics.upper().translate(LETTER_VALUES)) % 97


def icao(alphanumerics: str) -> bool:
    """True where the last character checks the others (ICAO 9303): passports, German id cards."""
    values = (0 if c == "<" else int(c, 36) for c in alphanumerics[:-1])
    total = sum(value * (7, 3, 1)[i % 3] for i, value in enumerate(values))
    return alphanumerics[-1].isdigit() and total % 10 == int(alphanumerics[-1])


def ean_13(digits: str) -> bool:
    """True where the last of 13 digits checks the others: Switzerland's AHV number."""
    return weighted(digits, (1, 3) * 7) % 10 == 0
