"""The rungs with an LLM: what it is shown beside the lead, and where it runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from features.redaction import RedactedText
from models.llm_version import Api, Decoding, LlmVersion
from models.prompt import EvidenceKind, Prompt
from pipelines.display import Display
from pipelines.fitting import FittedClassifier
from pipelines.ladder.asking import Asker
from pipelines.ladder.cheap_rungs import with_text
from pipelines.ladder.rung import Absent, Rows, Rung
from pipelines.ladder.sentence_embedding import SentenceEmbedding, is_available
from pipelines.ladder.worked_examples import nearest_examples, search_prompt
from pipelines.training_data import TrainingData
from pipelines.verdicts import Witness
from service.llm_endpoint import LlmEndpoint
from service.question_record import QuestionRecord
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
NOBODY = LlmEndpoint("nobody", "none", Api.COMPLETION, "")


@dataclass(frozen=True)
class Llms:
    """Who may be asked; None: nobody.

    tuned: a version with an adapter, which `embedded` serves. managed_tuned: what a provider's
    fine-tuning API made of the managed one.
    """

    embedded: LlmEndpoint | None = None
    managed: LlmEndpoint | None = None
    tuned: LlmVersion | None = None
    managed_tuned: LlmEndpoint | None = None

    @property
    def any(self) -> LlmEndpoint | None:
        return self.embedded or self.managed


@dataclass(frozen=True)
class LlmRungs:
    """llm: the version with worked examples that training would make.

    calls: leads of each part that a rung is asked about. prompts: filled by the rungs that chose.
    """

    data: TrainingData
    fitted: FittedClassifier
    texts: Mapping[int, RedactedText]
    witness: Witness
    llm: LlmVersion
    calls: int
    seed: int
    settings: Settings
    record: QuestionRecord
    display: Display
    prompts: dict[str, Prompt] = field(default_factory=dict)

    def rungs(self, llms: Llms) -> Iterator[Rung | Absent]:
        """From the smallest to the largest."""
        yield from self._embedded(llms.embedded)
        yield Absent(SOFT_PROMPT, NO_SERVER)
        yield self._tuned(llms)
        yield self._managed(
            MANAGED, llms.managed, "Set TIEBREAK_LLM_BASE_URL, _MODEL and _API_KEY."
        )
        why = "`--fine-tune` has the configured provider make one: texts leave, and it costs money."
        yield self._managed(MANAGED_TUNED, llms.managed_tuned, why)

    def _embedded(self, endpoint: LlmEndpoint | None) -> Iterator[Rung | Absent]:
        names = (EXAMPLES_ONLY, RETRIEVED, OPTIMISED)
        if endpoint is None or not self.calls:
            why = "`--calls 0`: no LLM was asked." if endpoint else "Install the extra `local-llm`."
            yield from (Absent(name, why) for name in names)
            return
        asker = self._asker(endpoint)
        yield asker.rung(EXAMPLES_ONLY, self._asked_at(endpoint), self._parts)
        yield self._retrieved(asker)
        yield self._optimised(asker)

    def _retrieved(self, asker: Asker) -> Rung | Absent:
        if not is_available():
            return Absent(RETRIEVED, "Install the extra `ladder`: similarity needs embeddings.")
        with self.display.stage("Embedding past leads"):
            prompt_of = nearest_examples(
                SentenceEmbedding(), self.texts, self._train, self.data.won, self._prompt
            )
        llm = self._asked_at(asker.endpoint)
        return asker.rung(RETRIEVED, llm, self._parts, prompt_of=prompt_of)

    def _optimised(self, asker: Asker) -> Rung:
        llm = self._asked_at(asker.endpoint)
        found = search_prompt(
            asker.ask, llm, self.texts, self._train, self.data.won, calls=self.calls, seed=self.seed
        )
        self.prompts[OPTIMISED] = found.prompt
        best = replace(llm, prompts={EvidenceKind.TEXT: found.prompt})
        notes = (f"The best of {found.tried} prompts by log loss on training leads.",)
        return asker.rung(OPTIMISED, best, self._parts, before=found.asked, notes=notes)

    def _tuned(self, llms: Llms) -> Rung | Absent:
        if llms.embedded is None or llms.tuned is None or not self.calls:
            return Absent(TUNED, "No tuned version is registered: `tiebreak tune TABLE` makes one.")
        return self._asker(llms.embedded).rung(TUNED, llms.tuned, self._parts)

    def _managed(self, name: str, endpoint: LlmEndpoint | None, why: str) -> Rung | Absent:
        if endpoint is None or not self.calls:
            return Absent(name, why)
        return self._asker(endpoint).rung(name, self._asked_at(endpoint), self._parts)

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
