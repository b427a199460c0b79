"""Frames: messages on a stream socket, each behind its length."""

from __future__ import annotations

from struct import Struct

LENGTH = Struct("!I")


def framed(message: bytes) -> bytes:
    """What to send. The message is shorter than 4 GiB."""
    return LENGTH.pack(len(message)) + message


class Frames:
    """Takes bytes as they come in, and gives the messages that are whole."""

    def __init__(self) -> None:
        self._received = bytearray()

    def feed(self, received: bytes) -> list[bytes]:
        """The messages that are whole now; the rest is kept for the next time."""
        self._received += received
        messages, start, end = [], 0, len(self._received)
        while end - start >= LENGTH.size:
            (length,) = LENGTH.unpack_from(self._received, start)
            if end - start < LENGTH.size + length:
                break
            start += LENGTH.size + length
            messages.append(bytes(self._received[start - length : start]))
        del self._received[:start]
        return messages
