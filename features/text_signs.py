"""TextSigns: what a text holds at a glance, so that most recognizers need not read it.

What a recognizer, or one of its shapes, needs is in every text that it finds anything in: who is
spared a text would have found nothing there. Most of it is looked for in the text's outline, where
`1600-AB` is `0000-aa`: that costs a hundredth of a pattern.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import reduce
from typing import TYPE_CHECKING, Protocol

from features.edit import in_lower_case

if TYPE_CHECKING:
    from features.cues import Cue


class _Outline(dict[int, str]):
    """For `str.translate`: letters are a, digits 0, blanks and line ends one space."""

    def __missing__(self, code: int) -> str:
        return _outlined(chr(code))


def _outlined(sign: str) -> str:
    if sign.isdecimal():
        return "0"
    return "a" if sign.isalnum() else " " if sign.isspace() else sign


LATIN = range(0x180)  # others are few, and not kept
OUTLINE = _Outline((code, _outlined(chr(code))) for code in LATIN)


class TextSigns:
    """What one text holds.

    lowered: in lower case. outline: letters as a, digits as 0, blanks as spaces. digits: how many.
    unbroken: characters of the longest run without a blank. ends: where each cue ends that is in
    the text, where all were looked for.
    """

    __slots__ = ("digits", "ends", "lowered", "outline", "text", "unbroken")

    def __init__(self, text: str, ends: Mapping[Cue, list[int]] | None = None) -> None:
        self.text = text
        self.ends = ends
        self.lowered = in_lower_case(text)
        self.outline = text.translate(OUTLINE)
        self.digits = self.outline.count("0")
        self.unbroken = max(map(len, text.split()), default=0)


class Need(Protocol):
    """What a text must hold to be worth reading."""

    def is_in(self, signs: TextSigns) -> bool:
        """False where the text lacks it."""


@dataclass(frozen=True, slots=True)
class Digits:
    """So many digits, whatever is between them."""

    at_least: int

    def is_in(self, signs: TextSigns) -> bool:
        return signs.digits >= self.at_least


ANY_DIGIT = Digits(1)


@dataclass(frozen=True, slots=True)
class Unbroken:
    """So many characters without a blank."""

    at_least: int

    def is_in(self, signs: TextSigns) -> bool:
        return signs.unbroken >= self.at_least


@dataclass(frozen=True, slots=True)
class AnyOf:
    """One of these: words in lower case, or outlines."""

    words: tuple[str, ...] = ()
    outlines: tuple[str, ...] = ()
    fewest_digits: int = field(init=False, default=0)  # that one of the outlines has

    def __post_init__(self) -> None:
        digits = (part.count("0") for part in self.outlines)
        object.__setattr__(self, "fewest_digits", min(digits, default=0))

    def is_in(self, signs: TextSigns) -> bool:
        lowered, outline = signs.lowered, signs.outline
        for word in self.words:  # no `any`: its generator costs more than most of these
            if word in lowered:
                return True
        if signs.digits >= self.fewest_digits:
            for part in self.outlines:
                if part in outline:
                    return True
        return False


@dataclass(frozen=True, slots=True)
class Searched:
    """A match of a pattern."""

    pattern: re.Pattern[str]

    def is_in(self, signs: TextSigns) -> bool:
        return self.pattern.search(signs.text) is not None


@dataclass(frozen=True, slots=True)
class Either:
    """What one or the other needs."""

    needs: tuple[Need, ...]

    def is_in(self, signs: TextSigns) -> bool:
        for need in self.needs:  # noqa: SIM110  # as there
            if need.is_in(signs):
                return True
        return False


def words(*any_of: str) -> AnyOf:
    """One of these words, in lower case."""
    return AnyOf(words=any_of)


def outlines(*any_of: str) -> AnyOf:
    """One of these outlines: `outlines("00-00")` is in `tel. 12-34`."""
    return AnyOf(outlines=any_of)


def either(needs: Iterable[Need]) -> Need:
    """What any of them needs; those that are alike are asked together."""
    alike: list[AnyOf] = []
    others: list[Need] = []
    for need in needs:
        if isinstance(need, AnyOf):
            alike.append(need)
        else:
            others.append(need)
    if alike:
        others.insert(0, reduce(_together, alike))
    return others[0] if len(others) == 1 else Either(tuple(dict.fromkeys(others)))


def _together(one: AnyOf, other: AnyOf) -> AnyOf:
    return AnyOf(
        tuple(dict.fromkeys((*one.words, *other.words))),
        tuple(dict.fromkeys((*one.outlines, *other.outlines))),
    )
