"""TextSigns: what a text holds at a glance, so that most recognizers need not read it.

A recognizer's `needs` must be in every text that it finds anything in: who is spared a text would
have found nothing there. Many need the same, which is looked for once.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

DIGIT = re.compile(r"\d")
# Digits of one number, as ids are grouped: one sign at most between two of them.
NUMBER_DIGITS = 6
NUMBER = re.compile(r"\d(?:[ .\-+/]?\d){5,}+")


@dataclass(frozen=True, slots=True)
class Digits:
    """A number of at least so many digits, with one of ` .-+/` between two of them or nothing.

    at_least: six or more, unless anywhere. anywhere: all digits of the text count, whatever is
    between them.
    """

    at_least: int
    anywhere: bool = False


Need = re.Pattern[str] | Digits


class TextSigns:
    """What one text holds. Ask with `hold`."""

    def __init__(self, text: str) -> None:
        self._text = text

    def hold(self, need: Need | None) -> bool:
        """True where the text has what is needed; of None, always."""
        if need is None:
            return True
        if isinstance(need, Digits):
            return (self._digits if need.anywhere else self._most_in_a_number) >= need.at_least
        return need.search(self._text) is not None

    @cached_property
    def _digits(self) -> int:
        return len(DIGIT.findall(self._text))

    @cached_property
    def _most_in_a_number(self) -> int:
        if self._digits < NUMBER_DIGITS:
            return 0
        numbers = NUMBER.findall(self._text)
        return max((len(DIGIT.findall(number)) for number in numbers), default=0)
