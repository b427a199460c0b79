"""Adapters on the real embedded LLM: asked for by name, swapped under load, back after a kill."""

from __future__ import annotations

import asyncio
import errno
import http.client
import itertools
import json
import os
import signal
import time
from collections.abc import Iterator, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from models.adapter import Adapter, file_digest
from models.errors import LlmUnavailable, WrongAdapter
from models.prompt import BARE_LIMIT
from pipelines.serving.process_usage import descendants
from pipelines.serving.random_adapter import write_random_adapter
from service.llm import engine_rooms
from service.llm.adapter_loading import adapter_tried_out, load_adapter, unload_adapter
from service.llm.adapter_shelf import KEPT, AdapterShelf
from service.llm.engine import Engine
from service.llm.engine_rooms import EngineRooms
from service.llm.front import LOAD, LlmFront
from service.llm.llama_cpp import SLOTS
from service.llm.model_shards import model_shards
from service.llm.server import MODEL_ID, EmbeddedLlm, is_available
from tests.full_disk import full_disk, nothing_can_be_opened

pytestmark = [
    pytest.mark.journey,
    pytest.mark.skipif(not is_available(), reason="needs the extra local-llm"),
    pytest.mark.xdist_group("adapters"),
]
TEXTS = ("Love this dress, it fits great", "Ugly, ripped at once, sent back", "It is a dress")
PATIENCE_S = 60.0
NOISE = 0.25  # of a log-probability: what was cached or batched changes how floats are summed


@dataclass(frozen=True)
class Made:
    adapter: Adapter
    file: Path

    @property
    def name(self) -> str:
        return self.adapter.name


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> list[Made]:
    folder = tmp_path_factory.mktemp("adapters")
    files = [folder / f"{seed}.gguf" for seed in range(4)]
    return [Made(write_random_adapter(f, seed=i, size=0.05), f) for i, f in enumerate(files)]


@pytest.fixture(scope="module")
def cache_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("llm")


@pytest.fixture(scope="module")
def llm(cache_dir: Path, made: list[Made]) -> Iterator[EmbeddedLlm]:
    """With two adapters of releases, which it finds when it starts."""
    shelf = AdapterShelf(cache_dir / "adapters")
    for one in made[:2]:
        shelf.put(one.adapter, one.file.read_bytes())
    with EmbeddedLlm(cache_dir) as running:
        yield running


def address(llm: EmbeddedLlm) -> str:
    return llm.base_url.removesuffix("/v1")


def call(
    llm: EmbeddedLlm, method: str, path: str, tree: Any = None, kind: str = "application/json"
) -> tuple[int, Any]:
    """Status and JSON. Raises OSError where nobody answers."""
    connection = http.client.HTTPConnection(address(llm)[7:], timeout=PATIENCE_S)
    try:
        connection.request(method, path, json.dumps(tree), {"Content-Type": kind})
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()


def answer(llm: EmbeddedLlm, model: str, text: str, **more: Any) -> list[float]:
    """Log-probabilities of the likeliest next tokens, which tell models apart."""
    question = {"model": model, "prompt": f"{text}\nRecommended:", "max_tokens": 1, "logprobs": 5}
    status, tree = call(llm, "POST", "/v1/completions", {**question, "temperature": 0, **more})
    assert status == 200, tree
    top = tree["choices"][0]["logprobs"]["content"][0]["top_logprobs"]
    return [round(token["logprob"], 3) for token in top]


def answers(llm: EmbeddedLlm, model: str) -> list[float]:
    return [p for text in TEXTS for p in answer(llm, model, text)]


def names(llm: EmbeddedLlm) -> set[str]:
    return {model["id"] for model in call(llm, "GET", "/v1/models")[1]["data"]}


def test_a_request_gets_the_adapter_it_names_and_nothing_else_changes_its_answer(
    llm: EmbeddedLlm, made: list[Made], cache_dir: Path, tmp_path: Path
) -> None:
    models = [MODEL_ID, made[0].name, made[1].name]
    assert names(llm) == set(models)
    together = {model: answers(llm, model) for model in models}
    assert far_apart(*together.values())
    for text in TEXTS:  # in turns, on the same slots, and with what a caller may not set
        for model in (*models, *models[::-1]):
            place = 5 * TEXTS.index(text)
            found = answer(llm, model, text, lora=[{"id": 1, "scale": 1}], id_slot=0)
            expected = together[model][place : place + 5]
            assert found == (pytest.approx(expected, abs=NOISE) if model == MODEL_ID else expected)
    (tmp_path / "gemma-3-270m-q4_k_m.gguf").hardlink_to(cache_dir / "gemma-3-270m-q4_k_m.gguf")
    with EmbeddedLlm(tmp_path) as alone:  # the same to the last digit as where it is the only one
        assert answers(alone, MODEL_ID) == pytest.approx(together[MODEL_ID], abs=NOISE)
        load_adapter(address(alone), made[1].name, made[1].file)
        assert answers(alone, made[1].name) == together[made[1].name]


def far_apart(*found: list[float]) -> bool:
    """Whether each two of them differ by more than noise can make them."""
    pairs = itertools.combinations(found, 2)
    return all(max(abs(a - b) for a, b in zip(*pair, strict=True)) > 2 * NOISE for pair in pairs)


async def test_an_adapter_is_swapped_in_under_load_without_losing_a_request(
    llm: EmbeddedLlm, made: list[Made]
) -> None:
    before = answers(llm, made[0].name)
    is_loaded = asyncio.Event()

    async def keep_asking() -> int:
        asked = 0
        while not is_loaded.is_set():
            found = await asyncio.to_thread(answer, llm, made[0].name, TEXTS[0])
            assert found == pytest.approx(before[:5], abs=NOISE)
            asked += 1
        return asked

    asking = [asyncio.create_task(keep_asking()) for _ in range(3)]
    await asyncio.to_thread(load_adapter, address(llm), made[2].name, made[2].file)
    is_loaded.set()
    assert sum(await asyncio.gather(*asking)) > 3
    assert far_apart(answers(llm, made[2].name), before)
    assert answers(llm, made[0].name) == before
    unload_adapter(address(llm), made[2].name)
    assert made[2].name not in names(llm)


def test_a_file_with_another_digest_is_refused_and_what_is_served_stays(
    llm: EmbeddedLlm, made: list[Made], tmp_path: Path
) -> None:
    served, damaged = names(llm), tmp_path / "damaged.gguf"
    damaged.write_bytes(made[3].file.read_bytes()[:-1] + b"\1")
    for file in (damaged, made[0].file, tmp_path / "missing", tmp_path):
        with pytest.raises(LlmUnavailable, match=r"HTTP 400.*The file .* Tune again"):
            load_adapter(address(llm), made[3].name, file)
    with pytest.raises(WrongAdapter), adapter_tried_out(address(llm), made[3].adapter, b"other"):
        pass
    assert names(llm) == served


def test_a_file_that_llama_cpp_cannot_load_costs_nothing(llm: EmbeddedLlm) -> None:
    served, content = names(llm), b"GGUF but no more"
    nonsense = Adapter(file_digest(content), "b" * 64, "d" * 64, 1, 8, 16, 6)
    with (
        pytest.raises(LlmUnavailable, match=r"HTTP 400\). llama.cpp did not start[^:]*error\.$"),
        adapter_tried_out(address(llm), nonsense, content),
    ):
        pass
    assert names(llm) == served
    assert answers(llm, MODEL_ID)


async def test_where_an_adapter_cannot_be_kept_it_says_why_and_not_that_it_failed(
    tmp_path: Path, made: list[Made]
) -> None:
    (tmp_path / "passing").write_text("where the folder should be")
    tree = {"lora_name": made[3].name, "lora_path": str(made[3].file)}
    sent: list[MutableMapping[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": json.dumps(tree).encode()}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    headers = [(b"content-type", b"application/json")]
    scope = {"type": "http", "path": LOAD, "method": "POST", "headers": headers}
    await LlmFront(EngineRooms(tmp_path))(scope, receive, send)
    assert sent[0]["status"] == 507
    assert "File exists" in json.loads(sent[1]["body"])["error"]["message"]


@pytest.mark.parametrize(
    ("method", "path", "tree", "kind", "status"),
    [
        ("POST", "/v1/completions", {"model": "adapter-0", "prompt": "x"}, "", 404),
        ("POST", "/v1/completions", {"model": ["x"], "prompt": "x"}, "", 404),
        ("POST", "/v1/completions", {"model": MODEL_ID, "prompt": "x"}, "text/plain", 415),
        ("POST", "/v1/completions", ["x"], "", 400),
        ("POST", "/v1/load_lora_adapter", {"lora_name": 1, "lora_path": []}, "", 400),
        ("POST", "/v1/unload_lora_adapter", {"lora_name": "../adapters/x"}, "", 404),
        ("GET", "/v1/completions", None, "", 405),
        ("POST", "/lora-adapters", [{"id": 0, "scale": 1}], "", 404),
        ("POST", "/slots/0", {}, "", 404),
    ],
)
def test_what_it_does_not_serve(
    llm: EmbeddedLlm, method: str, path: str, tree: Any, kind: str, status: int
) -> None:
    found, said = call(llm, method, path, tree, kind or "application/json")
    assert (found, "error" in said) == (status, True)


def test_kill_9_of_either_process_and_both_are_back_with_their_adapters(
    llm: EmbeddedLlm, made: list[Made]
) -> None:
    load_adapter(address(llm), made[2].name, made[2].file)  # tried out by a command that goes on
    before, front = answers(llm, made[0].name), llm.pid
    tried = answers(llm, made[2].name)
    assert front is not None
    (engine,) = descendants(front)
    os.kill(engine, signal.SIGKILL)
    assert answers(llm, made[0].name) == before  # the first one waits, and is not lost
    assert descendants(front) != [engine]
    os.kill(front, signal.SIGKILL)
    deadline = time.monotonic() + PATIENCE_S
    while llm.pid in (front, None) or not is_answering(llm):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert answers(llm, made[0].name) == before
    assert answers(llm, made[2].name) == tried
    unload_adapter(address(llm), made[2].name)
    assert made[2].name not in names(llm)


def test_adapters_on_fewer_layers_have_a_process_of_their_own_while_they_are_needed(
    llm: EmbeddedLlm, tmp_path: Path
) -> None:
    assert llm.pid is not None
    whole, (engine,) = answers(llm, MODEL_ID), descendants(llm.pid)
    files = [tmp_path / f"{seed}.gguf" for seed in range(2)]
    first, second = (write_random_adapter(f, seed=i, depth=9) for i, f in enumerate(files))
    load_adapter(address(llm), first.name, files[0])
    by_first = answers(llm, first.name)
    load_adapter(address(llm), second.name, files[1])
    assert {first.name, second.name} < names(llm)
    assert far_apart(answers(llm, MODEL_ID), by_first, answers(llm, second.name))
    assert answers(llm, first.name) == by_first
    assert answers(llm, MODEL_ID) == pytest.approx(whole, abs=NOISE)
    longest = BARE_LIMIT * chr(0x20000)  # four tokens a character, as many as are shown of a lead
    with ThreadPoolExecutor(SLOTS) as callers:
        assert all(callers.map(lambda text: answer(llm, first.name, text), SLOTS * [longest]))

    (shallow,) = set(eventually(llm, 2)) - {engine}  # swapped: the one before has ended
    os.kill(shallow, signal.SIGKILL)
    assert answers(llm, MODEL_ID) == pytest.approx(whole, abs=NOISE)
    assert answers(llm, first.name) == by_first
    for one in (first, second):
        unload_adapter(address(llm), one.name)
    assert eventually(llm, 1) == [engine]
    assert not {first.name, second.name} & names(llm)


def eventually(llm: EmbeddedLlm, count: int) -> list[int]:
    """Its processes, once there are so many."""
    assert llm.pid is not None
    deadline = time.monotonic() + PATIENCE_S
    while len(found := descendants(llm.pid)) != count:
        assert time.monotonic() < deadline, found
        time.sleep(0.05)
    return found


async def test_what_a_killed_command_tried_out_is_gone_some_hours_later_with_its_engine(
    cache_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_rooms, "SWEPT_EVERY", timedelta(seconds=0.2))
    files = [tmp_path / f"{seed}.gguf" for seed in range(2)]
    first, second = (write_random_adapter(f, seed=7 + i, depth=9) for i, f in enumerate(files))
    rooms = EngineRooms(cache_dir, threads=1)
    try:
        await rooms.open()
        others = set(descendants(os.getpid()))
        await rooms.load(first.name, files[0])
        await asyncio.sleep(1)
        assert first.name in rooms.adapters
        os.utime(cache_dir / "passing" / f"{first.name}.gguf", (0, 0))
        await rooms.load(second.name, files[1])
        assert first.name not in rooms.adapters
        os.utime(cache_dir / "passing" / f"{second.name}.gguf", (0, 0))
        async with asyncio.timeout(PATIENCE_S):
            while set(descendants(os.getpid())) - others:
                await asyncio.sleep(0.1)
        assert second.name not in rooms.adapters
    finally:
        await rooms.close()


@pytest.mark.parametrize("depth", [0, 18, 99])
def test_a_model_has_no_more_layers_than_it_has(
    llm: EmbeddedLlm, tmp_path: Path, depth: int
) -> None:
    served, file = names(llm), tmp_path / "a.gguf"
    adapter = replace(write_random_adapter(file, seed=1), depth=depth)
    with pytest.raises(LlmUnavailable, match="HTTP 400"):
        load_adapter(address(llm), adapter.name, file)
    assert names(llm) == served


def test_what_is_damaged_of_the_model_is_cut_anew_and_what_is_whole_is_left_alone(
    cache_dir: Path,
) -> None:
    first = model_shards(cache_dir, 9)
    second = first.with_name(first.name.replace("00001-of", "00002-of"))
    content, words, kept = first.read_bytes(), written(second), written(first)
    assert written(model_shards(cache_dir, 9)) == kept
    for damage in (content[:1_000_000], content[:-1] + bytes([content[-1] ^ 1]), content + b"0"):
        first.write_bytes(damage)
        assert model_shards(cache_dir, 9).read_bytes() == content
    second.unlink()
    second.symlink_to("elsewhere")
    model_shards(cache_dir, 9)
    assert written(second) == words


def written(file: Path) -> tuple[int, int]:
    """Which file it is, and when it was written last."""
    said = file.stat()
    return said.st_ino, said.st_mtime_ns


@pytest.mark.parametrize("has_hard_links", [True, False])
def test_a_disk_without_links_keeps_the_words_all_the_same(
    cache_dir: Path, monkeypatch: pytest.MonkeyPatch, has_hard_links: bool
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, "not on this disk")

    first = model_shards(cache_dir, 7)
    second = first.with_name(first.name.replace("00001-of", "00002-of"))
    (words,) = cache_dir.glob("*.words.gguf")
    second.unlink()
    monkeypatch.setattr(Path, "symlink_to", refuse)
    if not has_hard_links:
        monkeypatch.setattr(Path, "hardlink_to", refuse)
    model_shards(cache_dir, 7)
    assert second.samefile(words) is has_hard_links
    assert second.read_bytes() == words.read_bytes()
    kept = second.stat()
    model_shards(cache_dir, 7)
    assert second.stat() == kept
    second.unlink()
    second.write_bytes(b"damaged")
    model_shards(cache_dir, 7)
    assert second.read_bytes() == words.read_bytes()
    assert not list(cache_dir.glob("*.part"))


def test_what_keeps_the_model_from_being_cut_is_said_and_a_full_disk_alone_needs_room(
    cache_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    with pytest.raises(LlmUnavailable, match="fewer than the 18 layers"):
        model_shards(cache_dir, 18)
    monkeypatch.setattr("service.llm.model_shards._keep", refuse)
    with pytest.raises(LlmUnavailable, match="Permission denied") as refused:
        model_shards(cache_dir, 5)
    assert "room" not in str(refused.value)


def test_models_of_any_depth_have_their_words_in_one_file(cache_dir: Path) -> None:
    firsts = [model_shards(cache_dir, depth) for depth in (None, 8, 9)]
    seconds = {f.with_name(f.name.replace("00001-of", "00002-of")) for f in firsts}
    assert len(seconds) == len(firsts)
    assert len({second.stat().st_ino for second in seconds}) == 1


def test_a_model_that_the_disk_has_no_room_for_is_said_and_leaves_no_half_file(
    cache_dir: Path,
) -> None:
    before = {f.name for f in cache_dir.iterdir()}
    with full_disk(1_000_000), pytest.raises(LlmUnavailable, match="Make room for 40 MB"):
        model_shards(cache_dir, 4)
    assert {f.name for f in cache_dir.iterdir()} == before


def test_the_shelf_keeps_what_was_live_last_and_leaves_out_what_is_damaged(
    tmp_path: Path, made: list[Made]
) -> None:
    shelf = AdapterShelf(tmp_path / "shelf")
    assert shelf.files() == {}
    for one in (*made, made[1]):
        shelf.put(one.adapter, one.file.read_bytes())
    assert list(shelf.files()) == [made[1].name, made[3].name, made[2].name]
    assert len(shelf.files()) == KEPT
    shelf.files()[made[3].name].write_bytes(b"damage")
    assert made[3].name not in shelf.files()
    with pytest.raises(WrongAdapter):
        shelf.put(made[0].adapter, b"")
    shelf.drop_older_than(timedelta(hours=1))
    assert shelf.has(made[1].name)
    os.utime(shelf.folder / f"{made[1].name}.gguf", (0, 0))
    shelf.drop_older_than(timedelta(hours=1))
    assert list(shelf.files()) == [made[2].name]


def test_a_shelf_on_a_full_disk_keeps_no_half_file(tmp_path: Path, made: list[Made]) -> None:
    shelf = AdapterShelf(tmp_path / "shelf")
    with full_disk(1_000), pytest.raises(OSError, match="large"):
        shelf.put(made[0].adapter, made[0].file.read_bytes())
    assert not any(shelf.folder.iterdir())


async def test_an_engine_that_no_process_is_left_for_is_one_that_does_not_answer_yet(
    cache_dir: Path,
) -> None:
    with nothing_can_be_opened(), pytest.raises(LlmUnavailable, match="could not be started"):
        await Engine.start(cache_dir, {}, threads=1)


def test_what_a_command_tried_out_goes_when_the_llm_is_stopped(
    tmp_path: Path, made: list[Made]
) -> None:
    with EmbeddedLlm(tmp_path) as running:
        load_adapter(address(running), made[3].name, made[3].file)
        assert AdapterShelf(tmp_path / "passing").has(made[3].name)
    assert not AdapterShelf(tmp_path / "passing").has(made[3].name)


def is_answering(llm: EmbeddedLlm) -> bool:
    try:
        return call(llm, "GET", "/health")[0] == 200
    except (OSError, http.client.HTTPException):
        return False
