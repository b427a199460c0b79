"""Merkle: roots and proofs of a growing tree, out of its perfect subtrees (pure).

A perfect subtree (level, index) holds the 2**level entries from index * 2**level on. Its hash never
changes once it is full, so it can be kept; level 0 are the leaf hashes. `Subtree` looks one up.
"""

from __future__ import annotations

from collections.abc import Callable

from service.ledger.verify import EMPTY_ROOT, HASH_BYTES, node_hash

TILE_HEIGHT = 8  # levels between kept subtrees: 1/255 more hashes to keep than entries

Subtree = Callable[[int, int], bytes]


class Frontier:
    """The right edge of a tree: all that must be known to append to it, and its root.

    packed: the hashes of the perfect subtrees that `size` entries consist of, from the largest to
    the smallest: one for each 1 in the binary form of `size`, 32 bytes each.

    Raises:
        ValueError: `packed` is of another size than `size` says.
    """

    __slots__ = ("_hashes", "_size")

    def __init__(self, size: int = 0, packed: bytes = b"") -> None:
        if size < 0 or len(packed) != size.bit_count() * HASH_BYTES:
            raise ValueError(f"{len(packed)} bytes cannot be the frontier of {size} entries.")
        self._size = size
        self._hashes = [packed[at : at + HASH_BYTES] for at in range(0, len(packed), HASH_BYTES)]

    @property
    def size(self) -> int:
        """Entries so far."""
        return self._size

    @property
    def packed(self) -> bytes:
        """What another Frontier of this size can go on from."""
        return b"".join(self._hashes)

    def append(self, leaf: bytes) -> list[tuple[int, int, bytes]]:
        """Take one more leaf hash (`leaf_hash(entry)`).

        Returns:
            The subtrees that it completes at levels 8, 16, 24 ...: (level, index, hash).
        """
        if len(leaf) != HASH_BYTES:
            raise ValueError("A leaf hash has 32 bytes: hash the entry first.")
        complete = []
        hashes, index, level, node = self._hashes, self._size, 0, leaf
        while index & 1:
            node = node_hash(hashes.pop(), node)
            index >>= 1
            level += 1
            if level % TILE_HEIGHT == 0:
                complete.append((level, index, node))
        hashes.append(node)
        self._size += 1
        return complete

    def root(self) -> bytes:
        """The root hash, 32 bytes."""
        if not self._hashes:
            return EMPTY_ROOT
        root = self._hashes[-1]
        for left in reversed(self._hashes[:-1]):
            root = node_hash(left, root)
        return root


def inclusion_path(index: int, size: int, subtree: Subtree) -> list[bytes]:
    """The hashes that prove entry `index` of `size`, from the leaf upwards (RFC 6962, 2.1.1).

    Raises:
        ValueError: the tree has no such entry.
    """
    if not 0 <= index < size:
        raise ValueError(f"A tree of {size} entries has no entry {index}.")
    path, start, end = [], 0, size
    while end - start > 1:
        middle = start + _largest_power_below(end - start)
        if index < middle:
            path.append(_root_of(middle, end, subtree))
            end = middle
        else:
            path.append(_root_of(start, middle, subtree))
            start = middle
    return path[::-1]


def consistency_path(old: int, new: int, subtree: Subtree) -> list[bytes]:
    """The hashes that prove that `new` entries begin with the `old` ones (RFC 6962, 2.1.2).

    Empty where there is nothing to prove: from 0, and from `new` itself.

    Raises:
        ValueError: `old` is larger than `new`.
    """
    if not 0 <= old <= new:
        raise ValueError(f"A tree of {new} entries has not grown from one of {old}.")
    if old in {0, new}:
        return []
    path, start, end = [], 0, new
    while end != old:
        middle = start + _largest_power_below(end - start)
        if old <= middle:
            path.append(_root_of(middle, end, subtree))
            end = middle
        else:
            path.append(_root_of(start, middle, subtree))
            start = middle
    if start:  # else the rest is the old tree itself, whose root its holder knows
        path.append(_root_of(start, end, subtree))
    return path[::-1]


def root_at(size: int, subtree: Subtree) -> bytes:
    """The root hash of the first `size` entries, 32 bytes (RFC 6962, section 2.1)."""
    return _root_of(0, size, subtree) if size else EMPTY_ROOT


def _root_of(start: int, end: int, subtree: Subtree) -> bytes:
    """Root over entries [start, end): perfect subtrees from left to right, joined from the right.

    `start` is a multiple of the largest power of two that is not above end - start.
    """
    hashes = []
    while start < end:
        level = (end - start).bit_length() - 1
        hashes.append(subtree(level, start >> level))
        start += 1 << level
    root = hashes.pop()
    while hashes:
        root = node_hash(hashes.pop(), root)
    return root


def _largest_power_below(count: int) -> int:
    """The largest power of two smaller than `count`, which is at least 2."""
    return 1 << (count - 1).bit_length() - 1
