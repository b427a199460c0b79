"""Witness: a process of its own that remembers the log's latest tree, and cosigns what extends it.

Protocol: C2SP tlog-witness. Whoever can change the log, even with the log's signing key, cannot
make the witness forget: what it cosigned once, every later tree must begin with.

    python -m service.ledger.witness --home DIR --port N --log-key VKEY [--name NAME]

`DIR` holds `witness.key` (secret), `witness.vkey` (give it to auditors) and `witness.state`. Run it
as another user than the service, better on another machine.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path

import httpx2

from service.ledger.checkpoint import SigningKey, cosign, key_file
from service.ledger.errors import (
    InvalidSigningKey,
    WitnessBehind,
    WitnessMisconfigured,
    WitnessRefused,
    WitnessStateDamaged,
    WitnessUnreachable,
)
from service.ledger.verify import (
    EMPTY_ROOT,
    Checkpoint,
    InvalidKey,
    InvalidNote,
    KeyType,
    SignedNote,
    VerifierKey,
    check_consistency,
    decoded,
    encoded,
    open_checkpoint,
    parse_body,
    parse_size,
)
from service.ledger.witness_state import WitnessState
from service.storage.secret_file import read_or_make

MAX_PATH = 63  # hashes of a consistency proof (C2SP tlog-witness)
MAX_REQUEST_BYTES = 64 << 10
TEXT = "text/plain; charset=utf-8"
SIZE = "text/x.tlog.size"
TIMEOUT = timedelta(seconds=2)  # on loopback an answer takes two syncs of a small file
DEFAULT_NAME = "localhost/witness"


@dataclass(frozen=True, slots=True)
class WitnessReply:
    """An answer, before it goes over HTTP."""

    status: int
    content_type: str
    body: bytes

    @classmethod
    def text(cls, status: int, sentence: str) -> WitnessReply:
        return cls(status, TEXT, f"{sentence}\n".encode())

    @classmethod
    def size(cls, size: int) -> WitnessReply:
        """409: this is the size that was cosigned last."""
        return cls(409, SIZE, f"{size}\n".encode())


@dataclass(frozen=True, slots=True)
class WitnessRequest:
    """A checkpoint, and the proof that it extends the one of `old_size` entries."""

    old_size: int
    path: Sequence[bytes]
    note: str

    @classmethod
    def parse(cls, request: bytes) -> WitnessRequest:
        """Raises InvalidNote."""
        head, _, note = request.partition(b"\n\n")
        try:
            old, *steps = head.decode("ascii").split("\n")
            path = [decoded(step) for step in steps]
            text = note.decode()
        except ValueError as error:
            raise InvalidNote("The request is malformed.") from error
        if not old.startswith("old ") or len(path) > MAX_PATH or any(len(s) != 32 for s in path):
            raise InvalidNote("The request is malformed.")
        return cls(parse_size(old.removeprefix("old ")), path, text)

    @property
    def body(self) -> bytes:
        steps = "".join(f"{encoded(step)}\n" for step in self.path)
        return f"old {self.old_size}\n{steps}\n{self.note}".encode()


class Witness:
    """Cosigns checkpoints of the logs it knows, each consistent with the last. Any thread may call.

    state: its file, which `begin` makes for a new key. logs: the keys it trusts, each named after
    its log's origin; a log that changes its key has two for a while.

    Raises:
        WitnessStateDamaged: the file is missing, damaged, or of another key.
    """

    def __init__(
        self,
        state: Path,
        key: SigningKey,
        logs: Sequence[VerifierKey],
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if key.type is not KeyType.WITNESS or any(log.type is not KeyType.LOG for log in logs):
            raise ValueError("A witness has a witness's key, and knows keys of logs.")
        self._key = key
        self._logs = logs
        self._clock = clock
        self._state = WitnessState(state, key)
        self._state.notes()

    @staticmethod
    def begin(state: Path, key: SigningKey) -> None:
        """Make the file of a witness that has never cosigned. Raises FileExistsError."""
        state.parent.mkdir(parents=True, exist_ok=True)
        new = WitnessState(state, key)
        with new.alone():
            if state.exists():
                raise FileExistsError(state)
            new.write({})

    def add_checkpoint(self, request: bytes) -> WitnessReply:
        """Answer one request as C2SP tlog-witness says; what is cosigned is durable before."""
        try:
            asked = WitnessRequest.parse(request)
            signed = SignedNote.parse(asked.note)
            origin, size, _ = parse_body(signed.body)
        except InvalidNote as error:
            return WitnessReply.text(400, str(error))
        keys = [key for key in self._logs if key.name == origin]
        if not keys:
            return WitnessReply.text(404, "This witness does not know the log.")
        try:
            opened = [open_checkpoint(asked.note, key) for key in keys if signed.of(key)]
        except InvalidNote as error:
            return WitnessReply.text(403, str(error))
        if not opened:
            return WitnessReply.text(403, "The checkpoint is not signed by a key of its log.")
        if asked.old_size > size:
            return WitnessReply.text(400, "The old size is larger than the checkpoint's.")
        # One of each key: whoever repeats a line must not fill the note that is kept with them.
        lines = "".join(signed.of(key)[0].text for key in keys if signed.of(key))
        return self._extend(asked, opened[0], f"{signed.body}\n{lines}")

    def latest(self, origin: str) -> str | None:
        """The latest checkpoint of a log that was cosigned, with the cosignature.

        Raises:
            WitnessStateDamaged.
        """
        return self._state.notes().get(origin)

    def _extend(self, asked: WitnessRequest, new: Checkpoint, note: str) -> WitnessReply:
        try:
            with self._state.alone():
                notes = self._state.notes()
                refused = _contradiction(notes.get(new.origin), asked, new)
                if refused is not None:
                    return refused
                line = cosign(self._key, new.body, int(self._clock()))
                self._state.write({**notes, new.origin: note + line})
        except WitnessStateDamaged as error:
            return WitnessReply.text(500, str(error))
        except OSError as error:
            name = type(error).__name__
            return WitnessReply.text(503, f"The witness cannot write its file now ({name}).")
        return WitnessReply(200, TEXT, line.encode())


def _contradiction(last: str | None, asked: WitnessRequest, new: Checkpoint) -> WitnessReply | None:
    """The refusal of a tree that does not extend the last one; None where it does."""
    size, root = 0, EMPTY_ROOT
    if last is not None:
        _, size, root = parse_body(SignedNote.parse(last).body)
    if asked.old_size != size or (new.size == size and new.root != root):
        return WitnessReply.size(size)
    if not check_consistency(size, root, new.size, new.root, asked.path):
        return WitnessReply.text(422, "The checkpoint does not extend the one cosigned last.")
    return None


class WitnessClient:
    """The log's side: asks one witness, whose key is known, to cosign.

    base_url: such as `http://127.0.0.1:3002`. A witness on loopback is asked directly, whatever
    proxies are set.
    """

    def __init__(
        self,
        base_url: str,
        key: VerifierKey,
        *,
        timeout: timedelta = TIMEOUT,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        self.key = key
        self._http = httpx2.Client(
            base_url=base_url,
            timeout=timeout.total_seconds(),
            trust_env=not _is_loopback(httpx2.URL(base_url).host),
            transport=transport,
        )

    def close(self) -> None:
        """Let go of the connection."""
        self._http.close()

    def submit(self, old_size: int, path: Sequence[bytes], note: str) -> str:
        """The witness's signature line for a checkpoint, verified, newline included.

        old_size, path: the size that it cosigned last, and the consistency proof from there.

        Raises:
            WitnessUnreachable: try again.
            WitnessBehind: it last cosigned another size; prove from there.
            WitnessRefused: what was logged before has changed.
            WitnessMisconfigured: it does not know the log, or is not the one whose key we have.
        """
        request = WitnessRequest(old_size, path, note)
        answer = self._ask("POST", "/add-checkpoint", content=request.body)
        if answer.status_code == 409:
            size = _size(answer.text)
            if size != old_size:
                raise WitnessBehind(size)
        if answer.status_code in {409, 422}:
            message = (
                "The witness has seen another history of this log. Stop, keep both, and run "
                "verify.py with the witness's checkpoint."
            )
            raise WitnessRefused(message)
        if answer.status_code != 200:
            raise WitnessMisconfigured(f"The witness refused: {answer.text.strip()[:200]}")
        return self._cosignature(note, answer.text)

    def latest(self, origin: str) -> str | None:
        """The log's latest checkpoint that it cosigned, to be verified; None if there is none.

        Raises:
            WitnessUnreachable, WitnessMisconfigured.
        """
        answer = self._ask("GET", "/checkpoint", params={"origin": origin})
        if answer.status_code not in {200, 404}:
            raise WitnessMisconfigured(f"The witness refused: {answer.text.strip()[:200]}")
        return answer.text if answer.status_code == 200 else None

    def _ask(
        self,
        method: str,
        path: str,
        *,
        content: bytes | None = None,
        params: dict[str, str] | None = None,
    ) -> httpx2.Response:
        try:
            answer = self._http.request(method, path, content=content, params=params)
        except httpx2.HTTPError as error:
            name = type(error).__name__
            raise WitnessUnreachable(f"The witness does not answer ({name}). Start it.") from error
        if answer.status_code >= 500:
            message = f"The witness cannot cosign now: {answer.text.strip()[:200]}"
            raise WitnessUnreachable(message)
        return answer

    def _cosignature(self, note: str, lines: str) -> str:
        body = SignedNote.parse(note).body
        try:
            for line in SignedNote.parse(f"{body}\n{lines}").of(self.key):
                self.key.signed_at(body, line.signature)
                return line.text
        except InvalidNote as error:
            raise WitnessMisconfigured("The witness answers with no valid cosignature.") from error
        raise WitnessMisconfigured(f"Another witness than {self.key.name} answers.")


def _size(text: str) -> int:
    try:
        return parse_size(text.removesuffix("\n"))
    except InvalidNote as error:
        raise WitnessMisconfigured("The witness's answer is no size.") from error


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


# -- the process ----------------------------------------------------------------------------------


class WitnessHome:
    """What a witness on this machine has cosigned, by its own file: it need not run.

    Raises:
        InvalidKey, OSError: its public key is not there.
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        self.key = VerifierKey.parse((home / "witness.vkey").read_text(encoding="utf-8").strip())

    def latest(self, origin: str) -> str | None:
        """As `WitnessClient.latest`. Raises WitnessMisconfigured: its file is gone, or damaged."""
        try:
            key = SigningKey.parse((self._home / "witness.key").read_text(encoding="utf-8").strip())
            return WitnessState(self._home / "witness.state", key).notes().get(origin)
        except (InvalidSigningKey, WitnessStateDamaged, OSError, ValueError) as error:
            message = f"What it keeps under {self._home} cannot be read ({type(error).__name__})."
            raise WitnessMisconfigured(message) from error

    def close(self) -> None:
        """Nothing is open."""


def open_home(home: Path, name: str) -> SigningKey:
    """The witness's key; on the first start, that and its file are made.

    Raises:
        InvalidSigningKey, OSError.
    """
    path = home / "witness.key"
    home.mkdir(parents=True, exist_ok=True)
    new = SigningKey.generate(name, KeyType.WITNESS)
    state = WitnessState(home / "witness.state", new)
    with state.alone():
        if not path.exists():
            if state.has_cosigned():
                raise InvalidSigningKey(
                    f"{path} is gone, and with it who cosigned what witness.state beside it "
                    "remembers. Bring it back from a copy. Remove both only to begin anew, and "
                    "tell your auditors: a new witness knows nothing of what was."
                )
            # In this order: a file whose key was never kept has no cosignature to remember, so a
            # start that is killed in between can be done over. A key without a file is refused.
            state.write({})
            read_or_make(path, f"{new.text}\n".encode)
    key = key_file(path, name, KeyType.WITNESS)
    (home / "witness.vkey").write_text(f"{key.verifier.text}\n")
    return key


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve one witness until it is stopped."""
    parser = argparse.ArgumentParser(prog="python -m service.ledger.witness")
    parser.add_argument("--home", type=Path, required=True, metavar="DIR")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--log-key", action="append", required=True, metavar="VKEY")
    parser.add_argument("--name", default=DEFAULT_NAME)
    parser.add_argument("--host", default="127.0.0.1")
    asked = parser.parse_args(arguments)
    try:
        logs = [VerifierKey.parse(text) for text in asked.log_key]
    except InvalidKey as error:
        parser.error(str(error))
    try:
        key = open_home(asked.home, asked.name)
        witness = Witness(asked.home / "witness.state", key, logs)
    except (InvalidSigningKey, WitnessStateDamaged, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    _serve(witness, asked.host, asked.port)
    return 0


def _serve(witness: Witness, host: str, port: int) -> None:
    import uvicorn

    from service.ledger.witness_app import WitnessApp

    app = WitnessApp(witness)
    uvicorn.run(app, host=host, port=port, lifespan="off", ws="none", log_level="warning")


if __name__ == "__main__":
    sys.exit(main())
