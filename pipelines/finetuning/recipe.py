"""Recipe: how an adapter is tuned. What each number is good for stands in docs/tuning.md."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Recipe:
    """One choice of everything that a person could choose otherwise.

    rank, alpha: of the low-rank update (Hu et al. 2021, arXiv:2106.09685), scaled by alpha / rank.
    depth: layers of the model that are kept, the lowest; None: all.
    layers: the topmost of these, which alone are tuned: all of them would take twice the time.
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
    def at(cls, depth: int | None, seed: int) -> Self:
        """The one for so many layers.

        What is cut off above has to be learned anew by what is left: all of it is tuned, at a
        higher rate, and sees each lesson twice. A step costs half as much.
        """
        if depth is None:
            return cls(seed=seed)
        return cls(depth=depth, layers=depth, epochs=2, rate=8e-4, seed=seed)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)
