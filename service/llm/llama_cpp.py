"""llama.cpp with the embedded model and some adapters: the process that computes.

    python -m service.llm.llama_cpp --cache-dir var/llm [--depth 9] --adapter FILE --adapter FILE

It is started, watched and spoken to by `llm_engine`, on a loopback port that the system picks.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from models.errors import LlmUnavailable
from service.llm.embedded_model import MODEL_ID
from service.llm.model_shards import model_shards
from service.llm.parent_watch import end_with_parent

HOST = "127.0.0.1"
BATCH_TOKENS = 256  # computed together; 512 take 20 MB more
SPINS = "3000"  # of a thread that waits for another, before it sleeps
SLOTS = 2  # requests answered in one forward pass; each keeps the beginning of its last prompt
# A prompt with worked examples has some 1,000 tokens; of part lists, log lines or numbers alone up
# to 4,000 (models/prompt.py bounds characters). A longer one is refused: the classifier decides.
SLOT_TOKENS = 4096
BARE_SLOT_TOKENS = (
    2560  # that of a tuned model has no worked examples: 600 characters of any script
)


def serve(
    cache_dir: Path, adapters: Sequence[Path], *, threads: int | None, depth: int | None = None
) -> Any:
    """Load everything and answer from threads of this process. Keep what it returns.

    depth: layers of the model that are loaded, the lowest; all unless given.
    An adapter's number is its place in `adapters`. Memory is bounded by SLOTS and their tokens.
    Prompts are neither logged nor shown to anyone.
    """
    # Its threads wait for each other after each operation. Put to sleep every time, a short call
    # takes a third longer; spinning until it is their turn, as they do by default, one takes 10 s
    # instead of 1 s as soon as another process wants the same cores. So they spin for a moment.
    os.putenv("GOMP_SPINCOUNT", SPINS)  # read once, when the library is loaded
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(model_shards(cache_dir, depth))
    params.model_alias = {MODEL_ID}
    params.lora_adapters = [xllamacpp.CommonAdapterLoraInfo(str(path), 0.0) for path in adapters]
    params.lora_init_without_apply = True  # each request says which one it wants
    params.hostnames, params.port = [HOST], 0
    slot = SLOT_TOKENS if depth is None else BARE_SLOT_TOKENS
    params.n_parallel, params.n_ctx = SLOTS, SLOTS * slot
    params.n_ubatch = BATCH_TOKENS
    # Gemma 3 attends in a sliding window. Unless all of the prompt is kept, llama.cpp cannot reuse
    # its beginning, which is the same for every lead: 0.9 s a call instead of 0.2 s. A shallow
    # model is asked tuned questions only, which reuse nothing: it does without, and without the
    # copies that llama.cpp would make instead, for which it computes a prompt in two parts.
    params.swa_full = depth is None
    params.n_ctx_checkpoints = 0
    params.cache_ram_mib = 0  # its second prompt cache may answer from another adapter's state
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads or _cores()
    params.fit_params = False  # do not resize the context to the machine's memory
    params.ui = params.endpoint_slots = params.endpoint_props = False
    params.cors_origins, params.cors_origins_explicit = "http://127.0.0.1", True
    params.verbosity = 1  # errors only; prompts are printed from level 5 on
    return xllamacpp.Server(params)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until the parent ends. The first line on standard output is {"address": "..."}."""
    parser = argparse.ArgumentParser(prog="python -m service.llm.llama_cpp")
    parser.add_argument("--cache-dir", type=Path, required=True)
    parser.add_argument("--adapter", type=Path, action="append", default=[])
    parser.add_argument("--threads", type=int)
    parser.add_argument("--depth", type=int)
    options = parser.parse_args(arguments)
    end_with_parent()
    try:
        server = serve(
            options.cache_dir, options.adapter, threads=options.threads, depth=options.depth
        )
    except (LlmUnavailable, RuntimeError) as error:
        sys.stderr.write(f"llama.cpp cannot start: {error}\n")
        return 1
    print(json.dumps({"address": server.listening_address}), flush=True)  # noqa: T201
    threading.Event().wait()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
