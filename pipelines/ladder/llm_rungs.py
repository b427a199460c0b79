"""The rungs with an LLM: what it is shown beside the lead, and where it runs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace

import numpy as np

from features.redaction import RedactedText
from models.adapter import Adapter
from models.errors import LlmUnavailable, TrainingRefused
from models.llm_version import Api, Decoding, LlmVersion
from models.prompt import EvidenceKind, Prompt
from models.release import Release
from pipelines.display import Display
from pipelines.finetuning.lessons import draw_lessons
from pipelines.fitting import FittedClassifier
from pipelines.ladder.asking import Asker
from pipelines.ladder.cheap_rungs import with_text
from pipelines.ladder.managed_tuning import ManagedTuning
from pipelines.ladder.remembering import Remembering
from pipelines.ladder.rung import Absent, Rows, Rung
from pipelines.ladder.worked_examples import FEWEST_TRIED_ON, nearest_examples, search_prompt
from pipelines.training_data import TrainingData
from pipelines.verdicts import Witness
from service.llm.adapter_loading import adapter_tried_out
from service.llm.endpoint import LlmEndpoint, client_at
from service.recording.question_record import QuestionRecord
from service.settings import Settings

EXAMPLES_ONLY = "LLM, worked examples"
RETRIEVED = "LLM, examples by similarity"
OPTIMISED = "LLM, optimised prompt"
SOFT_PROMPT = "LLM, soft prompt"
TUNED = "LLM, LoRA adapter"
MANAGED, MANAGED_TUNED = "managed LLM, worked examples", "managed LLM, fine-tuned"
NO_SERVER = (
    "llama.cpp's server takes text and LoRA adapters, no vectors in place of a prompt: nothing "
    "here could serve it."
)
NO_CALLS = "It was asked nothing: --calls is 0."
NOBODY = LlmEndpoint("nobody", "none", Api.COMPLETION, "")


@dataclass(frozen=True)
class Llms:
    """Who may be asked; None: nobody.

    tuned: a release whose LLM has an adapter, which `embedded` can serve. fine_tunes: have the
    managed one's provider make a model of this table.
    """

    embedded: LlmEndpoint | None = None
    managed: LlmEndpoint | None = None
    tuned: Release | None = None
    fine_tunes: bool = False

    @property
    def any(self) -> LlmEndpoint | None:
        return self.embedded or self.managed


@dataclass(frozen=True)
class LlmRungs:
    """llm: the version with worked examples that training would make. sentences: None without them.

    calls: leads of each part that a rung is asked about. prompts: filled by the rungs that chose.
    """

    data: TrainingData
    fitted: FittedClassifier
    texts: Mapping[int, RedactedText]
    witness: Witness
    llm: LlmVersion
    sentences: Remembering | None
    calls: int
    seed: int
    settings: Settings
    record: QuestionRecord
    display: Display
    prompts: dict[str, Prompt] = field(default_factory=dict)

    def rungs(self, llms: Llms) -> Iterator[Rung | Absent]:
        """From the smallest to the largest."""
        tuned = self._tuned_by(llms)  # before hours are spent on the others
        if isinstance(tuned, str) and llms.tuned:
            self.display.say(f"{TUNED}: {tuned}")
        yield from self._embedded(llms.embedded)
        yield Absent(SOFT_PROMPT, NO_SERVER)
        if isinstance(tuned, str):
            yield Absent(TUNED, tuned)
        else:
            yield self._tried(TUNED, lambda: self._tuned(*tuned))
        yield from self._managed(llms.managed, fine_tunes=llms.fine_tunes)

    def _embedded(self, endpoint: LlmEndpoint | None) -> Iterator[Rung | Absent]:
        names = (EXAMPLES_ONLY, RETRIEVED, OPTIMISED)
        if endpoint is None or not self.calls:
            why = "`--calls 0`: no LLM was asked." if endpoint else "Install the extra `local-llm`."
            yield from (Absent(name, why) for name in names)
            return
        asker = self._asker(endpoint)
        llm = self._asked_at(endpoint)
        yield self._tried(EXAMPLES_ONLY, lambda: asker.rung(EXAMPLES_ONLY, llm, self._parts))
        yield self._tried(RETRIEVED, lambda: self._retrieved(asker))
        yield self._tried(OPTIMISED, lambda: self._optimised(asker))

    def _tried(self, name: str, measured: Callable[[], Rung | Absent]) -> Rung | Absent:
        """A rung, or why there is none: hours went into the others, which stay."""
        try:
            return measured()
        except (TrainingRefused, LlmUnavailable) as error:
            self.display.say(f"{name}: {error}")
            return Absent(name, str(error))

    def _retrieved(self, asker: Asker) -> Rung | Absent:
        if self.sentences is None:
            return Absent(RETRIEVED, "Install the extra `ladder`: similarity needs embeddings.")
        if not len(self._train):
            return Absent(RETRIEVED, "No lead of the training part wrote anything.")
        with self.display.stage("Embedding past leads"):
            prompt_of = nearest_examples(
                self.sentences, self.texts, self._train, self.data.won, self._prompt
            )
        llm = self._asked_at(asker.endpoint)
        return asker.rung(RETRIEVED, llm, self._parts, prompt_of=prompt_of)

    def _optimised(self, asker: Asker) -> Rung | Absent:
        if len(self._train) < FEWEST_TRIED_ON:
            why = f"Fewer than {FEWEST_TRIED_ON} leads of the training part wrote anything."
            return Absent(OPTIMISED, why)
        llm = self._asked_at(asker.endpoint)
        found = search_prompt(
            asker.ask, llm, self.texts, self._train, self.data.won, calls=self.calls, seed=self.seed
        )
        self.prompts[OPTIMISED] = found.prompt
        best = replace(llm, prompts={EvidenceKind.TEXT: found.prompt})
        notes = (f"The best of {found.tried} prompts by log loss on training leads.",)
        return asker.rung(OPTIMISED, best, self._parts, before=found.asked, notes=notes)

    def _tuned_by(self, llms: Llms) -> tuple[Release, Adapter, LlmEndpoint] | str:
        """An adapter that learned from this split's training part and no other lead; or why not."""
        adapter = llms.tuned.llm.adapter if llms.tuned else None
        if not self.calls:
            return NO_CALLS
        if llms.tuned is None or llms.embedded is None:
            return "Name a release of `tiebreak tune TABLE` with `--tuned`."
        if adapter is None:
            return (
                f"Release {llms.tuned.version} has no adapter. Name one of `tiebreak tune TABLE`."
            )
        if llms.embedded.weights not in (None, adapter.base):
            return "It was tuned on another model than the one that is installed."
        if not self._taught(llms.tuned.llm, adapter):
            return "It learned from other leads than this split's: same table, leads.toml and seed?"
        return llms.tuned, adapter, llms.embedded

    def _tuned(self, release: Release, adapter: Adapter, endpoint: LlmEndpoint) -> Rung:
        notes = (f"{adapter.examples:,} outcomes, {adapter.minutes or 0:.1f} minutes of tuning.",)
        with adapter_tried_out(endpoint.address, adapter, release.adapter_file):
            return self._asker(endpoint).rung(TUNED, release.llm, self._parts, notes=notes)

    def _taught(self, llm: LlmVersion, adapter: Adapter) -> bool:
        """Whether the adapter's data digest is that of this split's training part."""
        prompt = llm.prompts[EvidenceKind.TEXT]
        table = (self.data, self.fitted, self.witness, prompt)
        drawn = (None, adapter.drawn or adapter.examples)
        with (
            self.display.stage("Comparing with what the adapter learned from"),
            suppress(TrainingRefused),
        ):
            return any(
                draw_lessons(*table, at_most=most, seed=self.seed).digest == adapter.data
                for most in drawn
            )
        return False

    def _managed(
        self, endpoint: LlmEndpoint | None, *, fine_tunes: bool
    ) -> Iterator[Rung | Absent]:
        if endpoint is None or not self.calls:
            unset = "Set TIEBREAK_LLM_BASE_URL, _MODEL and _API_KEY."
            why = unset if endpoint is None else NO_CALLS
            yield from (Absent(name, why) for name in (MANAGED, MANAGED_TUNED))
            return
        asker, llm = self._asker(endpoint), self._asked_at(endpoint)
        yield self._tried(MANAGED, lambda: asker.rung(MANAGED, llm, self._parts))
        if not fine_tunes:
            why = "`--fine-tune` has the provider make one: texts leave, and it costs money."
            yield Absent(MANAGED_TUNED, why)
            return
        yield self._tried(MANAGED_TUNED, lambda: self._fine_tuned(endpoint))

    def _fine_tuned(self, endpoint: LlmEndpoint) -> Rung:
        tuned = replace(endpoint, model=self._made_by(endpoint))
        prompt = replace(self._prompt, examples=())
        llm = replace(self._asked_at(tuned), prompts={EvidenceKind.TEXT: prompt})
        notes = ("What the tuning itself cost is on the provider's bill.",)
        return self._asker(tuned).rung(MANAGED_TUNED, llm, self._parts, notes=notes)

    def _made_by(self, endpoint: LlmEndpoint) -> str:
        """The name of the model that the provider made of the training part."""

        async def make() -> str:
            client = client_at(endpoint, self.settings)
            try:
                llm = self._asked_at(endpoint)
                tuning = ManagedTuning(client, llm, self.witness, self.record)
                return await tuning.tune(self.data, self._train, seed=self.seed)
            finally:
                await client.close()

        with self.display.stage("Waiting for the provider's fine-tuning"):
            return asyncio.run(make())

    def _asker(self, endpoint: LlmEndpoint) -> Asker:
        settings = self.settings
        if endpoint.is_embedded:  # the configured key is for somebody else
            settings = settings.model_copy(update={"llm_api_key": None})
        return Asker(self.data, self.witness, endpoint, settings, self.record, self.display)

    def _asked_at(self, endpoint: LlmEndpoint) -> LlmVersion:
        """The same prompt, asked at this endpoint."""
        return replace(
            self.llm,
            provider=endpoint.provider,
            model=endpoint.model,
            api=endpoint.api,
            decoding=Decoding.for_api(endpoint.api),
            weights=endpoint.weights,
        )

    @property
    def _prompt(self) -> Prompt:
        return self.llm.prompts[EvidenceKind.TEXT]

    @property
    def _train(self) -> Rows:
        return with_text(self.fitted.split.train, self.texts)

    @property
    def _parts(self) -> tuple[Rows, Rows]:
        """Calibration and test leads that each LLM rung is asked about: the same for all."""
        split, rng = self.fitted.split, np.random.default_rng(self.seed)
        parts = (with_text(part, self.texts) for part in (split.calibration, split.test))
        calibration, test = (rng.permutation(part)[: self.calls] for part in parts)
        return calibration, test
