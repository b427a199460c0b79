"""Processes that `tiebreak up` starts, watches, and stops: each with a log file of its own.

And the signals at which a command stops what it has started, here or at a provider.
"""

from __future__ import annotations

import errno
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn, Self

import psutil

from pipelines.errors import DidNotStart
from service.settings import environment_with

LOOPBACK = "127.0.0.1"
STOP_DEADLINE = timedelta(seconds=8)
LAST_DEADLINE = timedelta(seconds=2)  # of those whom their parent did not take along
FAMILY = "CHILD_OF_TIEBREAK"  # in the environment: who descends from a child, whatever its session
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Child:
    """A Python module as a child process, with all that it starts in turn.

    Use as a context manager: whatever happens, nothing is left behind.
    """

    def __init__(
        self,
        name: str,
        arguments: Sequence[str],
        *,
        log: Path,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        self._log = log
        self._command = [sys.executable, "-m", *arguments]
        self._environment = environment_with(environment or {})
        self._family: str | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Self:
        self._family = uuid.uuid4().hex  # first: a signal may interrupt what follows anywhere
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**self._environment, FAMILY: self._family},
                start_new_session=True,  # Ctrl-C reaches us alone: we stop it in our own order
            )
        return self

    @property
    def is_alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def wait(self) -> NoReturn:
        """For ever, unless it ends by itself, which nobody asked it to.

        Raises:
            DidNotStart: it did.
        """
        code = self._process.wait() if self._process else 0
        raise DidNotStart(f"{self.name} ended by itself (exit code {code}). See {self._log}.")

    def wait_until(self, port: int, path: str, *, within: timedelta, host: str = LOOPBACK) -> None:
        """Until `GET http://host:port/path` answers 200.

        Raises:
            DidNotStart: it ended, or took too long.
        """
        deadline = time.monotonic() + within.total_seconds()
        while not answers_ok(port, path, host):
            if not self.is_alive:
                raise DidNotStart(f"{self.name} ended while it started. See {self._log}.")
            if time.monotonic() > deadline:
                raise DidNotStart(f"{self.name} took too long to start. See {self._log}.")
            time.sleep(0.1)

    def stop(self) -> None:
        family, self._family = self._family, None
        process, self._process = self._process, None
        if process is not None:
            for sign in (signal.SIGTERM, signal.SIGKILL):  # politely, then whoever is left
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, sign)
                with suppress(subprocess.TimeoutExpired):
                    process.wait(STOP_DEADLINE.total_seconds())
        if family is not None:
            _end_family(family)

    def __enter__(self) -> Self:
        try:
            return self.start()
        except BaseException:
            self.stop()
            raise

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def _end_family(name: str) -> None:
    """Whoever outlived the child that started it: BentoML's workers have sessions of their own."""
    for _ in range(2):  # again: one may have started another meanwhile
        left = [
            one
            for one in psutil.process_iter(["environ"])
            if (one.info["environ"] or {}).get(FAMILY) == name
        ]
        for end in (psutil.Process.terminate, psutil.Process.kill):
            for one in left:
                with suppress(psutil.Error):
                    end(one)
            _, left = psutil.wait_procs(left, LAST_DEADLINE.total_seconds())


def answers_ok(port: int, path: str, host: str = LOOPBACK) -> bool:
    """Whether something on this machine answers 200 there."""
    answer = _answer(port, path, host)
    return answer is not None and answer[0] == http.client.OK


def answers(port: int, path: str, host: str = LOOPBACK) -> bool:
    """Whether something on this machine answers there, with whatever status."""
    return _answer(port, path, host) is not None


def answered_tree(port: int, path: str, host: str = LOOPBACK) -> dict[str, Any] | None:
    """The JSON object that is answered there, with whatever status; None without one."""
    answer = _answer(port, path, host)
    try:
        tree = json.loads(answer[1]) if answer else None
    except ValueError:
        return None
    return tree if isinstance(tree, dict) else None


def _answer(port: int, path: str, host: str) -> tuple[int, bytes] | None:
    connection = http.client.HTTPConnection(host, port, timeout=5)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read()
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def require_free(port: int, variable: str, host: str = LOOPBACK) -> None:
    """Refuse early, and say what to do.

    Raises:
        DidNotStart: something else listens on the port, or nothing can listen at the address.
    """
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        message = f"Port {port} is taken. Stop what uses it, or set {variable} to another."
        if error.errno != errno.EADDRINUSE:
            message = (
                f"Nothing can listen on port {port} of {host} ({error.strerror}). Set {variable} "
                "to another, or TIEBREAK_HOST to an address of this machine."
            )
        raise DidNotStart(message) from error


@contextmanager
def stoppable() -> Iterator[ExitStack]:
    """A stack that a signal unwinds, too, so that whatever was started is stopped.

    SIGINT among them: a shell without job control starts its background processes deaf to it. What
    `nohup` started stays deaf to SIGHUP. Once the stack unwinds no further signal holds that up.
    No process that is started is deaf to one: it inherits what is ignored, but no handler.
    """

    is_deaf = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    heard = [sign for sign in STOP_SIGNALS if not (sign is signal.SIGHUP and is_deaf)]

    def interrupt(*_: object) -> None:
        _let_pass(heard)
        raise KeyboardInterrupt

    before = {sign: signal.signal(sign, interrupt) for sign in heard}
    try:
        with ExitStack() as running:
            try:
                yield running
            finally:
                _let_pass(heard)
    finally:
        for sign, handler in before.items():
            signal.signal(sign, handler)


def _let_pass(signs: Iterable[signal.Signals]) -> None:
    for sign in signs:
        signal.signal(sign, lambda *_: None)  # SIG_IGN would be inherited
