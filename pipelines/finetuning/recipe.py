"""Recipe: how an adapter is tuned. What each number is good for stands in docs/tuning.md."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

from service.llm.embedded_model import LAYERS, SHALLOW

ENOUGH_FOR_SHALLOW = 2_000  # lessons; from fewer all layers learn much more, and answer slower
# How many lessons are shown at least, in whole passes: with fewer it passes over them again. The
# lowest layers alone learn late.
SEEN, SEEN_BY_SHALLOW = 1_800, 4_000
MOST_EPOCHS = 8


@dataclass(frozen=True, slots=True)
class Recipe:
    """One choice of everything that a person could choose otherwise.

    rank, alpha: of the low-rank update (Hu et al. 2021, arXiv:2106.09685), scaled by alpha / rank.
    depth: layers of the model that are kept, the lowest; None: all.
    layers: the topmost of these, which alone are tuned.
    epochs: how often each lesson is seen.
    rate: of AdamW at its highest. batch: lessons a step; bucket: lessons sorted by length together.
    warm_up: steps. decay: the last share of the steps, over which the rate falls to zero.
    patience: looks at the validation part without a new best, after which the decay begins.
    seed: of the adapter's first weights and of the lessons' order.
    """

    rank: int = 8
    alpha: float = 16.0
    depth: int | None = None
    layers: int = 6
    epochs: int = 1
    rate: float = 4e-4
    batch: int = 16
    bucket: int = 512
    warm_up: int = 20
    decay: float = 0.3
    patience: int = 2
    seed: int = 0

    @classmethod
    def for_lessons(cls, lessons: int, *, depth: int | None, seed: int) -> Self:
        """The one for so many lessons.

        Where all layers are kept, the topmost are tuned. Where upper ones were cut off, what is
        left has to take over what these did: all of it is tuned, at a higher rate.

        depth: layers that are kept; unless given, SHALLOW where there are lessons enough, or all.
        """
        if depth is None:
            depth = SHALLOW if lessons >= ENOUGH_FOR_SHALLOW else LAYERS
        seen = SEEN if depth == LAYERS else SEEN_BY_SHALLOW
        epochs = min(MOST_EPOCHS, math.ceil(seen / lessons))
        chosen = cls(epochs=epochs, seed=seed)
        if epochs > 1:  # a quarter is sorted at most, or the same would meet each time
            quarter = lessons // 4 // chosen.batch * chosen.batch
            chosen = replace(chosen, bucket=min(chosen.bucket, max(chosen.batch, quarter)))
        if depth == LAYERS:
            return chosen
        return replace(chosen, depth=depth, layers=depth, rate=8e-4, patience=3)

    @property
    def tuned_layers(self) -> str:
        """Which layers are tuned, in words."""
        if self.depth is None:
            return f"the topmost {self.layers} of {LAYERS} layers"
        return f"the lowest {self.depth} of {LAYERS} layers"

    def to_json(self) -> dict[str, Any]:
        return asdict(self)
