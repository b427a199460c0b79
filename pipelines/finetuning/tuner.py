"""Tuner: lessons in, tuned weights out. Bounded in time, and goes on after a kill where it was."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from models.errors import TrainingRefused
from pipelines.finetuning.checkpoint import Checkpoint
from pipelines.finetuning.hidden_states import HiddenStates
from pipelines.finetuning.learning_curve import (
    CurvePoint,
    best_of,
    has_stalled,
    is_due,
    is_surely_better,
    looks_to_come,
    settled_losses,
)
from pipelines.finetuning.lessons import Lesson, Lessons, batches
from pipelines.finetuning.low_rank import add_low_rank
from pipelines.finetuning.recipe import Recipe
from pipelines.finetuning.schedule import Schedule

if TYPE_CHECKING:
    import torch

SAVED_EVERY_S = 30.0
# What a token of the validation part costs, of one that is learned from: a forward pass alone, and
# later the upper layers alone, for what the lower ones make of it is kept.
FIRST_TIME, LATER = 0.7, 0.3
MORE_TIME = 1.2  # times as long as before is worth another tuning
RESERVE = 1.3  # times what looks are expected to take is kept for them


class Ending(StrEnum):
    """Why tuning ended."""

    ALL_SEEN = "every example was seen"
    NO_GAIN = "the validation part no longer gained"
    TIME = "the minutes were used up"


@dataclass(frozen=True)
class Tuned:
    """What came of it. `tensors` are those after `examples` lessons: the last, or what was surely
    better on validation before."""

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
    best_at: int = 0
    best_losses: list[float] = field(default_factory=list)
    ending: Ending = Ending.ALL_SEEN
    looking_s: float = 0.0
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

    Where the minutes did not run out, the result is the same as without the crash: bit for bit in
    one pass, or where no layer is frozen; else up to rounding. What the frozen layers make of a
    prompt is kept as a batch of the first pass gave it, and the new process computes it in another
    batch, in which floats are summed otherwise.

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
        self._batches = [
            batch
            for epoch in range(recipe.epochs)
            for batch in batches(
                lengths, size=recipe.batch, bucket=recipe.bucket, seed=recipe.seed + epoch
            )
        ]
        schedule = Schedule.of(len(self._batches), warm_up=recipe.warm_up, decay=recipe.decay)
        self._progress = Progress(schedule)
        self._paced_from: tuple[int, float] | None = None  # steps and seconds, less those of looks

    def tune(self) -> Tuned:
        """Tune until every lesson was seen, nothing is gained any more, or the time is up.

        Raises:
            TrainingRefused: an earlier process has spent all minutes, and was not through.
        """
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
        progress = self._progress
        lessons = [self._lessons.learning[i] for i in self._batches[progress.step]]
        for group in self._optimizer.param_groups:
            group["lr"] = self._recipe.rate * progress.schedule.rate(progress.step)
        self._optimizer.zero_grad()
        self._loss(lessons).backward()
        self._optimizer.step()
        progress.step += 1
        progress.seen += len(lessons)
        progress.tokens += sum(map(self._tokens, lessons))
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
        losses = self._look()
        if best_of(progress.curve) == len(progress.curve) - 1:
            self._choose(losses)
        if has_stalled(progress.curve, self._recipe.patience):
            ended = progress.schedule.decaying_from(progress.step)
            if ended.total < progress.schedule.total:
                progress.schedule, progress.ending = ended, Ending.NO_GAIN

    def _look_last(self) -> None:
        progress = self._progress
        if progress.curve and progress.curve[-1].examples == progress.seen:
            return  # by a process before this one
        losses = self._look()
        if not (progress.best and is_surely_better(progress.best_losses, losses)):
            self._choose(losses)

    def _choose(self, losses: list[float]) -> None:
        """The weights as they are now, of the newest point of the curve."""
        progress = self._progress
        progress.best = self._low_rank.copies()
        progress.best_at, progress.best_losses = len(progress.curve) - 1, losses

    def _look(self) -> list[float]:
        """A point of the curve, and the loss of each lead of the validation part."""
        progress, began = self._progress, self._clock()
        validation = self._lessons.validation
        log_odds = self._states.log_odds([lesson.prompt for lesson in validation])
        won = np.array([lesson.won for lesson in validation], dtype=np.int8)
        losses = settled_losses(log_odds, won)
        progress.curve += (CurvePoint.of(progress.seen, log_odds, won, losses),)
        progress.looking_s += self._clock() - began
        said: list[float] = losses.tolist()
        return said

    # -- time -----------------------------------------------------------------------------------

    def _plan(self) -> None:
        """Fewer steps where the time would not do for all: then the decay still ends in it.

        Until the decay begins it can be all of them again: what held up the first step of a process
        (a GPU loads its programs in it) says little of the others.
        """
        progress, schedule = self._progress, self._progress.schedule
        spent = self._clock() - self._started
        if self._paced_from is None:
            self._paced_from = (progress.step, spent - progress.looking_s)
            if spent < self._budget_s:
                return
        step, until = self._paced_from
        pace = (spent - progress.looking_s - until) / max(1, progress.step - step)
        left = self._budget_s - spent - RESERVE * self._looks_cost() * pace
        possible = math.floor(left / pace) if left > 0 else 0
        planned = schedule.ending_by(progress.step + possible)
        has_decayed = schedule.decays_at(progress.step - 1)
        is_open = progress.ending is not Ending.NO_GAIN and not has_decayed
        if is_open or planned.total < schedule.total:
            is_whole = planned.total == planned.whole
            progress.schedule = planned
            progress.ending = Ending.ALL_SEEN if is_whole else Ending.TIME

    def _looks_cost(self) -> float:
        """In steps: what the looks to come will take, the one at the end among them."""
        progress = self._progress
        total = progress.schedule.total * self._recipe.batch
        times = LATER * (1 + looks_to_come(progress.curve, total))
        times += 0.0 if progress.curve else FIRST_TIME - LATER
        tokens = sum(self._tokens(lesson) for lesson in self._lessons.validation)
        return times * tokens / (progress.tokens / progress.step)

    def _tokens(self, lesson: Lesson) -> int:
        return len(self._states.base.encode(lesson.prompt))

    # -- what survives a kill -------------------------------------------------------------------

    def _save(self) -> None:
        self._progress.spent_s = self._clock() - self._started
        self._checkpoint.save(
            {
                "progress": self._progress.to_tree(),
                "weights": self._low_rank.copies(),
                "optimizer": self._optimizer.state_dict(),
                "budget_s": self._budget_s,
            }
        )

    def _resume(self) -> None:
        saved = self._checkpoint.load()
        if saved is None:
            return
        progress = Progress.from_tree(saved["progress"])
        if self._has_more_time(progress, saved.get("budget_s", 0.0)):
            return
        self._require_time(progress)
        self._progress = progress
        self._low_rank.restore(saved["weights"])
        self._optimizer.load_state_dict(saved["optimizer"])

    def _has_more_time(self, progress: Progress, before_s: float) -> bool:
        """True where it ended for want of time, of which there is more now: it begins anew.

        It cannot go on: its weights were brought to rest as if that were all.
        """
        has_ended = progress.step >= progress.schedule.total
        is_short = has_ended and progress.ending is Ending.TIME
        return is_short and self._budget_s > MORE_TIME * before_s

    def _require_time(self, progress: Progress) -> None:
        """Or it would end at once, its rate still high, and could only begin anew ever after."""
        if progress.step >= progress.schedule.total or progress.spent_s < self._budget_s:
            return
        spent = progress.spent_s / 60
        enough = math.ceil(spent / (1 - progress.schedule.decay)) + 1  # one to load the model in
        raise TrainingRefused(
            f"This tuning has taken {spent:.1f} minutes already, and goes on from there: give it "
            f"more --minutes. With {enough} there is time to bring it to rest."
        )

    def _result(self) -> Tuned:
        progress = self._progress
        best = progress.curve[progress.best_at]
        self._low_rank.restore(progress.best)
        return Tuned(
            tensors=progress.best,
            examples=best.examples,
            curve=progress.curve,
            ending=progress.ending,
            seconds=progress.spent_s,
            tokens_per_second=progress.tokens / (progress.spent_s - progress.looking_s),
        )
