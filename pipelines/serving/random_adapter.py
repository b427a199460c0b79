"""A LoRA adapter with random weights: costs what a tuned one costs, and knows nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from models.adapter import Adapter, file_digest
from pipelines.finetuning.adapter_file import adapter_bytes
from service.llm.embedded_model import LAYERS, model_digest

RANK, ALPHA = 8, 16.0
TOP = 6  # layers: adapters sit on the topmost
# Inputs and outputs of a layer's matrices (the model's GGUF file).
SHAPES = {
    "attn_q": (640, 1024),
    "attn_k": (640, 256),
    "attn_v": (640, 256),
    "attn_output": (1024, 640),
    "ffn_gate": (640, 2048),
    "ffn_up": (640, 2048),
    "ffn_down": (2048, 640),
}


def write_random_adapter(
    path: Path, *, seed: int, size: float = 0.01, depth: int | None = None
) -> Adapter:
    """Write it as GGUF. `size`: standard deviation of the weights; 0.05 already answers nonsense.

    depth: layers of the model that it sits on, all of which it changes; the whole model's topmost
    unless given. Needs the package `gguf`.
    """
    rng = np.random.default_rng(seed)
    weights = {}
    changed = range(LAYERS - TOP, LAYERS) if depth is None else range(depth)
    for layer in changed:
        for matrix, (inputs, outputs) in SHAPES.items():
            for name, shape in (("lora_a", (RANK, inputs)), ("lora_b", (outputs, RANK))):
                drawn = size * rng.standard_normal(shape)
                weights[f"blk.{layer}.{matrix}.weight.{name}"] = drawn
    content = adapter_bytes(weights, alpha=ALPHA)
    path.write_bytes(content)
    return Adapter(
        file_digest(content),
        model_digest(),
        "random",
        0,
        RANK,
        ALPHA,
        len(changed),
        depth=depth,
    )
