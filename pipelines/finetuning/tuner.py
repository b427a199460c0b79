"""Tuner: lessons in, tuned weights out. Bounded in time, and goes on after a kill where it was."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from pipelines.finetuning.checkpoint import Checkpoint
from pipelines.finetuning.hidden_states import HiddenStates
from pipelines.finetuning.learning_curve import (
    CurvePoint,
    best_of,
    has_stalled,
    is_due,
    looks_between,
)
from pipelines.finetuning.lessons import Lesson, Lessons, batches
from pipelines.finetuning.low_rank import add_low_rank
from pipelines.finetuning.recipe import Recipe
from pipelines.finetuning.schedule import Schedule

if TYPE_CHECKING:
    import torch

SAVED_EVERY_S = 30.0
LATER_LOOKS = 0.5  # of the time of the first: what the lower layers make of the leads is kept
RESERVE = 1.3  # times what the last look at the validation part took is kept for the final one


class Ending(StrEnum):
    """Why tuning ended."""

    ALL_SEEN = "every example was seen once"
    NO_GAIN = "the validation part no longer gained"
    TIME = "the minutes were used up"


@dataclass(frozen=True)
class Tuned:
    """What came of it. `tensors` are those after `examples` lessons: the best on validation."""

    tensors: dict[str, torch.Tensor]
    examples: int
    curve: tuple[CurvePoint, ...]
    ending: Ending
    seconds: float
    tokens_per_second: float


@dataclass
class Progress:
    """Everything that changes while tuning goes on, and that a checkpoint holds."""

    schedule: Schedule
    step: int = 0
    seen: int = 0
    tokens: int = 0
    curve: tuple[CurvePoint, ...] = ()
    best: dict[str, torch.Tensor] = field(default_factory=dict)
    ending: Ending = Ending.ALL_SEEN
    learning_s: float = 0.0
    look_s: float = 0.0
    spent_s: float = 0.0

    def to_tree(self) -> dict[str, Any]:
        """Numbers, strings and tensors only: what torch loads without running anything."""
        tree = {name: getattr(self, name) for name in self.__dataclass_fields__}
        curve = [point.to_json() for point in self.curve]
        return tree | {
            "schedule": asdict(self.schedule),
            "curve": curve,
            "ending": self.ending.value,
        }

    @classmethod
    def from_tree(cls, tree: dict[str, Any]) -> Self:
        curve = tuple(CurvePoint(**point) for point in tree["curve"])
        schedule, ending = Schedule(**tree["schedule"]), Ending(tree["ending"])
        return cls(**tree | {"schedule": schedule, "curve": curve, "ending": ending})


class Tuner:
    """One tuning of one model. After a crash a new process goes on from the checkpoint.

    Where the minutes did not run out, the result is the same as without the crash, bit for bit.

    Args:
        minutes: of the whole of `tune`, what an earlier process spent included.
        clock: seconds; only differences count.
        on_step: told the number of steps done, and how many there are to be.
    """

    def __init__(
        self,
        states: HiddenStates,
        lessons: Lessons,
        recipe: Recipe,
        checkpoint: Checkpoint,
        *,
        minutes: float,
        saved_every_s: float = SAVED_EVERY_S,
        clock: Callable[[], float] = time.monotonic,
        on_step: Callable[[int, int], None] = lambda _done, _total: None,
    ) -> None:
        import torch

        self._states = states
        self._lessons = lessons
        self._recipe = recipe
        self._checkpoint = checkpoint
        self._budget_s = 60 * minutes
        self._saved_every_s = saved_every_s
        self._clock = clock
        self._on_step = on_step
        self._low_rank = add_low_rank(states.base, recipe)
        self._optimizer = torch.optim.AdamW(list(self._low_rank.tensors.values()), lr=recipe.rate)
        lengths = [len(lesson.prompt) for lesson in lessons.learning]
        self._batches = batches(lengths, size=recipe.batch, bucket=recipe.bucket, seed=recipe.seed)
        schedule = Schedule(len(self._batches), recipe.warm_up, recipe.decay)
        self._progress = Progress(schedule)

    def tune(self) -> Tuned:
        """Tune until every lesson was seen, nothing is gained any more, or the time is up."""
        self._resume()
        self._started = self._clock() - self._progress.spent_s
        saved = self._clock()
        while self._progress.step < self._progress.schedule.total:
            self._look_if_due()
            self._learn()
            self._plan()
            if self._clock() - saved >= self._saved_every_s:
                self._save()
                saved = self._clock()
        self._look_last()
        self._save()
        return self._result()

    # -- learning -------------------------------------------------------------------------------

    def _learn(self) -> None:
        progress, began = self._progress, self._clock()
        lessons = [self._lessons.learning[i] for i in self._batches[progress.step]]
        for group in self._optimizer.param_groups:
            group["lr"] = self._recipe.rate * progress.schedule.rate(progress.step)
        self._optimizer.zero_grad()
        self._loss(lessons).backward()
        self._optimizer.step()
        progress.step += 1
        progress.seen += len(lessons)
        progress.tokens += sum(len(self._states.base.encode(one.prompt)) for one in lessons)
        progress.learning_s += self._clock() - began
        self._on_step(progress.step, progress.schedule.total)

    def _loss(self, lessons: list[Lesson]) -> Any:
        """Cross-entropy of the answer among all tokens, not of yes against no alone.

        The latter would leave yes and no free to fall out of a server's few likeliest tokens.
        """
        import torch

        base = self._states.base
        states = self._states.at_answer([lesson.prompt for lesson in lessons])
        logits = (states @ base.vocabulary.T).float()
        answers = [base.yes if lesson.won else base.no for lesson in lessons]
        return torch.nn.functional.cross_entropy(logits, torch.tensor(answers, device=base.device))

    def _look_if_due(self) -> None:
        progress = self._progress
        if not is_due(progress.seen, progress.curve):
            return
        self._look()
        if has_stalled(progress.curve, self._recipe.patience):
            self._shorten(progress.schedule.decaying_from(progress.step), Ending.NO_GAIN)

    def _look_last(self) -> None:
        if not self._progress.curve or self._progress.curve[-1].examples < self._progress.seen:
            self._look()

    def _look(self) -> None:
        """A point of the curve; the weights are kept where they are the best so far."""
        progress, began = self._progress, self._clock()
        validation = self._lessons.validation
        log_odds = self._states.log_odds([lesson.prompt for lesson in validation])
        won = np.array([lesson.won for lesson in validation], dtype=np.int8)
        progress.curve += (CurvePoint.of(progress.seen, log_odds, won),)
        if best_of(progress.curve) == len(progress.curve) - 1:
            progress.best = self._low_rank.copies()
        share = LATER_LOOKS if len(progress.curve) == 1 else 1.0
        progress.look_s = share * (self._clock() - began)

    # -- time -----------------------------------------------------------------------------------

    def _plan(self) -> None:
        """Fewer steps where the time would not do for all: then the decay still ends in it."""
        progress = self._progress
        spent = self._clock() - self._started
        looks = progress.look_s * RESERVE * (1 + self._looks_to_come())
        left = self._budget_s - spent - looks
        possible = progress.step + max(0, math.floor(left * progress.step / progress.learning_s))
        self._shorten(progress.schedule.ending_by(possible), Ending.TIME)

    def _looks_to_come(self) -> int:
        """Before the final one."""
        total = self._progress.schedule.total * self._recipe.batch
        return looks_between(self._progress.curve[-1].examples, total)

    def _shorten(self, schedule: Schedule, why: Ending) -> None:
        if schedule.total < self._progress.schedule.total:
            self._progress.schedule = schedule
            self._progress.ending = why

    # -- what survives a kill -------------------------------------------------------------------

    def _save(self) -> None:
        self._progress.spent_s = self._clock() - self._started
        self._checkpoint.save(
            {
                "progress": self._progress.to_tree(),
                "weights": self._low_rank.copies(),
                "optimizer": self._optimizer.state_dict(),
            }
        )

    def _resume(self) -> None:
        saved = self._checkpoint.load()
        if saved is None:
            return
        self._progress = Progress.from_tree(saved["progress"])
        self._low_rank.restore(saved["weights"])
        self._optimizer.load_state_dict(saved["optimizer"])

    def _result(self) -> Tuned:
        progress = self._progress
        best = progress.curve[best_of(progress.curve)]
        self._low_rank.restore(progress.best)
        return Tuned(
            tensors=progress.best,
            examples=best.examples,
            curve=progress.curve,
            ending=progress.ending,
            seconds=progress.spent_s,
            tokens_per_second=progress.tokens / max(progress.learning_s, 1e-9),
        )
