"""LowRank: the few weights that are tuned, laid by peft over the upper layers of a BaseModel."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.finetuning.base_model import IN_LAYER, BaseModel
from pipelines.finetuning.recipe import Recipe

if TYPE_CHECKING:
    import torch

TARGETS = ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")
GGUF_NAMES = {IN_LAYER[name]: name for name in TARGETS}


@dataclass(frozen=True)
class LowRank:
    """Trainable tensors by their name in a GGUF adapter: blk.12.attn_q.weight.lora_a, ..."""

    tensors: Mapping[str, torch.nn.Parameter]

    def copies(self) -> dict[str, torch.Tensor]:
        """As they are now, float32: lora_a is (rank, in), lora_b is (out, rank)."""
        return {name: tensor.detach().cpu().clone() for name, tensor in self.tensors.items()}

    def restore(self, copies: Mapping[str, torch.Tensor]) -> None:
        """Put back what `copies` gave."""
        import torch

        with torch.no_grad():
            for name, tensor in self.tensors.items():
                tensor.copy_(copies[name])


def add_low_rank(base: BaseModel, recipe: Recipe) -> LowRank:
    """Lay the tensors over `base.upper`, which changes nothing yet: every lora_b is zero.

    The seed decides lora_a. They are float32, as bf16 would round small steps away.
    """
    import torch
    from peft import LoraConfig, inject_adapter_in_model

    config = LoraConfig(
        r=recipe.rank,
        lora_alpha=recipe.alpha,
        target_modules=[name.rpartition(".")[2] for name in GGUF_NAMES],
    )
    with torch.random.fork_rng():
        torch.manual_seed(recipe.seed)
        inject_adapter_in_model(config, base.upper)
    tensors = {}
    for name, tensor in base.upper.named_parameters():
        if ".lora_" in name:
            tensor.data = tensor.data.float()
            tensors[_gguf_name(name, base.layers_below)] = tensor.requires_grad_(True)
    return LowRank(tensors)


def _gguf_name(peft_name: str, layers_below: int) -> str:
    found = re.fullmatch(r"layers\.(\d+)\.([\w.]+)\.lora_([AB])\.\w+\.weight", peft_name)
    assert found is not None, peft_name  # noqa: S101  (peft's own names)
    layer, module, side = int(found[1]) + layers_below, found[2], found[3].lower()
    return f"blk.{layer}.{GGUF_NAMES[module]}.weight.lora_{side}"
