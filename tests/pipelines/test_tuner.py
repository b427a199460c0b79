"""Tuning the real embedded LLM, a few steps at a time."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from models.adapter import Adapter, file_digest
from models.errors import TrainingRefused
from models.llm_client import llm_client
from models.llm_version import Api, Decoding, LlmVersion
from models.prompt import EvidenceKind, Prompt
from models.verdict import LlmJudge
from pipelines.finetuning import tuned_llm
from pipelines.finetuning.adapter_file import adapter_bytes
from pipelines.finetuning.agreement import Agreement
from pipelines.finetuning.base_model import load_base_model
from pipelines.finetuning.checkpoint import Checkpoint
from pipelines.finetuning.hidden_states import HiddenStates
from pipelines.finetuning.lessons import Lesson, Lessons
from pipelines.finetuning.machine_share import INSTALL, MachineShare, can_tune
from pipelines.finetuning.recipe import Recipe
from pipelines.finetuning.tuner import Ending, Tuned, Tuner
from service.llm.adapter_loading import adapter_tried_out
from service.llm.embedded_model import is_available, model_digest, model_file
from service.llm.server import EmbeddedLlm
from tests.fakes import redacted
from tests.full_disk import full_disk

pytestmark = [
    pytest.mark.journey,
    pytest.mark.skipif(not is_available(), reason="needs the extra local-llm"),
    pytest.mark.skipif(not can_tune(), reason=INSTALL),
    pytest.mark.xdist_group("tuning"),
    pytest.mark.timeout(1800),
    # torch warns of its own internals
    pytest.mark.filterwarnings("default::DeprecationWarning", "default::FutureWarning"),
]
PROMPT = Prompt.bare(EvidenceKind.TEXT, outcome="Recommended", won="1")
RECIPE = Recipe(batch=4, rate=2e-3)
PRAISE = ("love this dress", "fits great", "so soft and pretty", "perfect for work")
COMPLAINT = ("sent it back", "cheap and itchy", "ripped at once", "huge and ugly")
WHEN = ("", "I wore it once: ", "Honestly, ", "As a gift: ", "In blue: ", "Size small: ")


def lessons() -> Lessons:
    pairs = itertools.product(WHEN, zip(PRAISE, COMPLAINT, strict=True))
    told = [
        (f"{when}{text}", won)
        for when, pair in pairs
        for text, won in zip(pair, (True, False), strict=True)
    ]
    made = [Lesson.of(redacted(t), PROMPT, won=w, row=i) for i, (t, w) in enumerate(told)]
    return Lessons(tuple(made[:24]), tuple(made[24:40]))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home") / "llm"
    folder.mkdir()
    return folder


@pytest.fixture(scope="module")
def llm(folder: Path) -> Iterator[EmbeddedLlm]:
    with EmbeddedLlm(folder, threads=1) as running:
        yield running


def fresh(folder: Path, recipe: Recipe = RECIPE) -> HiddenStates:
    MachineShare(1).take()
    base = load_base_model(
        model_file(folder),
        model_digest(),
        upper_layers=recipe.layers,
        depth=recipe.depth,
        device="cpu",
    )
    return HiddenStates(base)


def prompts(of: Sequence[Lesson]) -> list[str]:
    return [lesson.prompt for lesson in of]


def served_log_odds(
    llm: EmbeddedLlm, adapter: Adapter | None, texts: Sequence[str]
) -> NDArray[np.float64]:
    version = LlmVersion(
        "embedded",
        llm.model_id,
        Api.COMPLETION,
        {EvidenceKind.TEXT: PROMPT},
        redaction_policy="1",
        decoding=Decoding.for_api(Api.COMPLETION),
        adapter=adapter,
    )

    async def ask() -> list[float]:
        async with llm_client(llm.base_url, "none") as client:
            judge = LlmJudge(client, version, deadline=timedelta(seconds=60), max_concurrency=2)
            asked = (judge.ask(redacted(text), EvidenceKind.TEXT) for text in texts)
            return [verdict.log_odds for verdict in await asyncio.gather(*asked)]

    return np.array(asyncio.run(ask()))


def tuned(states: HiddenStates, checkpoint: Path, recipe: Recipe = RECIPE, **more: object) -> Tuned:
    options = {"minutes": 30.0} | more
    return Tuner(states, lessons(), recipe, Checkpoint(checkpoint), **options).tune()  # type: ignore[arg-type]


class Killed(Exception):
    """Stands in for kill -9: nothing is saved on the way out."""


def test_torch_has_the_tokens_and_the_next_words_of_the_file_that_serves(
    llm: EmbeddedLlm, folder: Path
) -> None:
    import httpx
    import torch

    states = fresh(folder)
    texts = ("The capital of France is", "Seven plus five is", "Once upon a time there was a")
    for text in texts:
        asked = {"model": llm.model_id, "prompt": text, "max_tokens": 1, "logprobs": 10}
        reply = httpx.post(f"{llm.base_url}/completions", json=asked, timeout=60).json()
        top = reply["choices"][0]["logprobs"]["content"][0]["top_logprobs"]
        assert reply["usage"]["prompt_tokens"] == len(states.base.encode(text))
        with torch.no_grad():
            logits = states.at_answer([text]) @ states.base.vocabulary.T
        ours = torch.log_softmax(logits.float(), -1)[0]
        gaps = [abs(float(ours[one["id"]]) - one["logprob"]) for one in top]
        assert np.mean(gaps) < 0.3, (text, gaps)
        # Of those that bf16 makes equal any may be the likeliest.
        assert max(float(ours[one["id"]]) for one in top[:2]) == float(ours.max())


def test_what_was_tuned_is_what_is_served_and_a_kill_on_the_way_changes_nothing(
    llm: EmbeddedLlm, folder: Path, tmp_path: Path
) -> None:
    def die(done: int, _total: int) -> None:
        if done == 4:
            raise Killed

    whole = fresh(folder)
    untuned = whole.log_odds(prompts(lessons().validation))
    uninterrupted = tuned(whole, tmp_path / "whole.pt")
    with pytest.raises(Killed):
        tuned(fresh(folder), tmp_path / "killed.pt", saved_every_s=0.0, on_step=die)
    steps: list[int] = []
    resumed = tuned(
        fresh(folder), tmp_path / "killed.pt", on_step=lambda done, _total: steps.append(done)
    )
    assert steps == [4, 5, 6]
    assert resumed.curve == uninterrupted.curve
    assert resumed.tensors.keys() == uninterrupted.tensors.keys()
    assert all((resumed.tensors[n] == t).all() for n, t in uninterrupted.tensors.items())
    assert (uninterrupted.ending, uninterrupted.examples) == (Ending.ALL_SEEN, 24)
    assert uninterrupted.curve[-1].auc > 0.9

    arrays = {name: tensor.numpy() for name, tensor in uninterrupted.tensors.items()}
    file = adapter_bytes(arrays, alpha=RECIPE.alpha)
    assert 1_200_000 < len(file) < 1_400_000
    adapter = Adapter(file_digest(file), model_digest(), "data", 24, 8, 16.0, 6)
    compared = lessons().validation
    texts = [lesson.prompt.rpartition("\n")[0] for lesson in compared]
    trained = whole.log_odds(prompts(compared))
    with adapter_tried_out(llm.base_url.removesuffix("/v1"), adapter, file):
        agreement = Agreement.between(served_log_odds(llm, adapter, texts), trained)
    assert agreement.holds, agreement
    assert not Agreement.between(untuned, trained).holds


def test_what_was_tuned_on_fewer_layers_is_what_is_served_on_these(
    llm: EmbeddedLlm, folder: Path, tmp_path: Path
) -> None:
    recipe = replace(Recipe.for_lessons(24, depth=9, seed=0), epochs=2, batch=4, rate=2e-3)
    states, compared = fresh(folder, recipe), lessons().validation
    done = tuned(states, tmp_path / "c.pt", recipe)
    assert done.ending is Ending.ALL_SEEN
    assert max(point.examples for point in done.curve) == 2 * 24  # each lesson twice
    file = adapter_bytes({n: t.numpy() for n, t in done.tensors.items()}, alpha=recipe.alpha)
    shallow = Adapter(file_digest(file), model_digest(), "data", 48, 8, 16.0, 9, depth=9)
    texts = [lesson.prompt.rpartition("\n")[0] for lesson in compared]
    with adapter_tried_out(llm.base_url.removesuffix("/v1"), shallow, file):
        served = served_log_odds(llm, shallow, texts)
    agreement = Agreement.between(served, states.log_odds(prompts(compared)))
    assert agreement.holds, agreement


def test_minutes_that_run_out_shorten_the_tuning_and_leave_it_its_decay(
    folder: Path, tmp_path: Path
) -> None:
    ticks = itertools.count(step=1.0)  # each look at the clock takes a second
    bounded = tuned(fresh(folder), tmp_path / "c.pt", minutes=0.2, clock=lambda: float(next(ticks)))
    assert bounded.ending is Ending.TIME
    assert bounded.examples < 24
    assert bounded.seconds <= 0.2 * 60


def test_what_holds_up_the_first_step_alone_leaves_no_example_out(
    folder: Path, tmp_path: Path
) -> None:
    now = [0.0]

    def pass_time(done: int, _total: int) -> None:
        now[0] += 60.0 if done == 1 else 1.0

    held_up = tuned(
        fresh(folder), tmp_path / "c.pt", minutes=2, clock=lambda: now[0], on_step=pass_time
    )
    unhurried = tuned(fresh(folder), tmp_path / "u.pt")
    assert (held_up.ending, held_up.examples) == (Ending.ALL_SEEN, 24)
    assert all((held_up.tensors[n] == t).all() for n, t in unhurried.tensors.items())


def test_what_ended_for_want_of_time_begins_anew_where_there_is_more(
    folder: Path, tmp_path: Path
) -> None:
    states, ticks = fresh(folder), itertools.count(step=30.0)
    short = tuned(states, tmp_path / "c.pt", minutes=2, clock=lambda: next(ticks))
    assert short.ending is Ending.TIME
    as_long = tuned(fresh(folder), tmp_path / "c.pt", minutes=2)
    assert (as_long.ending, as_long.examples) == (Ending.TIME, short.examples)
    longer = tuned(fresh(folder), tmp_path / "c.pt", minutes=30)
    whole = tuned(fresh(folder), tmp_path / "w.pt", minutes=30)
    assert (longer.ending, longer.examples) == (Ending.ALL_SEEN, whole.examples)


def test_a_tuning_that_was_cut_refuses_fewer_minutes_than_it_has_taken_and_goes_on_with_more(
    folder: Path, tmp_path: Path
) -> None:
    now = [0.0]

    def pass_time(done: int, _total: int) -> None:
        now[0] += 60.0
        if done == 3 and now[0] == 180.0:
            raise Killed

    by_the_minute = {"clock": lambda: now[0], "on_step": pass_time, "saved_every_s": 0.0}
    with pytest.raises(Killed):
        tuned(fresh(folder), tmp_path / "c.pt", minutes=30, **by_the_minute)
    with pytest.raises(TrainingRefused, match=r"taken 2\.0 minutes already.*With 4 "):
        tuned(fresh(folder), tmp_path / "c.pt", minutes=1, **by_the_minute)
    assert tuned(fresh(folder), tmp_path / "c.pt", minutes=30).ending is Ending.ALL_SEEN


def test_weights_that_were_kept_by_half_are_made_anew(folder: Path, tmp_path: Path) -> None:
    fresh(folder)
    (kept,), file = folder.glob("*.safetensors"), model_file(folder)
    (tmp_path / file.name).hardlink_to(file)
    half, left = tmp_path / kept.name, tmp_path / f"{kept.stem}.999999999.part"
    half.write_bytes(kept.read_bytes()[:1_000_000])
    left.write_bytes(b"of a process that was killed")
    fresh(tmp_path)
    assert half.stat().st_size == kept.stat().st_size
    assert not left.exists()


@pytest.mark.parametrize(("kept", "room"), [("safetensors", 600), ("tokenizer.json", 40)])
def test_a_full_disk_is_said_with_how_much_room_is_needed_and_where(
    folder: Path, tmp_path: Path, kept: str, room: int
) -> None:
    fresh(folder)
    file = model_file(folder)
    for one in folder.iterdir():
        if one.name == file.name or one.suffix in (".json", ".safetensors"):
            (tmp_path / one.name).hardlink_to(one)
    (gone,) = tmp_path.glob(f"*.{kept}")
    gone.unlink()
    here = {"upper_layers": RECIPE.layers, "device": "cpu"}
    with full_disk(100_000), pytest.raises(TrainingRefused, match=f"{room} MB in {tmp_path}"):
        load_base_model(tmp_path / file.name, model_digest(), **here)  # type: ignore[arg-type]
    assert not list(tmp_path.glob("*.part"))


def test_a_damaged_checkpoint_is_none_and_one_that_cannot_be_written_is_said_so(
    tmp_path: Path,
) -> None:
    import torch

    checkpoint = Checkpoint(tmp_path / "tuning" / "c.pt")
    checkpoint.save({"step": 3, "weights": torch.ones(4)})
    loaded = checkpoint.load()
    assert loaded is not None
    assert (loaded["step"], loaded["weights"].tolist()) == (3, [1.0] * 4)
    content = checkpoint.path.read_bytes()
    of_the_tensor = content.index(b"\x00\x00\x80\x3f")  # a float32 of 1
    changed = content[:of_the_tensor] + b"\x01" + content[of_the_tensor + 1 :]
    for damaged in (content[: len(content) // 2], b"", b"other", changed):
        checkpoint.path.write_bytes(damaged)
        assert checkpoint.load() is None
    (tmp_path / "file").write_text("where the folder should be")
    with pytest.raises(TrainingRefused, match="cannot be written"):
        Checkpoint(tmp_path / "file" / "c.pt").save({"step": 3})
    assert [file.name for file in checkpoint.path.parent.iterdir()] == ["c.pt"]


def test_a_recipe_of_its_own_has_a_checkpoint_of_its_own() -> None:
    keys = {
        tuned_llm.checkpoint_name(lessons(), recipe, base)
        for recipe, base in ((RECIPE, "a"), (replace(RECIPE, seed=1), "a"), (RECIPE, "b"))
    }
    assert len(keys) == 3
