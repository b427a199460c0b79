"""However a stream is cut into pieces, the messages that come out are those that went in."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from service.storage.frames import Frames, framed


@given(st.lists(st.binary(max_size=40)), st.lists(st.integers(1, 30)))
def test_messages_come_out_whole_and_in_order(messages: list[bytes], pieces: list[int]) -> None:
    stream = b"".join(map(framed, messages))
    frames, came = Frames(), list[bytes]()
    for piece in pieces:
        came += frames.feed(stream[:piece])
        stream = stream[piece:]
    came += frames.feed(stream)
    assert came == messages
