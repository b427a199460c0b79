"""BaseModel: the embedded LLM in torch, with the weights of the GGUF file that serves.

Nothing is downloaded, and what is tuned is what will be served: the weights are those of llama.cpp,
quantised as they are, made whole again.
"""

from __future__ import annotations

import copy
import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.errors import TrainingRefused
from models.prompt import ANSWERS
from pipelines.finetuning.processor import best_device, fastest_numbers

if TYPE_CHECKING:
    import torch
    from gguf import GGUFReader
    from tokenizers import Tokenizer

ARCHITECTURE = "gemma3"
TOKENIZER_FILE = "tokenizer.json"
TOKENIZER_MB, WEIGHTS_MB = 40, 600  # what is kept of them takes a little less
LOCAL_ROPE_BASE = 10_000.0  # of the sliding layers: Gemma 3's, which a GGUF file does not name
FULL_ATTENTION_EVERY = 6  # layers; the same
# llama.cpp's name of a tensor -> transformers'. {} is the number of the layer.
IN_LAYER = {
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
    "attn_q_norm": "self_attn.q_norm",
    "attn_k_norm": "self_attn.k_norm",
    "attn_norm": "input_layernorm",
    "post_attention_norm": "post_attention_layernorm",
    "ffn_norm": "pre_feedforward_layernorm",
    "post_ffw_norm": "post_feedforward_layernorm",
}
OUTSIDE = {"token_embd.weight": "embed_tokens.weight", "output_norm.weight": "norm.weight"}


@dataclass(frozen=True)
class BaseModel:
    """The network in two parts, frozen. The lower one is never tuned; it may be but the embedding.

    lower: token ids -> hidden states; upper: hidden states -> hidden states of the last layer. Both
    are transformers' Gemma3TextModel, with some of the layers each.
    yes, no: the tokens that a prompt's answer begins with. digest: of the GGUF file.
    """

    lower: Any
    upper: Any
    tokenizer: Tokenizer
    yes: int
    no: int
    device: str
    digest: str

    @property
    def vocabulary(self) -> torch.Tensor:
        """What a hidden state is multiplied with, shape (tokens, width): the tied embedding."""
        weights: torch.Tensor = self.lower.embed_tokens.weight
        return weights

    @property
    def layers_below(self) -> int:
        return len(self.lower.layers)

    def encode(self, prompt: str) -> list[int]:
        """The prompt's tokens, as llama.cpp's server cuts it: <bos> first."""
        return list(self.tokenizer.encode(prompt).ids)


def load_base_model(
    gguf_file: Path,
    digest: str,
    *,
    upper_layers: int,
    depth: int | None = None,
    device: str | None = None,
) -> BaseModel:
    """The model in a GGUF file with this SHA-256; 3 s, and twenty the first time.

    depth: layers that are kept, the lowest, of which the topmost `upper_layers` may be tuned.

    Tokenizer (33 MB) and weights (0.5 GB, bf16) are kept beside the file once they were read from
    it. In memory they are of the numbers that the device calculates with fastest.

    Raises:
        TrainingRefused: there is no room for what is kept.
    """
    tokenizer = _tokenizer(gguf_file)
    config, weights = _kept(gguf_file, digest)
    config.num_hidden_layers = layers = depth or config.num_hidden_layers
    device = device or best_device()
    numbers = fastest_numbers(device)
    weights = {name: tensor.to(numbers) for name, tensor in weights.items()}
    below = layers - upper_layers
    lower = _network(config, weights, range(below), is_lower=True).to(device)
    upper = _network(config, weights, range(below, layers), is_lower=False).to(device)
    yes, no = (_only_token(tokenizer, f" {ANSWERS[won]}") for won in (True, False))
    return BaseModel(lower, upper, tokenizer, yes, no, device, digest)


def _network(
    config: Any, weights: Mapping[str, torch.Tensor], layers: range, *, is_lower: bool
) -> Any:
    """The layers of these numbers: the lower ones with the embedding, the others with the norm."""
    import torch
    from transformers import Gemma3TextModel

    own = copy.deepcopy(config)
    own.num_hidden_layers = len(layers)
    own.layer_types = [config.layer_types[i] for i in layers]
    with torch.device("meta"):
        network = Gemma3TextModel(own)
    network.embed_tokens = network.embed_tokens if is_lower else torch.nn.Identity()
    network.norm = torch.nn.Identity() if is_lower else network.norm
    network.load_state_dict(_part(network, weights, layers.start), assign=True)
    # What is computed rather than stored did not come along from the device "meta".
    network.rotary_emb = type(network.rotary_emb)(own)
    if is_lower:
        scale = torch.tensor(own.hidden_size**0.5)
        network.embed_tokens.register_buffer("embed_scale", scale, persistent=False)
    return network.eval().requires_grad_(False)


def _part(network: Any, weights: Mapping[str, torch.Tensor], start: int) -> dict[str, Any]:
    def name(own: str) -> str:
        return re.sub(r"^layers\.(\d+)", lambda found: f"layers.{int(found[1]) + start}", own)

    return {own: weights[name(own)] for own in network.state_dict()}


def _settings(reader: GGUFReader) -> dict[str, Any]:
    """What transformers' Gemma3TextConfig takes, as the GGUF file has it."""

    def said(key: str) -> Any:
        return reader.fields[f"{ARCHITECTURE}.{key}"].contents()

    layers = int(said("block_count"))
    kinds = ["sliding_attention", "full_attention"]
    width = int(said("attention.key_length"))
    ropes = (LOCAL_ROPE_BASE, float(said("rope.freq_base")))
    return {
        "vocab_size": len(reader.fields["tokenizer.ggml.scores"].data),
        "hidden_size": int(said("embedding_length")),
        "intermediate_size": int(said("feed_forward_length")),
        "num_hidden_layers": layers,
        "num_attention_heads": int(said("attention.head_count")),
        "num_key_value_heads": int(said("attention.head_count_kv")),
        "head_dim": width,
        "query_pre_attn_scalar": width,
        "rms_norm_eps": float(said("attention.layer_norm_rms_epsilon")),
        "sliding_window": int(said("attention.sliding_window")),
        "max_position_embeddings": int(said("context_length")),
        "layer_types": [kinds[(i + 1) % FULL_ATTENTION_EVERY == 0] for i in range(layers)],
        "rope_parameters": {
            kind: {"rope_type": "default", "rope_theta": base}
            for kind, base in zip(kinds, ropes, strict=True)
        },
        "use_cache": False,
    }


def _kept(gguf_file: Path, digest: str) -> tuple[Any, dict[str, torch.Tensor]]:
    """Config and weights; from the GGUF file only once, for reading its words alone takes 10 s."""
    from safetensors import SafetensorError

    kept = gguf_file.with_name(f"{gguf_file.stem}.{digest[:16]}.safetensors")
    if not kept.exists():
        _keep(gguf_file, kept)
    try:
        return _read(kept)
    except SafetensorError:  # damaged: the power went, or the disk was full
        _keep(gguf_file, kept)
        return _read(kept)


def _keep(gguf_file: Path, kept: Path) -> None:
    """Half a gigabyte: what a process that was killed left half-way is taken away first."""
    import psutil
    from gguf import GGUFReader
    from safetensors.torch import save_file

    for left in kept.parent.glob(f"{kept.stem}.*.part"):
        owner = left.suffixes[-2].removeprefix(".")
        if not (owner.isdigit() and psutil.pid_exists(int(owner))):
            left.unlink(missing_ok=True)
    reader = GGUFReader(gguf_file)
    about, weights = {"config": json.dumps(_settings(reader))}, dict(_weights(reader))
    with _kept_whole(kept, WEIGHTS_MB) as part:
        save_file(weights, part, metadata=about)


@contextmanager
def _kept_whole(kept: Path, megabytes: int) -> Iterator[Path]:
    """Where to write what then stands at `kept`, all of it or nothing.

    Raises:
        TrainingRefused: it could not be written.
    """
    part = kept.with_suffix(f".{os.getpid()}.part")
    try:
        yield part
        part.replace(kept)
    # Of a full disk safetensors and tokenizers have errors of their own.
    except Exception as error:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise TrainingRefused(
            f"{kept.name} cannot be written. Make room for {megabytes} MB in {kept.parent}."
        ) from error


def _read(kept: Path) -> tuple[Any, dict[str, torch.Tensor]]:
    from safetensors import safe_open
    from transformers import Gemma3TextConfig

    with safe_open(kept, framework="pt") as file:
        config = Gemma3TextConfig(**json.loads(file.metadata()["config"]))
        return config, {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118


def _weights(reader: GGUFReader) -> Iterator[tuple[str, torch.Tensor]]:
    import torch
    from gguf.quants import dequantize

    for tensor in reader.tensors:
        values = dequantize(tensor.data, tensor.tensor_type)
        if tensor.name.endswith("norm.weight"):
            values = values - 1.0  # llama.cpp keeps 1 + weight; Gemma adds the 1 when it runs
        yield torch_name(tensor.name), torch.from_numpy(values.copy()).to(torch.bfloat16)


def torch_name(gguf_name: str) -> str:
    """transformers' name of a tensor of a GGUF file. Raises KeyError for an unknown one."""
    layer = re.fullmatch(r"blk\.(\d+)\.(\w+)\.weight", gguf_name)
    if layer is None:
        return OUTSIDE[gguf_name]
    return f"layers.{layer[1]}.{IN_LAYER[layer[2]]}.weight"


def _tokenizer(gguf_file: Path) -> Tokenizer:
    """The GGUF file's own tokenizer. Making it takes seconds, so it is kept beside the file."""
    import tokenizers
    from transformers import GemmaTokenizer  # AutoTokenizer reads all of the file to say so: 10 s

    kept = gguf_file.with_suffix(f".{TOKENIZER_FILE}")
    if not kept.exists():
        made = GemmaTokenizer.from_pretrained(gguf_file.parent, gguf_file=gguf_file.name)
        with _kept_whole(kept, TOKENIZER_MB) as part:
            made.backend_tokenizer.save(str(part))
    return tokenizers.Tokenizer.from_file(str(kept))


def _only_token(tokenizer: Tokenizer, text: str) -> int:
    (token,) = tokenizer.encode(text, add_special_tokens=False).ids
    return int(token)
