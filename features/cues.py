"""Cues: words before a value, such as `my name is`, found in a text all at once."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cached_property, lru_cache

import regex

from features.cpu_timer import check_cpu
from features.edit import in_lower_case

SIGNS = 3  # of a beginning, by which cues are looked up
BEGINNING = re.compile(rf"\b(?=(\w.{{0,{SIGNS - 1}}}))", re.DOTALL)
WORDS_A_CHECK = 64  # of the CPU timer
NO_WORD = re.compile(r"[^\w\x00-\x7f]")


class Cue:
    """Words before a value: finds where each ends, in any case.

    words: a verbose pattern in lower case that begins with a word.
    """

    def __init__(self, words: str) -> None:
        self._lower = re.compile(words, re.VERBOSE)
        self._words = words

    def ends(self, text: str) -> list[int]:
        """Where the words end in `text`."""
        return [m.end() for m in self._lower.finditer(in_lower_case(text))]

    def end_from(self, lowered: str, start: int) -> int:
        """Where the words end that begin at `start`; 0 where there are none."""
        match = self._lower.match(lowered, start)
        return match.end() if match else 0

    def may_begin(self, beginning: str) -> bool:
        """False where no words of this cue begin so. beginning: in lower case."""
        # Marks and the like are letters to `regex`, and end a word to `re`: read as both.
        readings = {beginning, NO_WORD.sub(" ", beginning)}
        return any(self._partial.match(reading, partial=True) for reading in readings)

    @cached_property
    def _partial(self) -> regex.Pattern[str]:
        """Only who is looked for among others needs it."""
        return regex.compile(self._words, regex.VERBOSE)


class Cues:
    """Many cues, looked for together: which words may be whose is known by how they begin.

    Safe to share between threads.
    """

    # Beginnings of words that have a first letter of some cue; other words leave nothing behind.
    # No more than three letters, as `Features` keeps of the shortest words.
    MOST_KEPT = 20_000

    def __init__(self, cues: Sequence[Cue]) -> None:
        self._cues = tuple(cues)
        self._opens = lru_cache(self.MOST_KEPT)(self._may_open)
        self._begun = lru_cache(self.MOST_KEPT)(self._may_begin)

    def ends(self, text: str) -> Mapping[Cue, list[int]]:
        """Where each cue that is in the text ends, as `Cue.ends` says."""
        lowered = in_lower_case(text)
        found: dict[Cue, list[int]] = {}
        for i, word in enumerate(BEGINNING.finditer(lowered)):
            if not i % WORDS_A_CHECK:
                check_cpu()
            beginning = word[1]
            if not self._opens(beginning[0]):
                continue
            for cue in self._begun(beginning):
                start, ends = word.start(), found.get(cue)
                if ends and start < ends[-1]:
                    continue
                end = cue.end_from(lowered, start)
                if end:
                    found.setdefault(cue, []).append(end)
        return found

    def _may_open(self, sign: str) -> bool:
        return any(cue.may_begin(sign) for cue in self._cues)

    def _may_begin(self, beginning: str) -> tuple[Cue, ...]:
        return tuple(cue for cue in self._cues if cue.may_begin(beginning))
