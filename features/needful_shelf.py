"""NeedfulShelf: all recognizers, and which of them a text is worth showing to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from features.text_signs import TextSigns


class NeedfulShelf:
    """Recognizers by what each needs, so that what many need is looked for once."""

    def __init__(self, recognizers: Sequence[Any]) -> None:
        """recognizers: in order. Those that say nothing of `needs`, as Presidio's own, need
        nothing.
        """
        self.recognizers = tuple(recognizers)
        needs = [getattr(recognizer, "needs", None) for recognizer in recognizers]
        self._needs = list(dict.fromkeys(needs))
        self._need_of = [self._needs.index(need) for need in needs]

    def for_text(self, text: str) -> list[Any]:
        """Those that may find something in it, in order."""
        signs = TextSigns(text)
        held = list(map(signs.hold, self._needs))
        due = zip(self.recognizers, self._need_of, strict=True)
        return [recognizer for recognizer, need in due if held[need]]
