"""Agreement: whether the served model says what the tuned one says. It must, or it is refused."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from models.errors import NotServedAsTuned
from models.log_odds import probability

Floats = NDArray[np.float64]
# llama.cpp rounds what it multiplies with to 8 bits, and torch to bf16. A wrong name, a wrong scale
# or a prompt that differs by a space is far outside of these.
MOST_MEAN_GAP = 0.03
MOST_GAP = 0.25
LEAST_CORRELATION = 0.95
# Of log-odds, root mean square: rounding comes to 0.1 to 0.25. Where all are that near there is no
# more to ask: around P(yes) = 0.5 that alone is 0.05 of it, and a model that says nearly the
# same of everybody, for the texts say nothing, has little else to correlate: its gate is to refuse.
ROUNDING = 0.3


@dataclass(frozen=True, slots=True)
class Agreement:
    """Over `leads` of the validation part. Gaps are of P(yes), the other two are of log-odds.

    noise: root mean square of how far apart they are.
    """

    leads: int
    correlation: float
    mean_gap: float
    max_gap: float
    noise: float

    @classmethod
    def between(cls, served: Floats, trained: Floats) -> Self:
        """Of log-odds on the same leads, in the same order."""
        gaps = np.abs(probability(served) - probability(trained))
        correlation = float(np.corrcoef(served, trained)[0, 1])
        noise = float(np.sqrt(np.mean((served - trained) ** 2)))
        return cls(len(served), correlation, float(gaps.mean()), float(gaps.max()), noise)

    @property
    def holds(self) -> bool:
        is_like = self.mean_gap <= MOST_MEAN_GAP and self.correlation >= LEAST_CORRELATION
        return self.max_gap <= MOST_GAP and (is_like or self.noise <= ROUNDING)

    def require(self) -> Self:
        """Itself, where it holds.

        Raises:
            NotServedAsTuned: the adapter is not what was tuned, or is not served as it was.
        """
        if not self.holds:
            raise NotServedAsTuned(
                f"The adapter is not served as it was tuned: {self}. Not used. Try again with "
                "another --seed, or train without --tune."
            )
        return self

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def __str__(self) -> str:
        return (
            f"correlation {self.correlation:.4f} of log-odds, {self.noise:.2f} apart, P(yes) "
            f"{self.mean_gap:.4f} apart on average and {self.max_gap:.3f} at most, on {self.leads} "
            "leads"
        )
