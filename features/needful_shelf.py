"""NeedfulShelf: all recognizers, and which of them a text is worth showing to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from features.cues import Cue, Cues, Ends
from features.text_signs import TextSigns


class NeedfulShelf:
    """Recognizers by what each needs, so that what many need is looked for once.

    Safe to share between threads.
    """

    def __init__(self, recognizers: Sequence[Any]) -> None:
        """recognizers: in order. Those that say nothing of `needs` and have no `cue`, as
        Presidio's own, need nothing.
        """
        self.recognizers = tuple(recognizers)
        needs = [getattr(recognizer, "needs", None) for recognizer in recognizers]
        self._needs = list(dict.fromkeys(needs))
        cues: list[Cue | None] = [getattr(recognizer, "cue", None) for recognizer in recognizers]
        self._cues = Cues([cue for cue in cues if cue is not None])
        need_of = map(self._needs.index, needs)
        self._shelf = list(zip(self.recognizers, need_of, cues, strict=True))

    def for_text(self, text: str) -> Iterator[tuple[Any, Ends | None]]:
        """Those that may find something in it, in order, and where the cue of each ends: None
        without one.
        """
        held = list(map(TextSigns(text).hold, self._needs))
        ends = self._cues.ends(text)
        for recognizer, need, cue in self._shelf:
            if held[need] and (cue is None or cue in ends):
                yield recognizer, None if cue is None else ends[cue]
