"""Worked examples for a base model: by chance, by similarity, or the best of several prompts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from features.redaction import RedactedText
from models.combiner import DEFAULT_BOUND
from models.llm_version import LlmVersion
from models.log_odds import log_odds, probability
from models.prompt import EXAMPLES, EvidenceKind, Prompt, WorkedExample, choose_examples
from models.pull_fitting import held_out_pulls
from pipelines.ladder.asking import Asked
from pipelines.ladder.rung import Rows
from pipelines.metrics import log_loss

Texts = Mapping[int, RedactedText]
BLOCKS = (  # how one lead is shown; `{{question}}` is the outcome in the table's own words
    "Text: {{lead}}\nOutcome [{{question}}]: {{answer}}",
    "{{lead}}\n{{question}}: {{answer}}",
    "Message: {{lead}}\nQuestion: will [{{question}}] be yes or no?\nAnswer: {{answer}}",
    "[{{question}}] yes or no?\n{{lead}}\n= {{answer}}",
)
DRAWS = 2  # sets of worked examples tried with each block
LEAST_A_TURN = 8  # leads
FEWEST_TRIED_ON = 2 * LEAST_A_TURN  # half of them are asked about, half are worked examples
SHARES = (0.06, 0.12, 0.25)  # of the leads, in each round; then the better half goes on


class Embedding(Protocol):
    """Texts as vectors of length 1."""

    def embed(self, texts: Sequence[RedactedText]) -> NDArray[np.float32]: ...


def nearest_examples(
    embedding: Embedding, texts: Texts, train: Rows, won: NDArray[np.int8], prompt: Prompt
) -> Callable[[int], Prompt]:
    """From a row to a prompt with the most similar training leads, the most similar one last.

    Liu et al. 2022, "What makes good in-context examples for GPT-3?". The search is exact: among a
    few thousand vectors scikit-learn's brute force takes a millisecond, and an approximate index
    (HNSW) would save none of the LLM's hundreds.
    """
    from sklearn.neighbors import NearestNeighbors

    index = NearestNeighbors(n_neighbors=min(EXAMPLES, len(train)), algorithm="brute")
    index.fit(embedding.embed([texts[row] for row in train]))

    def prompt_of(row: int) -> Prompt:
        (places,) = index.kneighbors(embedding.embed([texts[row]]), return_distance=False)
        near = [train[place] for place in places[::-1]]
        examples = tuple(WorkedExample.of(texts[i], won=bool(won[i])) for i in near)
        return replace(prompt, examples=examples)

    return prompt_of


@dataclass(frozen=True, slots=True)
class Found:
    """The best prompt of a search. tried: prompts; asked: all that was asked to find it."""

    prompt: Prompt
    tried: int
    asked: tuple[Asked, ...]
    loss: float


def search_prompt(
    ask: Callable[[LlmVersion, Rows, str], Asked],
    llm: LlmVersion,
    texts: Texts,
    train: Rows,
    won: NDArray[np.int8],
    *,
    calls: int,
    seed: int,
) -> Found:
    """Try blocks and sets of worked examples on training leads that are no examples themselves.

    train: FEWEST_TRIED_ON of them, or more.

    Successive halving (Jamieson & Talwalkar 2016) by log loss, each prompt's answers calibrated
    first. An optimiser that writes prompts (GEPA in MLflow, DSPy) needs a model that can follow an
    instruction to write them; a base model of 270M parameters cannot.
    """
    mixed = np.random.default_rng(seed).permutation(train)
    turns = [max(LEAST_A_TURN, round(share * calls)) for share in SHARES]
    most = min(sum(turns), len(mixed) // 2)  # on a small table examples are worth as much
    judged, pool = mixed[:most], mixed[most:]
    running = _prompts(llm.prompts[EvidenceKind.TEXT], texts, pool, won, seed)
    tried, asked, start = len(running), [], 0
    said: dict[str, list[Asked]] = {prompt.version: [] for prompt in running}
    for turn, wanted in enumerate(turns, start=1):
        rows = judged[start : start + wanted]
        start += len(rows)
        if not len(rows):
            break
        for prompt in running:
            version = replace(llm, prompts={EvidenceKind.TEXT: prompt})
            answer = ask(version, rows, f"choosing a prompt, round {turn}")
            said[prompt.version].append(answer)
            asked.append(answer)
        running.sort(key=lambda one: _loss(said[one.version], won))
        running = running[: max(1, len(running) // 2)]
    best = running[0]
    return Found(best, tried, tuple(asked), _loss(said[best.version], won))


def _prompts(
    base: Prompt, texts: Texts, pool: Rows, won: NDArray[np.int8], seed: int
) -> list[Prompt]:
    instruction, _, _ = base.template.partition("\n---\n")
    seen, outcomes = [texts[row] for row in pool], [bool(won[row]) for row in pool]
    sets = [choose_examples(seen, outcomes, seed=seed + 1 + draw) for draw in range(DRAWS)]
    return [
        replace(base, template=f"{instruction}\n---\n{block}\n", examples=examples)
        for block in BLOCKS
        for examples in sets
    ]


def _loss(said: Sequence[Asked], won: NDArray[np.int8]) -> float:
    """Log loss of what a prompt's answers add to the share won, out of fold; never upside down."""
    opinions = [one.opinions.answered for one in said]
    rows = np.concatenate([one.rows for one in opinions])
    answers, y = np.concatenate([one.log_odds for one in opinions]), won[rows]
    if len(np.unique(y)) < 2:
        return float("inf")
    share = np.full(len(y), y.mean())
    pulls = held_out_pulls(share, answers, y, bound=DEFAULT_BOUND)
    return log_loss(probability(log_odds(share) + pulls), y)
