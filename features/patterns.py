"""PatternSet: what a kind of personal data looks like, as regular expressions.

Each pattern must take time linear in the text, whatever the text: it starts where a run starts
(look-behind), gives nothing back (possessive `++`, `{1,30}+`), and bounds what may repeat. They
are verbose: blanks do not count, `[ ]` is a space. The group `pii`, where there is one, is what
goes. Texts are plain (`plain_text`): one kind of dash, quote, apostrophe and digit.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from features.text_signs import Need, either

Found = tuple[int, int, float]  # start, end, score

# Capitals of Latin, Greek and Cyrillic: what a name starts with.
UPPER = "A-ZÀ-ÖØ-ÞĀĂĄĆĈĊČĎĐĒĔĖĘĚĜĞĠĢĤĦĨĪĬĮİĴĶĹĻĽĿŁŃŅŇŌŎŐŒŔŖŘŚŜŞŠŢŤŦŨŪŬŮŰŲŴŶŸŹŻŽȘȚΑ-ΡΣ-ΩА-Я"
IS = r"(?:[ ]?(?:is|was|ist|lautet|est|es|é|è)\b)? [\s:=\#]{1,3}"  # between a keyword and its value


@dataclass(frozen=True, slots=True)
class Shape:
    """One pattern. A text that does not hold what it needs is not searched for it."""

    pattern: str
    needs: Need | None = None

    def compiled(self, flags: re.RegexFlag) -> CompiledShape:
        return CompiledShape(re.compile(self.pattern, re.VERBOSE | flags), self.needs)


@dataclass(frozen=True, slots=True)
class CompiledShape:
    """A pattern, and what a text must hold to be searched for it."""

    pattern: re.Pattern[str]
    needs: Need | None


@dataclass(frozen=True, slots=True)
class PatternSet:
    """Shapes of one entity type. Not `honest`: a match that is something else, and stays.

    after: lower-case words (`cues`); where one ends, and nowhere else, the shapes are tried.
    needs: what a text must hold to be searched at all (`text_signs`), cheap to ask; unless given,
        what one of its shapes needs, where all of them say it.
    """

    entity_type: str
    name: str
    score: float
    shapes: tuple[Shape | str, ...]
    ignore_case: bool = True
    honest: Callable[[str], bool] | None = None
    needs: Need | None = None
    after: str = ""

    @property
    def needed(self) -> Need | None:
        """What a text must hold to be searched at all; None where that is nothing."""
        of_shapes = [s.needs for s in self.shapes if isinstance(s, Shape) and s.needs is not None]
        if self.needs is not None or len(of_shapes) < len(self.shapes):
            return self.needs
        return either(of_shapes)

    @property
    def compiled(self) -> tuple[CompiledShape, ...]:
        """Its shapes, to search with."""
        case = re.IGNORECASE if self.ignore_case else re.NOFLAG
        shapes = (s if isinstance(s, Shape) else Shape(s) for s in self.shapes)
        return tuple(shape.compiled(case) for shape in shapes)
