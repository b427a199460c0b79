"""NeedfulShelf: all recognizers, and which of them a text is worth showing to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from features.cues import Cue, Cues
from features.text_signs import TextSigns


class NeedfulShelf:
    """Recognizers by what each needs, so that what many need is looked for once.

    Safe to share between threads.
    """

    def __init__(self, recognizers: Sequence[Any]) -> None:
        """recognizers: in order. Those that say nothing of `needs`, as Presidio's own, need
        nothing, and are not shown what is known of a text.
        """
        self.recognizers = tuple(recognizers)
        needs = [getattr(recognizer, "needs", None) for recognizer in recognizers]
        self._needs = [need for need in dict.fromkeys(needs) if need is not None]
        cues: list[Cue | None] = [getattr(recognizer, "cue", None) for recognizer in recognizers]
        self._cues = Cues([cue for cue in cues if cue is not None])
        ours = [hasattr(recognizer, "needs") for recognizer in recognizers]
        places = [None if need is None else self._needs.index(need) for need in needs]
        self._shelf = list(zip(self.recognizers, places, cues, ours, strict=True))

    def for_text(self, text: str) -> Iterator[tuple[Any, TextSigns | None]]:
        """Those that may find something in it, in order; and what is known of it, for ours."""
        ends = self._cues.ends(text)
        signs = TextSigns(text, ends)
        held = [need.is_in(signs) for need in self._needs]
        for recognizer, need, cue, is_ours in self._shelf:
            if (need is None or held[need]) and (cue is None or cue in ends):
                yield recognizer, signs if is_ours else None
