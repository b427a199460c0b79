"""A note says what its signers signed, or nothing at all."""

from __future__ import annotations

import stat
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.ledger.checkpoint import (
    SigningKey,
    cosign,
    key_file,
    sign_checkpoint,
    tlog_proof,
    with_signature,
)
from service.ledger.errors import InvalidSigningKey
from service.ledger.verify import (
    EMPTY_ROOT,
    InvalidKey,
    InvalidNote,
    KeyType,
    SignedNote,
    VerifierKey,
    open_checkpoint,
)

# The key and the note of golang.org/x/mod/sumdb/note, where the format comes from.
GO_VERIFIER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_SIGNER = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
GO_TEXT = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
)
GO_LINE = (
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpR"
    "Zb6KE6RyyBwJnAM=\n"
)
# A witness's key from transparency-dev/formats.
WITNESS_VERIFIER = "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2"

LOG = SigningKey("example.com/ledger", KeyType.LOG, b"\x01" * 32)
WITNESS = SigningKey("example.com/witness", KeyType.WITNESS, b"\x02" * 32)
OTHER = SigningKey("example.com/ledger", KeyType.LOG, b"\x03" * 32)
ROOT = bytes(range(32))
NOTE = sign_checkpoint(LOG, 5, ROOT)
BODY = SignedNote.parse(NOTE).body
COSIGNED = with_signature(NOTE, cosign(WITNESS, BODY, 1_700_000_000))


# -- keys -----------------------------------------------------------------------------------------


def test_keys_and_signatures_are_those_of_go() -> None:
    key = SigningKey.parse(GO_SIGNER)
    assert key.text == GO_SIGNER
    assert key.verifier.text == GO_VERIFIER
    assert VerifierKey.parse(GO_VERIFIER) == key.verifier
    note = SignedNote.parse(f"{GO_TEXT}\n{GO_LINE}")
    (line,) = note.of(key.verifier)
    assert note.body == GO_TEXT
    assert line.text == GO_LINE
    assert line.signature == key.sign(GO_TEXT.encode())
    key.verifier.signed_at(GO_TEXT, line.signature)


def test_a_witness_key_is_that_of_other_implementations() -> None:
    key = VerifierKey.parse(WITNESS_VERIFIER)
    assert (key.name, key.type, key.key_id.hex()) == ("remora.n621.de", KeyType.WITNESS, "da77ade7")
    assert key.text == WITNESS_VERIFIER


@pytest.mark.parametrize("type_", KeyType)
def test_a_generated_key_survives_its_text(type_: KeyType) -> None:
    key = SigningKey.generate("example.com/x", type_)
    assert SigningKey.parse(key.text) == key
    assert VerifierKey.parse(key.verifier.text) == key.verifier


def test_nothing_but_its_text_shows_a_private_key() -> None:
    key = SigningKey.generate("example.com/x")
    assert key.seed.hex() not in repr(key)
    assert repr(key.seed) not in repr(key)
    assert key.text not in f"{key} {key!r} {key.verifier!r}"
    with pytest.raises(InvalidSigningKey) as refused:
        SigningKey.parse(key.text + "x")
    assert key.text[20:] not in f"{refused.value} {refused.value.__cause__}"


@pytest.mark.parametrize("text", [GO_VERIFIER, WITNESS_VERIFIER])
def test_no_part_of_a_key_and_no_changed_key_is_one(text: str) -> None:
    parts = {text[a:b] for a in range(len(text)) for b in range(a, len(text) + 1)} - {text}
    changed = {text[:at] + chr(ord(text[at]) ^ 1 << bit) + text[at + 1 :]
               for at in range(len(text)) for bit in range(7)}  # fmt: skip
    for wrong in [*sorted(parts)[::7], *changed]:
        with pytest.raises(InvalidKey):
            VerifierKey.parse(wrong)


@pytest.mark.parametrize(
    "text",
    [
        "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==",
        "PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+C74F20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "rekor.sigstore.dev+12345678+AwEB",
        "rekor.sigstore.dev+12345678+THIS_IS_NOT_BASE64!",
        "a+b",
        "",
        "\ud800+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    ],
    ids=["too long", "type", "upper case", "type 3", "base64", "parts", "empty", "surrogate"],
)
def test_a_malformed_verifier_key_is_refused(text: str) -> None:
    with pytest.raises(InvalidKey):
        VerifierKey.parse(text)


@pytest.mark.parametrize(
    "text", [GO_VERIFIER, GO_SIGNER[:-1], GO_SIGNER + "\n", GO_SIGNER.replace("c7", "c8"), "", "é"]
)
def test_a_malformed_private_key_is_refused(text: str) -> None:
    with pytest.raises(InvalidSigningKey):
        SigningKey.parse(text)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\nb", "a\u00a0b"])
def test_a_name_that_no_note_can_hold_gets_no_key(name: str) -> None:
    with pytest.raises(InvalidSigningKey):
        SigningKey.generate(name)


# -- the key's file -------------------------------------------------------------------------------


def test_a_key_file_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "new" / "log.key"
    first = key_file(path, "example.com/ledger")
    assert key_file(path, "example.com/ledger") == first
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [p.name for p in path.parent.iterdir()] == ["log.key"]


def test_workers_that_start_together_get_one_key(tmp_path: Path) -> None:
    path, keys = tmp_path / "log.key", []
    start = threading.Barrier(8)

    def work() -> None:
        start.wait()
        keys.append(key_file(path, "example.com/ledger").text)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(keys) == 8
    assert len(set(keys)) == 1


@pytest.mark.parametrize("content", ["", "nonsense", GO_SIGNER, "\xff"])
def test_a_damaged_or_foreign_key_file_is_refused_and_kept(tmp_path: Path, content: str) -> None:
    path = tmp_path / "log.key"
    path.write_text(content, encoding="latin-1")
    with pytest.raises(InvalidSigningKey):
        key_file(path, "example.com/ledger")
    assert path.read_text(encoding="latin-1") == content


def test_a_key_file_of_the_other_type_is_refused(tmp_path: Path) -> None:
    key_file(tmp_path / "k", "example.com/x")
    with pytest.raises(InvalidSigningKey):
        key_file(tmp_path / "k", "example.com/x", KeyType.WITNESS)


def test_a_key_file_that_cannot_be_made_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidSigningKey, match="cannot be read or made"):
        key_file(tmp_path / "file" / "log.key", "example.com/ledger")


# -- checkpoints ----------------------------------------------------------------------------------


@given(st.integers(0, 2**63 - 1), st.binary(min_size=32, max_size=32), st.integers(0, 2**63 - 1))
def test_a_checkpoint_says_what_was_signed(size: int, root: bytes, at: int) -> None:
    root = root if size else EMPTY_ROOT
    note = sign_checkpoint(LOG, size, root)
    line = cosign(WITNESS, SignedNote.parse(note).body, at)
    opened = open_checkpoint(with_signature(note, line), LOG.verifier, [WITNESS.verifier])
    assert (opened.origin, opened.size, opened.root) == (LOG.name, size, root)
    assert opened.cosigned_at == {WITNESS.name: at}


def test_a_checkpoint_has_the_lines_of_the_format() -> None:
    lines = COSIGNED.split("\n")
    assert lines[:4] == [
        "example.com/ledger",
        "5",
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        "",
    ]
    assert lines[4].startswith("— example.com/ledger ")
    assert lines[5].startswith("— example.com/witness ")
    assert lines[6:] == [""]


def test_a_missing_witness_is_not_named_and_a_stranger_is_ignored() -> None:
    assert open_checkpoint(NOTE, LOG.verifier, [WITNESS.verifier]).cosigned_at == {}
    assert open_checkpoint(COSIGNED, LOG.verifier).cosigned_at == {}
    stranger = SigningKey.generate("example.com/ledger")
    both = with_signature(
        NOTE, SignedNote.parse(sign_checkpoint(stranger, 5, ROOT)).signatures[0].text
    )
    assert open_checkpoint(both, LOG.verifier).size == 5


def test_the_latest_cosignature_counts() -> None:
    later = with_signature(COSIGNED, cosign(WITNESS, BODY, 1_700_000_009))
    later = with_signature(later, cosign(WITNESS, BODY, 1_700_000_004))
    opened = open_checkpoint(later, LOG.verifier, [WITNESS.verifier])
    assert opened.cosigned_at == {WITNESS.name: 1_700_000_009}


def test_a_cosignature_with_another_time_does_not_hold() -> None:
    signed = SignedNote.parse(COSIGNED)
    line = signed.signatures[1]
    moved = (1_700_000_001).to_bytes(8, "big") + line.signature[8:]
    with pytest.raises(InvalidNote, match="does not hold"):
        WITNESS.verifier.signed_at(signed.body, moved)


def test_a_log_key_does_not_cosign_and_a_witness_key_signs_no_tree() -> None:
    with pytest.raises(ValueError, match="cosigns"):
        cosign(LOG, BODY, 1)
    with pytest.raises(ValueError, match="signs checkpoints"):
        sign_checkpoint(WITNESS, 5, ROOT)
    with pytest.raises(InvalidNote):
        open_checkpoint(COSIGNED, WITNESS.verifier)


def test_one_log_cannot_speak_for_another() -> None:
    other = SigningKey("example.com/other", KeyType.LOG, LOG.seed)
    line = SignedNote.parse(sign_checkpoint(other, 5, ROOT)).signatures[0]
    signed = type(line)(other.name, line.key_id, other.sign(BODY.encode())).text
    with pytest.raises(InvalidNote, match="another log"):
        open_checkpoint(f"{BODY}\n{signed}", other.verifier)


def test_a_key_of_the_same_name_does_not_do() -> None:
    with pytest.raises(InvalidNote, match="not signed"):
        open_checkpoint(NOTE, OTHER.verifier)


def test_every_flipped_bit_is_refused_or_loses_its_signature() -> None:
    """Of the note: what is still read is what was signed, and a witness may go missing."""
    data = COSIGNED.encode()
    for place in range(len(data) * 8):
        changed = bytearray(data)
        changed[place // 8] ^= 1 << place % 8
        try:
            opened = open_checkpoint(bytes(changed), LOG.verifier, [WITNESS.verifier])
        except InvalidNote:
            continue
        assert (opened.size, opened.root, opened.body) == (5, ROOT, BODY)
        assert opened.cosigned_at == {}, f"bit {place} changed nothing"


@given(st.binary(max_size=300))
def test_no_bytes_crash_the_reader(junk: bytes) -> None:
    for note in (junk, COSIGNED.encode()[:90] + junk, junk + COSIGNED.encode()):
        try:
            open_checkpoint(note, LOG.verifier, [WITNESS.verifier])
        except InvalidNote:
            continue
        assert note == COSIGNED.encode()


def signed(body: str) -> str:
    line = SignedNote.parse(NOTE).signatures[0]
    return f"{body}\n{type(line)(line.name, line.key_id, LOG.sign(body.encode())).text}"


ROOT_TEXT = BODY.split("\n")[2]


@pytest.mark.parametrize(
    "body",
    [
        f"example.com/ledger\n05\n{ROOT_TEXT}\n",
        f"example.com/ledger\n+5\n{ROOT_TEXT}\n",
        f"example.com/ledger\n-5\n{ROOT_TEXT}\n",
        f"example.com/ledger\n5 \n{ROOT_TEXT}\n",
        f"example.com/ledger\n٥\n{ROOT_TEXT}\n",  # noqa: RUF001 a digit, but not ASCII
        f"example.com/ledger\n9223372036854775808\n{ROOT_TEXT}\n",
        f"example.com/ledger\n{'9' * 5000}\n{ROOT_TEXT}\n",
        f"example.com/ledger\n\n{ROOT_TEXT}\n",
        f"example.com/ledger\n0\n{ROOT_TEXT}\n",
        "example.com/ledger\n5\nAAECAw==\n",
        "example.com/ledger\n5\nno base64\n",
        f"example.com/ledger\n5\n{ROOT_TEXT[:-2]}9=\n",
        "example.com/ledger\n5\n",
        f"example.com/ledger\n5\n{ROOT_TEXT}\n\nextension\n",
        f"\nexample.com/ledger\n5\n{ROOT_TEXT}\n",
        "\n",
    ],
)
def test_a_signed_text_that_is_no_checkpoint_is_refused(body: str) -> None:
    with pytest.raises(InvalidNote):
        open_checkpoint(signed(body), LOG.verifier)


def test_extension_lines_are_signed_and_read_past() -> None:
    assert open_checkpoint(signed(f"{BODY}more\n"), LOG.verifier).body == f"{BODY}more\n"


@pytest.mark.parametrize(
    "note",
    [
        "",
        "\n",
        BODY,
        BODY + "\n",
        NOTE[:-1],
        NOTE + "\n",
        NOTE.replace("— ", "- "),
        NOTE.replace("— ", "—  "),
        NOTE + "— a b\n",
        NOTE + "— a\u00a0b AAAAAAA=\n",
        NOTE + "— example AAAA\n",
        NOTE.replace("\n", "\r\n"),
        NOTE + "— x AAAAAAA=\n" * 64,
        "x" * (1 << 20) + NOTE,
        "\ud800" + NOTE,
        b"\xff" + NOTE.encode(),
        NOTE.encode("utf-16"),
    ],
)
def test_a_malformed_note_is_refused(note: str | bytes) -> None:
    with pytest.raises(InvalidNote):
        open_checkpoint(note, LOG.verifier)


def test_sixteen_signatures_are_read() -> None:
    note = NOTE
    for number in range(15):
        key = SigningKey.generate(f"example.com/w{number}", KeyType.WITNESS)
        note = with_signature(note, cosign(key, BODY, number))
    assert open_checkpoint(note, LOG.verifier).size == 5


def test_one_false_signature_of_a_known_key_spoils_the_note() -> None:
    line = SignedNote.parse(NOTE).signatures[0]
    false = type(line)(line.name, line.key_id, bytes(64)).text
    with pytest.raises(InvalidNote, match="does not hold"):
        open_checkpoint(with_signature(NOTE, false), LOG.verifier)


def test_a_proof_file_has_the_lines_of_the_format() -> None:
    text = tlog_proof(3, [ROOT, EMPTY_ROOT], COSIGNED)
    head, _, note = text.partition("\n\n")
    assert head.split("\n") == [
        "c2sp.org/tlog-proof@v1",
        "index 3",
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
    ]
    assert note == COSIGNED
