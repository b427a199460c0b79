"""A child process that ends with its parent, however that ends: it watches a pipe to it."""

from __future__ import annotations

import os
import threading


def end_with_parent() -> None:
    """End this process as soon as its standard input does. Returns at once."""
    threading.Thread(target=_watch, daemon=True).start()


def _watch() -> None:
    # A pipe rather than PR_SET_PDEATHSIG: that one fires when the *thread* that started us ends.
    # Read past Python's buffer: its lock, held by this thread, would crash the interpreter's end.
    while os.read(0, 4096):
        pass
    os._exit(0)  # llama.cpp's threads hold up an orderly exit
