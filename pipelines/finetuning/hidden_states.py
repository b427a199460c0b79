"""HiddenStates: what the frozen lower layers make of prompts. Computed once, kept while it fits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pipelines.finetuning.base_model import BaseModel
from pipelines.finetuning.processor import multiplied_in

if TYPE_CHECKING:
    import torch

CAPACITY = 100_000  # tokens kept: 128 MB, the whole validation part among them
AT_ONCE = 16  # prompts scored in one forward pass


class HiddenStates:
    """Of one BaseModel. The lower layers are two thirds of a forward pass, and never change.

    The last bits of a prompt's states depend on the batch in which it was first asked for.
    """

    def __init__(self, base: BaseModel, *, capacity: int = CAPACITY) -> None:
        """Args: capacity: tokens whose states are kept; the first ones asked for are."""
        self.base = base
        self._free = capacity
        self._kept: dict[str, torch.Tensor] = {}

    def below(self, prompts: Sequence[str]) -> list[torch.Tensor]:
        """For each prompt the states after the lower layers, shape (tokens, width)."""
        missing = [prompt for prompt in dict.fromkeys(prompts) if prompt not in self._kept]
        found = dict(zip(missing, self._computed(missing), strict=True)) if missing else {}
        for prompt, states in found.items():
            if len(states) <= self._free:
                self._free -= len(states)
                self._kept[prompt] = states
        return [found[p] if p in found else self._kept[p] for p in prompts]

    def _computed(self, prompts: Sequence[str]) -> list[torch.Tensor]:
        import torch

        ids = [torch.tensor(self.base.encode(prompt)) for prompt in prompts]
        # Padded on the right no mask is needed: no token attends to what comes after it.
        padded = torch.nn.utils.rnn.pad_sequence(ids, batch_first=True).to(self.base.device)
        with torch.no_grad():
            states = self.base.lower(input_ids=padded).last_hidden_state
        return [states[i, : len(own)].clone() for i, own in enumerate(ids)]

    def at_answer(self, prompts: Sequence[str]) -> torch.Tensor:
        """The last layer's states where the answer comes next, shape (prompts, width)."""
        import torch

        below = self.below(prompts)
        padded = torch.nn.utils.rnn.pad_sequence(below, batch_first=True)
        with multiplied_in(padded.dtype, self.base.upper):
            states = self.base.upper(inputs_embeds=padded).last_hidden_state
        ends = torch.tensor([len(own) - 1 for own in below], device=states.device)
        answers: torch.Tensor = states[torch.arange(len(below), device=states.device), ends]
        return answers

    def log_odds(self, prompts: Sequence[str]) -> NDArray[np.float64]:
        """ln(P(yes) / P(no)) as the model stands, one a prompt."""
        import torch

        base = self.base
        direction = (base.vocabulary[base.yes] - base.vocabulary[base.no]).float()
        order = sorted(range(len(prompts)), key=lambda i: len(prompts[i]))
        margins = np.empty(len(prompts))
        with torch.no_grad():
            for start in range(0, len(order), AT_ONCE):
                chosen = order[start : start + AT_ONCE]
                states = self.at_answer([prompts[i] for i in chosen]).float()
                margins[chosen] = (states @ direction).cpu().numpy()
        return margins
