"""Schedule: the learning rate of each step. Pure: it knows no clock and no torch."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Self

WARM_UP_SHARE = 0.2  # of the steps at most, where there are few


@dataclass(frozen=True, slots=True)
class Schedule:
    """Warm-up, constant, linear decay to zero over the last share `decay` of `total` steps.

    Whatever ends the tuning sooner (minutes that run out, a validation part that no longer gains)
    lowers `total`: the decay is never cut off, for before it the log loss is poor. Before it begins
    nothing else depends on `total`: it may rise again, up to `whole`.
    """

    whole: int
    warm_up: int
    decay: float
    total: int

    @classmethod
    def of(cls, steps: int, *, warm_up: int, decay: float) -> Self:
        """Of all these steps. Where they are few, a share of them warms up."""
        few = max(1, math.ceil(WARM_UP_SHARE * steps))
        return cls(steps, min(warm_up, few), decay, steps)

    def rate(self, step: int) -> float:
        """Of the highest rate, in (0, 1], for steps 0 to total - 1."""
        decaying = max(1.0, self.decay * self.total)
        return min(1.0, (step + 1) / self.warm_up, max(0, self.total - step) / decaying)

    def decays_at(self, step: int) -> bool:
        """Whether the rate of that step is lower for the decay."""
        return self.total - step < max(1.0, self.decay * self.total)

    def ending_by(self, total: int) -> Self:
        """The same with so many steps, of the whole at most."""
        return replace(self, total=max(1, min(self.whole, total)))

    def decaying_from(self, step: int) -> Self:
        """The decay begins at `step`, or has begun."""
        return self.ending_by(min(self.total, math.ceil(step / (1 - self.decay))))
