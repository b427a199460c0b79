"""Adapter: what fine-tuning has added to an LLM, as the digest of a small GGUF file."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from models.errors import WrongAdapter

NAME_DIGITS = 16  # of the digest; the file behind a name is always checked against all 64
DEPTH = re.compile(r"-of-([1-9][0-9]?)-layers\Z")


@dataclass(frozen=True, slots=True)
class Adapter:
    """A LoRA adapter (Hu et al. 2021, arXiv:2106.09685) on top of one model file.

    digest: SHA-256 (hex) of the adapter's GGUF file. base: of the model file that it sits on.
    data: of the redacted texts and outcomes that it was tuned on; examples: how many of these it
    was shown; drawn: how many leads were drawn for it; None where all were, or nobody noted it.
    rank, alpha: of the low-rank update, which is scaled by alpha / rank.
    layers: how many of the model's topmost layers it changes.
    minutes, peak_memory_mib: what tuning took; None where nobody measured.
    depth: how many of the model's layers it sits on, the lowest, and nothing above; None: on all.
    """

    digest: str
    base: str
    data: str
    examples: int
    rank: int
    alpha: float
    layers: int
    minutes: float | None = None
    peak_memory_mib: int | None = None
    drawn: int | None = None
    depth: int | None = None

    @property
    def name(self) -> str:
        """What a server calls it. Requests choose an adapter by it, as vLLM's do."""
        return adapter_name(self.digest, self.depth)

    @property
    def identity(self) -> dict[str, str]:
        """All of it that can change an answer: rank, alpha and layers are in the file."""
        whole = {"digest": self.digest, "base": self.base}
        return whole if self.depth is None else whole | {"depth": str(self.depth)}

    def checked(self, content: bytes | None) -> bytes:
        """`content` itself, if it is the adapter's file.

        Raises:
            WrongAdapter: it is another, damaged, or missing.
        """
        if content is None:
            raise WrongAdapter(f"The file of {self.name} is missing. Tune again.")
        if file_digest(content) != self.digest:
            raise WrongAdapter(f"This file is not {self.name}: its SHA-256 is another.")
        return content

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, tree: Mapping[str, Any]) -> Self:
        """The adapter that `to_json` wrote. Raises TypeError where it is damaged."""
        return cls(**tree)


def adapter_name(digest: str, depth: int | None = None) -> str:
    """The name of the adapter whose file has this SHA-256, on so many layers of its model."""
    name = f"adapter-{digest[:NAME_DIGITS]}"
    return name if depth is None else f"{name}-of-{depth}-layers"


def depth_in(name: str) -> int | None:
    """On how many layers of the model the adapter of that name sits; None: on all."""
    found = DEPTH.search(name)
    return int(found[1]) if found else None


def file_digest(content: bytes) -> str:
    """SHA-256 of a file's content, 64 hex digits."""
    return hashlib.sha256(content).hexdigest()
