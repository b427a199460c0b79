"""Every root and proof is the RFC's own, and no proof holds for anything else."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.ledger.merkle import (
    TILE_HEIGHT,
    Frontier,
    consistency_path,
    inclusion_path,
    root_at,
)
from service.ledger.verify import (
    EMPTY_ROOT,
    InvalidProof,
    check_consistency,
    leaf_hash,
    node_hash,
    root_of_inclusion,
)

# Certificate Transparency's reference tree: eight entries, and the root after each of them.
ENTRIES = [
    bytes.fromhex(entry)
    for entry in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657",
                  "606162636465666768696a6b6c6d6e6f")
]  # fmt: skip
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
NODES = {
    "0": "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "1": "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
    "4": "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    "0-1": "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "2-3": "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
    "4-5": "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
    "6-7": "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
    "0-3": "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4-7": "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
}
INCLUSION = [
    (0, 1, []),
    (0, 8, ["1", "2-3", "4-7"]),
    (5, 8, ["4", "6-7", "0-3"]),
    (2, 3, ["0-1"]),
    (1, 5, ["0", "2-3", "4"]),
]
CONSISTENCY = [
    (1, 1, []),
    (1, 8, ["1", "2-3", "4-7"]),
    (6, 8, ["4-5", "6-7", "0-3"]),
    (2, 5, ["2-3", "4"]),
]


# -- RFC 6962, section 2.1, word by word: slow, and plainly right ---------------------------------


def mth(d: Sequence[bytes]) -> bytes:
    if not d:
        return sha256(b"").digest()
    if len(d) == 1:
        return sha256(b"\x00" + d[0]).digest()
    k = split(len(d))
    return sha256(b"\x01" + mth(d[:k]) + mth(d[k:])).digest()


def path(m: int, d: Sequence[bytes]) -> list[bytes]:
    if len(d) == 1:
        return []
    k = split(len(d))
    if m < k:
        return [*path(m, d[:k]), mth(d[k:])]
    return [*path(m - k, d[k:]), mth(d[:k])]


def subproof(m: int, d: Sequence[bytes], b: bool) -> list[bytes]:
    if m == len(d):
        return [] if b else [mth(d)]
    k = split(len(d))
    if m <= k:
        return [*subproof(m, d[:k], b), mth(d[k:])]
    return [*subproof(m - k, d[k:], False), mth(d[:k])]


def split(n: int) -> int:
    k = 1
    while 2 * k < n:
        k *= 2
    return k


class Tree:
    """All perfect subtrees of some entries, and a count of those that were asked for."""

    def __init__(self, entries: Sequence[bytes]) -> None:
        self.entries = entries
        self.asked = 0

    def subtree(self, level: int, index: int) -> bytes:
        self.asked += 1
        part = self.entries[index << level : index + 1 << level]
        assert len(part) == 1 << level, "a subtree that is not full was asked for"
        return mth(part)


def entries(count: int) -> list[bytes]:
    return [b"entry %d" % number for number in range(count)]


def nodes(names: Sequence[str]) -> list[bytes]:
    return [bytes.fromhex(NODES[name]) for name in names]


sizes = st.integers(1, 70)
TREES = {size: entries(size) for size in range(71)}


# -- known answers --------------------------------------------------------------------------------


def test_the_empty_tree_has_the_hash_of_nothing() -> None:
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert EMPTY_ROOT.hex() == Frontier().root().hex() == empty
    assert root_at(0, Tree([]).subtree) == EMPTY_ROOT


@pytest.mark.parametrize("size", range(1, 9))
def test_roots_are_those_of_certificate_transparency(size: int) -> None:
    frontier = Frontier()
    for entry in ENTRIES[:size]:
        frontier.append(leaf_hash(entry))
    assert frontier.root().hex() == ROOTS[size - 1]
    assert root_at(size, Tree(ENTRIES).subtree).hex() == ROOTS[size - 1]


@pytest.mark.parametrize(("index", "size", "steps"), INCLUSION)
def test_inclusion_proofs_are_those_of_certificate_transparency(
    index: int, size: int, steps: list[str]
) -> None:
    assert inclusion_path(index, size, Tree(ENTRIES).subtree) == nodes(steps)
    root = root_of_inclusion(leaf_hash(ENTRIES[index]), index, size, nodes(steps))
    assert root.hex() == ROOTS[size - 1]


@pytest.mark.parametrize(("old", "new", "steps"), CONSISTENCY)
def test_consistency_proofs_are_those_of_certificate_transparency(
    old: int, new: int, steps: list[str]
) -> None:
    assert consistency_path(old, new, Tree(ENTRIES).subtree) == nodes(steps)
    roots = [bytes.fromhex(root) for root in ROOTS]
    assert check_consistency(old, roots[old - 1], new, roots[new - 1], nodes(steps))


# -- against the RFC's definitions ----------------------------------------------------------------


def test_the_frontier_has_the_rfc_root_at_every_size() -> None:
    frontier = Frontier()
    for size in range(1, 71):
        frontier.append(leaf_hash(TREES[70][size - 1]))
        assert frontier.root() == mth(TREES[size])
        assert frontier.size == size


@given(sizes, st.data())
def test_an_inclusion_proof_is_the_rfc_path_and_leads_to_the_root(
    size: int, data: st.DataObject
) -> None:
    index = data.draw(st.integers(0, size - 1))
    proof = inclusion_path(index, size, Tree(TREES[size]).subtree)
    assert proof == path(index, TREES[size])
    leaf = leaf_hash(TREES[size][index])
    assert root_of_inclusion(leaf, index, size, proof) == mth(TREES[size])


@given(sizes, st.data())
def test_a_consistency_proof_is_the_rfc_proof_and_holds(new: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(1, new))
    proof = consistency_path(old, new, Tree(TREES[new]).subtree)
    assert proof == subproof(old, TREES[new], True)
    assert check_consistency(old, mth(TREES[old]), new, mth(TREES[new]), proof)


@pytest.mark.parametrize("size", [0, 1, 7, 70])
def test_every_tree_begins_with_the_empty_one_and_itself(size: int) -> None:
    root = mth(TREES[size])
    assert consistency_path(0, size, Tree(TREES[size]).subtree) == []
    assert consistency_path(size, size, Tree(TREES[size]).subtree) == []
    assert check_consistency(0, EMPTY_ROOT, size, root, [])
    assert check_consistency(size, root, size, root, [])
    assert not check_consistency(0, b"\x00" * 32, size, root, [])
    assert not check_consistency(size, b"\x00" * 32, size, root, [])
    assert not check_consistency(0, EMPTY_ROOT, size, root, [root])
    assert not check_consistency(size, root, size, root, [root])


# -- nothing else holds ---------------------------------------------------------------------------


def mutated(proof: list[bytes], data: st.DataObject) -> list[bytes]:
    """The proof with one bit flipped, one hash lost, doubled, added or cut, or two swapped."""
    kinds = ["add", "add first"] + (["flip", "drop", "double", "cut"] if proof else [])
    kinds += ["swap"] if len(set(proof)) > 1 else []
    kind = data.draw(st.sampled_from(kinds))
    at = data.draw(st.integers(0, max(len(proof) - 1, 0)))
    changed = list(proof)
    if kind == "add":
        changed.append(bytes(32))
    elif kind == "add first":
        changed.insert(0, bytes(32))
    elif kind == "flip":
        bit = data.draw(st.integers(0, 255))
        changed[at] = (int.from_bytes(proof[at], "big") ^ 1 << bit).to_bytes(32, "big")
    elif kind == "drop":
        del changed[at]
    elif kind == "double":
        changed.insert(at, proof[at])
    elif kind == "cut":
        changed[at] = proof[at][:-1]
    else:
        changed = changed[1:] + changed[:1]
    return changed


def leads_to(root: bytes, leaf: bytes, index: int, size: int, proof: list[bytes]) -> bool:
    try:
        return root_of_inclusion(leaf, index, size, proof) == root
    except InvalidProof:
        return False


@given(sizes, st.data())
def test_a_mutated_inclusion_proof_proves_nothing(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    changed = mutated(path(index, TREES[size]), data)
    leaf = leaf_hash(TREES[size][index])
    assert not leads_to(mth(TREES[size]), leaf, index, size, changed)


@given(sizes, st.data())
def test_an_inclusion_proof_proves_no_other_entry_and_no_other_place(
    size: int, data: st.DataObject
) -> None:
    index = data.draw(st.integers(0, size - 1))
    other = data.draw(st.integers(-1, size))
    proof, root = path(index, TREES[size]), mth(TREES[size])
    leaf = leaf_hash(TREES[size][index])
    assert not leads_to(root, leaf_hash(b"another"), index, size, proof)
    assert leads_to(root, leaf, other, size, proof) == (other == index)


@given(sizes, st.data())
def test_a_mutated_consistency_proof_proves_nothing(new: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(0, new))
    proof = subproof(old, TREES[new], True) if old else []
    old_root = mth(TREES[old])
    changed = mutated(proof, data)
    assert not check_consistency(old, old_root, new, mth(TREES[new]), changed)


@given(sizes, st.data())
def test_no_consistency_proof_hides_a_changed_old_entry(new: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(1, new))
    at = data.draw(st.integers(0, old - 1))
    forged = [*TREES[new]]
    forged[at] = b"edited"
    proof = subproof(old, forged, True)
    assert not check_consistency(old, mth(TREES[old]), new, mth(forged), proof)


@pytest.mark.parametrize(("old", "new"), [(3, 2), (-1, 2)])
def test_a_tree_does_not_shrink(old: int, new: int) -> None:
    assert not check_consistency(old, EMPTY_ROOT, new, EMPTY_ROOT, [])
    with pytest.raises(ValueError, match="has not grown"):
        consistency_path(old, new, Tree(TREES[2]).subtree)


@pytest.mark.parametrize(("index", "size"), [(0, 0), (-1, 3), (3, 3)])
def test_what_is_not_in_the_tree_has_no_proof(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="has no entry"):
        inclusion_path(index, size, Tree(TREES[3]).subtree)
    with pytest.raises(InvalidProof):
        root_of_inclusion(leaf_hash(b""), index, size, [])


# -- the frontier ---------------------------------------------------------------------------------


@given(st.integers(0, 600), st.integers(0, 600))
def test_a_frontier_goes_on_from_what_it_packed(before: int, after: int) -> None:
    straight, first = Frontier(), Frontier()
    for number in range(before + after):
        straight.append(leaf_hash(b"%d" % number))
    for number in range(before):
        first.append(leaf_hash(b"%d" % number))
    second = Frontier(first.size, first.packed)
    for number in range(before, before + after):
        second.append(leaf_hash(b"%d" % number))
    assert (second.size, second.packed, second.root()) == (
        straight.size,
        straight.packed,
        straight.root(),
    )


@pytest.mark.parametrize(
    ("size", "packed"), [(0, 32), (1, 0), (1, 31), (1, 64), (6, 32), (7, 95), (-1, 32)]
)
def test_a_frontier_of_another_size_is_refused(size: int, packed: int) -> None:
    with pytest.raises(ValueError, match="cannot be the frontier"):
        Frontier(size, bytes(packed))


@pytest.mark.parametrize("length", [0, 31, 33])
def test_only_leaf_hashes_are_appended(length: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Frontier().append(bytes(length))


def test_the_frontier_hands_out_each_tile_root_once_when_it_is_full() -> None:
    frontier = Frontier()
    leaves = [leaf_hash(b"%d" % number) for number in range(1 << TILE_HEIGHT)]
    expected = fold(leaves)
    handed = []
    for _ in range(3):
        for leaf in leaves:
            handed += frontier.append(leaf)
    assert handed == [(8, index, expected) for index in range(3)]


def test_one_append_can_complete_a_tile_on_two_levels() -> None:
    size = (1 << 2 * TILE_HEIGHT) - 1
    packed = b"".join(bytes([level]) * 32 for level in reversed(range(16)))
    leaf = leaf_hash(b"last")
    complete = Frontier(size, packed).append(leaf)
    assert [(level, index) for level, index, _ in complete] == [(8, 255), (16, 0)]
    node = leaf
    for level in range(16):
        node = node_hash(bytes([level]) * 32, node)
    assert complete[-1] == (16, 0, node)


def fold(hashes: list[bytes]) -> bytes:
    while len(hashes) > 1:
        hashes = [node_hash(*hashes[at : at + 2]) for at in range(0, len(hashes), 2)]
    return hashes[0]


@pytest.mark.parametrize("size", [1_000_000, (1 << 40) + 12_345])
def test_a_proof_costs_few_look_ups_at_any_size(size: int) -> None:
    asked: list[tuple[int, int]] = []

    def subtree(level: int, index: int) -> bytes:
        assert index + 1 << level <= size, "a subtree that is not full was asked for"
        asked.append((level, index))
        return bytes(32)

    path_up = inclusion_path(size // 3, size, subtree)
    assert len(path_up) <= size.bit_length()
    assert len(asked) <= 2 * size.bit_length()
    asked.clear()
    consistency_path(size // 3, size, subtree)
    assert len(asked) <= 3 * size.bit_length()
