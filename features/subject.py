"""subject_of: whom a lead is about, in one spelling; so that what is theirs can be found again."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from features.contact_value import EMAIL
from features.plain_text import PlainText, folded_text

LEAST_DIGITS = 7  # of a phone number; fewer are a house or a postal code
PHONE = re.compile(r"[\d\s().\-/+]+")


def subject_of(contacts: Mapping[str, str]) -> str | None:
    """One spelling of a lead's e-mail address, else phone number, else all it has; None: nothing.

    The same person is the same subject in every lead that gives the same e-mail address, whatever
    stands around it: `Jane Smith <jane@acme.com>`. Of several the first counts.
    """
    return next(iter(subjects_of(contacts)), None)


def subjects_of(contacts: Mapping[str, str]) -> tuple[str, ...]:
    """All that a lead with some of these contact values may be known as, the surest first."""
    values = [folded_text(PlainText.read(v).text.strip()) for v in contacts.values()]
    candidates = (
        *(address.removeprefix("mailto:") for v in values for address in EMAIL.findall(v)),
        *_phone_numbers(values),
        " ".join(sorted(filter(None, values))),
    )
    return tuple(dict.fromkeys(filter(None, candidates)))


def _phone_numbers(values: Iterable[str]) -> Iterable[str]:
    for value in values:
        digits = re.sub(r"\D", "", value)
        if PHONE.fullmatch(value) and len(digits) >= LEAST_DIGITS:
            yield digits.removeprefix("00")  # as +49 is written too
