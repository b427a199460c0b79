"""A LoRA adapter with random weights: costs what a tuned one costs, and knows nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from models.adapter import Adapter, file_digest
from service.embedded_model import model_digest

RANK, ALPHA = 8, 16.0
LAYERS, TOP = 18, 6  # of Gemma 3 270M; adapters sit on the topmost
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


def write_random_adapter(path: Path, *, seed: int, size: float = 0.01) -> Adapter:
    """Write it as GGUF. `size`: standard deviation of the weights; 0.05 already answers nonsense.

    Needs the package `gguf`.
    """
    from gguf import GGUFWriter

    rng = np.random.default_rng(seed)
    writer = GGUFWriter(path, "gemma3")
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", ALPHA)
    for layer in range(LAYERS - TOP, LAYERS):
        for matrix, (inputs, outputs) in SHAPES.items():
            for name, shape in (("lora_a", (RANK, inputs)), ("lora_b", (outputs, RANK))):
                weights = (size * rng.standard_normal(shape)).astype(np.float16)
                writer.add_tensor(f"blk.{layer}.{matrix}.weight.{name}", weights)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    digest = file_digest(path.read_bytes())
    return Adapter(digest, model_digest(), "random", 0, RANK, ALPHA, TOP)
